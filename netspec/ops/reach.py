"""The input positions that one output position of an op depends on, along each axis; each op declares them."""

from __future__ import annotations

from math import gcd
from typing import Literal, Protocol

from netspec.dataclass import dataclass

WHOLE: Literal["whole"] = "whole"
"""Every output position depends on this whole axis (a flatten, a global pool)."""


class Taps(Protocol):
    """The input positions that an output position depends on along one axis, far from the ends.

    Output position p + `period` depends on the same positions as p, shifted by `advance`.
    """

    @property
    def period(self) -> int: ...

    @property
    def advance(self) -> int: ...

    def at(self, position: int) -> range:
        """The input positions for this output position, in rising order; empty if there are none."""
        ...


@dataclass(frozen=True, slots=True)
class Window:
    """A sliding window: output p depends on `kernel` inputs from p·stride − before on, `dilation` apart.

    With a kernel of 1, the stride can also be negative: the positions then run against those of the input.
    """

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

    @property
    def is_each(self) -> bool:
        """Whether each output position depends only on the same input position."""
        return self.kernel == self.stride == 1 and not self.before


@dataclass(frozen=True, slots=True)
class Rolled:
    """A window of one position, shifted; on the other side of a seam the positions depend on others."""

    before: int

    @property
    def period(self) -> int:
        return 1

    @property
    def advance(self) -> int:
        return 1

    def at(self, position: int) -> range:
        return range(position - self.before, position - self.before + 1)


@dataclass(frozen=True, slots=True)
class Tiles:
    """Tiles of `size` positions, of which one starts at `shift`; a position depends on all in its tile."""

    size: int
    shift: int = 0

    @property
    def period(self) -> int:
        return self.size

    @property
    def advance(self) -> int:
        return self.size

    def at(self, position: int) -> range:
        first = (position - self.shift) // self.size * self.size + self.shift
        return range(first, first + self.size)


@dataclass(frozen=True, slots=True)
class Listed:
    """Output p depends on the input at `places[p]`: any list, so that neighbours need not lie beside each other.

    Places in order are a `range`, which takes no memory for them.
    """

    places: tuple[int, ...] | range

    @property
    def period(self) -> int:
        return len(self.places)

    @property
    def advance(self) -> int:
        return 0

    def at(self, position: int) -> range:
        place = self.places[position % len(self.places)]
        return range(place, place + 1)


@dataclass(frozen=True, slots=True)
class At:
    """Every output position depends on this one position of the axis, which the output does not have.

    None: the data say which one.
    """

    place: int | None


ANYWHERE = Listed(())
"""Each output position depends on one position; the data say which."""

EACH = Window()
"""Each output position depends only on the same input position."""


@dataclass(frozen=True, slots=True)
class TransposedWindow:
    """The transpose of a window: input i contributes to the outputs i·stride − before + tap · dilation.

    Outputs between the taps depend on no input.
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
        # Tap t of input i contributes to output q if i · stride = q + before − t · dilation. The taps for which
        # the stride divides the right side are `step` apart, and their inputs are dilation / common apart.
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
class Sampling:
    """Sampling between positions: output p is at x = (p · numerator + offset) / denominator of the input.

    It depends on ⌊x⌋, or on both ⌊x⌋ and ⌈x⌉ if `between`. Where these differ, `around` more at both sides count.
    """

    numerator: int
    denominator: int
    offset: int = 0
    between: bool = False
    around: int = 0

    @property
    def period(self) -> int:
        return self.denominator // gcd(self.numerator, self.denominator)

    @property
    def advance(self) -> int:
        return self.numerator // gcd(self.numerator, self.denominator)

    def at(self, position: int) -> range:
        x = position * self.numerator + self.offset
        first = x // self.denominator
        if not self.between or x % self.denominator == 0:
            return range(first, first + 1)
        return range(first - self.around, first + 2 + self.around)


@dataclass(frozen=True, slots=True)
class Filtered:
    """Sampling of `length` inputs by fewer, `count`: output p depends on those that are within `radius` steps.

    A step is length / count; the middle of output p is at (p + ½) · length / count − ½.
    """

    length: int
    count: int
    radius: int

    @property
    def period(self) -> int:
        return self.count // gcd(self.length, self.count)

    @property
    def advance(self) -> int:
        return self.length // gcd(self.length, self.count)

    def at(self, position: int) -> range:
        middle, aside = (2 * position + 1) * self.length - self.count, 2 * self.radius * self.length
        first = (middle - aside) // (2 * self.count) + 1
        return range(first, -(-(middle + aside) // (2 * self.count)))


@dataclass(frozen=True, slots=True)
class EqualPortion:
    """Of `length` inputs, output p of `count` depends on those that its equal portion of them touches."""

    length: int
    count: int

    @property
    def period(self) -> int:
        return self.count // gcd(self.length, self.count)

    @property
    def advance(self) -> int:
        return self.length // gcd(self.length, self.count)

    def at(self, position: int) -> range:
        return range(position * self.length // self.count, -(-(position + 1) * self.length // self.count))


@dataclass(frozen=True, slots=True)
class Reach:
    """The part of the input that one output position depends on: one entry per spatial axis of the input.

    An entry is `Taps`, `At`, WHOLE, or None if unknown. `along` gives, for each entry, the corresponding output axis;
    without it the axes keep their order.

    A position stands for all its channels. This is exact unless a channel becomes a position, so an op declares what
    it does with channels: it `mixes` them (each output channel depends on every input channel), it `stacks` the
    channels of several inputs, it `gathers` the positions of some axes into channels, or it `splits` channels over
    positions, so that a position depends only on some channels. Most ops do none of these.

    `is_empty`: no position depends on any of the input.
    """

    axes: tuple[Taps | At | Literal["whole"] | None, ...]
    along: tuple[int, ...] | None = None
    mixes: bool = False
    stacks: bool = False
    gathers: tuple[int, ...] = ()
    splits: bool = False
    is_empty: bool = False

    @classmethod
    def each(cls, rank: int, mixes: bool = False) -> Reach:
        """Each output position depends on the same input position."""
        return cls((EACH,) * rank, mixes=mixes)

    @classmethod
    def whole(cls, rank: int, mixes: bool = False) -> Reach:
        """Everything."""
        return cls((WHOLE,) * rank, mixes=mixes)

    @classmethod
    def nothing(cls) -> Reach:
        """Nothing: the output is the same for every input."""
        return cls((), is_empty=True)

    def output_axis(self, axis: int) -> int:
        """The output axis that corresponds to this axis of the input."""
        return axis if self.along is None else self.along[axis]
