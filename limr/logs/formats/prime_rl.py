"""The episodes that prime-rl logs: ``rollouts/step_{N}/train/all/traces.jsonl`` in its ``output_dir``.

Source: ``FileMonitor.log_episodes`` of src/prime_rl/monitors/file.py and ``main_loop`` of
src/prime_rl/orchestrator/orchestrator.py in the repository PrimeIntellect-ai/prime-rl at commit 559b447, ``Episode``
and ``Trace`` of verifiers/v1/episode.py and trace.py in PrimeIntellect-ai/verifiers at commit a60a606 (both August
2026). ``verifiers`` reads the files until June 2026. Files written between the two formats are not recognised.

A line is an episode: its status, its provenance ``run.work`` and its ``traces``; values that are null are omitted. A
trace is one agent's rollout: ``task.data.prompt`` (text, or chat messages without a template), ``rewards`` (name ->
score and weight; the reward is the sum of their products), ``nodes`` (the messages) and ``agent.trainable``.

- The step is ``run.work.step``, at which all rollouts of a group were sent out. The step in the folder's name is the
  one at which each came back.
- ``all`` holds every episode, ``effective`` those that were trained on. If both exist, ``effective`` is left out,
  because its lines are in ``all`` too. The prompts that it lacks (no spread, rejected by the curriculum) are
  visits as well.
- ``eval`` is left out if ``train`` exists.
- A trace that failed has no reward. Like training, the reader leaves it out, and its visit is a partial one.
- The rollouts of an agent that is not trained are left out.
- verifiers' own ``traces.jsonl``, from an evaluation, has the same lines without a step: a log of one visit.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from limr.errors import first_line
from limr.logs.format import Format
from limr.logs.json_exact import decode
from limr.logs.json_rows import JsonRow, Rollouts, RowError, read_json


class Data(msgspec.Struct, frozen=True, gc=False):
    """The parts of a task that are needed."""

    prompt: msgspec.Raw = msgspec.Raw()
    answer: msgspec.Raw = msgspec.Raw()


class Task(msgspec.Struct, frozen=True, gc=False):
    """The task of a trace."""

    data: Data


class Reward(msgspec.Struct, frozen=True, gc=False):
    """The value of one reward function."""

    score: float
    weight: float = 1.0


class Agent(msgspec.Struct, frozen=True, gc=False):
    """The agent of a trace."""

    trainable: bool = True


class Node(msgspec.Struct, frozen=True, gc=False):
    """A message of a trace."""

    message: Mapping[str, Any]
    sampled: bool = False
    mask: list[bool] = []


class Trace(msgspec.Struct, frozen=True, gc=False):
    """The rollout of one agent."""

    task: Task
    rewards: dict[str, Reward | None]
    ok: bool
    agent: Agent = Agent()
    stop_condition: str | None = None
    nodes: msgspec.Raw = msgspec.Raw()


class Work(msgspec.Struct, frozen=True, gc=False):
    """The step at which the episode was sent out."""

    step: int | None = None


class Run(msgspec.Struct, frozen=True, gc=False):
    """The run that the episode belongs to."""

    work: Work = Work()


class Row(JsonRow):
    """An episode."""

    traces: list[Trace]
    run: Run = Run()

    @classmethod
    def rollouts(cls, rows: Sequence[Any], with_responses: bool) -> Rollouts:
        """The traces of trained agents that did not fail, as columns."""
        found = [
            (number, trace)
            for number, row in enumerate(rows)
            for trace in row.traces
            if trace.ok and trace.agent.trainable
        ]
        columns = Rollouts(
            reward=[_reward(trace.rewards) for _, trace in found],
            prompt=[trace.task.data.prompt for _, trace in found],
            row=[number for number, _ in found],
            step=[rows[number].run.work.step for number, _ in found],
            answer=[trace.task.data.answer for _, trace in found],
        )
        if with_responses:
            nodes = [_nodes(number, trace) for number, trace in found]
            columns.response = [_response(messages) for messages in nodes]
            columns.response_tokens = [sum(sum(node.mask) for node in messages) or None for messages in nodes]
            columns.truncated = [trace.stop_condition in _LIMITS for _, trace in found]
        return columns


_LIMITS = ("max_turns", "max_input_tokens", "max_output_tokens", "max_total_tokens", "context_length")


def _nodes(number: int, trace: Trace) -> list[Node]:
    try:
        try:
            return msgspec.json.decode(trace.nodes, type=list[Node])
        except UnicodeDecodeError:  # responses may hold bytes that are not UTF-8
            return msgspec.convert(decode(trace.nodes), list[Node])
    except msgspec.MsgspecError as error:
        raise RowError(number, "nodes", f"not the messages of a trace ({first_line(error)})") from error


def _reward(rewards: Mapping[str, Reward | None]) -> float:
    """The weighted sum of the scores that were computed; NaN if none was."""
    scores = [reward.score * reward.weight for reward in rewards.values() if reward is not None]
    return sum(scores) if scores else float("nan")


def _response(nodes: Sequence[Node]) -> str:
    """The model's turns, one after the other."""
    return "\n\n".join(str(node.message.get("content") or "") for node in nodes if node.sampled)


FORMAT = Format(
    name="prime_rl",
    title="prime-rl and verifiers, traces.jsonl",
    files=r"traces\.jsonl",
    keys=frozenset({"id", "env", "task", "traces"}),
    read=partial(read_json, Row),
    set_aside={"eval/": "evaluation", "effective/": "rollouts that are in all/ too"},
)
