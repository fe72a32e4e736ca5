"""Problems as in the data stage, made from their texts."""

import polars as pl

from limr.prompts import prompt_id


def problems(*prompts: str, level: int = 3) -> pl.DataFrame:
    """Problems with these texts, answers 0, 1, ... and one level."""
    return pl.DataFrame(
        {
            "prompt_id": [prompt_id(prompt) for prompt in prompts],
            "prompt": prompts,
            "answer": [str(number) for number in range(len(prompts))],
            "level": pl.Series([level] * len(prompts), dtype=pl.Int64),
            "source": "MATH train",
        }
    )
