"""Bad logs in the format of every framework are read correctly, or refused with file and key."""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from logs_of_frameworks import JSON_FRAMEWORKS, Rollout
from refusals import refused

from limr.errors import LimrError
from limr.files.contracts import read_parquet
from limr.logs.convert import convert
from limr.logs.log import COLUMNS, Log, LogOptions
from limr.logs.whole import read_log

ROLLOUTS = [
    Rollout(step, prompt, reward)
    for step, rewards in [(8, (0.0, 1.0, 0.0)), (9, (1.0, 1.0, 0.0)), (10, (0.0, 1.0, 1.0))]
    for prompt, reward in zip(("2+2?", "3+3?", "¿5+5?"), rewards, strict=True)
    for reward in (reward, 1.0 - reward, reward)
]

every_format = pytest.mark.parametrize("name", sorted(JSON_FRAMEWORKS))


def curves_of(log: Log) -> list[list[tuple[int, float]]]:
    """Step and reward of every rollout, by prompt and in the order of the log; some logs have no text of prompts."""
    prompts = defaultdict(list)
    for prompt, step, reward in zip(log.prompt.tolist(), log.step.tolist(), log.reward.tolist(), strict=True):
        prompts[prompt].append((step, reward))
    return sorted(prompts.values())


def expected(rollouts: list[Rollout]) -> list[list[tuple[int, float]]]:
    prompts = defaultdict(list)
    for rollout in sorted(rollouts, key=lambda rollout: rollout.step):
        prompts[rollout.prompt].append((rollout.step, rollout.reward))
    return sorted(prompts.values())


@every_format
def test_an_undamaged_log_is_read(name: str, tmp_path: Path) -> None:
    JSON_FRAMEWORKS[name].write(tmp_path, ROLLOUTS)
    log = read_log(tmp_path)
    assert log.format == name
    assert curves_of(log) == expected(ROLLOUTS)


@every_format
def test_a_conversion_keeps_the_responses_or_refuses_a_log_without_them(name: str, tmp_path: Path) -> None:
    JSON_FRAMEWORKS[name].write(tmp_path / "log", ROLLOUTS)
    if name in ("open_instruct", "table"):  # these logs have tokens, or no responses at all
        with refused(where=("line 1", "key 'response'"), what="is missing", advice="A conversion needs"):
            convert(tmp_path / "log", tmp_path / "rollouts")
        return
    convert(tmp_path / "log", tmp_path / "rollouts")
    shards = read_parquet(tmp_path / "rollouts", "rollouts")
    assert shards["response"].unique().to_list() == ["So it is 4."]
    assert shards["reward"].to_list() == [rollout.reward for rollout in ROLLOUTS]


# Damaged files: an error that names the file.


@every_format
@pytest.mark.parametrize("kept", [0, 1, 40, -1, -30])
def test_a_truncated_or_empty_file_is_an_error(name: str, kept: int, tmp_path: Path) -> None:
    files = JSON_FRAMEWORKS[name].write(tmp_path, ROLLOUTS)
    content = files[1].read_bytes().rstrip()  # a line that lacks only its line end is complete
    files[1].write_bytes(content[:kept])
    with refused(where=files[1]):
        read_log(tmp_path)


@every_format
def test_a_file_of_another_kind_with_the_name_of_rollouts_is_never_read_as_rollouts(name: str, tmp_path: Path) -> None:
    files = JSON_FRAMEWORKS[name].write(tmp_path, ROLLOUTS)
    for content in (b"null\n", b"[]", b"[1, 2]", b"{}\n", b'"text"\n', b"\x00\xff\xfe" * 50, b"PK\x03\x04"):
        files[2].write_bytes(content)
        with refused(where=files[2]) as error:
            read_log(tmp_path)
        assert error.value.where[0] == str(files[2])
        log = read_log(tmp_path, LogOptions(leave_out=[str(files[2].relative_to(tmp_path))]))
        assert log.left_out == {str(files[2]): "left out by name"} and log.on_purpose == [str(files[2])]
        assert curves_of(log) == expected([rollout for rollout in ROLLOUTS if rollout.step < 10])


@every_format
def test_bytes_that_are_not_utf_8_in_a_prompt_are_an_error(name: str, tmp_path: Path) -> None:
    files = JSON_FRAMEWORKS[name].write(tmp_path, ROLLOUTS)
    for bad in (b"\xff", b"\xed\xa0\x80", rb"\ud800"):
        content = files[0].read_bytes()
        if b"3+3?" not in content:
            pytest.skip("this log has no text of prompts")
        changed = content.replace(b"3+3?", b"3" + bad + b"3?")
        files[0].write_bytes(changed)
        with refused(where=files[0], expected="UTF-8"):
            read_log(tmp_path)
        files[0].write_bytes(content)


# Rewards: a finite number, or an error that names file, place and key.


@every_format
@pytest.mark.parametrize(
    "reward",
    [float("nan"), float("inf"), -float("inf"), None, "1.0", "correct", True, [], [1.0, 0.0], {}, 10**400, ...],
    ids=repr,
)
def test_a_reward_that_is_not_a_finite_number_is_an_error(name: str, reward: Any, tmp_path: Path) -> None:
    framework = JSON_FRAMEWORKS[name]
    files = framework.write(tmp_path, ROLLOUTS)
    rows = [framework.row(rollout) for rollout in ROLLOUTS if rollout.step == 9]
    rows[4] = framework.with_reward(ROLLOUTS[13], reward)
    files[1].write_bytes(framework.text(rows))
    with refused(where=(files[1], "row 4" if framework.is_list else "line 5")) as error:
        read_log(tmp_path)
    assert error.value.where[:2] == (str(files[1]), "row 4" if framework.is_list else "line 5")
    assert any(key in error.value.where[2] for key in framework.reward if isinstance(key, str))


@every_format
def test_large_and_small_rewards_are_read_exactly(name: str, tmp_path: Path) -> None:
    rewards = [2**53, -(2**60), 10**30, 1e308, 5e-324, -0.0, 1, 0.1]
    rollouts = [Rollout(1, "2+2?", reward) for reward in rewards]
    JSON_FRAMEWORKS[name].write(tmp_path, rollouts)
    assert read_log(tmp_path).reward.tolist() == list(map(float, rewards))


@every_format
@pytest.mark.parametrize("place", [0, 4])
def test_a_misspelt_key_is_an_error_that_names_it(name: str, place: int, tmp_path: Path) -> None:
    framework = JSON_FRAMEWORKS[name]
    files = framework.write(tmp_path, ROLLOUTS)
    rows = [framework.row(rollout) for rollout in ROLLOUTS if rollout.step == 9]
    key = framework.reward[0]
    rows[place][f"{key}_"] = rows[place].pop(key)
    files[1].write_bytes(framework.text(rows))
    with refused(where=files[1]) as error:
        read_log(tmp_path)
    if place == 0:  # the format is recognised by the keys of the first row
        assert key in error.value.expected
    else:
        assert any(key in name for name in error.value.where[1:])


@every_format
@pytest.mark.parametrize("text", [b"9" * 5_000, b"-Infinity", b'"\\ud800"', b'"\xff"', b"[" * 100_000])
def test_any_value_in_any_place_is_read_or_refused(name: str, text: bytes, tmp_path: Path) -> None:
    """Replace each value and key of a row in turn: the other steps are read correctly, or the file is named."""
    framework = JSON_FRAMEWORKS[name]
    files = framework.write(tmp_path, ROLLOUTS)
    content = files[1].read_bytes()
    row = content.index(b"\n") + 1 if not framework.is_list else content.index(b"}, {") + 3
    for found in re.finditer(rb'"[^"]*"|\d[\d.]*|null|true|\[[\d, ]*\]', content[row : row + 600]):
        files[1].write_bytes(content[: row + found.start()] + text + content[row + found.end() :])
        try:
            log = read_log(tmp_path)
        except LimrError as error:
            assert error.where[0] == str(files[1])
        else:
            assert np.isfinite(log.reward).all()
            others = expected([rollout for rollout in ROLLOUTS if rollout.step != 9])
            kept = [[point for point in prompt if point[0] in (8, 10)] for prompt in curves_of(log)]
            assert sorted(prompt for prompt in kept if prompt) == others


# Harmless changes: the same log.


def lines(change: Callable[[bytes], bytes]) -> Callable[[Path, bool], None]:
    """A change of the bytes of a file, JSON Lines or a list with one object a line."""

    def applied(file: Path, is_list: bool) -> None:
        file.write_bytes(change(file.read_bytes().replace(b"}, {", b"},\n {") if is_list else file.read_bytes()))

    return applied


HARMLESS = {
    "Windows line ends": lines(lambda text: text.replace(b"\n", b"\r\n")),
    "a byte order mark": lines(lambda text: b"\xef\xbb\xbf" + text),
    "blank lines": lines(lambda text: b"\n \n" + text.replace(b"\n", b"\n\n\t\n") + b"\n\n"),
    "no line end at the end": lines(lambda text: text.rstrip()),
    "unknown keys": lines(
        lambda text: re.sub(rb"(?m)^(\[? ?)\{", rb'\1{"a \\u00e9": {"deep": [1, null, "x"]}, ', text)
    ),
    "responses that are not UTF-8": lines(lambda text: text.replace(b"So it is", b"So \xff\xfe is")),
    "lone surrogates in responses": lines(lambda text: text.replace(b"So it is", rb"So \ud83d is")),
    "responses with what looks like rows": lines(lambda text: text.replace(b"So it is", rb"}]\n{\"reward\": 5}, [")),
    "empty responses": lines(lambda text: text.replace(b"So it is 4.", b"")),
}


@every_format
@pytest.mark.parametrize("change", sorted(HARMLESS))
def test_a_harmless_change_changes_nothing(name: str, change: str, tmp_path: Path) -> None:
    framework = JSON_FRAMEWORKS[name]
    for file in framework.write(tmp_path, ROLLOUTS):
        HARMLESS[change](file, framework.is_list)
    assert curves_of(read_log(tmp_path)) == expected(ROLLOUTS)


@every_format
def test_responses_of_ten_megabytes_change_nothing(name: str, tmp_path: Path) -> None:
    long = [
        rollout._replace(response="4 " * 5_000_000) if number in (3, 12) else rollout
        for number, rollout in enumerate(ROLLOUTS)
    ]
    JSON_FRAMEWORKS[name].write(tmp_path, long)
    assert curves_of(read_log(tmp_path)) == expected(ROLLOUTS)


# Files and folders.


@every_format
@pytest.mark.parametrize("folder", ["a b", "[1] *?{x,y}", "step=3", "train.jsonl", "épreuve 3", "eval"])
def test_the_folder_may_have_any_name(name: str, folder: str, tmp_path: Path) -> None:
    files = JSON_FRAMEWORKS[name].write(tmp_path / folder, ROLLOUTS)
    assert curves_of(read_log(tmp_path)) == curves_of(read_log(tmp_path / folder)) == expected(ROLLOUTS)
    alone = curves_of(read_log(files[1]))
    assert alone == expected([rollout for rollout in ROLLOUTS if rollout.step == 9])


@every_format
def test_hidden_and_half_written_files_are_not_read(name: str, tmp_path: Path) -> None:
    files = JSON_FRAMEWORKS[name].write(tmp_path, ROLLOUTS)
    content = files[0].read_bytes()
    for other in (
        f".{files[0].name}",
        f"{files[0].name}.partial",
        f"._{files[0].name}",
        f".tmp/{files[0].name}",
        "notes.txt",
    ):
        file = files[0].with_name("x").parent / other
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
    assert curves_of(read_log(tmp_path)) == expected(ROLLOUTS)


@every_format
def test_a_file_that_is_linked_twice_is_not_two_visits(name: str, tmp_path: Path) -> None:
    """A link to a file, or to a folder of the log: an error that names it, or each rollout once."""
    files = JSON_FRAMEWORKS[name].write(tmp_path / "log", ROLLOUTS)
    for link, target in (("latest" + files[2].suffix, files[2]), ("again", files[0].parent)):
        (tmp_path / "log" / link).symlink_to(target)
        try:
            assert curves_of(read_log(tmp_path / "log")) == expected(ROLLOUTS)
        except LimrError as error:
            assert str(tmp_path / "log") in error.where[0]
        (tmp_path / "log" / link).unlink()


@every_format
def test_a_link_to_the_log_is_read_as_the_log(name: str, tmp_path: Path) -> None:
    files = JSON_FRAMEWORKS[name].write(tmp_path / "log", ROLLOUTS)
    (tmp_path / "linked").symlink_to(tmp_path / "log")
    assert curves_of(read_log(tmp_path / "linked")) == expected(ROLLOUTS)
    (tmp_path / "missing").mkdir()
    (tmp_path / "missing" / files[0].name).symlink_to(tmp_path / "nowhere")
    with refused(where=tmp_path / "missing"):
        read_log(tmp_path / "missing")


@every_format
def test_a_folder_that_is_named_like_a_file_is_not_read(name: str, tmp_path: Path) -> None:
    files = JSON_FRAMEWORKS[name].write(tmp_path, ROLLOUTS)
    files[0].with_name("11" + files[0].suffix).mkdir()
    assert curves_of(read_log(tmp_path)) == expected(ROLLOUTS)


def test_a_path_without_a_log_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").write_text("text")
    (tmp_path / "config.json").write_text('{"lr": 1e-6}')
    for path in ("empty", "nowhere", "other", "config.json", "other/below", ""):
        with refused(where=tmp_path / path):
            read_log(tmp_path / path)


@pytest.fixture
def readable_by_others() -> Iterator[Path]:
    """A folder that other users may read; pytest's folders are for its user only."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@every_format
def test_a_file_without_read_permission_is_an_error(name: str, readable_by_others: Path) -> None:
    files = JSON_FRAMEWORKS[name].write(readable_by_others, ROLLOUTS)
    read_log(readable_by_others)  # imports everything that is needed before the user changes
    files[1].chmod(0)
    user = os.geteuid()
    try:
        if user == 0:  # root may read everything
            os.seteuid(65534)
        with refused(where=files[1], what="cannot be read"):
            read_log(readable_by_others)
    finally:
        os.seteuid(user)


@pytest.mark.parametrize(
    ("name", "other"),
    [(one, other) for one in sorted(JSON_FRAMEWORKS) for other in sorted(JSON_FRAMEWORKS) if one < other],
)
def test_two_formats_in_one_folder_are_an_error_unless_one_is_chosen(name: str, other: str, tmp_path: Path) -> None:
    for found in (name, other):
        files = JSON_FRAMEWORKS[found].write(tmp_path / found, ROLLOUTS)
    with refused(where=tmp_path, what="files in two formats", found=tmp_path / name) as error:
        read_log(tmp_path)
    assert str(tmp_path / other) in error.value.found
    log = read_log(tmp_path, LogOptions(format=name))
    assert (log.format, curves_of(log)) == (name, expected(ROLLOUTS))
    assert set(log.left_out) == {str(file) for file in files}
    assert all(other in reason for reason in log.left_out.values())


def test_the_wrong_format_is_an_error_that_names_what_was_found(tmp_path: Path) -> None:
    JSON_FRAMEWORKS["verl"].write(tmp_path, ROLLOUTS)
    with refused(where=tmp_path, what="no file in the format trl", found="input, output", expected="completion"):
        read_log(tmp_path, LogOptions(format="trl"))
    with refused(where="format", found="'veRL'", expected="one of limr_fork"):
        read_log(tmp_path, LogOptions(format="veRL"))
    with refused(where="columns", found="'prize'", expected="one of prompt, prompt_id"):
        read_log(tmp_path, LogOptions(columns={"prize": "score"}))
    with refused(where=("8.jsonl", "line 1", "key 'no_such'"), what="is missing"):
        read_log(tmp_path, LogOptions(columns={"reward": "no_such"}))


@pytest.mark.parametrize("name", ["table", "verl"])
def test_any_key_for_any_column_is_read_or_refused(name: str, tmp_path: Path) -> None:
    framework = JSON_FRAMEWORKS[name]
    framework.write(tmp_path, ROLLOUTS[:2])
    for column in COLUMNS:
        for key in (*framework.row(ROLLOUTS[0]), 'a "key"', "", "\0"):
            try:
                log = read_log(tmp_path, LogOptions(columns={column: key}))
            except LimrError as error:
                parts = " ".join([*error.where, error.what, error.found])
                assert repr(key) in parts or repr(column) in parts
            else:
                assert log.reward.tolist() == ([8, 8] if (column, key) == ("reward", "step") else [0, 1])


def test_one_key_for_two_columns_is_refused(tmp_path: Path) -> None:
    JSON_FRAMEWORKS["table"].write(tmp_path, ROLLOUTS)
    with refused(
        where="columns", what="'reward' is given to correct, but this format uses it for reward", advice="--column"
    ):
        read_log(tmp_path, LogOptions(columns={"correct": "reward"}))
    with refused(where="columns", what="'step' is given to two columns, correct and step"):
        read_log(tmp_path, LogOptions(columns={"correct": "step", "step": "step"}))
    with refused(what="this format uses it for reward"):
        read_log(tmp_path, LogOptions(columns={"answer": "reward"}))
