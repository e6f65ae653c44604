"""What an op takes and gives: its inputs, each with a role, and its further outputs, each with a name."""

from __future__ import annotations

from collections.abc import Sequence

from netspec.dataclass import dataclass
from netspec.types import Kind, Type

KINDS: dict[Kind, str] = {
    "numbers": "numbers",
    "indices": "indices of a vocabulary",
    "positions": "positions of maxima",
}
"""What a tensor holds, in words."""

FIRST = "output"
"""The name of an op's first output, which the op's own name stands for, too."""


@dataclass(frozen=True, slots=True)
class Role:
    """An input of an op: its name, what it is for, and what kinds of tensor it takes.

    `least` and `most` say how many tensors have this role; without a `most`, any number from `least`. `axes` is the
    number of spatial axes of a tensor for it, where other roles that can be missing take tensors with another number.
    """

    name: str
    doc: str = ""
    takes: tuple[Kind, ...] = ("numbers",)
    least: int = 1
    most: int | None = 1
    axes: int | None = None

    def suits(self, type_: Type) -> bool:
        """Whether a tensor is of a kind for this role."""
        return type_.kind in self.takes and self.axes in (None, len(type_.spatial))


ONE = (Role("input"),)
"""The inputs of an op that calculates with one tensor."""

LENGTHS = Role(
    "lengths",
    "How many steps of each sample count, a whole number: an input with `shape: []` and a `vocabulary`.",
    takes=("indices",),
    least=0,
)
"""The input of an op over sequences whose samples have different numbers of steps."""


@dataclass(frozen=True, slots=True)
class Port:
    """A further output of an op: the last part of its name (`pool1.indices`), and what it holds."""

    name: str
    doc: str


def assigned(roles: Sequence[Role], inputs: Sequence[Type]) -> list[tuple[Role, Type]]:
    """Each input with its role. All roles but the last one are those of a single input.

    A role that can be missing is skipped by an input that suits a later role instead.
    """
    found, left = [], list(roles)
    for type_ in inputs:
        while left[0].least == 0 and not left[0].suits(type_) and _later(left[1:], type_):
            del left[0]
        found.append((left[0], type_))
        if len(left) > 1:
            del left[0]
    return found


def crowded(found: Sequence[tuple[Role, Type]]) -> Role | None:
    """The first role that more inputs have than it takes; None: each input has its place."""
    roles = [role for role, _ in found]
    return next((each for each in roles if each.most is not None and roles.count(each) > each.most), None)


def _later(roles: Sequence[Role], type_: Type) -> bool:
    return any(role.suits(type_) for role in roles)


def bounds(roles: Sequence[Role]) -> tuple[int, int | None]:
    """The least and the largest number of inputs; None: there is no largest."""
    most = [role.most for role in roles]
    return sum(role.least for role in roles), None if None in most else sum(each or 0 for each in most)
