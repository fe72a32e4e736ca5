"""Grading: decides whether an answer means the same as the gold answer, and never evaluates what a model wrote."""

from limr.grading.equivalence import Equality, equal

__all__ = ["Equality", "equal"]
