"""Divides a body into portions: the orders of the values in one do not depend on the values of another.

A layer can give its values in the order in which it takes them, so its values depend on each other. The call of a
module takes and gives each value in the order of the interface of its class, so it separates them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from netspec.dataclass import dataclass
from netspec.graph import Node
from netspec.lowering.gathering import Cycle
from netspec.lowering.outline import Module, given
from netspec.lowering.uses import flattened
from netspec_torch.flow import Flow
from netspec_torch.orders import Interface


@dataclass(frozen=True, slots=True, eq=False)
class Portion:
    """A part of a body: its inputs and outputs, the items that take or give a value in it, and these values.

    `called` are the paths of the modules on whose interfaces its orders depend.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    items: tuple[Node | Module, ...]
    values: Collection[str]
    called: tuple[str, ...]

    def part(self, interface: Interface, inputs: Sequence[str], outputs: Sequence[str]) -> Interface:
        """The orders of those values of an interface that belong to it."""
        rows = ((inputs, interface.takes), (outputs, interface.makes))
        takes, makes = (
            tuple([order for value, order in zip(values, orders, strict=True) if value in self.values])
            for values, orders in rows
        )
        return Interface(takes, makes)


def ends(item: Node | Module, made: Cycle | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The values that an item takes and gives; a loop takes those of its first repetition and gives the last ones."""
    if made is None:
        return item.inputs, given(item)
    outputs = range(len(made.rests))
    return made.repeat.items[0].inputs, tuple(made.values(output)[-1] for output in outputs)


def portions(flow: Flow) -> list[Portion]:
    """The portions of a body."""
    module, joined = flow.module, _Joined()
    rows: list[tuple[Node | Module, tuple[str, ...]]] = []
    joined.add(*module.inputs, *module.outputs)
    for item in flow.items:
        made = flow.cycle(item)
        inputs, outputs = ends(item, made)
        values = (*inputs, *outputs)
        joined.add(*values)
        if isinstance(item, Node) or made is not None:
            joined.join(values)
        rows.append((item, values))
    items: dict[str, list[Node | Module]] = {name: [] for name in joined.groups}
    for item, values in rows:
        for name in dict.fromkeys(map(joined.name, values)):
            items[name].append(item)
    taken, left = joined.sorted(module.inputs), joined.sorted(module.outputs)
    return [
        Portion(
            tuple(taken.get(name, ())),
            tuple(left.get(name, ())),
            tuple(items[name]),
            frozenset(values),
            called(items[name]),
        )
        for name, values in joined.groups.items()
    ]


def called(items: Iterable[Node | Module]) -> tuple[str, ...]:
    """The paths of the modules that some items of a body call."""
    return tuple(dict.fromkeys(each.path for each in flattened([*items]) if isinstance(each, Module)))


class _Joined:
    """Groups of values. Each has the name of one of its values."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.groups: dict[str, list[str]] = {}

    def name(self, value: str) -> str:
        return self.names[value]

    def add(self, *values: str) -> None:
        """Make a group of each value that is new."""
        for value in values:
            if value not in self.names:
                self.names[value] = value
                self.groups[value] = [value]

    def join(self, values: Iterable[str]) -> None:
        """Make one group of the groups of these values; the largest one gets the others."""
        names = {*map(self.name, values)}
        if len(names) < 2:
            return
        largest = max(sorted(names), key=lambda name: len(self.groups[name]))
        for name in sorted(names - {largest}):
            for value in self.groups[name]:
                self.names[value] = largest
            self.groups[largest] += self.groups.pop(name)

    def sorted(self, values: Iterable[str]) -> dict[str, list[str]]:
        """Values by their groups."""
        found: dict[str, list[str]] = {}
        for value in values:
            found.setdefault(self.name(value), []).append(value)
        return found
