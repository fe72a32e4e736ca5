"""Keep freed memory for the next tensor instead of handing it back to the system after every operation."""

import ctypes
import sys

# glibc's malloc.h
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_GIGABYTE = 1 << 30


def reuse_freed_memory() -> None:
    """On Linux with glibc: serve large blocks from the heap and never trim it.

    The miniature makes many short-lived tensors of some megabytes; by default each is mapped from the system, zeroed
    page by page and unmapped again, which costs a fifth of the training time. Elsewhere this does nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _GIGABYTE)
        mallopt(_M_TRIM_THRESHOLD, _GIGABYTE)
        mallopt(_M_TOP_PAD, 64 << 20)
