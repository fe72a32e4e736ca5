"""The trajectories that One-Shot-RLVR released (arXiv 2504.20571): accuracies only, no prompts and no rewards."""

import logging
from pathlib import Path
from typing import Any

import polars as pl

from limr.errors import ContractError, shown
from limr.files.strict_json import parse_json, whole_characters
from limr.trajectories.curves import Trajectories

logger = logging.getLogger(__name__)

ONE_SHOT_RLVR_SAMPLES = 8
_SHAPE = "a JSON object {prompt index: [accuracy at each visit]}"


def read_one_shot_rlvr(path: str | Path) -> Trajectories:
    """Read every visit of each prompt.

    The file is JSON, ``{prompt index: [accuracy at each visit]}``; each accuracy is a share of 8 samples. ``prompt_id``
    is the index of the prompt as text, and ``mean_reward`` is NaN.

    Raises LimrError naming the file and, for a wrong value, the prompt and the visit.
    """
    path = Path(path)
    curves = _read_curves(path)
    rows = [(index, epoch, accuracy) for index, curve in curves.items() for epoch, accuracy in enumerate(curve)]
    frame = pl.DataFrame(
        rows, schema={"prompt_id": pl.String, "epoch": pl.Int64, "accuracy": pl.Float64}, orient="row", strict=True
    ).with_columns(mean_reward=pl.lit(None, pl.Float64), n_samples=pl.lit(ONE_SHOT_RLVR_SAMPLES, pl.Int64))
    longest = max(map(len, curves.values()))
    logger.info("%s: %s prompts with at most %s visits each", path, f"{len(curves):,}", longest)
    return Trajectories.from_frame(frame)


def _read_curves(path: Path) -> dict[str, list[float]]:
    """Prompt index -> accuracies, all of them checked."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ContractError(f"cannot be read ({error.strerror})", where=path) from error
    curves = parse_json(content, str(path), _SHAPE)
    if not isinstance(curves, dict) or not curves:
        raise ContractError(where=path, found=shown(curves), expected=_SHAPE)
    return {whole_characters(index, path): _checked(path, index, curve) for index, curve in curves.items()}


def _checked(path: Path, index: str, curve: Any) -> list[float]:
    if not isinstance(curve, list) or not curve:
        raise ContractError(where=(path, f"prompt {index}"), found=shown(curve), expected="a list of accuracies")
    for visit, accuracy in enumerate(curve):
        # NaN fails the comparison; accuracy * 8 is exact, since 8 is a power of two
        is_share = isinstance(accuracy, int | float) and 0 <= accuracy <= 1
        if not is_share or accuracy * ONE_SHOT_RLVR_SAMPLES % 1:
            raise ContractError(
                where=(path, f"prompt {index}", f"visit {visit}"),
                found=shown(accuracy),
                expected=f"a share of {ONE_SHOT_RLVR_SAMPLES} samples",
            )
    return [float(accuracy) for accuracy in curve]
