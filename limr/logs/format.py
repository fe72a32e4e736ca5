"""What a log format is: how its files are recognised, and how they are read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from limr.logs.log import LogOptions, Part

ReadFunction = Callable[[Sequence[Path], LogOptions, bool], Iterator[tuple[int, Part]]]


@dataclass(frozen=True)
class Format:
    """One framework's log.

    ``read(files, options, with_responses)`` yields (row of the file in ``files``, a part of it), in the order of the
    files and of what stands in them; every file at least once, an empty one as an error. ``Part.step`` is None where
    the rows have no step: then it is taken from the file's name.
    """

    name: str
    title: str  # which framework writes it, and by which of its options
    files: str  # regular expression that whole file names match; its group ``step``, if any, is the training step
    keys: frozenset[str]  # a first row that has all of these is of this format (of several, of the one with most keys)
    read: ReadFunction
    other_keys: tuple[frozenset[str], ...] = ()  # which will do as well as ``keys``
    set_aside: Mapping[str, str] = field(default_factory=dict)  # key, name or "folder/" -> what such a file of some is
