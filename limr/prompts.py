"""What a prompt is called: one id for the same text in every file, run and framework."""

import hashlib


def prompt_id(prompt: str) -> str:
    """Hash of the prompt with its white space collapsed: 16 hexadecimal digits of SHA-256.

    >>> prompt_id("What is 2+2?") == prompt_id("  What  is\\n2+2? ")
    True
    """
    return hashlib.sha256(collapsed(prompt).encode("utf-8")).hexdigest()[:16]


def collapsed(text: str) -> str:
    r"""``text`` with every stretch of white space as one space, and none at its ends.

    >>> collapsed(" \\$ 5\n")
    '\\$ 5'
    """
    return " ".join(text.split())
