"""Grading: whether an answer means the same as the gold answer, decided without ever evaluating it."""

from limr.grading.equivalence import Equality, equal

__all__ = ["Equality", "equal"]
