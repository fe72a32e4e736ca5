"""Grading: whether an answer means the same as the gold answer, decided without ever evaluating it."""
