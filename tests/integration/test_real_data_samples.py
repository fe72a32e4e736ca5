"""The committed samples of real data agree with the released files."""

import hashlib

from cut_samples import samples
from places import SAMPLES, needs_reference
from real_data import golds, released_scores, write_one_shot_rlvr

MOST_BYTES = 1_000_000
TRAJECTORIES = "c34cd885edc77dc9494b0ababa239483799be5978e288e0181047f139f2efd34"  # SHA-256 of the released file


def test_the_samples_are_small_and_named_with_their_source_and_licence():
    files = [path for path in SAMPLES.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    page = (SAMPLES / "README.md").read_text(encoding="utf-8")
    assert not [path for path in files if str(path.relative_to(SAMPLES)) not in page and path.name != "README.md"]


def test_the_trajectories_are_the_released_file_byte_for_byte(tmp_path):
    written = write_one_shot_rlvr(tmp_path / "acc_step_500.json").read_bytes()
    assert hashlib.sha256(written).hexdigest() == TRAJECTORIES


def test_the_golds_and_scores_are_complete():
    assert {name: len(answers) for name, answers in golds().items()} == {
        "math.8k": 8523,
        "math500": 500,
        "aime24": 30,
        "amc23": 40,
    }
    scores = released_scores()
    assert (len(scores), scores["in_subset"].sum()) == (7935, 1389)
    assert scores["prompt_id"].n_unique() == 7935


@needs_reference
def test_the_samples_are_those_that_the_script_cuts_from_the_whole_data():
    cut = samples()
    assert [path for path, text in cut.items() if (SAMPLES / path).read_text(encoding="utf-8") != text] == []
    committed = {str(path.relative_to(SAMPLES)) for path in SAMPLES.rglob("*") if path.is_file()}
    assert committed == {"README.md", *cut}
