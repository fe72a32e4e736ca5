"""What OpenRLHF says in its log: a line after every step, with its metrics; and why it ended."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path

_STEP = re.compile(r"Global step (\d+): (\{.*\})")
_NUMBER = re.compile(r"(?<=: )-?(nan|inf)\b")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ERROR = re.compile(
    r"^(?:\([^)]*\) *)?((?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Exit|Interrupt)\b(?:\([^)]*\))?: .*)"
)
_DEAD = re.compile(r"\s*class_name: (\w+)")  # in the lines below an error about a dead worker
_WRAPPERS = ("RayTaskError", "RayActorError", "ActorDiedError")


def step_metrics(line: str) -> tuple[int, dict[str, float | None]] | None:
    """(step from 0, its metrics) of a line that ends a step; a metric that is not a finite number is None.

    >>> step_metrics("INFO ppo_trainer.py:539] Global step 3: {'kl': 0.5, 'policy_loss': nan}")
    (2, {'kl': 0.5, 'policy_loss': None})
    >>> step_metrics("Generate samples: 100%")
    """
    found = _STEP.search(line)
    if not found:
        return None
    try:
        metrics = ast.literal_eval(_NUMBER.sub("None", found[2]))
    except (ValueError, SyntaxError):
        return None
    return int(found[1]) - 1, metrics


def read_metrics(log: Path) -> dict[int, dict[str, float | None]]:
    """Step -> its metrics, as ``log`` has them; of a step that stands there twice, the last."""
    if not log.is_file():
        return {}
    with log.open(encoding="utf-8", errors="replace") as lines:
        return dict(filter(None, map(step_metrics, lines)))


def last_error(lines: Iterable[str]) -> str | None:
    """The last exception that ``lines`` name: one of the program's own rather than Ray's wrapping around it.

    >>> last_error(["(pid=1) ValueError: no such thing", "ray.exceptions.RayTaskError(ValueError): ray::f()"])
    'ValueError: no such thing'
    >>> last_error(["ray.exceptions.ActorDiedError: The actor died.", "\\tclass_name: PolicyModelActor"])
    'ray.exceptions.ActorDiedError: The actor died. (PolicyModelActor)'
    """
    errors: list[str] = []
    for line in lines:
        line = _COLOUR.sub("", line.rstrip())
        if found := _ERROR.match(line):
            errors.append(found[1])
        elif (dead := _DEAD.match(line)) and errors and "ActorDied" in errors[-1]:
            errors[-1] = f"{errors[-1].removesuffix(f' ({dead[1]})')} ({dead[1]})"
    own = [error for error in errors if not any(wrapper in error.split(":")[0] for wrapper in _WRAPPERS)]
    return next(reversed(own or errors), None)
