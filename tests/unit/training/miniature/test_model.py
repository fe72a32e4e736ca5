"""The miniature's Qwen2 is transformers' Qwen2: same numbers on ragged input, same files on disk."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_models import PROMPTS, SIZES, random_model, transformers_twin
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer, Qwen2ForCausalLM

from limr.errors import LimrError
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


def test_prompts_read_together_equal_prompts_read_alone_by_transformers(pair):
    model, twin = pair
    batch, mask = pad(PROMPTS)
    hidden, keys_values = model.read_prompts(batch, mask)
    assert keys_values.lengths.tolist() == [5, 1, 3]
    for row, prompt in enumerate(PROMPTS):
        close(hidden[row, : len(prompt)], hidden_states(twin, prompt))
        assert (hidden[row, len(prompt) :] == 0).all()
        close(model.logits(hidden[row, : len(prompt)]), twin(torch.tensor([prompt])).logits[0])


def test_read_gives_the_states_that_predict_each_response_token(pair):
    model, twin = pair
    responses, mask = pad([response for group in RESPONSES for response in group])
    hidden = unflatten(model.read(*pad(PROMPTS), responses, mask), mask)
    row = 0
    for prompt, group in zip(PROMPTS, RESPONSES, strict=True):
        for response in group:
            before = hidden_states(twin, prompt + response)[len(prompt) - 1 : -1]
            close(hidden[row, : len(response)], before)
            row += 1


def test_read_of_responses_of_one_token(pair):
    model, twin = pair
    responses, mask = pad([[1]] * (len(PROMPTS) * SAMPLES))
    hidden = model.read(*pad(PROMPTS), responses, mask)
    for row, prompt in enumerate(prompt for prompt in PROMPTS for _ in range(SAMPLES)):
        close(hidden[row], hidden_states(twin, prompt)[-1])


def test_what_stands_on_the_padding_does_not_matter():
    model = random_model()
    prompts, prompt_mask = pad(PROMPTS)
    responses, mask = pad([response for group in RESPONSES for response in group])
    with torch.no_grad():
        expected = model.read(prompts, prompt_mask, responses, mask)
        found = model.read(prompts.masked_fill(~prompt_mask, 10), prompt_mask, responses.masked_fill(~mask, 10), mask)
    assert torch.equal(found, expected)


def test_gradients_equal_those_of_transformers():
    model = random_model()
    twin = transformers_twin(model)
    responses, mask = pad([response for group in RESPONSES for response in group])
    model.logits(model.read(*pad(PROMPTS), responses, mask)).logsumexp(-1).sum().backward()
    for prompt, group in zip(PROMPTS, RESPONSES, strict=True):
        for response in group:
            logits = twin(torch.tensor([prompt + response])).logits[0, len(prompt) - 1 : -1]
            logits.logsumexp(-1).sum().backward()
    expected = dict(twin.model.named_parameters())
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name].grad, rtol=1e-3, atol=1e-3)


@pytest.fixture(scope="module")
def companions(tmp_path_factory):
    """Everything of a model directory but its weights, with the real tokenizer."""
    from limr.training.miniature.pretrain import _write_companions

    path = tmp_path_factory.mktemp("companions")
    tokenizer = tokens.build()
    _write_companions(path, random_model(vocabulary=tokenizer.get_vocab_size()).shape, tokenizer)
    return path


@pytest.fixture
def saved(companions, tmp_path):
    """A random model and the directory it was saved in."""
    model = random_model(vocabulary=Tokenizer.from_file(str(companions / "tokenizer.json")).get_vocab_size())
    tiny.save(model, tmp_path / "model", like=companions)
    return model, tmp_path / "model"


def test_a_saved_directory_gives_the_same_logits_in_transformers_and_here(saved):
    model, directory = saved
    loaded, again = AutoModelForCausalLM.from_pretrained(directory).eval(), tiny.load(directory)
    assert isinstance(loaded, Qwen2ForCausalLM)
    prompts, mask = pad([[60, 61, 62]])
    with torch.no_grad():
        expected = model.logits(model.read_prompts(prompts, mask)[0])
        close(loaded(prompts).logits, expected)
        assert torch.equal(again.logits(again.read_prompts(prompts, mask)[0]), expected)


def test_a_directory_written_by_transformers_loads_here(saved, tmp_path):
    model, directory = saved
    AutoModelForCausalLM.from_pretrained(directory).save_pretrained(tmp_path / "theirs")
    weights = tiny.load(tmp_path / "theirs").state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def test_the_chat_template_in_transformers_gives_the_ids_that_training_reads(saved):
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
    "another architecture": (lambda path: damage_config(path, model_type="llama"), ["config.json", "'llama'"]),
    "untied embeddings": (lambda path: damage_config(path, tie_word_embeddings=False), ["config.json", "tied"]),
    "a size missing": (lambda path: damage_config(path, hidden_size=None), ["config.json", "hidden_size"]),
    "no configuration": (lambda path: (path / "config.json").unlink(), ["config.json"]),
    "not JSON": (lambda path: (path / "config.json").write_text("{"), ["config.json"]),
    "no weights": (lambda path: (path / "model.safetensors").unlink(), ["model.safetensors"]),
    "other sizes": (
        lambda path: damage_config(path, intermediate_size=99),
        ["model.safetensors", "_proj.weight", "99"],
    ),
    "fewer layers": (lambda path: damage_config(path, num_hidden_layers=1), ["model.safetensors", "layers.1."]),
    "a tensor missing": (
        lambda path: damage_weights(path, lambda weights: weights.pop(NORM)),
        ["model.safetensors", "norm.weight"],
    ),
    "a tensor too many": (
        lambda path: damage_weights(path, lambda weights: weights.update(other=torch.ones(1))),
        ["model.safetensors", "other"],
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_directory_is_refused_naming_file_and_tensor(saved, damage):
    _, directory = saved
    change, named = DAMAGES[damage]
    change(directory)
    with pytest.raises(LimrError) as error:
        tiny.load(directory)
    assert all(name in str(error.value) for name in [str(directory), *named]), str(error.value)


@pytest.mark.parametrize("kept", [0, 5, 200, 5000])
def test_truncated_weights_are_refused_naming_the_file(saved, kept):
    _, directory = saved
    path = directory / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(LimrError, match=r"model\.safetensors"):
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
