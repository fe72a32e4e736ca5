"""Refuses an output that would overwrite an input, or that is the same file as another output.

Two paths are one file if they lead to the same place, whatever links, ``..`` and relative parts they contain. A folder
that is read may also gain a file: an output inside it would be read as a part of it by the next command.
"""

import os
import stat
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path

from limr.errors import LimrError

_OUTSIDE = "Choose a path outside this folder."


@dataclass(frozen=True)
class Input:
    """What is read under one name.

    ``files`` are the files that are read. If they were found in a folder, ``folders`` are the real paths of this folder
    and of all folders below it that are searched, and ``suffixes`` are those of the files that are read there.
    """

    name: str  # as the user calls it: SOURCE
    files: Collection[Path]
    folders: frozenset[str] = frozenset()
    suffixes: tuple[str, ...] = ()

    def reads(self, path: Path) -> Path | None:
        """The file of this input that ``path`` leads to, or None."""
        place = _place(path)
        return self._places.get(place) if place else None

    def would_read(self, path: Path) -> bool:
        """Whether a new file ``path`` would be read too, because it lies in a folder that is searched."""
        return any(map(self._is_searched, {_real_name(path), Path(os.path.realpath(path))}))

    def lies_in(self, folder: Path) -> bool:
        """Whether a file of this input lies in ``folder``."""
        real = Path(os.path.realpath(folder))
        # a log may have 100,000 files: only their folders are resolved, and those files that are links
        targets = (Path(os.path.realpath(file)) for file in self.files if file.is_symlink())
        places = {file.parent for file in (*self.files, *targets)}
        return any(real in (place, *place.parents) for place in (Path(os.path.realpath(place)) for place in places))

    @cached_property
    def _places(self) -> dict[tuple[int, int] | None, Path]:
        return {_place(file): file for file in self.files}

    def _is_searched(self, path: Path) -> bool:
        if path.suffix not in self.suffixes:
            return False
        # the nearest folder that exists decides: below it, only hidden folders and files are left out
        folder = next(parent for parent in path.parents if parent.exists())
        return str(folder) in self.folders and not any(part.startswith(".") for part in path.relative_to(folder).parts)


@dataclass(frozen=True)
class Output:
    """A file that is written; with ``holds``, a folder that is replaced as a whole by one that holds such a file."""

    name: str  # as an error calls it: the output
    path: Path
    holds: str = ""


def refuse_overwrites(inputs: Sequence[Input], outputs: Sequence[Output]) -> None:
    """Raise LimrError for an output that is an input or would be read as a part of it, and for two equal outputs."""
    for output in outputs:
        for known in inputs:
            if output.holds:
                _refuse_folder(known, output)
            else:
                _refuse_file(known, output)
    for first, second in combinations(outputs, 2):
        place = _place(first.path)
        if os.path.realpath(first.path) == os.path.realpath(second.path) or (place and place == _place(second.path)):
            what = f"{first.name} and {second.name} are the same file"
            raise LimrError(what, where=second.path, advice="Give each output its own name.")


def _refuse_file(known: Input, output: Output) -> None:
    if file := known.reads(output.path):
        raise LimrError(
            f"{output.name} would overwrite {known.name} ({file})",
            where=output.path,
            advice=_OUTSIDE if known.would_read(output.path) else "Choose another name for the output.",
        )
    if known.would_read(output.path):
        raise LimrError(
            f"{output.name} would lie inside {known.name}, where the next command would read it as a part of it",
            where=output.path,
            advice=_OUTSIDE,
        )


def _refuse_folder(known: Input, output: Output) -> None:
    if known.would_read(output.path / output.holds) or known.lies_in(output.path):
        raise LimrError(
            where=output.path,
            found=f"{known.name} itself, or a folder that is inside {known.name} or contains it",
            expected=f"a folder beside {known.name}",
        )


def _place(path: Path) -> tuple[int, int] | None:
    """Where the content of a file is on the disk: equal for all links to it. None for anything but a file."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None


def _real_name(path: Path) -> Path:
    """``path`` without links in its folders; the file itself may be a link, which a new file replaces."""
    return Path(os.path.realpath(path.parent), path.name)
