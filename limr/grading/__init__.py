"""Grading: decides whether an answer means the same as the gold answer, and never evaluates a model's text as code."""

from limr.grading.equivalence import Equality, equal

__all__ = ["Equality", "equal"]
