"""The section `evaluation`: how the answers to the benchmarks are generated."""

from typing import Literal

from pydantic import Field

from limr.settings import Count, Settings, SomeShare, Threads


class TransformersSection(Settings):
    """Evaluation with transformers, in one process."""

    engine: Literal["transformers"] = Field(description="transformers (in one process)")
    threads: Threads = Field(
        description="torch's threads, independent of --cores; another number rounds differently and gives another table"
    )
    top_p: SomeShare = Field(description="nucleus sampling")
    max_response_tokens: Count = Field(description="longest response, in tokens")
    batch_size: Count = Field(description="responses that are generated together")


class VllmSection(Settings):
    """Evaluation with vLLM, in separate processes, on GPUs."""

    engine: Literal["vllm"] = Field(description="vllm (in separate processes, on GPUs)")
    threads: Threads = Field(
        description="threads of each engine's process; where vLLM runs on CPUs, another number rounds differently"
    )
    data_parallel_size: Count = Field(description="vLLM engines that share the problems")
    tensor_parallel_size: Count = Field(description="GPUs of one vLLM engine")
    dtype: Literal["bfloat16", "float16", "float32"] = Field(description="number format of the model")
    gpu_memory_utilization: SomeShare = Field(description="share of a GPU's memory that vLLM takes")
    top_p: SomeShare = Field(description="nucleus sampling")
    max_response_tokens: Count = Field(description="longest response, in tokens")
    batch_size: Count = Field(description="responses that one engine generates together")
