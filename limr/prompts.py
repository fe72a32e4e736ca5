"""The id of a prompt: the same text has the same id in every file, run and framework."""

import hashlib


def prompt_id(prompt: str) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the prompt, its white space collapsed.

    >>> prompt_id("What is 2+2?") == prompt_id("  What  is\\n2+2? ")
    True
    """
    return hashlib.sha256(collapsed(prompt).encode("utf-8")).hexdigest()[:16]


def collapsed(text: str) -> str:
    r"""``text`` with every run of white space replaced by one space, and stripped.

    >>> collapsed(" \\$ 5\n")
    '\\$ 5'
    """
    return " ".join(text.split())


def has_lone_surrogate(text: str) -> bool:
    r"""Whether ``text`` holds a lone surrogate: half of a UTF-16 pair. No file can hold such a text as UTF-8.

    >>> has_lone_surrogate("half \ud83d"), has_lone_surrogate("½")
    (True, False)
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
