"""Grades and records each response. OpenRLHF loads this file into every vLLM actor (``--train.agent_func_path``).

The reward is this project's. An error in the grader ends the run; OpenRLHF's own reward functions would ignore the
error and train without a reward. Every response is recorded before it is trained on.
"""

import asyncio
import json
import os
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from openrlhf.utils.agent import SingleTurnAgentExecutor

from limr.grading.reward import grade
from limr.training.openrlhf.records import (
    DEVELOPMENT,
    FOLDER_VARIABLE,
    GRADER_VARIABLE,
    RULE_VARIABLE,
    Recorder,
    step_name,
)


class AgentExecutor(SingleTurnAgentExecutor):
    """Generates like OpenRLHF's own single-turn executor, then grades and records.

    OpenRLHF calls it ``n_samples_per_prompt`` times for each row of the data set, all in one process. The label comes
    from ``prompt_dataset``: split, id and answer, and for training also step and visit.
    """

    def __init__(self) -> None:
        super().__init__(None)  # without OpenRLHF's reward endpoints
        self._recorder = Recorder(Path(os.environ[FOLDER_VARIABLE]))
        self._rule, self._grader = os.environ[RULE_VARIABLE], os.environ[GRADER_VARIABLE]
        self._samples: Counter[str] = Counter()
        self._step = -1  # the last step seen here; every engine takes part in every step
        self._lock = threading.Lock()

    async def execute(self, prompt: str, label: str, sampling_params: Any, max_length: int, hf_tokenizer: Any,
                      llm_engine: Any, images: Any = None) -> dict[str, Any]:  # fmt: skip
        """Generate one response; its reward is in the result."""
        row = json.loads(label)
        sample = self._next_sample(label, row)
        output = await super().execute(
            prompt, label, sampling_params, max_length, hf_tokenizer, llm_engine, images=images
        )
        ((start, end),) = output["action_ranges"]
        response = hf_tokenizer.decode(
            output["observation_tokens"][start:end], skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        reward = await asyncio.to_thread(
            self._grade_and_record, row, sample, response, end - start, output["truncated"]
        )
        output.update(reward=reward, scores=reward)
        return output

    def _next_sample(self, label: str, row: dict[str, Any]) -> int:
        """The 0-based index of this response among those to ``label``.

        A row of the development set gets the step that it follows.
        """
        with self._lock:
            if row["split"] == DEVELOPMENT:
                row["step"] = self._step
            self._step = max(self._step, row["step"])
            self._samples[label] += 1
            return self._samples[label] - 1

    def _grade_and_record(
        self, label: dict[str, Any], sample: int, response: str, tokens: int, truncated: bool
    ) -> float:
        verdict = grade(response, label["answer"], truncated, self._rule, self._grader)
        row = {
            "prompt_id": label["id"],
            "step": label["step"],
            "reward": verdict.reward,
            "correct": verdict.correct,
            "formatted": verdict.formatted,
            "response_tokens": tokens,
            "truncated": truncated,
            "response": response,
        }
        if label["split"] == DEVELOPMENT:  # OpenRLHF then logs the accuracy as its score
            self._recorder.append(DEVELOPMENT, row)
            return float(verdict.correct)
        self._recorder.append(step_name(label["step"]), {**row, "visit": label["visit"], "sample": sample})
        return verdict.reward
