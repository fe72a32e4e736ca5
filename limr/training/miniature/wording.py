"""The second wording of the miniature's problems: the same question in other words.

A benchmark in the other wording shows whether a model learned the problems, or only their templates. The training set
has the ordinary wording only. The base model's corpus has a share of problems in the other one (``reworded``), so the
base model knows all the words.

Each template is a pair of texts with the same names in braces. To reword a problem, ``other_wording`` finds the
template that the prompt follows, and puts the same values into the other text.
"""

import re
from functools import cache

from limr.errors import LimrError, shown

_RECTANGLE = "A rectangle is {wide} wide and {high} high. What is its"
_HALL = "A hall has {rows} rows with {seats} chairs each"

TEMPLATES: dict[str, tuple[tuple[str, str], ...]] = {
    "Prealgebra": (("Compute {terms}.", "What is {terms}?"),),
    "Algebra": (("Solve {left}={right}.", "For which x is {left}={right}?"),),
    "Number Theory": (("Find {number} mod {modulus}.", "What is left of {number} after division by {modulus}?"),),
    "Counting": (
        ("Seats in {rows} rows of {seats}?", f"{_HALL}. How many chairs?"),
        ("Seats in {rows} rows of {seats} and {more} more?", f"{_HALL}, and {{more}} extra. How many chairs?"),
        (
            "Seats in {rows} rows of {seats} and {more} more, {taken} taken?",
            f"{_HALL}, and {{more}} extra. How many are free if {{taken}} are in use?",
        ),
    ),
    "Geometry": (
        ("Area of a {wide} by {high} rectangle?", f"{_RECTANGLE} area?"),
        ("Perimeter of a {wide} by {high} rectangle?", f"{_RECTANGLE} perimeter?"),
        ("Perimeter of a {wide} by {high} rectangle less {less}?", f"{_RECTANGLE} perimeter minus {{less}}?"),
        (
            "Volume of a {length} by {wide} by {high} box?",
            "A box is {length} long, {wide} wide and {high} high. What is its volume?",
        ),
    ),
    "Intermediate Algebra": (
        (
            "First term {first}, next is {next}, term {number}?",
            "A sequence begins with {first}, and after a comes {next}. What is term {number}?",
        ),
    ),
    "Precalculus": (
        ("f(x)={f}, {value}?", "Let f(x)={f}. What is {value}?"),
        ("f(x)={f}, g(x)={g}, {value}?", "Let f(x)={f} and g(x)={g}. What is {value}?"),
    ),
}


def other_wording(subject: str, prompt: str) -> str:
    """The ``prompt`` of a problem of ``subject`` in the other wording.

    Raises LimrError if the prompt follows no template of its subject.

    >>> other_wording("Geometry", "Perimeter of a 7 by 3 rectangle less 2?")
    'A rectangle is 7 wide and 3 high. What is its perimeter minus 2?'
    """
    for ordinary, other in TEMPLATES[subject]:
        if values := _pattern(ordinary).fullmatch(prompt):
            return other.format(**values.groupdict())
    raise LimrError(
        f"no template of {subject} matches this prompt, so it has no other wording",
        found=shown(prompt),
        advice="Add its template to limr/training/miniature/wording.py.",
    )


def ordinary_wording(prompt: str) -> str:
    """The prompt in the ordinary wording; a ``prompt`` that is not in the other wording is returned unchanged.

    >>> ordinary_wording("What is 7+5-3?"), ordinary_wording("Compute 7+5-3.")
    ('Compute 7+5-3.', 'Compute 7+5-3.')
    """
    for templates in TEMPLATES.values():
        for ordinary, other in templates:
            if values := _pattern(other).fullmatch(prompt):
                return ordinary.format(**values.groupdict())
    return prompt


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """Matches a text of ``template``. A value is anything without spaces and commas: ``17``, ``3(x+2)-4``, ``f(5)``."""
    texts_and_names = re.split(r"\{(\w+)\}", template)  # text, name, text, ..., name, text
    parts = [rf"(?P<{part}>[^\s,]+)" if index % 2 else re.escape(part) for index, part in enumerate(texts_and_names)]
    return re.compile("".join(parts))
