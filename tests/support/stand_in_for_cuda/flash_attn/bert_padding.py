"""Names that OpenRLHF imports but only packed samples use."""


def index_first_axis(*_: object) -> None:
    raise NotImplementedError("packed samples need flash-attn and CUDA")


pad_input = rearrange = unpad_input = index_first_axis
