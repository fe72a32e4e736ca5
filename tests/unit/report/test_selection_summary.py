"""selection.md: kinds of prompts, counts that add up, averages over seeds."""

import polars as pl
import pytest
from refusals import refused

from limr.files.contracts import write_parquet
from limr.report.selection_summary import kinds_of_prompts, write_summary
from limr.selection.scoring import score_prompts
from limr.trajectories import Trajectories

# eight visits: a quarter is two
CURVES = {
    "never": [0.0] * 8,
    "always": [1.0] * 8,
    "early": [0.5, 1.0] + [0.25] * 6,
    "not quite early": [0.5, 0.875] + [0.25] * 6,
    "along": [0.0, 0.5, 0, 0, 0, 0, 0.5, 0.5],
    "not quite along": [0.0, 0.5, 0, 0, 0, 0, 0.5, 0.375],
    "once": [0, 0, 0, 0.125, 0, 0, 0, 0],
}
METHODS = {
    "all": {"score": "full", "keep": "all"},
    "chosen": {"score": "lim", "keep": {"top": 2}},
}


def trajectories(curves: dict[str, list[float]], rewards: bool = True) -> pl.DataFrame:
    rows = [
        (name, epoch, 2 * accuracy - 1 if rewards else None, float(accuracy), 8)
        for name, curve in curves.items()
        for epoch, accuracy in enumerate(curve)
    ]
    types = {"prompt_id": pl.String, "epoch": pl.Int64, "mean_reward": pl.Float64, "accuracy": pl.Float64}
    return pl.DataFrame(rows, types | {"n_samples": pl.Int64}, orient="row")


def summary(folder, curves_of_seeds, methods=METHODS, rewards=True) -> dict[str, list[str]]:
    """Write everything as the pipeline does; the table rows of selection.md, by their first cell and in order."""
    scores, probes = [], []
    for seed, curves in enumerate(curves_of_seeds):
        probe = trajectories(curves, rewards)
        probes.append(folder / f"trajectories/seed{seed}.parquet")
        write_parquet(probe, probes[-1], "trajectories")
        for method, settings in methods.items():
            scores.append(folder / f"scores/{method}/seed{seed}.parquet")
            write_parquet(
                score_prompts(method, settings, Trajectories.from_frame(probe), None, seed), scores[-1], "scores"
            )
    write_summary(scores, probes, folder / "selection.md")
    rows: dict[str, list[list[str]]] = {}
    for line in (folder / "selection.md").read_text().splitlines():
        if line.startswith("| "):
            first, *cells = [cell.strip() for cell in line.strip("|").split("|")]
            rows.setdefault(first, []).append(cells)
    return rows


def test_each_kind_of_prompt_includes_its_boundary():
    frame = kinds_of_prompts(Trajectories.from_frame(trajectories(CURVES)))
    assert dict(frame.select("prompt_id", "kind").rows()) == {
        "never": "never solved",
        "always": "solved almost from the start",
        "early": "solved almost from the start",
        "not quite early": "the rest",
        "along": "learned along the way",
        "not quite along": "the rest",
        "once": "the rest",
    }
    assert frame.filter("always")["prompt_id"].to_list() == ["always"]


def test_a_quarter_of_few_visits_is_one_visit():
    frame = kinds_of_prompts(Trajectories.from_frame(trajectories({"up": [0.0, 0.25], "one": [0.75, 0.0]})))
    assert frame["kind"].to_list() == ["solved almost from the start", "learned along the way"]


def test_the_tables_count_what_was_selected(tmp_path):
    rows = summary(tmp_path, [CURVES])
    mean_first = sum(curve[0] for curve in CURVES.values()) / 7
    mean_last = sum(curve[-1] for curve in CURVES.values()) / 7
    assert rows["accuracy"][0][:4] == ["7", "8", f"{mean_first:.3f}", f"{mean_last:.3f}"]
    assert rows["reward"][0][:4] == ["7", "8", f"{2 * mean_first - 1:.3f}", f"{2 * mean_last - 1:.3f}"]
    assert rows["all"][0][:4] == ["7", "7", "7", "100.0 %"]
    assert rows["chosen"][0][:4] == ["7", "7", "2", "28.6 %"]
    number_of_each = {kind: rows[kind][0][0] for kind in ("never solved", "learned along the way", "the rest")}
    assert number_of_each == {"never solved": "1", "learned along the way": "1", "the rest": "3"}
    assert rows["of these, solved at every visit"] == [["1", "14.3 %", "1", "0"], ["0.000"]]
    kinds = ("never solved", "solved almost from the start", "learned along the way", "the rest")
    assert sum(int(rows[kind][0][3]) for kind in kinds) == 2, "the prompts that LIM selected, by kind"


def test_theta_to_match_is_the_lowest_selected_score(tmp_path):
    theta = float(summary(tmp_path, [CURVES])["chosen"][0][-1])
    frame = pl.read_parquet(tmp_path / "scores/chosen/seed0.parquet")
    assert theta == pytest.approx(frame.filter("selected")["score"].min(), abs=5e-4)


def test_numbers_are_means_over_the_seeds(tmp_path):
    other = {name: curve if name != "never" else [0.0] * 7 + [0.125] for name, curve in CURVES.items()}
    rows = summary(tmp_path, [CURVES, other])
    assert rows["never solved"][0][0] == "0.5"
    assert rows["the rest"][0][0] == "3.5"
    assert rows["chosen"][0][:3] == ["7", "7", "2"]
    of_seed = [pl.read_parquet(path)["score"].max() for path in sorted(tmp_path.glob("scores/chosen/*.parquet"))]
    assert rows["chosen"][0][-2] == f"{sum(of_seed) / 2:.3f}"
    assert "mean over 2 seeds" in (tmp_path / "selection.md").read_text()


def test_prompts_without_a_score_are_counted_by_reason(tmp_path):
    many = {f"p{i:02}": [0.25, 0.5] for i in range(30)} | {"a": [0.5], "b": [0.5]}
    rows = summary(tmp_path, [many], {"chosen": {"score": "lim", "keep": "all"}})
    assert ["missing visits", "2"] in rows["chosen"]
    assert rows["without a complete curve"][0] == ["2", "6.2 %", "0"]


def test_trajectories_without_rewards_have_no_reward_row(tmp_path):
    methods = {"chosen": METHODS["chosen"] | {"options": {"signal": "accuracy"}}}
    rows = summary(tmp_path, [CURVES], methods, rewards=False)
    assert "reward" not in rows
    assert "accuracy" in rows


def test_writing_twice_gives_the_same_bytes(tmp_path):
    summary(tmp_path, [CURVES, CURVES])
    first = (tmp_path / "selection.md").read_bytes()
    summary(tmp_path, [CURVES, CURVES])
    assert (tmp_path / "selection.md").read_bytes() == first


def test_scores_of_another_seed_than_the_trajectories_are_refused(tmp_path):
    summary(tmp_path, [CURVES])
    scores = tmp_path / "scores/chosen/seed0.parquet"
    probe = (tmp_path / "trajectories/seed0.parquet").rename(tmp_path / "trajectories/seed1.parquet")
    with refused(where=scores, what="no trajectories are named 'seed0'", expected="seed1"):
        write_summary([scores], [probe], tmp_path / "selection.md")
    with refused(where="selection.md", what="no scores were given"):
        write_summary([], [probe], tmp_path / "selection.md")


def test_without_accuracies_the_page_gives_a_reason_instead_of_the_kinds(tmp_path):
    probe = trajectories(CURVES).with_columns(accuracy=pl.lit(None, pl.Float64))
    write_parquet(probe, tmp_path / "trajectories/seed0.parquet", "trajectories")
    scores = score_prompts("chosen", METHODS["chosen"], Trajectories.from_frame(probe), None, seed=0)
    write_parquet(scores, tmp_path / "scores/chosen/seed0.parquet", "scores")
    output = tmp_path / "selection.md"
    write_summary([tmp_path / "scores/chosen/seed0.parquet"], [tmp_path / "trajectories/seed0.parquet"], output)
    text = output.read_text()
    assert "| chosen | 7 | 7 | 2 | 28.6 % |" in text and "| reward | 7 | 8 |" in text
    assert "the log has only rewards" in text
    assert "never solved" not in text and "| accuracy |" not in text


def test_the_overlap_between_independent_probes_stands_beside_chance(tmp_path):
    other = CURVES | {"never": CURVES["along"], "along": CURVES["never"]}
    summary(tmp_path, [CURVES, other])
    text = (tmp_path / "selection.md").read_text()
    section = text.partition("## Overlap between seeds")[2].partition("##")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")][2:]
    selected = [
        set(pl.read_parquet(tmp_path / f"scores/chosen/seed{seed}.parquet").filter("selected")["prompt_id"])
        for seed in (0, 1)
    ]
    share = f"{50 * len(selected[0] & selected[1]):.1f} %"
    assert [row[:3] for row in rows] == [["all", "100.0 %", "100.0 %"], ["chosen", share, "28.6 %"]]
    assert rows[0][3] == "-", "equal scores have no rank correlation"


def test_seeds_that_score_the_same_run_have_no_overlap_between_probes(tmp_path):
    summary(tmp_path, [CURVES, CURVES])
    assert "Overlap between seeds" not in (tmp_path / "selection.md").read_text()
    summary(tmp_path / "one", [CURVES])
    assert "Overlap between seeds" not in (tmp_path / "one" / "selection.md").read_text()
