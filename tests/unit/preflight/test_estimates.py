"""The estimates agree with published sizes of models and with sums done by hand, and grow with the sizes."""

import pytest
import torch
import yaml
from places import ROOT
from refusals import refused
from snakemake.utils import update_config
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config, Qwen3Config

from limr.preflight import estimates
from limr.preflight.estimates import (
    GIB,
    disk,
    generating_memory,
    host_memory,
    learning_memory,
    responses_at_once,
    shape_of,
)

MATH_7B = {
    "model_type": "qwen2", "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28,
    "num_attention_heads": 28, "num_key_value_heads": 4, "vocab_size": 152064, "tie_word_embeddings": False,
}  # fmt: skip
TRAINING = {
    "steps": 175, "prompts_per_step": 1024, "samples_per_prompt": 8, "max_prompt_tokens": 1024,
    "max_response_tokens": 3072, "checkpoint_interval": 10, "checkpoints_to_resume_from": 2, "nodes": 1,
    "gpus_per_node": 8, "zero_stage": 3, "offload_optimizer": True, "train_micro_batch_size": 2,
    "rollout_micro_batch_size": 4, "tensor_parallel_size": 1, "gpu_memory_utilization": 0.5,
}  # fmt: skip
SIZES = {"vocab_size": 100, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3,
         "num_attention_heads": 4, "num_key_value_heads": 2}  # fmt: skip


def test_the_paper_s_model_has_the_published_number_of_parameters():
    assert shape_of(MATH_7B).parameters == 7_615_616_512


@pytest.mark.parametrize("config", [
    Qwen2Config(**SIZES, tie_word_embeddings=True),
    Qwen2Config(**SIZES, tie_word_embeddings=False),
    LlamaConfig(**SIZES, tie_word_embeddings=False),
])  # fmt: skip
def test_the_number_of_parameters_equals_that_of_transformers(config):
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    assert shape_of(config.to_dict()).parameters == sum(weight.numel() for weight in model.parameters())


def test_the_estimate_for_a_model_with_further_weights_is_close():
    """Qwen3 also has norms of queries and keys: a few hundred of its billions of weights."""
    config = Qwen3Config(**SIZES, head_dim=16, tie_word_embeddings=False)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    true = sum(weight.numel() for weight in model.parameters())
    assert shape_of(config.to_dict()).parameters == pytest.approx(true, rel=0.01)


def test_another_kind_of_model_is_refused():
    with refused(what="no key 'hidden_size'", expected="a dense decoder"):
        shape_of({"model_type": "gpt2", "n_embd": 768})


def test_the_memory_of_learning_is_the_sum_done_by_hand():
    parameters = 7_615_616_512
    parts = learning_memory(shape_of(MATH_7B), TRAINING)
    assert parts["weights"] == pytest.approx(3 * 2 * parameters / 8 / GIB)
    assert parts["gradients and optimiser"] == pytest.approx(2 * parameters / 8 / GIB)
    assert parts["logits"] == pytest.approx(12 * 2 * 4096 * 152064 / GIB)
    kept = learning_memory(shape_of(MATH_7B), TRAINING | {"offload_optimizer": False})
    assert kept["gradients and optimiser"] == pytest.approx(14 * parameters / 8 / GIB)


def test_a_model_on_one_gpu_without_sharding_or_offloading_needs_more_than_16_bytes_per_parameter():
    alone = TRAINING | {"gpus_per_node": 1, "zero_stage": 2, "offload_optimizer": False}
    shape = shape_of(MATH_7B)
    assert sum(learning_memory(shape, alone).values()) > 2 * 16 * shape.parameters / GIB


def test_more_gpus_need_less_each_and_longer_micro_batches_more():
    shape = shape_of(MATH_7B)
    usual = sum(learning_memory(shape, TRAINING).values())
    assert sum(learning_memory(shape, TRAINING | {"gpus_per_node": 4}).values()) > usual
    assert sum(learning_memory(shape, TRAINING | {"train_micro_batch_size": 4}).values()) > usual


def test_reading_rollouts_in_large_micro_batches_needs_more_memory_than_learning_in_small_ones():
    logits = [learning_memory(shape_of(MATH_7B), TRAINING | {"rollout_micro_batch_size": size})["logits"]
              for size in (1, 4, 16)]  # fmt: skip
    assert logits[0] == logits[1] == pytest.approx(12 * 2 * 4096 * 152064 / GIB)
    assert logits[2] == pytest.approx(6 * 16 * 4096 * 152064 / GIB)


def test_generating_needs_vllm_s_share_and_the_memory_of_sleeping_models():
    parts = generating_memory(shape_of(MATH_7B), TRAINING, gpu=80.0)
    assert parts["vLLM"] == 40.0
    assert parts["gradients and optimiser"] == 0.0
    awake = generating_memory(shape_of(MATH_7B), TRAINING | {"zero_stage": 2, "offload_optimizer": False}, gpu=80.0)
    assert awake["gradients and optimiser"] > 0


def test_the_cache_of_a_token_is_that_of_grouped_query_attention():
    shape = shape_of(MATH_7B)
    assert shape.cache_bytes == 2 * 28 * 4 * 128 * 2  # keys and values, 28 layers, 4 heads of 128, bf16
    few, many = (responses_at_once(shape, share, 80.0, 1, 4096) for share in (0.5, 0.9))
    assert many - few == pytest.approx(0.4 * 80.0 * GIB / (shape.cache_bytes * 4096))
    assert responses_at_once(shape, 0.2, 80.0, 1, 4096) < 1, "the weights alone take 14 GiB"


def test_the_machine_holds_both_optimisers_and_all_sleeping_engines():
    parts = host_memory(shape_of(MATH_7B), TRAINING)
    assert parts["optimisers"] == pytest.approx(2 * 18 * 7_615_616_512 / GIB)
    asleep = host_memory(shape_of(MATH_7B), TRAINING | {"offload_optimizer": False})
    assert asleep["optimisers"] == pytest.approx(2 * 14 * 7_615_616_512 / GIB)
    assert parts["processes"] == 8 * 4 * estimates.PROCESS
    assert parts["sleeping vLLM"] == pytest.approx(8 * 2 * 7_615_616_512 / GIB)


def test_disk_space_grows_with_runs_and_checkpoints():
    shape = shape_of(MATH_7B)
    one, four = disk(shape, TRAINING, 1), disk(shape, TRAINING, 4)
    assert one["checkpoints"] == pytest.approx(18 * 2 * 7.615616512)  # 175 steps, every 10th and the last
    assert four["checkpoints"] == pytest.approx(4 * one["checkpoints"])
    assert four["states to resume from"] == one["states to resume from"], "a finished run keeps none"
    assert disk(shape, TRAINING | {"checkpoint_interval": 50}, 1)["checkpoints"] == pytest.approx(4 * 2 * 7.615616512)


def test_the_documented_table_agrees_with_the_formulas():
    """The sizes in every row of the table in docs/paper_run.md."""
    root = ROOT
    document = (root / "docs" / "paper_run.md").read_text(encoding="utf-8")
    math_1_5b = MATH_7B | {"hidden_size": 1536, "intermediate_size": 8960, "num_attention_heads": 12,
                           "num_key_value_heads": 2, "vocab_size": 151936, "tie_word_embeddings": True}  # fmt: skip
    for name in ("paper", "qwen2.5-7b", *(f"qwen2.5-math-1.5b_{n}" for n in ("1gpu", "2gpus", "4gpus"))):
        configuration = yaml.safe_load((root / "config" / "paper.yaml").read_text(encoding="utf-8"))
        if name != "paper":
            update_config(configuration, yaml.safe_load((root / "config" / f"{name}.yaml").read_text(encoding="utf-8")))
        training, shape = configuration["training"], shape_of(math_1_5b if "1.5b" in name else MATH_7B)
        numbers = [
            training["nodes"] * training["gpus_per_node"],
            max(sum(learning_memory(shape, training).values()),
                sum(generating_memory(shape, training, 81559 / 1024).values())),
            sum(host_memory(shape, training).values()),
            sum(disk(shape, training, len(configuration["methods"])).values()),
        ]  # fmt: skip
        row = f"| `{name}.yaml` | " + " | ".join(f"{number:,.0f}" for number in numbers)
        assert row in document, row


def test_the_assumptions_are_those_that_the_document_names():
    document = (ROOT / "docs" / "paper_run.md").read_text(encoding="utf-8")
    for value in (estimates.RESPONSE_TOKENS, f"{estimates.OVERHEAD:.0f} GiB"):
        assert f"**{value}**" in document, value
