"""Groups steps for one compiled call: as many as the recipe says, of equal shapes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from netspec.fit import Step

Chunk: TypeAlias = "Sequence[tuple[Step, float]]"


def chunks(steps: Iterator[tuple[Step, float]], size: int) -> Iterator[Chunk]:
    """The steps in groups of `size`; what is left, and what has other shapes, comes step by step."""
    while taken := list(islice(steps, size)):
        if len(taken) == size and len({_shapes(step) for step, _ in taken}) == 1:
            yield taken
        else:
            yield from ([each] for each in taken)


def _shapes(step: Step) -> tuple[Any, ...]:
    return tuple(
        (name, array.shape, str(array.dtype))
        for batch in step
        for arrays in (batch.inputs, batch.targets)
        for name, array in arrays.items()
    )
