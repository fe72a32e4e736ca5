"""The order in which prompts come: that of the data set's rows, which is ours, in the place of OpenRLHF's shuffling.

OpenRLHF 0.11.2 always shuffles its prompts, by a generator that no argument seeds: ``prepare_datasets`` asks for it,
and ``DeepspeedStrategy.setup_dataloader`` makes the loader. The strategy is an object that is made once, in the
command's own process, and sent to the workers: a class of ours that shuffles nothing is all that it takes.
"""

from typing import Any


def in_order(strategy: type) -> type:
    """A child of the class ``strategy`` whose loaders hand out their rows in order."""

    class InOrder(strategy):  # type: ignore[misc, valid-type]
        def setup_dataloader(
            self, rows: Any, batch_size: int, pin_memory: bool = False, shuffle: bool = True, *others: Any, **named: Any
        ) -> Any:
            return super().setup_dataloader(rows, batch_size, pin_memory, False, *others, **named)

    return InOrder
