"""Evaluation on a tiny random Qwen2 with a character tokenizer: real generation, no download."""

import json
import shutil

import polars as pl
import pytest
import torch
from tiny_model import END, SPECIAL, VOCABULARY, save_model, save_tokenizer
from transformers import GenerationConfig

from limr.errors import ContractError, LimrError
from limr.evaluation import evaluate
from limr.evaluation.generation import generate
from limr.evaluation.responses import Sampling
from limr.files.contracts import read_parquet, write_parquet
from limr.grading.reward import grade
from limr.models.checkpoint import check_checkpoint, load_checkpoint, weight_files
from limr.prompts import prompt_id

SETTINGS = {
    "engine": "transformers",
    "top_p": 0.95,
    "max_response_tokens": 6,
    "batch_size": 8,
    "threads": 1,
    "reward_rule": "paper",
}
BENCHMARKS = {"greedy": {"samples": 1, "temperature": 0.0}, "sampled": {"samples": 3, "temperature": 1.0}}


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """A directory with a random one-layer Qwen2."""
    path = tmp_path_factory.mktemp("tiny") / "model"
    save_model(path)
    return path


@pytest.fixture
def copy(checkpoint, tmp_path):
    """A copy of the checkpoint that a test may damage."""
    return shutil.copytree(checkpoint, tmp_path / "copy")


def scale_logits(path, factor):
    """Flatten the model's choice: with factor 0 all tokens are equally likely."""
    model, _ = load_checkpoint(path)
    with torch.no_grad():
        model.model.norm.weight.mul_(factor)
    shutil.rmtree(path)
    model.save_pretrained(path)
    save_tokenizer(path, VOCABULARY)


def problems(count, offset=0):
    prompts = [f"{'1+' * (number % 4)}{number}=?" for number in range(offset, offset + count)]
    return pl.DataFrame(
        {
            "prompt_id": [prompt_id(prompt) for prompt in prompts],
            "prompt": prompts,
            "answer": [str(number) for number in range(count)],
            "level": [1] * count,
            "subject": ["sums"] * count,
            "source": ["test"] * count,
            "gradable": [True] * count,
        }
    )


def run(checkpoint, folder, names, seed=0, **settings):
    paths = {}
    for offset, name in enumerate(BENCHMARKS):
        paths[name] = folder / f"{name}.prompts.parquet"
        write_parquet(problems(10, 100 * offset), paths[name], "prompts")
    outputs = {name: folder / f"{name}.parquet" for name in names}
    inputs = {name: paths[name] for name in names}
    evaluate(checkpoint, inputs, BENCHMARKS, SETTINGS | settings, "lim", seed, outputs)
    return {name: read_parquet(path, "evaluation") for name, path in outputs.items()}


def test_every_sample_of_every_problem_is_written_to_the_contract(checkpoint, tmp_path):
    frames = run(checkpoint, tmp_path, list(BENCHMARKS))
    assert frames["greedy"].height == 10 and frames["sampled"].height == 30
    sampled = frames["sampled"]
    assert set(sampled["problem_id"]) == set(problems(10, 100)["prompt_id"])
    assert (
        sampled.group_by("problem_id").agg(pl.col("sample").sort()).get_column("sample").to_list() == [[0, 1, 2]] * 10
    )
    assert sampled["response"].n_unique() > 10, "samples at temperature 1 must differ"


def test_the_samples_follow_from_seed_and_benchmark_not_from_the_order(checkpoint, tmp_path):
    together = run(checkpoint, tmp_path, ["greedy", "sampled"])
    alone = run(checkpoint, tmp_path, ["sampled"])
    torch.manual_seed(123)  # what else the process drew must not matter either
    reversed_order = run(checkpoint, tmp_path, ["sampled", "greedy"])
    assert together["sampled"].equals(alone["sampled"])
    assert together["sampled"].equals(reversed_order["sampled"])
    assert together["greedy"].equals(reversed_order["greedy"])
    assert not together["sampled"].equals(
        run(checkpoint, tmp_path, ["sampled"], seed=1)["sampled"].with_columns(seed=0)
    )


def test_the_draws_of_a_batch_do_not_depend_on_how_long_the_responses_before_it_are(checkpoint):
    """Else two methods would be sampled with the same draws in their first batch only."""
    model, tokenizer = load_checkpoint(checkpoint)
    one_prompt_a_batch = Sampling(2, 1.0, 1.0, 40, 2, seed=5)
    before, after = [], []
    for number in range(100, 110):  # the longer prompt goes first
        first, second = generate(model, tokenizer, [f"1+{number}=?", "7=?"], one_prompt_a_batch, "test")
        before.append(max(response.tokens for response in first))
        after.append(second)
    assert len(set(before)) > 1, "responses of one length prove nothing"
    assert all(responses == after[0] for responses in after)


def test_every_batch_has_draws_of_its_own(copy):
    scale_logits(copy, 0.001)
    model, tokenizer = load_checkpoint(copy)
    responses = generate(model, tokenizer, ["7=?"] * 3, Sampling(1, 1.0, 1.0, 12, 1, seed=0), "test")
    assert len({response.text for (response,) in responses}) == 3


def test_two_evaluations_write_the_same_bytes(checkpoint, tmp_path):
    run(checkpoint, tmp_path, ["sampled"])
    first = (tmp_path / "sampled.parquet").read_bytes()
    run(checkpoint, tmp_path, ["sampled"])
    assert (tmp_path / "sampled.parquet").read_bytes() == first


def test_padding_does_not_change_greedy_answers(checkpoint, tmp_path):
    one_by_one = run(checkpoint, tmp_path, ["greedy"], batch_size=1)
    batched = run(checkpoint, tmp_path, ["greedy"], batch_size=8)
    assert one_by_one["greedy"].equals(batched["greedy"])


def test_greedy_generation_is_the_argmax_of_the_model(checkpoint):
    """Against the definition: append the likeliest token of a full forward pass until the end token."""
    model, tokenizer = load_checkpoint(checkpoint)
    prompts = ["7=?", "1+1+12=?", "3+4=?"]
    responses = generate(model, tokenizer, prompts, Sampling(1, 0.0, 0.95, 12, 8, seed=0), "test")
    for prompt, (response,) in zip(prompts, responses, strict=True):
        ids = [VOCABULARY.index(token) for token in ["<user>", *prompt, "<assistant>"]]
        new = []
        while len(new) < 12 and END not in new:
            with torch.no_grad():
                new.append(int(model(torch.tensor([ids + new])).logits[0, -1].argmax()))
        text = "".join(VOCABULARY[token] for token in new if VOCABULARY[token] not in SPECIAL)
        assert (response.text, response.tokens, response.truncated) == (text, len(new), END not in new)


def test_a_response_that_never_ends_is_truncated_and_never_correct(copy, tmp_path):
    scale_logits(copy, 0)  # the likeliest token then is always the first, never the end token
    frame = run(copy, tmp_path, ["greedy"])["greedy"]
    assert frame["response_tokens"].unique().to_list() == [SETTINGS["max_response_tokens"]]
    assert not frame["correct"].any() and frame["answer"].is_null().all()


def test_the_nucleus_alone_limits_what_is_sampled(copy):
    """Transformers' own default would draw from the 50 likeliest tokens, whatever top_p says."""
    scale_logits(copy, 0.001)  # nearly equal: ties would pass any limit on the rank
    model, tokenizer = load_checkpoint(copy)
    for top_p, share in ((1.0, 1.0), (0.5, 0.5)):
        sampling = Sampling(2000, 1.0, top_p, 1, 2000, seed=0)
        (responses,) = generate(model, tokenizer, ["7=?"], sampling, "test")
        seen = {response.text for response in responses}
        assert len(seen) == pytest.approx(share * len(VOCABULARY), abs=len(SPECIAL) + 1)


def test_a_boxed_gold_answer_counts_as_correct(checkpoint, tmp_path, monkeypatch):
    """The path from response to verdict: the model is replaced by one that knows every other answer."""
    from limr.evaluation import generation
    from limr.evaluation.responses import Response

    def answers(model, tokenizer, prompts, sampling, progress, system_prompt):
        return [
            [Response(f"\\boxed{{{i if i % 2 else 'x'}}}", 9, False)] * sampling.samples for i in range(len(prompts))
        ]

    monkeypatch.setattr(generation, "generate", answers)
    frame = run(checkpoint, tmp_path, ["sampled"])["sampled"]
    assert frame["correct"].mean() == 0.5
    assert frame["answer"][:6].to_list() == ["x"] * 3 + ["1"] * 3


def test_sampling_ignores_the_generation_settings_of_the_checkpoint(checkpoint, copy, tmp_path):
    GenerationConfig(
        do_sample=True, top_k=1, repetition_penalty=9.0, temperature=0.01, eos_token_id=END, pad_token_id=0
    ).save_pretrained(copy)
    assert run(copy, tmp_path, ["sampled"])["sampled"].equals(run(checkpoint, tmp_path, ["sampled"])["sampled"])


def change_config(path, **changes):
    file = path / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


DAMAGE = {
    "no config": (lambda path: (path / "config.json").unlink(), "no config.json"),
    "config is no JSON": (lambda path: (path / "config.json").write_text("{"), "cannot load it as a causal"),
    "not a language model": (lambda path: change_config(path, model_type="clip"), "cannot load it as a causal"),
    "another architecture": (lambda path: change_config(path, model_type="llama"), "not part of the architecture"),
    "another width": (lambda path: change_config(path, intermediate_size=64), "wrong shape"),
    "another depth": (lambda path: change_config(path, num_hidden_layers=2, layer_types=None), "is missing"),
    "no weights": (lambda path: (path / "model.safetensors").unlink(), "cannot load it as a causal"),
    "truncated weights": (
        lambda path: (path / "model.safetensors").write_bytes((path / "model.safetensors").read_bytes()[:-9]),
        "truncated or damaged",
    ),
    "empty weights": (lambda path: (path / "model.safetensors").write_bytes(b""), "truncated or damaged"),
    "no tokenizer": (lambda path: (path / "tokenizer.json").unlink(), "no tokenizer.json"),
    "truncated tokenizer": (
        lambda path: (path / "tokenizer.json").write_text('{"version":'),
        "tokenizer cannot be read",
    ),
    "no chat template": (lambda path: (path / "chat_template.jinja").unlink(), "no chat template"),
    "vocabulary too large": (lambda path: save_tokenizer(path, [*VOCABULARY, *"!#%"]), "belongs to another model"),
}


NO_FILE = {"no weights": r"no model\.safetensors"}  # where looking at files says more than loading them


@pytest.mark.parametrize("damage", DAMAGE)
def test_an_unusable_checkpoint_is_refused_by_name_and_nothing_is_written(copy, tmp_path, damage):
    spoil, expected = DAMAGE[damage]
    spoil(copy)
    with pytest.raises(LimrError, match=expected) as error:
        run(copy, tmp_path, ["greedy"])
    assert str(copy) in str(error.value)
    assert not (tmp_path / "greedy.parquet").exists()


@pytest.mark.parametrize("damage", DAMAGE)
def test_without_loading_weights_the_same_damage_is_found(copy, damage):
    spoil, expected = DAMAGE[damage]
    check_checkpoint(copy)
    spoil(copy)
    with pytest.raises(LimrError, match=NO_FILE.get(damage, expected)) as error:
        check_checkpoint(copy)
    assert str(copy) in str(error.value)


def test_weights_in_several_files_are_found_by_their_index_and_a_missing_file_is_named(copy):
    model, tokenizer = load_checkpoint(copy)
    (copy / "model.safetensors").unlink()
    model.save_pretrained(copy, max_shard_size="1KB")
    assert len(weight_files(copy)) > 1
    _, same = check_checkpoint(copy)
    assert same.get_vocab() == tokenizer.get_vocab()
    weight_files(copy)[1].unlink()
    with pytest.raises(LimrError, match=r"no model-00002-of-.*\.safetensors; its weights are incomplete"):
        check_checkpoint(copy)


def test_a_missing_directory_is_not_looked_up_on_a_hub(tmp_path):
    with pytest.raises(LimrError, match=r"no config\.json"):
        run(tmp_path / "nowhere", tmp_path, ["greedy"])


def test_several_greedy_samples_are_refused(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setitem(BENCHMARKS, "greedy", {"samples": 4, "temperature": 0.0})
    with pytest.raises(LimrError, match=r"benchmarks\.greedy: 4 samples at temperature 0"):
        run(checkpoint, tmp_path, ["greedy"])


def test_an_unknown_engine_is_refused(checkpoint, tmp_path):
    with pytest.raises(LimrError, match="'magic'"):
        run(checkpoint, tmp_path, ["greedy"], engine="magic")


def test_a_truncated_benchmark_is_named(checkpoint, tmp_path):
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1")
    with pytest.raises(ContractError, match=r"broken\.parquet"):
        evaluate(checkpoint, {"greedy": broken}, BENCHMARKS, SETTINGS, "lim", 0, {"greedy": tmp_path / "out.parquet"})


def test_responses_are_graded_by_the_rule_of_the_configuration(checkpoint, tmp_path, monkeypatch):
    rules = set()

    def recorded(response, gold, truncated, rule):
        rules.add(rule)
        return grade(response, gold, truncated, rule)

    monkeypatch.setattr("limr.evaluation.grade", recorded)
    run(checkpoint, tmp_path, ["greedy"], reward_rule="released_code")
    assert rules == {"released_code"}
