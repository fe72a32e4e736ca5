"""`evaluate` on a tiny random Qwen2 with a character tokenizer: real generation, no download."""

import polars as pl
import pytest
import torch
from evaluation_runs import evaluated, problems
from refusals import refused
from tiny_model import END
from transformers import GenerationConfig

from limr.errors import ContractError
from limr.evaluation import evaluate, generation
from limr.evaluation.responses import Response
from limr.grading.reward import grade

SETTINGS = {
    "engine": "transformers",
    "top_p": 0.95,
    "max_response_tokens": 6,
    "batch_size": 8,
    "threads": 1,
    "reward_rule": "paper",
}
PROMPTS = {
    "greedy": [f"{'1+' * (number % 4)}{number}=?" for number in range(10)],
    "sampled": [f"{'1+' * (number % 4)}{number}=?" for number in range(100, 110)],
}
BENCHMARKS = {"greedy": {"samples": 1, "temperature": 0.0}, "sampled": {"samples": 3, "temperature": 1.0}}


def problems_of(name):
    return problems(PROMPTS[name], map(str, range(10)))


def run(model, folder, names, seed=0, **settings):
    benchmarks = {name: (problems_of(name), BENCHMARKS[name]) for name in names}
    return evaluated(model, folder, benchmarks, SETTINGS | settings, seed=seed)


def test_every_sample_of_every_problem_is_written_to_the_contract(tiny_model, tmp_path):
    frames = run(tiny_model, tmp_path, list(BENCHMARKS))
    assert frames["greedy"].height == 10 and frames["sampled"].height == 30
    sampled = frames["sampled"]
    assert set(sampled["problem_id"]) == set(problems_of("sampled")["prompt_id"])
    assert (
        sampled.group_by("problem_id").agg(pl.col("sample").sort()).get_column("sample").to_list() == [[0, 1, 2]] * 10
    )
    assert sampled["response"].n_unique() > 10, "samples at temperature 1 must differ"


def test_the_samples_depend_on_seed_and_benchmark_but_not_on_the_order(tiny_model, tmp_path):
    together = run(tiny_model, tmp_path, ["greedy", "sampled"])
    alone = run(tiny_model, tmp_path, ["sampled"])
    torch.manual_seed(123)  # other random draws of the process must not matter either
    reversed_order = run(tiny_model, tmp_path, ["sampled", "greedy"])
    assert together["sampled"].equals(alone["sampled"])
    assert together["sampled"].equals(reversed_order["sampled"])
    assert together["greedy"].equals(reversed_order["greedy"])
    other_seed = run(tiny_model, tmp_path, ["sampled"], seed=1)["sampled"]
    assert not together["sampled"].equals(other_seed.with_columns(seed=0))


def test_two_evaluations_write_the_same_bytes(tiny_model, tmp_path):
    run(tiny_model, tmp_path, ["sampled"])
    first = (tmp_path / "sampled.parquet").read_bytes()
    run(tiny_model, tmp_path, ["sampled"])
    assert (tmp_path / "sampled.parquet").read_bytes() == first


def test_padding_does_not_change_greedy_answers(tiny_model, tmp_path):
    one_by_one = run(tiny_model, tmp_path, ["greedy"], batch_size=1)
    batched = run(tiny_model, tmp_path, ["greedy"], batch_size=8)
    assert one_by_one["greedy"].equals(batched["greedy"])


def test_a_response_that_never_ends_is_truncated_and_never_correct(constant_model, tmp_path):
    frame = run(constant_model(0), tmp_path, ["greedy"])["greedy"]
    assert frame["response_tokens"].unique().to_list() == [SETTINGS["max_response_tokens"]]
    assert not frame["correct"].any() and frame["answer"].is_null().all()


def test_a_boxed_gold_answer_counts_as_correct(tiny_model, tmp_path, monkeypatch):
    """From response to verdict, with a model that answers every second problem correctly."""

    def answers(model, tokenizer, prompts, sampling, progress, system_prompt):
        return [
            [Response(f"\\boxed{{{i if i % 2 else 'x'}}}", 9, False)] * sampling.samples for i in range(len(prompts))
        ]

    monkeypatch.setattr(generation, "generate", answers)
    frame = run(tiny_model, tmp_path, ["sampled"])["sampled"]
    assert frame["correct"].mean() == 0.5
    assert frame["answer"][:6].to_list() == ["x"] * 3 + ["1"] * 3


def test_a_prefix_comes_before_every_problem_and_changes_nothing_else(tiny_model, tmp_path, monkeypatch):
    read = []

    def answers(model, tokenizer, prompts, sampling, progress, system_prompt):
        read.extend(prompts)
        return [[Response(r"\boxed{1}", 9, False)] * sampling.samples for _ in prompts]

    monkeypatch.setattr(generation, "generate", answers)
    plain = run(tiny_model, tmp_path, ["greedy"])["greedy"]
    with_prefix = run(tiny_model, tmp_path, ["greedy"], prefix="Think. ")["greedy"]
    assert read[:10] == PROMPTS["greedy"]
    assert read[10:] == [f"Think. {prompt}" for prompt in PROMPTS["greedy"]]
    assert with_prefix.equals(plain), "problems keep their ids and gold answers"


def test_sampling_ignores_the_generation_settings_of_the_checkpoint(tiny_model, model_copy, tmp_path):
    GenerationConfig(
        do_sample=True, top_k=1, repetition_penalty=9.0, temperature=0.01, eos_token_id=END, pad_token_id=0
    ).save_pretrained(model_copy)
    ours = run(model_copy, tmp_path, ["sampled"])["sampled"]
    assert ours.equals(run(tiny_model, tmp_path, ["sampled"])["sampled"])


@pytest.mark.parametrize(("grader", "used"), [({}, "limr"), ({"grader": "math_verify"}, "math_verify")])
def test_responses_are_graded_by_the_rule_and_grader_of_the_configuration(
    tiny_model, tmp_path, monkeypatch, grader, used
):
    settings = set()

    def recorded(response, gold, truncated, rule, grader):
        settings.add((rule, grader))
        return grade(response, gold, truncated, rule, grader)

    monkeypatch.setattr("limr.evaluation.grade", recorded)
    run(tiny_model, tmp_path, ["greedy"], reward_rule="released_code", **grader)
    assert settings == {("released_code", used)}


def test_with_an_unusable_checkpoint_nothing_is_written(model_copy, tmp_path):
    (model_copy / "config.json").unlink()
    with refused(where=model_copy, what="no config.json"):
        run(model_copy, tmp_path, ["greedy"])
    assert not (tmp_path / "greedy.parquet").exists()


def test_several_greedy_samples_are_refused(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setitem(BENCHMARKS, "greedy", {"samples": 4, "temperature": 0.0})
    with refused(where="benchmarks.greedy", what="at temperature 0", found="4 samples", expected="1"):
        run(tiny_model, tmp_path, ["greedy"])


def test_an_unknown_engine_is_refused(tiny_model, tmp_path):
    with refused(where="evaluation.engine", found="magic", expected="one of transformers, vllm"):
        run(tiny_model, tmp_path, ["greedy"], engine="magic")


def test_a_benchmark_without_problems_is_refused(tiny_model, tmp_path):
    with refused(where=tmp_path / "greedy.prompts.parquet", what="benchmark greedy has no problems"):
        evaluated(tiny_model, tmp_path, {"greedy": (problems_of("greedy")[:0], BENCHMARKS["greedy"])}, SETTINGS)


def test_the_error_for_a_truncated_benchmark_file_names_the_file(tiny_model, tmp_path):
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1")
    with refused(ContractError, where=broken):
        evaluate(tiny_model, {"greedy": broken}, BENCHMARKS, SETTINGS, "lim", 0, {"greedy": tmp_path / "out.parquet"})
