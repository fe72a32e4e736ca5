"""Degenerate repetition: one piece of text that stands in a row again and again, found in bounded time.

The published way, the regular expression ``(.{5,}?)\\1{4,}``, takes time that grows with the square of a line.
"""

TIMES = 5
LONGEST_PIECE = 1_000
LONGEST_TEXT = 20_000  # characters at the end that are looked at: a model that falls into a loop stays in it


def repeated_piece(text: str, shortest_piece: int, shortest_stretch: int) -> str | None:
    """A piece of ``text`` that stands at least five times in a row, or None.

    The piece has ``shortest_piece`` to 1,000 characters, and its repetitions, the last of which may be cut off after
    the fifth, fill at least ``shortest_stretch`` (a multiple of 5). Only the last 20,000 characters are looked at.

    >>> repeated_piece("so x = 1. " * 50, 1, 500)
    'so x = 1. '
    >>> repeated_piece("0" * 24 + "1", 5, 25) is None
    True
    """
    # In a stretch of s characters with a piece of p <= s / 5, all but the last p agree with those p further on: at
    # least 4 s / 5. So one of the samples of 2 s / 5 that begin every 2 s / 5 characters is found again p further on.
    text = text[-LONGEST_TEXT:]
    stride = 2 * shortest_stretch // TIMES
    for anchor in range(0, len(text) - stride, stride):
        sample = text[anchor : anchor + stride]
        end = anchor + min(LONGEST_PIECE, (len(text) - anchor + stride) // TIMES) + stride
        found = text.find(sample, anchor + shortest_piece, end)
        while found >= 0:
            piece = found - anchor
            start = _start_of_stretch(text, anchor, piece, stride, max(shortest_stretch, TIMES * piece))
            if start is not None:
                return text[start : start + piece]
            found = text.find(sample, found + 1, end)
    return None


def _start_of_stretch(text: str, anchor: int, piece: int, stride: int, stretch: int) -> int | None:
    """Where a ``stretch`` of repetitions begins that has its first anchor at ``anchor``; None if there is none."""
    after = anchor + stretch - stride + 1 - piece  # all up to here agrees with what follows, wherever it begins
    if text[anchor:after] != text[anchor + piece : after + piece]:
        return None
    start = anchor
    while start > max(0, anchor - stride) and text[start - 1] == text[start - 1 + piece]:
        start -= 1
    agrees = text[start : start + stretch - piece] == text[start + piece : start + stretch]
    return start if agrees and start + stretch <= len(text) else None
