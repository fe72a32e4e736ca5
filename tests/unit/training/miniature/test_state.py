"""A state that this run did not save is refused: nothing of it runs, and nothing in the folder is deleted."""

import io
import pickle
import zipfile

import pytest
import torch
from refusals import refused
from small_models import random_model

from limr.training.miniature.learner import Learner
from limr.training.miniature.miniature_settings import MiniatureSettings
from limr.training.miniature.state import TrainingState

SETTINGS = MiniatureSettings(
    engine="miniature", threads=1, steps=2, prompts_per_step=2, samples_per_prompt=1, temperature=1.0,
    max_response_tokens=4, mini_batch_size=2, actor_learning_rate=0.01, critic_learning_rate=0.01, warmup_steps=0,
    kl_coefficient=0.1, gae_lambda=0.9, discount=0.95, clip=0.2, value_clip=0.2, gradient_clip=1.0,
    evaluation_interval=1, checkpoint_interval=1, reward_rule="paper",
)  # fmt: skip


class Payload:
    """A pickle that creates ``MARK`` when it is loaded."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return open, (self.mark, "w")


def new_learner(seed=0):
    return Learner(random_model(seed=seed), random_model(seed=1), SETTINGS)


def whole_state(**changes):
    return {"fingerprint": "mine", "steps": 1, "metrics": [{"step": 0}], "learner": new_learner(5).state()} | changes


def saved(value):
    content = io.BytesIO()
    torch.save(value, content)
    return content.getvalue()


def another_zip():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("notes.txt", "not a state " * 100)
    return content.getvalue()


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


@pytest.fixture
def work(tmp_path):
    """A folder with a checkpoint and a shard of rollouts, which no error may delete."""
    for name in ("checkpoints/step_000001/model.safetensors", "rollouts/steps_000000_000000.parquet"):
        file = tmp_path / "work" / name
        file.parent.mkdir(parents=True)
        file.write_bytes(b"kept")
    return tmp_path / "work"


def refusal(work, content, **parts):
    """Resuming from ``content`` is refused with ``parts`` and leaves every file of ``work`` as it was."""
    state = work / "state.pt"
    state.write_bytes(content)
    before = {path: path.read_bytes() for path in work.rglob("*") if path.is_file()}
    with refused(where=state, advice=f"remove {work}", **parts) as raised:
        TrainingState(work, "mine").resume(new_learner())
    assert {path: path.read_bytes() for path in work.rglob("*") if path.is_file()} == before
    return raised.value


def test_the_state_of_this_run_is_resumed(work):
    (work / "state.pt").write_bytes(saved(whole_state()))
    learner, expected = new_learner(), new_learner(5).actor.state_dict()
    assert TrainingState(work, "mine").resume(learner) == (1, [{"step": 0}])
    assert all(torch.equal(value, expected[name]) for name, value in learner.actor.state_dict().items())


def test_without_a_state_training_starts_in_an_empty_folder(work):
    assert TrainingState(work, "mine").resume(new_learner()) == (0, [])
    assert list(work.iterdir()) == []


def test_the_state_of_another_run_is_refused_with_the_steps_that_it_would_lose(work):
    content = saved(whole_state(fingerprint="another", steps=40))
    refusal(work, content, what="with other settings, inputs or versions", found="its state after 40 steps")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (torch.ones(3), "a Tensor, of another program"),
        ([1, 2], "a list, of another program"),
        ({}, "a dictionary with the keys none"),
        ({"epoch": 3, "model": {}}, "a dictionary with the keys epoch, model"),
        ({**whole_state(), "more": 1}, "a dictionary with the keys fingerprint, steps"),
        (whole_state(learner={}), "a learner that does not fit"),
        (whole_state(learner=None), "a learner that does not fit"),
    ],
)
def test_a_torch_file_of_another_program_is_refused_with_what_it_holds(work, value, found):
    refusal(work, saved(value), what="cannot be resumed", found=found, expected="the state that this run saved")


DAMAGES = {
    "empty": lambda state: b"",
    "cut in half": lambda state: state[: len(state) // 2],
    "the last byte is missing": lambda state: state[:-1],
    "one byte flipped": flipped,
    "text": lambda state: b"not a state" * 100,
    "a number in pickle": lambda state: b"\x80\x04K\x07.",
    "another zip": lambda state: another_zip(),
    "another zip, one byte flipped": lambda state: flipped(another_zip()),
    "a zip without files": lambda state: b"PK\x05\x06" + bytes(18),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_state_is_refused(work, damage):
    content = DAMAGES[damage](saved(whole_state()))
    refusal(work, content, what="cannot be resumed", found="a file that torch cannot load")


@pytest.mark.parametrize("save", [saved, pickle.dumps])
def test_a_pickle_with_code_is_refused_and_does_not_run(work, tmp_path, save):
    mark = tmp_path / "mark"
    refusal(work, save(whole_state(metrics=[Payload(str(mark))])), found="without running code")
    assert not mark.exists()


def test_a_folder_in_the_place_of_the_state_is_refused(work):
    (work / "state.pt").mkdir()
    with refused(where=work / "state.pt", what="cannot be resumed"):
        TrainingState(work, "mine").resume(new_learner())
