"""Every chat template is stripped to the user's turn; a prompt that only resembles one stays as it is."""

# ruff: noqa: RUF001 (the wide bars are in DeepSeek's own tokens)

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused

from limr.logs.templates import prompt_text, user_turn

SYSTEM = "You are a helpful assistant.\nAnswer as the user asks."

TEMPLATES = {
    "chatml": "<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{user}<|im_end|>\n<|im_start|>assistant\n",
    "chatml, padded": "<|endoftext|><|endoftext|><|im_start|>user\n{user}<|im_end|>\n<|im_start|>assistant\n",
    "chatml, no empty turn": "<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{user}<|im_end|>\n",
    "chatml, thinking": "<|im_start|>user\n{user}<|im_end|>\n<|im_start|>assistant\nLet me see.\n<think>",
    "chatml, skipped": "system\n{system}\nuser\n{user}\nassistant\n",
    "chatml, skipped, end stripped": "system\n{system}\nuser\n{user}\nassistant",
    "chatml, skipped, no system": "user\n{user}\nassistant\n",
    "chatml, skipped, thinking": "system\n{system}\nuser\n{user}\nassistant\nLet me see.\n<think>",
    "chatml, skipped, no thinking": "user\n{user}\nassistant\n<think>\n\n</think>\n\n",
    "llama 3": "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n{system}<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\n{user}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    "llama 3, skipped": "system\n\nCutting Knowledge Date: December 2023\n\n{system}user\n\n{user}assistant\n\n",
    "llama 3, skipped, no system": "user\n\n{user}assistant\n\n",
    "llama 4": "<|begin_of_text|><|header_start|>user<|header_end|>\n\n{user}<|eot|>"
    "<|header_start|>assistant<|header_end|>\n\n",
    "llama 2": "<s>[INST] <<SYS>>\n{system}\n<</SYS>>\n\n{user} [/INST]",
    "mistral": "<s>[INST] {user} [/INST]",
    "mistral 7": "<s>[SYSTEM_PROMPT]{system}[/SYSTEM_PROMPT][INST]{user}[/INST]",
    "gemma": "<bos><start_of_turn>user\n{user}<end_of_turn>\n<start_of_turn>model\n",
    "gemma, skipped": "user\n{user}\nmodel\n",
    "deepseek": "<｜begin▁of▁sentence｜>{system}<｜User｜>{user}<｜Assistant｜><think>\n",
    "deepseek, skipped": "<｜User｜>{user}<｜Assistant｜>",
    "phi 3": "<|system|>\n{system}<|end|>\n<|user|>\n{user}<|end|>\n<|assistant|>\n",
    "phi 4": "<|im_start|>system<|im_sep|>{system}<|im_end|><|im_start|>user<|im_sep|>{user}<|im_end|>"
    "<|im_start|>assistant<|im_sep|>",
    "tulu": "<|user|>\n{user}\n<|assistant|>\n",
    "plain": "User: {user}\n\nAssistant:",
    "plain, human": "Human: {user}\n\nAssistant: ",
    "r1-zero": "A conversation between User and Assistant. The user asks a question, and the Assistant solves it. "
    "User: {user} Assistant: <think>",
}

PROMPTS = [
    "What is 2+2?",
    "Solve $x^2 = 4$.\n\nLet's think step by step and output the final answer within \\boxed{}.",
    "A table:\nuser\nadmin\nroot\nWhich row is the assistant's?",
    "What does <|im_start|>user mean, and [INST]?",
    "Explain the words system, user and assistant.",
]

ALIKE = [
    "user\nIs this a prompt, or a template?",
    "system\nof equations: x + y = 2, user\nfriendly",
    "Who is the assistant\n",
    "The header is <|im_start|>user\nWhat<|im_end|>\n<|im_start|>assistant\n and it ends there.",
    "Write a dialogue.\n\nUser: hello\n\nAssistant:",
    "In C, [INST] is what? [/INST]",
    "User: a word in a table",
]


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_every_template_is_stripped_to_the_users_turn(template, prompt):
    assert user_turn(template.format(system=SYSTEM, user=prompt)) == prompt


@pytest.mark.parametrize("prompt", ALIKE)
def test_a_prompt_that_only_mentions_a_template_stays_as_it_is(prompt):
    assert user_turn(prompt) == prompt.strip()


@given(st.sampled_from(sorted(TEMPLATES)), st.text("abc \n$\\{}:?1", min_size=1).map(str.strip).filter(bool))
def test_the_template_around_any_prompt_is_stripped(name, prompt):
    assert user_turn(TEMPLATES[name].format(system=SYSTEM, user=prompt)) == prompt


def test_prompts_with_different_system_turns_are_one_prompt():
    dates = ["Today Date: 26 Jul 2024", "Today Date: 27 Jul 2024"]
    assert len({user_turn(TEMPLATES["llama 3"].format(system=date, user="Why?")) for date in dates}) == 1


CHATS = {
    "chatml": "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n1+1?<|im_end|>\n"
    "<|im_start|>assistant\n2<|im_end|>\n"
    "<|im_start|>user\nSure?<|im_end|>\n<|im_start|>assistant\n",
    "chatml, skipped": "system\nBe brief.\nuser\n1+1?\nassistant\n2\nuser\nSure?\nassistant\n",
    "llama 3, skipped": "system\n\nBe brief.user\n\n1+1?assistant\n\n2user\n\nSure?assistant\n\n",
    "llama 2": "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\n1+1? [/INST] 2 </s><s>[INST] Sure? [/INST]",
    "llama 2, skipped": "[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\n1+1? [/INST] 2 [INST] Sure? [/INST]",
    "deepseek": "<｜begin▁of▁sentence｜>Be brief."
    "<｜User｜>1+1?<｜Assistant｜>2<｜end▁of▁sentence｜><｜User｜>Sure?<｜Assistant｜>",
    "gemma": "<bos><start_of_turn>user\n1+1?<end_of_turn>\n<start_of_turn>model\n2<end_of_turn>\n"
    "<start_of_turn>user\nSure?<end_of_turn>\n<start_of_turn>model\n",
    "phi 3": "<|system|>\nBe brief.<|end|>\n<|user|>\n1+1?<|end|>\n<|assistant|>\n2<|end|>\n"
    "<|user|>\nSure?<|end|>\n<|assistant|>\n",
    "plain": "User: 1+1?\n\nAssistant: 2\n\nUser: Sure?\n\nAssistant:",
}


@pytest.mark.parametrize("chat", CHATS.values(), ids=CHATS)
def test_a_chat_of_several_turns_stays_whole_and_is_the_same_text_in_every_template(chat):
    assert user_turn(chat) == "User: 1+1?\n\nAssistant: 2\n\nUser: Sure?"


def test_two_chats_that_end_alike_are_two_prompts():
    assert user_turn(CHATS["chatml"]) != user_turn(CHATS["chatml"].replace("1+1?", "1+2?"))


@pytest.mark.parametrize("text", [*ALIKE, *(TEMPLATES[name].format(system=SYSTEM, user="Why?") for name in TEMPLATES)])
def test_stripping_twice_changes_nothing_more(text):
    assert user_turn(user_turn(text)) == user_turn(text)


def test_chat_messages_give_the_same_text_as_their_template():
    system = {"role": "system", "content": "Be brief."}
    user = {"role": "user", "content": "1+1?"}
    rest = [{"role": "assistant", "content": "2"}, {"role": "user", "content": [{"type": "text", "text": "Sure?"}]}]
    assert prompt_text([system, user]) == "1+1?"
    assert prompt_text([system, user, *rest]) == user_turn(CHATS["chatml"])


@pytest.mark.parametrize("prompt", [None, 3, [], ["text"], {"role": "user"}])
def test_a_value_that_is_not_a_prompt_is_refused(prompt):
    with refused(expected="text, or a list of chat messages"):
        prompt_text(prompt)
