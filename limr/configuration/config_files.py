"""Check the text of configuration files for what Snakemake's reader takes in silence for something else.

Of two equal keys in a section it keeps the last one. It reads the numbers 010 and 12:30 as 8 and 750 (YAML 1.1).
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from limr.errors import LimrError, ProblemsError, first_line

_MERGE = "tag:yaml.org,2002:merge"  # `<<` may occur more than once in a section
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


def check_files(files: Iterable[str | Path]) -> None:
    """Check configuration ``files``, YAML or JSON.

    Raises ProblemsError with an error for each key that occurs twice in the same section, and for each number that is
    not decimal. Raises LimrError for a file without sections.
    """
    problems = [problem.inside(file) for file in files for problem in _problems(_document(Path(file)), (), set())]
    if problems:
        raise ProblemsError("the configuration cannot be used", problems)


def _document(file: Path) -> yaml.Node:
    try:
        text = file.read_text(encoding="utf-8").expandtabs()  # JSON may be indented with tabs, and YAML may not
        document = yaml.compose(text, Loader=yaml.SafeLoader)
    except FileNotFoundError as error:
        advice = "Run snakemake in the folder that holds config.yaml, or name a file with --configfile."
        raise LimrError("no such file", where=file, expected="a configuration", advice=advice) from error
    except OSError as error:
        raise LimrError(f"cannot be read: {error.strerror}", where=file) from error
    except UnicodeDecodeError as error:
        raise LimrError("not text in UTF-8", where=file, expected="a configuration in YAML") from error
    except RecursionError as error:
        raise LimrError("too many levels of lists or sections", where=file) from error
    except yaml.YAMLError as error:
        raise LimrError(f"not valid YAML: {_reason(error)}", where=file) from error
    if not isinstance(document, yaml.MappingNode):
        found = "nothing" if document is None else "a list" if isinstance(document, yaml.SequenceNode) else "text"
        raise LimrError(where=file, found=found, expected="a configuration: sections with keys, as in config.yaml")
    return document


def _reason(error: yaml.YAMLError) -> str:
    """What the parser says, and the line."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return first_line(error)


def _problems(node: yaml.Node, above: tuple[str, ...], seen: set[int]) -> Iterator[LimrError]:
    """The errors of ``node``, whose place is ``above``. ``seen`` holds the nodes done: an alias gives a node again."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        yield from _not_decimal(node, above)
    elif isinstance(node, yaml.SequenceNode):
        for number, entry in enumerate(node.value):
            yield from _problems(entry, (*above, str(number)), seen)
    elif isinstance(node, yaml.MappingNode):
        yield from _repeated_keys(node, above)
        for key, value in node.value:
            yield from _problems(value, (*above, str(key.value)), seen)


def _repeated_keys(section: yaml.MappingNode, above: tuple[str, ...]) -> Iterator[LimrError]:
    lines: dict[tuple[str, str], int] = {}
    for key, _ in section.value:
        name, line = (key.tag, str(key.value)), key.start_mark.line + 1
        if name in lines and key.tag != _MERGE:
            yield LimrError(
                "this key occurs twice in its section",
                where=(f"line {line}", ".".join((*above, str(key.value)))),
                advice=f"The first one is in line {lines[name]}. Remove one of the two.",
            )
        lines.setdefault(name, line)


def _not_decimal(number: yaml.ScalarNode, place: tuple[str, ...]) -> Iterator[LimrError]:
    """An error for 010, which YAML reads as the octal number 8, and for 12:30, which it reads as 12 x 60 + 30."""
    if number.tag in _NUMBERS and (":" in number.value or re.match(r"[-+]?0[0-7_]+$", number.value)):
        yield LimrError(
            where=(f"line {number.start_mark.line + 1}", ".".join(place)),
            found=number.value,
            expected="a decimal number without a leading 0 and without a colon",
            advice="YAML reads this one in base 8 or 60.",
        )
