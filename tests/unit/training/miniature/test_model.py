"""The miniature's Qwen2 equals transformers' Qwen2: the same numbers on ragged input, the same files on disk."""

import json
import shutil

import pytest
import torch
from refusals import refused
from safetensors.torch import load_file, save_file
from small_models import PROMPTS, SIZES, random_model, transformers_twin
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer, Qwen2ForCausalLM

from limr.training.miniature import model as tiny
from limr.training.miniature import tokenizer as tokens
from limr.training.miniature.batches import pad, unflatten

RESPONSES = [[[7], [1, 2, 3, 4]], [[8, 8, 8, 8, 8, 8], [5]], [[4, 3, 2], [1, 1]]]  # two for each prompt
SAMPLES = 2


def hidden_states(twin, sequence):
    """transformers' final hidden states of one unpadded sequence: (tokens, hidden)."""
    return twin.model(torch.tensor([sequence])).last_hidden_state[0]


def close(found, expected):
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.fixture(params=SIZES, ids=str)
def pair(request):
    model = random_model(*request.param)
    with torch.no_grad():
        yield model, transformers_twin(model)


def test_a_batch_of_prompts_has_the_hidden_states_of_transformers(pair):
    model, twin = pair
    batch, mask = pad(PROMPTS)
    hidden, keys_values = model.prompt_states(batch, mask)
    assert keys_values.lengths.tolist() == [5, 1, 3]
    for row, prompt in enumerate(PROMPTS):
        close(hidden[row, : len(prompt)], hidden_states(twin, prompt))
        assert (hidden[row, len(prompt) :] == 0).all()
        close(model.logits(hidden[row, : len(prompt)]), twin(torch.tensor([prompt])).logits[0])


def test_response_states_are_those_that_predict_each_token(pair):
    model, twin = pair
    responses, mask = pad([response for group in RESPONSES for response in group])
    hidden = unflatten(model.response_states(*pad(PROMPTS), responses, mask), mask)
    row = 0
    for prompt, group in zip(PROMPTS, RESPONSES, strict=True):
        for response in group:
            before = hidden_states(twin, prompt + response)[len(prompt) - 1 : -1]
            close(hidden[row, : len(response)], before)
            row += 1


def test_response_states_of_one_token_responses_equal_those_of_transformers(pair):
    model, twin = pair
    responses, mask = pad([[1]] * (len(PROMPTS) * SAMPLES))
    hidden = model.response_states(*pad(PROMPTS), responses, mask)
    for row, prompt in enumerate(prompt for prompt in PROMPTS for _ in range(SAMPLES)):
        close(hidden[row], hidden_states(twin, prompt)[-1])


def test_tokens_on_the_padding_have_no_effect():
    model = random_model()
    prompts, prompt_mask = pad(PROMPTS)
    responses, mask = pad([response for group in RESPONSES for response in group])
    with torch.no_grad():
        expected = model.response_states(prompts, prompt_mask, responses, mask)
        found = model.response_states(
            prompts.masked_fill(~prompt_mask, 10), prompt_mask, responses.masked_fill(~mask, 10), mask
        )
    assert torch.equal(found, expected)


def test_gradients_equal_those_of_transformers():
    model = random_model()
    twin = transformers_twin(model)
    responses, mask = pad([response for group in RESPONSES for response in group])
    model.logits(model.response_states(*pad(PROMPTS), responses, mask)).logsumexp(-1).sum().backward()
    for prompt, group in zip(PROMPTS, RESPONSES, strict=True):
        for response in group:
            logits = twin(torch.tensor([prompt + response])).logits[0, len(prompt) - 1 : -1]
            logits.logsumexp(-1).sum().backward()
    expected = dict(twin.model.named_parameters())
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name].grad, rtol=1e-3, atol=1e-3)


@pytest.fixture(scope="module")
def companions(tmp_path_factory):
    """The files of a model directory without its weights, with the real tokenizer."""
    from limr.training.miniature.pretrain import _write_companions

    path = tmp_path_factory.mktemp("companions")
    tokenizer = tokens.build()
    _write_companions(path, random_model(vocabulary=tokenizer.get_vocab_size()).shape, tokenizer)
    return path


@pytest.fixture
def saved(companions, tmp_path):
    """A random model, and the directory that holds it."""
    model = random_model(vocabulary=Tokenizer.from_file(str(companions / "tokenizer.json")).get_vocab_size())
    tiny.save(model, tmp_path / "model", like=companions)
    return model, tmp_path / "model"


def test_a_saved_directory_gives_the_same_logits_in_transformers_and_here(saved):
    model, directory = saved
    loaded, again = AutoModelForCausalLM.from_pretrained(directory).eval(), tiny.load(directory)
    assert isinstance(loaded, Qwen2ForCausalLM)
    prompts, mask = pad([[60, 61, 62]])
    with torch.no_grad():
        expected = model.logits(model.prompt_states(prompts, mask)[0])
        close(loaded(prompts).logits, expected)
        assert torch.equal(again.logits(again.prompt_states(prompts, mask)[0]), expected)


def test_a_directory_written_by_transformers_loads_here(saved, tmp_path):
    model, directory = saved
    AutoModelForCausalLM.from_pretrained(directory).save_pretrained(tmp_path / "theirs")
    weights = tiny.load(tmp_path / "theirs").state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def test_the_chat_template_in_transformers_gives_the_token_ids_of_training(saved):
    _, directory = saved
    theirs, ours = AutoTokenizer.from_pretrained(directory), tokens.load(directory)
    prompts = ["Compute 57+8.", "Solve 4x+3=43.", tokens.GUIDE + "Find 77 mod 5."]
    for prompt, ids in zip(prompts, tokens.encode_prompts(ours, prompts), strict=True):
        chat = theirs.apply_chat_template([{"role": "user", "content": prompt}], add_generation_prompt=True)
        assert (chat["input_ids"] if not isinstance(chat, list) else chat) == ids
    answered = [{"role": "user", "content": "Compute 57+8."}, {"role": "assistant", "content": "57+8->65 \\boxed{65}"}]
    text = theirs.apply_chat_template(answered, tokenize=False)
    assert theirs(text)["input_ids"] == ours.encode(text).ids
    assert text.endswith("\\boxed{65}" + theirs.eos_token)
    assert theirs.decode(ours.encode("57+8->65 \\boxed{65}").ids) == "57+8->65 \\boxed{65}"


def damage_config(directory, **changes):
    path = directory / "config.json"
    config = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({name: value for name, value in config.items() if value is not None}))


def damage_weights(directory, change):
    path = directory / "model.safetensors"
    weights = load_file(path)
    change(weights)
    save_file(weights, path)


NORM = "model.norm.weight"
DAMAGES = {
    "another architecture": (
        lambda path: damage_config(path, model_type="llama"),
        "config.json",
        {"where": "'model_type'", "found": '"llama"', "expected": '"qwen2"'},
    ),
    "untied embeddings": (
        lambda path: damage_config(path, tie_word_embeddings=False),
        "config.json",
        {"where": "'tie_word_embeddings'", "found": "false", "advice": "tied embeddings"},
    ),
    "a size missing": (
        lambda path: damage_config(path, hidden_size=None),
        "config.json",
        {"what": "no key 'hidden_size'", "expected": "intermediate_size"},
    ),
    "no configuration": (
        lambda path: (path / "config.json").unlink(),
        "config.json",
        {"what": "cannot be read as a model configuration"},
    ),
    "not JSON": (
        lambda path: (path / "config.json").write_text("{"),
        "config.json",
        {"what": "cannot be read as a model configuration"},
    ),
    "no weights": (
        lambda path: (path / "model.safetensors").unlink(),
        "model.safetensors",
        {"what": "cannot be read as safetensors"},
    ),
    "other sizes": (
        lambda path: damage_config(path, intermediate_size=99),
        "model.safetensors",
        {"where": "_proj.weight", "found": "shape (", "expected": "99"},
    ),
    "fewer layers": (
        lambda path: damage_config(path, num_hidden_layers=1),
        "model.safetensors",
        {"where": "layers.1.", "what": "unknown tensor"},
    ),
    "a tensor missing": (
        lambda path: damage_weights(path, lambda weights: weights.pop(NORM)),
        "model.safetensors",
        {"where": "norm.weight", "what": "missing tensor"},
    ),
    "a tensor too many": (
        lambda path: damage_weights(path, lambda weights: weights.update(other=torch.ones(1))),
        "model.safetensors",
        {"where": "'other'", "what": "unknown tensor"},
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_loading_a_damaged_directory_names_file_and_tensor(saved, damage):
    _, directory = saved
    change, file, parts = DAMAGES[damage]
    change(directory)
    with refused(**parts) as error:
        tiny.load(directory)
    assert error.value.where[0] == str(directory / file)


@pytest.mark.parametrize("kept", [0, 5, 200, 5000])
def test_loading_truncated_weights_names_the_file(saved, kept):
    _, directory = saved
    path = directory / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with refused(where=path, what="cannot be read as safetensors"):
        tiny.load(directory)


def test_saving_replaces_a_directory_and_keeps_the_companions(saved, companions):
    _, directory = saved
    other = random_model(vocabulary=tokens.load(directory).get_vocab_size(), seed=1)
    tiny.save(other, directory, like=companions)
    assert torch.equal(tiny.load(directory).norm.weight, other.norm.weight)
    names = {path.name for path in companions.iterdir()}
    assert {path.name for path in directory.iterdir()} == names | {"model.safetensors"}
    assert all((directory / name).read_bytes() == (companions / name).read_bytes() for name in names)
    assert sorted(path.name for path in directory.parent.iterdir()) == ["model"]


def test_saving_a_trained_copy_over_its_own_directory_works(saved):
    model, directory = saved
    copy = directory.parent / "copy"
    shutil.copytree(directory, copy)
    tiny.save(model, directory, like=directory)
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == {
        path.name: path.read_bytes() for path in copy.iterdir()
    }
