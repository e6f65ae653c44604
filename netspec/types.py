"""The type of a tensor: channels, spatial sizes, and the kind of its values."""

from __future__ import annotations

from math import prod
from typing import Literal

from netspec.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class OpenSize:
    """An open size (`H`, `W`, `T`): a formula over names, as text."""

    formula: str

    def __str__(self) -> str:
        return self.formula


LIMIT = 2**63
"""The limit for sizes, counts and their products: no backend counts further."""

LARGEST_FLOAT, SMALLEST_FLOAT = (2 - 2**-23) * 2.0**127, 2.0**-149
"""The largest number of float32, the default precision of a network, and the smallest above 0."""

Size = int | OpenSize
DType = Literal["float", "int"]
Float = Literal["float32", "float64"]
"""The precisions in which a network can run."""
Kind = Literal["numbers", "indices", "positions"]
"""The kind of values of a tensor: numbers, indices of a vocabulary, or positions in another map."""

AXES: dict[int, tuple[str, ...]] = {
    0: (),
    1: ("time",),
    2: ("height", "width"),
    3: ("depth", "height", "width"),
}


def channels_last(shape: tuple[int, ...]) -> bool:
    """Whether an image or a volume of this shape seems to have its channels last: 28×28×1, 16×112×112×3.

    If the first axis is 1, 3 or 4, a usual number of channels, it does not: 3×100×1.
    """
    usual = (1, 3, 4)
    return len(shape) > 2 and shape[-1] in usual and shape[-1] < min(shape[:-1]) and shape[0] not in usual


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of a pool over a map of these sizes: one entry per axis; pads are before and after each axis."""

    sizes: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]

    @property
    def span(self) -> tuple[int, ...]:
        """The size of the dilated kernel along each axis."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a tensor, without the batch axis: `channels @ spatial`.

    `channels` is None for a tensor of indices (an input with a vocabulary), which has no channel axis. A tensor of
    positions has, for each channel and each of the `windows`, a position in the map below them: a whole number,
    counted from 0, row by row. Padding is not counted. `vocabulary` is the number of different indices.
    """

    channels: int | None
    spatial: tuple[Size, ...] = ()
    dtype: DType = "float"
    windows: Windows | None = None
    vocabulary: int | None = None

    @property
    def kind(self) -> Kind:
        """The kind of its values."""
        return "indices" if self.channels is None else "numbers" if self.windows is None else "positions"

    @property
    def axes(self) -> tuple[str, ...]:
        """The names of the spatial axes, in order."""
        return AXES[len(self.spatial)]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The spatial sizes as numbers. Elaboration refuses open sizes."""
        for size in self.spatial:
            if not isinstance(size, int):
                return tuple([size for size in self.spatial if isinstance(size, int)])
        return self.spatial  # type: ignore[return-value]  # no size is open, as usual

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, channels first, without the batch axis."""
        return self.sizes if self.channels is None else (self.channels, *self.sizes)

    @property
    def rank(self) -> int:
        """The number of axes, without the batch axis."""
        return len(self.spatial) + (self.channels is not None)

    @property
    def elements(self) -> int:
        """The number of values of one sample."""
        return prod(self.shape)

    def __str__(self) -> str:
        sizes = "×".join(str(size) for size in self.spatial)
        if self.channels is None:
            whole = "" if self.vocabulary is None else f" of {self.vocabulary}"
            return f"indices {sizes}{whole}" if sizes else f"an index{whole}"
        if self.windows is not None:
            return f"positions {self.channels}@{sizes} in {'×'.join(map(str, self.windows.sizes))}"
        return f"{self.channels}@{sizes}" if sizes else str(self.channels)


def in_full(value: float) -> str:
    """A number with all its digits, as in a spec: 4 for 4.0."""
    return repr(value).removesuffix(".0")
