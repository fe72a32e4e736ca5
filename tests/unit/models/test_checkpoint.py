"""Loading and checking a model directory: each kind of damage is found and named."""

import json

import pytest
from refusals import refused
from tiny_model import VOCABULARY, save_tokenizer

from limr.models.checkpoint import check_checkpoint, load_checkpoint, weight_files


def change_config(path, **changes):
    file = path / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def cut_weights(path, length):
    """Keep only the first ``length`` bytes of the weights; a negative length cuts from the end."""
    file = path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:length])


NOT_A_LANGUAGE_MODEL = "cannot load it as a causal language model"

# name -> a function that damages a model directory, and a part of the error
DAMAGE = {
    "no config": (lambda path: (path / "config.json").unlink(), "no config.json"),
    "config is not JSON": (lambda path: (path / "config.json").write_text("{"), NOT_A_LANGUAGE_MODEL),
    "not a language model": (lambda path: change_config(path, model_type="clip"), NOT_A_LANGUAGE_MODEL),
    "another architecture": (lambda path: change_config(path, model_type="llama"), "not part of the architecture"),
    "another width": (lambda path: change_config(path, intermediate_size=64), "wrong shape"),
    "another depth": (lambda path: change_config(path, num_hidden_layers=2, layer_types=None), "is missing"),
    "no weights": (lambda path: (path / "model.safetensors").unlink(), NOT_A_LANGUAGE_MODEL),
    "truncated weights": (lambda path: cut_weights(path, -9), "truncated or damaged"),
    "empty weights": (lambda path: cut_weights(path, 0), "truncated or damaged"),
    "no tokenizer": (lambda path: (path / "tokenizer.json").unlink(), "no tokenizer.json"),
    "truncated tokenizer": (
        lambda path: (path / "tokenizer.json").write_text('{"version":'),
        "tokenizer cannot be read",
    ),
    "no chat template": (lambda path: (path / "chat_template.jinja").unlink(), "no chat template"),
    "vocabulary too large": (lambda path: save_tokenizer(path, [*VOCABULARY, *"!#%"]), "belongs to another model"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_load_checkpoint_refuses_a_damaged_directory_and_names_it(model_copy, damage):
    spoil, what = DAMAGE[damage]
    spoil(model_copy)
    with refused(where=model_copy, what=what):
        load_checkpoint(model_copy)


@pytest.mark.parametrize("damage", DAMAGE)
def test_check_checkpoint_finds_the_same_damage_without_loading_weights(model_copy, damage):
    spoil, what = DAMAGE[damage]
    check_checkpoint(model_copy)
    spoil(model_copy)
    with refused(where=model_copy, what="no model.safetensors" if damage == "no weights" else what):
        check_checkpoint(model_copy)


@pytest.mark.parametrize(
    ("damage", "found", "expected"),
    [
        ("vocabulary too large", f"{len(VOCABULARY) + 3} tokens", f"at most {len(VOCABULARY)}"),
        ("another width", "", "the weights of the Qwen2ForCausalLM in config.json"),
        ("no config", "", "a Hugging Face model directory"),
    ],
)
def test_the_error_names_the_found_and_the_expected_value(model_copy, damage, found, expected):
    DAMAGE[damage][0](model_copy)
    with refused(found=found, expected=expected):
        load_checkpoint(model_copy)


def test_the_error_of_a_misshapen_weight_shows_both_shapes(model_copy):
    change_config(model_copy, intermediate_size=64)
    with refused(what="down_proj.weight, (16, 32) instead of (16, 64); 3 such weights"):
        check_checkpoint(model_copy)


def test_the_directory_can_have_another_name_in_errors(model_copy):
    (model_copy / "tokenizer.json").unlink()
    with refused(where=("base_model", "org/model@0")) as raised:
        check_checkpoint(model_copy, where=("base_model", "org/model@0"))
    assert str(model_copy) not in str(raised.value)


def test_weights_in_several_files_are_found_by_their_index_and_a_missing_file_is_named(model_copy):
    model, tokenizer = load_checkpoint(model_copy)
    (model_copy / "model.safetensors").unlink()
    model.save_pretrained(model_copy, max_shard_size="1KB")
    assert len(weight_files(model_copy)) > 1
    _, same = check_checkpoint(model_copy)
    assert same.get_vocab() == tokenizer.get_vocab()
    second = weight_files(model_copy)[1]
    second.unlink()
    with refused(where=model_copy, what=f"no {second.name}", expected="all weights as safetensors"):
        check_checkpoint(model_copy)


def test_a_missing_directory_is_not_looked_up_on_the_hub(tmp_path):
    with refused(where=tmp_path / "nowhere", what="no config.json"):
        load_checkpoint(tmp_path / "nowhere")
