"""Local contrast normalisation."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Annotated, ClassVar, Self

from netspec.diagnostics.codes import shapes
from netspec.model import Field
from netspec.ops.base import Inputs, Misfit
from netspec.ops.fields import PerAxis
from netspec.ops.pointwise import Pointwise
from netspec.ops.reach import Reach, Window
from netspec.ops.window import broadcast, spatial


class LocalContrastNorm(Pointwise):
    """Subtracts the mean of the neighbourhood and divides by its deviation: all channels of a Gaussian window.

    v = x − Σ w x and y = v / max(c, σ), with σ = √(Σ w v²) and c, the mean of σ over the positions of the sample
    (Jarrett et al. 2009, section 2). The sums are over the window and all channels; the weights w of a window sum to 1,
    also at a border, where the positions outside the map do not count.
    """

    keyword: ClassVar[str] = "local_contrast_norm"
    main: ClassVar[str | None] = "kernel"

    kernel: PerAxis = (9,)
    """The size of the window, an odd number."""
    spread: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.25
    """The standard deviation of the Gaussian, as a fraction of the kernel."""
    divide: bool = True
    """Whether v is divided; without it, the layer only subtracts."""
    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-4
    """The least deviation σ, to avoid a division by 0 where the input is constant."""

    def _resolve(self, inputs: Inputs) -> Self:
        sizes = spatial(self, inputs[0])
        op = self.replace(kernel=broadcast("kernel", self.kernel, len(sizes)))
        even = [size for size in op.kernel if size % 2 == 0]
        if even:
            raise Misfit(
                shapes.KERNEL, f"the window must have a middle, and {even[0]} is even", "kernel",
                help=f"use `kernel: {even[0] + 1}`",
            )  # fmt: skip
        if inputs[0].channels == 1 and prod(map(min, zip(sizes, op.kernel, strict=True))) == 1:
            raise Misfit(
                shapes.SIZE, f"a window holds one value of {inputs[0]}, and the mean of a single value is that value",
                "kernel", help="use a larger kernel on a larger map",
            )  # fmt: skip
        return op

    def extents(self, inputs: Inputs) -> Iterable[tuple[str, int]]:
        yield from (
            ("the padded input", i + k - 1) for i, k in zip(inputs[0].sizes, self.kernel, strict=True)
        )
        yield "the number of values of a window", prod(self.kernel)

    def reach(self, inputs: Inputs) -> Reach | None:
        if self.divide:  # by the mean over all positions, at least
            return Reach.whole(len(self.kernel), mixes=True)
        return Reach(tuple(Window(k, 1, k // 2) for k in self.kernel), mixes=True)
