"""The trajectories that One-Shot-RLVR released (arXiv 2504.20571): accuracies alone, no prompts and no rewards."""

import json
import logging
from pathlib import Path

import polars as pl

from limr.errors import ContractError, LimrError
from limr.trajectories.curves import Trajectories

logger = logging.getLogger(__name__)

ONE_SHOT_RLVR_SAMPLES = 8


def read_one_shot_rlvr(path: str | Path, visits: int | None = None) -> Trajectories:
    """Read the first ``visits`` visits of each prompt, or all of them.

    The file is JSON, ``{prompt index: [accuracy at each visit]}``, each accuracy a share of 8 samples. It holds no
    prompts and no rewards: ``prompt_id`` is the prompt's index as text, and ``mean_reward`` is NaN.

    Raises ContractError naming the file, and the prompt index where one is at fault.
    """
    path = Path(path)
    if visits is not None and visits < 1:
        raise LimrError(f"visits: found {visits}, expected at least 1")
    curves = _read_json_object(path)
    longest = max(len(curve) for curve in curves.values())
    if visits is None:
        visits = longest
    elif longest < visits:
        raise LimrError(f"{path}: no prompt has {visits} visits, the longest has {longest}: lower `visits`")
    rows = [
        (index, epoch, accuracy) for index, curve in curves.items() for epoch, accuracy in enumerate(curve[:visits])
    ]
    frame = pl.DataFrame(
        rows, schema={"prompt_id": pl.String, "epoch": pl.Int64, "accuracy": pl.Float64}, orient="row", strict=True
    ).with_columns(mean_reward=pl.lit(None, pl.Float64), n_samples=pl.lit(ONE_SHOT_RLVR_SAMPLES, pl.Int64))
    logger.info("%s: %s prompts, %s visits each at most", path, f"{len(curves):,}", visits)
    return Trajectories.from_frame(frame)


def _read_json_object(path: Path) -> dict[str, list[float]]:
    try:
        curves = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ContractError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ContractError(f"{path}: not JSON, or truncated ({error})") from error
    if not isinstance(curves, dict) or not curves:
        raise ContractError(f"{path}: expected a JSON object {{prompt index: [accuracy at each visit]}}")
    for index, curve in curves.items():
        if not isinstance(curve, list) or not curve:
            raise ContractError(f"{path}: prompt {index}: expected a list of accuracies, found {str(curve)[:40]!r}")
        for visit, accuracy in enumerate(curve):
            is_share = isinstance(accuracy, int | float) and 0 <= accuracy <= 1
            if not is_share or accuracy * ONE_SHOT_RLVR_SAMPLES % 1:
                raise ContractError(
                    f"{path}: prompt {index}, visit {visit}: found {accuracy!r},"
                    f" expected a share of {ONE_SHOT_RLVR_SAMPLES} samples"
                )
    return {index: [float(accuracy) for accuracy in curve] for index, curve in curves.items()}
