"""The files that a command reads and writes: no command may overwrite what it reads.

Every command lists its files, with ``parser.set_defaults(files=...)``. ``main`` checks them before it runs the command.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from limr.errors import LimrError, UsageError

if TYPE_CHECKING:
    from limr.files.overwrites import Input, Output

STANDARD = "-"  # standard input or output

Files = tuple[list["Input"], list["Output"]]  # what a command reads and what it writes


def check_files(inputs: "list[Input]", outputs: "list[Output]") -> None:
    """Raise UsageError if an output would overwrite an input or another output, or lie inside a folder that is read.

    Standard output counts too, where it is a file: a shell may have opened it with ``>>``.
    """
    from limr.files.overwrites import Output, refuse_overwrites

    try:
        refuse_overwrites(inputs, [*outputs, Output("standard output", Path("/dev/stdout"))])
    except LimrError as error:
        raise UsageError.of(error) from error


def input_file(name: str, file: str) -> "Input":
    """The input ``file``, which the user calls ``name``; ``-`` is standard input.

    Raises LimrError if it is a device, a pipe or a socket.
    """
    from limr.files.input_paths import refuse_special
    from limr.files.overwrites import Input

    if file == STANDARD:
        return Input("standard input", [Path("/dev/stdin")])
    refuse_special(file)
    return Input(name, [Path(file)])


def input_folder_or_file(name: str, path: str) -> "Input":
    """The input ``path``, which the user calls ``name``: a file, or all files of a folder that may hold rollouts.

    Raises LimrError as ``input_file`` does.
    """
    from limr.files.overwrites import Input
    from limr.logs.log_files import SUFFIXES, folders_below

    if not Path(path).is_dir():
        return input_file(name, path)
    folders = folders_below(Path(path))
    files = [file for in_folder in folders.values() for file in in_folder]
    return Input(name, files, frozenset(folders), SUFFIXES)


def output_file(file: str, name: str = "the output") -> "list[Output]":
    """The output ``file``; none for standard output, which ``check_files`` adds."""
    from limr.files.overwrites import Output

    return [] if file == STANDARD else [Output(name, Path(file))]


def figure_file(figure: str | None) -> "list[Output]":
    """The file of ``--figure``, if one is drawn."""
    return [] if figure is None else output_file(figure, "the figure")
