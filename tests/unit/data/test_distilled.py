"""Published solutions: the right columns and rows or an error that names them; an audit of what was left out."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hub_stand_in import HubStandIn
from refusals import refused
from some_problems import problems

from limr.data import distilled
from limr.data.distilled import DISTILLED, download_solutions, load_solutions
from limr.errors import ContractError
from limr.files.contracts import read_parquet, write_parquet

REVISION = "0123456789abcdef" * 2 + "01234567"
LIMO = [
    {
        "question": f"What is {number}+{number}?",
        "solution": f"It is \\boxed{{{2 * number}}}.",
        "answer": str(2 * number),
    }
    for number in range(4)
]
S1K = [
    {"question": f"Question {number}?", "thinking_trajectories": ["Hmm.\n"], "attempt": "So \\boxed{1}"}
    for number in range(3)
]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sources with as many rows as the lists above."""
    for name, rows in (("limo", LIMO), ("s1k", S1K)):
        source = DISTILLED[name]
        values = {**vars(source), "rows": len(rows)}
        monkeypatch.setitem(distilled.DISTILLED, name, distilled.DistilledSource(**values))


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def local(tmp_path: Path, rows: list[dict[str, Any]], source: str = "limo") -> dict[str, Any]:
    file = tmp_path / "local.jsonl"
    file.write_bytes(jsonl(rows))
    return {"source": source, "file": str(file)}


def outputs(tmp_path: Path) -> dict[str, Path]:
    names = {"solutions": "limo.parquet", "audit": "limo.audit.md", "audit_json": "limo.audit.json"}
    return {name: tmp_path / file for name, file in names.items()}


def test_the_published_sources_are_limo_and_s1() -> None:
    text = Path(distilled.__file__).read_text(encoding="utf-8")
    assert '"GAIR/LIMO", "limo.jsonl", 817' in text
    assert '"simplescaling/s1K", "data/train-00000-of-00001.parquet", 1000' in text


def test_limo_comes_from_the_hub_at_the_given_revision(hub: HubStandIn, tmp_path: Path) -> None:
    hub.files["GAIR/LIMO/limo.jsonl"] = jsonl(LIMO)
    download_solutions({"source": "limo", "revision": REVISION}, {}, outputs(tmp_path))
    table = read_parquet(outputs(tmp_path)["solutions"], "solutions")
    assert table["response"].to_list() == [row["solution"] for row in LIMO]
    assert table["source"].unique().to_list() == ["LIMO"]
    assert f"GAIR/LIMO@{REVISION}" in outputs(tmp_path)["audit"].read_text()


def test_a_response_of_s1_is_its_chain_of_thought_and_then_its_answer(hub: HubStandIn, tmp_path: Path) -> None:
    file = tmp_path / "s1k.parquet"
    pl.DataFrame(S1K).write_parquet(file)
    hub.files["simplescaling/s1K/data/train-00000-of-00001.parquet"] = file.read_bytes()
    table = load_solutions({"source": "s1k", "revision": REVISION})
    assert table["response"].unique().to_list() == ["Hmm.\n\nSo \\boxed{1}"]


def test_a_wrong_column_is_named_with_its_file_what_was_found_and_what_was_expected(tmp_path: Path) -> None:
    rows = [{"problem": row["question"], "solution": row["solution"]} for row in LIMO]
    settings = local(tmp_path, rows)
    with refused(
        ContractError,
        where=f"{settings['file']}: line 1",
        what="no column 'question'",
        found="problem, solution",
        expected="'question'",
    ):
        load_solutions(settings)


@pytest.mark.parametrize("value", [None, " ", 7, ["one", "two"], []])
def test_a_column_that_is_no_text_is_refused(tmp_path: Path, value: Any) -> None:
    rows = [LIMO[0], LIMO[1] | {"solution": value}, *LIMO[2:]]
    with refused(ContractError, where="column 'solution'", expected="text"):
        load_solutions(local(tmp_path, rows))


def test_a_file_of_the_hub_is_named_by_its_repository(hub: HubStandIn) -> None:
    hub.files["GAIR/LIMO/limo.jsonl"] = jsonl([{"question": "?"}])
    with refused(where=f"GAIR/LIMO@{REVISION[:12]}/limo.jsonl: row 0", what="no column 'solution'"):
        load_solutions({"source": "limo", "revision": REVISION})


def test_another_number_of_rows_is_refused(tmp_path: Path) -> None:
    with refused(found="3 rows", expected="4", what="LIMO"):
        load_solutions(local(tmp_path, LIMO[:3]))


def test_second_copies_and_problems_of_a_benchmark_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [LIMO[0], LIMO[0] | {"question": "What  is 0+0?"}, LIMO[1], LIMO[2] | {"solution": "No box."}]
    tests = problems(LIMO[1]["question"]).with_columns(subject=pl.lit("sums"), gradable=pl.lit(value=True))
    write_parquet(tests, tmp_path / "math500.parquet", "prompts")
    download_solutions(local(tmp_path, rows), {"math500": tmp_path / "math500.parquet"}, outputs(tmp_path))
    kept = read_parquet(outputs(tmp_path)["solutions"], "solutions")
    assert kept["prompt"].to_list() == [LIMO[0]["question"], LIMO[2]["question"]]
    audit = json.loads(outputs(tmp_path)["audit_json"].read_text())
    assert (audit["rows"], audit["duplicates"], len(audit["in_a_benchmark"])) == (4, 1, 1)
    assert (audit["solutions"], audit["without_box"]) == (2, 1)
