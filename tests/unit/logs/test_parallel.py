"""Worker processes: results and exceptions come in order, and no code of the current folder runs."""

import os
import pickle
import signal
import subprocess
from functools import partial
from pathlib import Path

import pytest
from refusals import refused

from limr.logs.parallel import _COMMAND, run_in_order


def test_results_come_in_order() -> None:
    assert list(run_in_order(abs, range(-20, 0))) == list(range(20, 0, -1))


def test_an_exception_of_the_function_is_raised_in_the_order_of_the_arguments() -> None:
    results = run_in_order(partial(int, base=10), ["1", "2", "x", "4"])
    assert [next(results), next(results)] == [1, 2]
    with pytest.raises(ValueError, match="invalid literal"):
        next(results)


def test_an_error_of_a_reader_keeps_its_parts(tmp_path: Path) -> None:
    from limr.logs.formats.limr_fork import Row
    from limr.logs.json_rows import _Block, _read_block

    file = tmp_path / "step_1.json"
    file.write_text('[{"prompt": "1+1?", "reward": null}]')
    with refused(where=(file, "row 0", "key 'reward'"), found="null", expected="a number"):
        list(run_in_order(partial(_read_block, Row, (), False), [_Block(str(file), 0, file.stat().st_size)]))


def test_a_killed_process_is_an_error_that_names_its_argument() -> None:
    with refused(where=str(int(signal.SIGKILL)), what="ended with status -9", advice="memory"):
        list(run_in_order(signal.raise_signal, [int(signal.SIGKILL)]))


@pytest.mark.parametrize("module", ["signal", "pickle", "limr", "numpy"])
def test_a_module_in_the_current_folder_is_not_executed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    (tmp_path / f"{module}.py").write_text("import pathlib; pathlib.Path(__file__).with_name('executed').touch()")
    monkeypatch.chdir(tmp_path)
    assert list(run_in_order(abs, [-1, -2])) == [1, 2]
    assert not (tmp_path / "executed").exists()


def test_a_process_ends_without_a_message_after_its_caller_is_killed() -> None:
    unread, results = os.pipe()
    os.close(unread)
    process = subprocess.run(
        _COMMAND,
        input=pickle.dumps(len) + pickle.dumps("an argument"),
        stdout=results,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(results)
    assert process.stderr == b""
