"""What OpenRLHF loads into every vLLM actor (``--train.agent_func_path``): it grades each response and records it.

The reward is the project's own, and an error in it ends the run: in a reward function of OpenRLHF's it would be
swallowed, and the reward be missing. Every response is recorded before it is trained on.
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
from limr.training.openrlhf.records import DEVELOPMENT, Recorder, step_name

RECORDS, REWARD_RULE = "LIMR_RECORDS", "LIMR_REWARD_RULE"
"""Environment variables: the folder of this attempt's records, and the rule of the reward."""


class AgentExecutor(SingleTurnAgentExecutor):
    """Generates as OpenRLHF's own single-turn executor does, then grades and records.

    Called ``n_samples_per_prompt`` times for each row of the data set, all in one process. The label is what
    ``dataset`` wrote: split, id, answer, and for training step and visit.
    """

    def __init__(self) -> None:
        super().__init__(None)  # without its reward endpoints
        self._recorder = Recorder(Path(os.environ[RECORDS]))
        self._rule = os.environ[REWARD_RULE]
        self._samples: Counter[str] = Counter()
        self._step = -1  # the last one met here: every engine takes part in every step
        self._lock = threading.Lock()

    async def execute(self, prompt: str, label: str, sampling_params: Any, max_length: int, hf_tokenizer: Any,
                      llm_engine: Any, images: Any = None) -> dict[str, Any]:  # fmt: skip
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
        """How many responses to ``label`` were asked for before; for the development set: the step it follows."""
        with self._lock:
            if row["split"] == DEVELOPMENT:
                row["step"] = self._step
            self._step = max(self._step, row["step"])
            self._samples[label] += 1
            return self._samples[label] - 1

    def _grade_and_record(
        self, label: dict[str, Any], sample: int, response: str, tokens: int, truncated: bool
    ) -> float:
        verdict = grade(response, label["answer"], truncated, self._rule)
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
        if label["split"] == DEVELOPMENT:  # what OpenRLHF calls its score is then the accuracy
            self._recorder.append(DEVELOPMENT, row)
            return float(verdict.correct)
        self._recorder.append(step_name(label["step"]), {**row, "visit": label["visit"], "sample": sample})
        return verdict.reward
