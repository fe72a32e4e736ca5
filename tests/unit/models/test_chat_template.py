"""The chat template around a prompt."""

from limr.models.chat_template import chat_texts
from limr.models.checkpoint import load_checkpoint


def test_each_prompt_becomes_one_user_turn(tiny_model):
    _, tokenizer = load_checkpoint(tiny_model)
    assert chat_texts(tokenizer, ["7=?", "1+1=?"]) == ["<user>7=?<assistant>", "<user>1+1=?<assistant>"]
    assert chat_texts(tokenizer, []) == []


def test_a_system_prompt_comes_first(tiny_model):
    _, tokenizer = load_checkpoint(tiny_model)
    tokenizer.chat_template = "{% for m in messages %}[{{ m['role'] }}: {{ m['content'] }}]{% endfor %}"
    assert chat_texts(tokenizer, ["7=?"], "Think.") == ["[system: Think.][user: 7=?]"]
