"""TRL's completions: files of TRL's own trainer are read, and the user names the reward, which TRL does not log."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet
from refusals import refused

from limr.logs.log import LogOptions
from limr.logs.whole import read_log

CHATS = [[{"role": "system", "content": "Be brief."}, {"role": "user", "content": f"{n}+1?"}] for n in range(2)]


def write(folder: Path, step: int, prompts: Sequence[Any], **columns: Sequence[Any]) -> Path:
    """A file as ``GRPOTrainer.log`` writes it: reward functions' columns, then others, then the advantage."""
    (folder / "completions").mkdir(parents=True, exist_ok=True)
    file = folder / "completions" / f"completions_{step:05d}.parquet"
    size = len(prompts)
    completions = [f"{step}: {row}" for row in range(size)]
    table = {"step": [step] * size, "prompt": prompts, "completion": completions, **columns, "advantage": [0.0] * size}
    parquet.write_table(pyarrow.table(table), file)
    return file


@pytest.mark.parametrize(
    "prompts",
    [CHATS, ["0+1?", "1+1?"], [f"system\nBe brief.\nuser\n{n}+1?\nassistant\n" for n in range(2)]],
    ids=["chat messages", "text", "decoded template"],
)
def test_prompts_steps_and_rewards(tmp_path: Path, prompts: Sequence[Any]) -> None:
    for step in (9, 10):
        write(tmp_path, step, [prompts[0], prompts[0], prompts[1], prompts[1]], accuracy=[0.0, 1.0, 1.0, step / 10])
    log = read_log(tmp_path)
    assert log.format == "trl"
    assert sorted(prompt.text for prompt in log.prompts) == ["0+1?", "1+1?"]
    assert [log.prompts[row].text for row in log.prompt] == ["0+1?", "0+1?", "1+1?", "1+1?"] * 2
    assert log.step.tolist() == [9] * 4 + [10] * 4
    assert log.reward.tolist() == [0, 1, 1, 0.9, 0, 1, 1, 1]


def test_a_file_with_the_reward_in_another_column_is_refused(tmp_path: Path) -> None:
    write(tmp_path, 1, ["a", "b"], accuracy=[1.0, 0.0])
    file = write(tmp_path, 2, ["a", "b"], length=[90.0, 120.0])
    with refused(where=file, found="column length", expected="column accuracy, as in the files before"):
        read_log(tmp_path)


def test_of_several_rewards_the_user_names_one_or_a_sum(tmp_path: Path) -> None:
    file = write(tmp_path, 1, ["a", "b"], accuracy=[1.0, 0.0], format=[None, 0.5], answer=["4", "5"])
    found = "2 columns that may be rewards (accuracy, format)"
    with refused(where=file, found=found, expected="one", advice="--column reward=accuracy+format"):
        read_log(tmp_path)
    for wanted, rewards in [
        ("accuracy", [1, 0]),
        ("accuracy + 0.5*format", [1, 0.25]),
        ("-1 * accuracy+format", [-1, 0.5]),
    ]:
        log = read_log(tmp_path, LogOptions(columns={"reward": wanted, "answer": "answer"}))
        assert log.reward.tolist() == rewards
    assert {prompt.answer for prompt in log.prompts} == {"4", "5"}
    for wanted in ("correctness", "accuracy + two*format", "accuracy +", "answer"):
        with refused(where="completions_00001"):
            read_log(tmp_path, LogOptions(columns={"reward": wanted}))


@pytest.mark.parametrize("reward", [None, float("nan"), float("inf")])
def test_a_completion_without_reward_is_an_error(tmp_path: Path, reward: float | None) -> None:
    file = write(tmp_path, 1, ["a", "b"], accuracy=[1.0, reward])
    with refused(where=(file, "row 1", "column 'accuracy'"), expected="a finite number"):
        read_log(tmp_path)


def test_a_batch_in_the_files_of_several_steps_is_read_once(tmp_path: Path) -> None:
    for step in (1, 2, 3, 4):
        file = write(tmp_path, step, ["a", "b"], accuracy=[1.0, 0.0])
        first = file.with_name(f"completions_{step - (step - 1) % 2:05d}.parquet")
        table = parquet.read_table(first)
        parquet.write_table(table.set_column(0, "step", [[step] * 2]), file)
    assert read_log(tmp_path).step.tolist() == [1, 1, 3, 3]


def test_a_log_of_every_tenth_step_is_an_error_unless_the_steps_of_an_epoch_are_known(tmp_path: Path) -> None:
    for step in (10, 20):
        write(tmp_path, step, ["a", "b"], accuracy=[1.0, 0.0])
    with refused(found="steps at least 10 apart", expected="logging_steps=1", advice="--steps-per-epoch"):
        read_log(tmp_path)
    assert len(read_log(tmp_path, LogOptions(steps_per_epoch=1))) == 4


def test_a_damaged_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    for step in (1, 2):
        file = write(tmp_path, step, ["a", "b"], accuracy=[1.0, 0.0])
    whole = file.read_bytes()
    for damaged in (b"", whole[:4], whole[:-9], whole[:200] + whole[260:], b"PAR1" * 90, b'{"prompt": 1}\n'):
        file.write_bytes(damaged)
        with refused(where=file):
            read_log(tmp_path)
    parquet.write_table(pyarrow.Table.from_batches([], parquet.read_schema(pyarrow.BufferReader(whole))), file)
    with refused(where=file, found="no rows"):
        read_log(tmp_path)


@pytest.mark.parametrize("reward", [["1.0", "0.0"], [True, False], [[1.0], [0.0]], [b"1", b"0"], [None, None]])
def test_a_column_that_is_not_a_number_is_not_a_reward(tmp_path: Path, reward: list[Any]) -> None:
    file = write(tmp_path, 1, ["a", "b"], accuracy=reward)
    with refused(where=file, found="0 columns"):
        read_log(tmp_path)
    with refused(where=(file, "column 'accuracy'")):
        read_log(tmp_path, LogOptions(columns={"reward": "accuracy"}))


@pytest.mark.parametrize("prompt", [b"\xff\xfe?", 7, None, []], ids=repr)
def test_a_prompt_that_is_not_text_is_an_error(tmp_path: Path, prompt: Any) -> None:
    file = write(tmp_path, 1, [prompt, prompt], accuracy=[1.0, 0.0])
    if isinstance(prompt, bytes):  # as text that is not UTF-8: Arrow does not check it
        table = parquet.read_table(file)
        text = pyarrow.Array.from_buffers(pyarrow.string(), 2, table["prompt"].chunk(0).buffers())
        parquet.write_table(table.set_column(1, "prompt", text), file)
    with refused(where=(file, "row 0", "column 'prompt'")):
        read_log(tmp_path)


def test_responses_are_not_read_without_a_conversion(tmp_path: Path) -> None:
    prompts = ["a"] * 2 + ["b"] * 2
    file = write(tmp_path, 1, prompts, accuracy=[1.0, 0.0, 0.0, 0.5])
    table = parquet.read_table(file)
    broken = pyarrow.array([b"\xff" * 10_000_000, b"", b"\xed\xa0\x80", None])
    text = pyarrow.Array.from_buffers(pyarrow.string(), 4, broken.buffers())
    parquet.write_table(table.set_column(2, "completion", text), file)
    assert read_log(tmp_path).reward.tolist() == [1, 0, 0, 0.5]


def test_the_files_of_trl_itself_give_the_rewards_of_training(tmp_path: Path) -> None:
    pytest.importorskip("trl", reason="needs TRL: pip install -e '.[benchmark]'")
    pytest.importorskip("datasets", reason="needs TRL's datasets: pip install -e '.[benchmark]'")
    earned = _train(tmp_path)
    log = read_log(tmp_path, LogOptions(columns={"reward": "digits + 0.5*short"}))
    assert sorted(prompt.text for prompt in log.prompts) == ["0+1?", "1+1?"]
    assert log.reward.tolist() == earned
    assert log.step.tolist() == [1] * 8 + [3] * 8  # two steps a batch
    for prompt in range(2):
        assert [(log.prompt[start : start + 4] == prompt).sum() for start in range(0, 16, 4)] in (
            [4, 0, 4, 0],
            [0, 4, 0, 4],
        )


def _train(folder: Path) -> list[float]:
    """Train a tiny random model for four steps of GRPO; the weighted rewards in the order of training."""
    from datasets import Dataset
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
    from trl import GRPOConfig, GRPOTrainer

    characters = ["<pad>", "<eos>", "\n", *map(chr, range(32, 127))]
    tokenizer = Tokenizer(models.WordLevel({character: n for n, character in enumerate(characters)}, unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>", padding_side="left"
    )
    fast.chat_template = "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = LlamaForCausalLM(
        LlamaConfig(vocab_size=len(characters), pad_token_id=0, bos_token_id=None, eos_token_id=1, **size)
    )
    earned: list[float] = []

    def digits(completions: list[Any], **_: Any) -> list[float]:
        rewards = [float(any(map(str.isdigit, reply[0]["content"]))) for reply in completions]
        earned.extend(rewards)
        return rewards

    def short(completions: list[Any], **_: Any) -> list[float | None]:
        rewards = [0.25 if row % 2 else None for row in range(len(completions))]
        earned[-len(rewards) :] = [
            sum_ + 0.5 * (more or 0) for sum_, more in zip(earned[-len(rewards) :], rewards, strict=True)
        ]
        return rewards

    arguments = GRPOConfig(
        output_dir=str(folder),
        per_device_train_batch_size=4,
        steps_per_generation=2,
        num_generations=4,
        max_completion_length=4,
        max_steps=4,
        log_completions=True,
        num_completions_to_print=0,
        logging_steps=1,
        reward_weights=[1.0, 0.5],
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        disable_tqdm=True,
        seed=1,
    )
    data = Dataset.from_dict({"prompt": CHATS})
    GRPOTrainer(model, [digits, short], arguments, data, processing_class=fast).train()
    return earned
