"""Which positions of its input one position of an op's output sees, along each axis: what an op declares."""

from __future__ import annotations

from math import gcd
from typing import Literal, Protocol

from netspec.dataclass import dataclass

WHOLE: Literal["whole"] = "whole"
"""Every position of the output sees all of this axis (a flatten, a global pool)."""


class Taps(Protocol):
    """The input positions that an output position sees along one axis, far from the ends.

    Output positions p and p + `period` see the same, `advance` input positions further on.
    """

    @property
    def period(self) -> int: ...

    @property
    def advance(self) -> int: ...

    def at(self, position: int) -> range:
        """The input positions that this output position sees, in rising order; empty: it sees none."""
        ...


@dataclass(frozen=True, slots=True)
class Window:
    """A window that slides: output p sees p·stride − before, and `kernel` − 1 more, `dilation` apart."""

    kernel: int = 1
    stride: int = 1
    before: int = 0
    dilation: int = 1

    @property
    def period(self) -> int:
        return 1

    @property
    def advance(self) -> int:
        return self.stride

    def at(self, position: int) -> range:
        first = position * self.stride - self.before
        return range(first, first + self.kernel * self.dilation, self.dilation)


EACH = Window()
"""Each output position sees the input position in its own place."""


@dataclass(frozen=True, slots=True)
class TransposedWindow:
    """The transpose of a window: input i reaches the outputs i·stride − before + tap · dilation.

    Outputs between that no tap reaches see nothing.
    """

    kernel: int
    stride: int
    before: int
    dilation: int

    @property
    def period(self) -> int:
        return self.stride

    @property
    def advance(self) -> int:
        return 1

    def at(self, position: int) -> range:
        # Output q is reached by tap t of input i when i · stride = q + before − t · dilation: the taps for which
        # the stride divides the right side are `step` apart, and their inputs dilation / common.
        place, common = position + self.before, gcd(self.stride, self.dilation)
        if place % common:
            return range(0)
        step = self.stride // common
        tap = place // common * pow(self.dilation // common, -1, step) % step
        count = max(-(-(self.kernel - tap) // step), 0)
        apart = self.dilation // common
        last = (place - tap * self.dilation) // self.stride
        return range(last - (count - 1) * apart, last + 1, apart) if count else range(0)


@dataclass(frozen=True, slots=True)
class Sample:
    """A place between positions: output p lies at x = (p · numerator + offset) / denominator of the input.

    It sees ⌊x⌋, or the neighbours ⌊x⌋ and ⌈x⌉ if it is `between` them.
    """

    numerator: int
    denominator: int
    offset: int = 0
    between: bool = False

    @property
    def period(self) -> int:
        return self.denominator // gcd(self.numerator, self.denominator)

    @property
    def advance(self) -> int:
        return self.numerator // gcd(self.numerator, self.denominator)

    def at(self, position: int) -> range:
        x = position * self.numerator + self.offset
        first = x // self.denominator
        return range(first, -(-x // self.denominator) + 1 if self.between else first + 1)


@dataclass(frozen=True, slots=True)
class Reach:
    """What one position of the output sees of the input: an entry for each spatial axis of the input.

    An entry is `Taps`, WHOLE, or None for what is not known. `along` names, for each of them, the output axis
    whose position counts; without it the axes keep their places.

    A position stands for all its channels. That is exact as long as no channel becomes a position of its own,
    so an op says what it does with channels: it `mixes` them (each output channel sees every input channel), it
    `stacks` the channels of several inputs, it `gathers` the positions of some axes into channels, or it
    `splits` channels over positions, so that a position sees some channels only. Most ops do none of these.
    """

    axes: tuple[Taps | Literal["whole"] | None, ...]
    along: tuple[int, ...] | None = None
    mixes: bool = False
    stacks: bool = False
    gathers: tuple[int, ...] = ()
    splits: bool = False

    @classmethod
    def each(cls, rank: int, mixes: bool = False) -> Reach:
        """Position by position."""
        return cls((EACH,) * rank, mixes=mixes)

    @classmethod
    def whole(cls, rank: int, mixes: bool = False) -> Reach:
        """Everything."""
        return cls((WHOLE,) * rank, mixes=mixes)

    def output_axis(self, axis: int) -> int:
        """The output axis along which this axis of the input runs."""
        return axis if self.along is None else self.along[axis]
