"""FULL scores every prompt alike."""

from limr.selection.methods.full import full


def test_every_prompt_has_the_score_1():
    assert full(["a", "b"]) == [1.0, 1.0]
