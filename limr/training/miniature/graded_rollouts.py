"""The rollouts of one step: responses sampled from the policy and graded, as tensors and as rows of the contract."""

from dataclasses import dataclass

import polars as pl
import torch
from tokenizers import Tokenizer
from torch import Tensor

from limr.grading.equivalence import LIMR
from limr.grading.reward import Verdict, grade
from limr.training.miniature.batches import pad
from limr.training.miniature.generate import Responses, generate
from limr.training.miniature.model import TinyQwen2
from limr.training.miniature.tokenizer import END, encode_prompts


class PromptSet:
    """The prompts of a prompts or subset table, encoded once, and the rule and the grader of the reward."""

    def __init__(
        self, table: pl.DataFrame, tokenizer: Tokenizer, reward_rule: str = "paper", grader: str = LIMR
    ) -> None:
        self.ids = table["prompt_id"].to_list()
        self.answers = table["answer"].to_list()
        self.tokens = encode_prompts(tokenizer, table["prompt"].to_list())
        self.tokenizer = tokenizer
        self.reward_rule, self.grader = reward_rule, grader
        self.end = tokenizer.token_to_id(END)

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Rollouts:
    """Graded responses: n rows for each of the step's prompts, one prompt after another.

    ``prompts`` and ``prompt_mask``: (prompts, prompt length), right-padded. ``rewards``: (prompts * n,). ``table``: the
    rows of the rollouts contract, in the same order.
    """

    prompts: Tensor
    prompt_mask: Tensor
    responses: Responses
    rewards: Tensor
    table: pl.DataFrame


def sample(
    model: TinyQwen2,
    prompt_set: PromptSet,
    indices: list[int],
    visits: list[int],
    step: int,
    samples: int,
    length: int,
    temperature: float,
    uniforms: Tensor | None,
) -> Rollouts:
    """Sample and grade ``samples`` responses to each prompt of ``indices``; ``visits`` holds the visit of each prompt.

    ``uniforms``: random numbers for sampling, (prompts * samples, length); None means greedy decoding.
    """
    prompts, prompt_mask = pad([prompt_set.tokens[index] for index in indices])
    responses = generate(model, prompts, prompt_mask, samples, length, temperature, prompt_set.end, uniforms)
    longest = int(responses.mask.sum(1).max())  # cut the columns that are padding in every row
    responses = Responses(
        responses.tokens[:, :longest],
        responses.mask[:, :longest],
        responses.log_probabilities[:, :longest],
        responses.entropies[:, :longest],
        responses.truncated,
    )
    texts = _decode(prompt_set.tokenizer, responses)
    answers = [prompt_set.answers[index] for index in indices for _ in range(samples)]
    graded = zip(texts, answers, responses.truncated.tolist(), strict=True)
    verdicts = [grade(*row, prompt_set.reward_rule, prompt_set.grader) for row in graded]
    rewards = torch.tensor([verdict.reward for verdict in verdicts])
    ids = [prompt_set.ids[index] for index in indices]
    table = _table(ids, visits, step, samples, responses, texts, verdicts)
    return Rollouts(prompts, prompt_mask, responses, rewards, table)


def accuracy(model: TinyQwen2, prompt_set: PromptSet, length: int) -> float:
    """Share of the prompts with a correct greedy response of at most ``length`` tokens."""
    indices = list(range(len(prompt_set)))
    rollouts = sample(model, prompt_set, indices, [0] * len(indices), 0, 1, length, 1.0, None)
    return float(rollouts.table["correct"].mean())


def _decode(tokenizer: Tokenizer, responses: Responses) -> list[str]:
    lengths = responses.mask.sum(1).tolist()
    rows = [row[:length] for row, length in zip(responses.tokens.tolist(), lengths, strict=True)]
    return tokenizer.decode_batch(rows, skip_special_tokens=True)


def _table(
    ids: list[str],
    visits: list[int],
    step: int,
    samples: int,
    responses: Responses,
    texts: list[str],
    verdicts: list[Verdict],
) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "prompt_id": [prompt_id for prompt_id in ids for _ in range(samples)],
            "visit": [visit for visit in visits for _ in range(samples)],
            "sample": list(range(samples)) * len(ids),
            "step": [step] * len(texts),
            "reward": [verdict.reward for verdict in verdicts],
            "correct": [verdict.correct for verdict in verdicts],
            "formatted": [verdict.formatted for verdict in verdicts],
            "response_tokens": responses.mask.sum(1).tolist(),
            "truncated": responses.truncated.tolist(),
            "response": texts,
        }
    )
