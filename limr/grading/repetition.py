"""Finds degenerate repetition, one piece of text many times in a row, in bounded time.

The published method, the regular expression ``(.{5,}?)\\1{4,}``, takes time quadratic in the length of a line.
"""

TIMES = 5
LONGEST_PIECE = 1_000
LONGEST_TEXT = 20_000  # only the end of a response is searched: a model in a loop does not leave the loop


def repeated_piece(text: str, shortest_piece: int, shortest_stretch: int) -> str | None:
    """A piece of ``text`` that occurs at least five times in a row, or None.

    The piece has ``shortest_piece`` to 1,000 characters. Its repetitions fill at least ``shortest_stretch`` characters
    (a multiple of 5); after the fifth, the last one may be incomplete. Only the last 20,000 characters are searched.

    >>> repeated_piece("so x = 1. " * 50, 1, 500)
    'so x = 1. '
    >>> repeated_piece("0" * 24 + "1", 5, 25) is None
    True
    """
    # In a stretch of s characters that repeats a piece of p <= s / 5, every character but the last p equals the one
    # p later: that is at least 4 s / 5 of them. So take samples of 2 s / 5 characters, one every 2 s / 5: at least one
    # of them is in this part, and is found again p later.
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
    """Where a ``stretch`` of repetitions with its first sample at ``anchor`` begins; None if there is no repetition."""
    after = anchor + stretch - stride + 1 - piece  # up to here all must repeat, wherever the stretch begins
    if text[anchor:after] != text[anchor + piece : after + piece]:
        return None
    start = anchor
    while start > max(0, anchor - stride) and text[start - 1] == text[start - 1 + piece]:
        start -= 1
    agrees = text[start : start + stretch - piece] == text[start + piece : start + stretch]
    return start if agrees and start + stretch <= len(text) else None
