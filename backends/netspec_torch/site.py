"""What a lowering is given and gives, and the words that several of them write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from netspec.dataclass import dataclass
from netspec.lowering.parts import Call, Cut, Name, Part, Slot, call, literal, quoted, seq
from netspec.lowering.tree import Value
from netspec.ops.fields import Pads
from netspec.ops.window import Windowed
from netspec.types import Type

OWN = Name("own")
"""The layer's own module, `self.conv1`."""
PADDED = Name("padded")
"""The layer's input with its `Border` around it."""

ALL = Name("all")
"""All inputs of a layer as one list."""


def variable(number: int) -> Name:
    """The variable that holds an input of a layer."""
    return Name(f"x{number}")


@dataclass(frozen=True, slots=True)
class Site:
    """Where an op stands: the types that it takes, and what it gives."""

    inputs: tuple[Type, ...]
    output: Type
    trainable: bool = True
    ports: tuple[str, ...] = ()
    """The further outputs that it gives. With some, its result is a tuple."""
    sized: bool = False
    """Whether the text states the size of a map to which values are put back, also where PyTorch finds it."""

    @property
    def variables(self) -> tuple[Part, ...]:
        """Its inputs; which variables these are, only the place of its text knows."""
        return tuple(map(variable, range(len(self.inputs))))

    @property
    def x(self) -> Part:
        return self.variables[0]

    @property
    def rank(self) -> int:
        return len(self.inputs[0].spatial)

    @property
    def channels(self) -> int:
        return self.inputs[0].channels or 0


@dataclass(frozen=True, slots=True)
class Border:
    """What is put around an input: its widths, and the value in it as text, if that is not zero."""

    pads: Pads
    value: str = ""

    def inline(self, x: Part) -> Part:
        """The padded input as an expression."""
        return pad(x, self.pads, self.value)

    def module(self) -> Call:
        """A module that pads, so that its widths can be an argument of a block."""
        flat = tuple(chain.from_iterable(reversed(self.pads)))
        name, settings = ("ConstantPad", (self.value,)) if self.value else ("ZeroPad", ())
        return call(f"nn.{name}{len(self.pads)}d", Slot(compact(flat), "padding"), *settings)


@dataclass(frozen=True, slots=True)
class Lowered:
    """The expression that gives an op's output, statements before it, and what its module is, if it has one.

    Where the expression takes the `PADDED` input, `border` is what is put around it. `apart` says the same with all
    padding before the module, `gathered` is the expression where the inputs are one list, `ALL`. `gives` has, for an
    expression that gives several values, the further output that each is; "" is the first one. Without it, the
    expression gives the first output and those that are used.
    """

    result: Part
    module: Call | None = None
    before: tuple[Part, ...] = ()
    border: Border | None = None
    apart: Lowered | None = None
    gathered: Part | None = None
    gives: tuple[str, ...] = ()

    def outputs(self, ports: Sequence[str]) -> tuple[str, ...]:
        """The outputs that the expression gives, in order, where these further ones are used."""
        return self.gives or ("", *ports)


Lowering = Callable[[Any, Site], Lowered]


def compact(values: Sequence[int]) -> Value:
    """One number where all axes agree: `3`, else `(3, 5)`."""
    return values[0] if len(set(values)) == 1 else tuple(values)


def pad(x: Part, pads: Pads, value: str = "", mode: str = "") -> Part:
    """`F.pad` counts axes from the last one."""
    flat = tuple(chain.from_iterable(reversed(pads)))
    how = {**({"mode": quoted(mode)} if mode else {}), **({"value": value} if value else {})}
    return call("F.pad", x, literal(flat), **how) if any(flat) else x


def run(x: Part) -> Part:
    """The layer's own module, run on an input."""
    return seq(OWN, "(", x, ")")


def symmetric(op: Windowed, sizes: Sequence[int]) -> tuple[int, ...] | None:
    """The padding as one number per axis, if that gives the same windows; else None.

    Zeros at the end that no window reaches make no difference.
    """
    axes = list(zip(sizes, op.span, op.strides, op.pads, strict=True))
    same = all((n + 2 * lo - k) // s == (n + lo + hi - k) // s for n, k, s, (lo, hi) in axes)
    return tuple(lo for lo, _ in op.pads) if same else None


def windowed(op: Windowed) -> dict[str, Part]:
    """Stride and dilation as arguments that are left out at 1."""
    return {
        "stride": Slot(compact(op.strides), "stride", default=1),
        "dilation": Slot(compact(op.dilation), "dilation", default=1),
    }


def border(values: Sequence[int]) -> Slot:
    """Padding as an argument that is left out at 0."""
    return Slot(compact(values), "padding", default=0)


def cut(x: Part, cuts: Sequence[tuple[int, int]]) -> Part:
    """A map without so many positions before and after, an axis at a time."""
    if not any(map(any, cuts)):
        return x
    parts: list[Part] = [x, "[:, :"]
    for lo, hi in cuts:
        parts += [", ", Cut(_taken(lo), _taken(hi))]
    return seq(*parts, "]")


def _taken(count: int) -> Part:
    return Slot(count, "cut", kept=True) if count else ""
