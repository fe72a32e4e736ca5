"""Next-token prediction on (prompt, response) pairs: the loss of pre-training and of supervised fine-tuning."""

from concurrent.futures import ThreadPoolExecutor

import torch
from tokenizers import Tokenizer

from limr.training.miniature import model as tiny
from limr.training.miniature import tokenizer as tokens
from limr.training.miniature.batches import flatten, log_probabilities, pad

WARMUP_SHARE = 0.05
GRADIENT_CLIP = 1.0
_BETAS = (0.9, 0.95)
_WEIGHT_DECAY = 0.01


class NextTokenTrainer:
    """Updates ``network`` with AdamW on batches of (prompt, response) pairs, over ``steps`` updates.

    ``threads`` threads share each batch. Use it as a context: at its end the threads are released.
    """

    def __init__(
        self, network: tiny.TinyQwen2, tokenizer: Tokenizer, learning_rate: float, steps: int, threads: int
    ) -> None:
        self.network, self.tokenizer = network, tokenizer
        self.learning_rate, self.steps, self.threads = learning_rate, steps, threads
        self._optimizer = torch.optim.AdamW(
            network.parameters(), lr=learning_rate, betas=_BETAS, weight_decay=_WEIGHT_DECAY, fused=True
        )
        self._pool = ThreadPoolExecutor(threads)

    def __enter__(self) -> "NextTokenTrainer":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def update(self, step: int, batch: list[tuple[str, str]]) -> float:
        """One update, the ``step``-th from 0. Returns the mean loss of a response token before it, in nats."""
        self._optimizer.param_groups[0]["lr"] = self.learning_rate * _schedule(step / self.steps)
        loss = self._accumulate([batch[shard :: self.threads] for shard in range(self.threads)])
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), GRADIENT_CLIP)
        self._optimizer.step()
        return loss

    def _accumulate(self, shards: list[list[tuple[str, str]]]) -> float:
        """Set the gradients of the mean loss of a token over all ``shards``. Returns this loss, in nats.

        Single operations are too small to be spread over threads, so each thread computes one shard of the batch. The
        gradients are summed in the order of the shards, so the result is the same in every run.
        """
        parameters = list(self.network.parameters())

        def work(shard: list[tuple[str, str]]) -> tuple[float, int, tuple[torch.Tensor, ...]]:
            total, count = _loss(self.network, self.tokenizer, shard)
            return total.item(), count, torch.autograd.grad(total, parameters)

        totals, counts, gradients = zip(*self._pool.map(work, filter(None, shards)), strict=True)
        tokens_read = sum(counts)
        for parameter, *parts in zip(parameters, *gradients, strict=True):
            parameter.grad = torch.stack(parts).sum(0) / tokens_read
        return sum(totals) / tokens_read


def _schedule(progress: float) -> float:
    """Learning-rate factor: linear warm-up, then linear decay to a twentieth."""
    return min(progress / WARMUP_SHARE + 0.01, 1.0) * (1.0 - 0.95 * progress)


def _loss(network: tiny.TinyQwen2, tokenizer: Tokenizer, examples: list[tuple[str, str]]) -> tuple[torch.Tensor, int]:
    """Summed cross-entropy of the response tokens, in nats, and the number of these tokens."""
    prompts, prompt_mask = pad(tokens.encode_prompts(tokenizer, [prompt for prompt, _ in examples]))
    encoded = tokenizer.encode_batch([response + tokens.END for _, response in examples])
    responses, mask = pad([encoding.ids for encoding in encoded])
    hidden = network.response_states(prompts, prompt_mask, responses, mask)
    return -log_probabilities(network.logits(hidden), flatten(responses, mask)).sum(), len(hidden)
