"""Decides in which orders the classes of a text take and give their values, so that few moves run.

A class that needs another order than the canonical one can move its values itself, or take and give them as it has
them. The second is better where one class gives them to the next. All calls of one class are alike in this.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

from netspec.graph import Node
from netspec.lowering.gathering import cycle
from netspec.lowering.outline import Module
from netspec.lowering.uses import firsts
from netspec_torch.arrangement import Arrangement
from netspec_torch.construction import Construction, Whole
from netspec_torch.flow import Flow
from netspec_torch.orders import Interface, channels_last
from netspec_torch.sharing import path_of
from netspec_torch.site import Lowered

IMPOSSIBLE = 10**6
"""The number of moves that a text counts for each place at which it cannot be written."""

Uses = Sequence[Module]


def interfaces(definitions: Sequence[Uses], whole: Whole) -> Mapping[str, Interface]:
    """The interfaces of the modules that have another one than the canonical one; the network has the canonical one."""
    if not any(map(_turns, whole.lowered.values())):
        return {}
    groups = [uses for uses in definitions if not is_head(uses[0])]
    heads = tuple(uses[0] for uses in definitions if is_head(uses[0]))
    groups[-1:-1] = [heads] if heads else []
    return _Choice(groups, whole).found if len(groups) > 1 else {}


def is_head(use: Module) -> bool:
    """Whether it is a head of the network."""
    return use.kind == "head" and use.scope is not None and not use.scope.parent


def _turns(lowered: Lowered) -> bool:
    """Whether a layer takes or gives a value in another order than the canonical one."""
    return not all(each.is_canonical for each in (*lowered.takes, *lowered.makes))


Way = Callable[[Flow], Interface]
"""How the interface of a module comes about."""


def _own(flow: Flow) -> Interface:
    """The interface with the fewest moves in the body; a body that runs in any order has the channels last."""
    found = Arrangement(flow).interface
    if not found.is_canonical:
        return found
    last = _channels_last(flow)
    return found if Arrangement(flow, last).cost() else last


def _channels_last(flow: Flow) -> Interface:
    """The interface that has the channels of all values last."""
    plain = flow.construction.whole.canonical(flow.module)
    takes, makes = (
        tuple(channels_last(len(each.axes)) if each.axes else each for each in row)
        for row in (plain.takes, plain.makes)
    )
    return Interface(takes, makes)


class _Choice:
    """The choice for all definitions. Inner ones come first, and the network last.

    First every definition has the interface with the fewest moves in its body, then those that gain nothing by it get
    the canonical one, outer ones before inner ones: so a value is moved as near as possible to the layer that needs it.
    """

    def __init__(self, groups: Sequence[Uses], whole: Whole) -> None:
        self.groups, self.whole = groups, whole
        self.flows: dict[str, Flow] = {}
        self.first = self._firsts()
        self.alike = {
            use.path: uses[same].path
            for uses, first in zip(groups, self.first, strict=True)
            for use, same in zip(uses, first, strict=True)
        }
        """For each module, the first one that is arranged in the same way."""
        self.inner: dict[str, list[str]] = {}
        self.arranged: dict[tuple[object, ...], tuple[Interface | None, int]] = {}
        """The results so far: an arrangement depends on the interfaces of the modules in it."""
        self.ways: dict[int, Way] = dict.fromkeys(range(len(groups) - 1), _own)
        self.best = self._count(self.ways)
        self.ways = {number: way for number, way in self.ways.items() if self._is_turned(number)}
        if self.ways:
            self._reduce()
        self._count(self.ways if self.best < IMPOSSIBLE else {})
        self.found: Mapping[str, Interface] = dict(whole.interfaces)
        whole.interfaces.clear()

    def _reduce(self) -> None:
        """Give each definition that gains nothing by its own interface the canonical one."""
        changed = True
        while changed:
            changed = False
            for number in sorted(self.ways, reverse=True):
                others = {each: way for each, way in self.ways.items() if each != number}
                if (count := self._count(others)) <= self.best:
                    self.ways, self.best, changed = others, count, True

    def _flow(self, use: Module) -> Flow:
        if use.path not in self.flows:
            self.flows[use.path] = Flow(use, Construction(use, self.whole))
        return self.flows[use.path]

    def _is_turned(self, number: int) -> bool:
        return any(use.path in self.whole.interfaces for use in self.groups[number])

    def _count(self, ways: Mapping[int, Way]) -> int:
        """The moves that a pass through the network runs, if these definitions do not have the canonical interface."""
        self.whole.interfaces.clear()
        total = 0
        for number, (uses, first) in enumerate(zip(self.groups, self.first, strict=True)):
            counts = {each: self._arrange(uses[each], ways.get(number)) for each in dict.fromkeys(first)}
            for use, same in zip(uses, first, strict=True):
                total += counts[same]
                if (interface := self.whole.interfaces.get(uses[same].path)) is not None:
                    self.whole.interfaces[use.path] = interface
        return total

    def _firsts(self) -> list[list[int]]:
        """For each use of each definition, the number of the first one that is arranged in the same way.

        This does not depend on the interfaces: modules that are alike have one.
        """
        like: dict[str, Hashable] = {}

        def mark(item: Node | Module) -> Hashable:
            if self.whole.sharing.borrows_anything:
                return path_of(item)
            return like[item.path] if isinstance(item, Module) else id(self.whole.lowered[item.name])

        found = []
        for number, uses in enumerate(self.groups):
            first = firsts(uses, mark, self.whole.canonical)
            like.update((use.path, (number, same)) for use, same in zip(uses, first, strict=True))
            found.append(first)
        return found

    def _arrange(self, use: Module, way: Way | None) -> int:
        """Give a module its interface; the moves that it then runs."""
        inner = tuple([self.whole.interfaces.get(each) for each in self._inner(use)])
        key = (use.path, way, inner)
        if key not in self.arranged:
            cost = self._arranged(use, way)
            self.arranged[key] = (self.whole.interfaces.get(use.path), cost)
        interface, cost = self.arranged[key]
        if interface is not None:
            self.whole.interfaces[use.path] = interface
        return cost

    def _inner(self, use: Module) -> list[str]:
        """The paths of the modules in a module, one of those that are alike."""
        if use.path not in self.inner:
            paths = [each.path for each in use.modules()]
            self.inner[use.path] = list(dict.fromkeys(self.alike.get(path, path) for path in paths))
        return self.inner[use.path]

    def _arranged(self, use: Module, way: Way | None) -> int:
        flow = self._flow(use)
        interface = self.whole.canonical(use)
        if self.whole.attributes.is_series(use):
            (repeat,) = use.items
            assert isinstance(repeat, Module)
            interface = self.whole.interface(repeat)
        elif way is not None:
            interface = way(flow)
        if not interface.is_canonical:
            self.whole.interfaces[use.path] = interface
        made = Arrangement(flow, interface)
        # Whether a loop runs a repeat of borrowed modules is known when the text is written.
        items = use.items if self.whole.sharing.borrows_anything else flow.items
        repeats = (each for each in items if isinstance(each, Module) and each.is_repeat)
        breaks = sum(not self._is_linked(each) for repeat in repeats for each in _nested(repeat))
        return made.cost() + IMPOSSIBLE * breaks

    def _is_linked(self, repeat: Module) -> bool:
        """Whether every repetition of a block takes its values in the orders in which the one before it gives them."""
        made = cycle(repeat)
        items = [each for each in repeat.items if isinstance(each, Module)]
        rows = [self.whole.interface(each) for each in items]
        given: dict[str, object] = {}
        for item, row in zip(items, rows, strict=True):
            if any(
                given.get(value, order) != order for value, order in zip(item.inputs, row.takes, strict=True)
            ):
                return False
            given.update(zip(item.outputs, row.makes, strict=True))
        return made is None or len(set(rows)) < 2


def _nested(repeat: Module) -> Iterator[Module]:
    """A repeat, and those in it that belong to the same body."""
    yield repeat
    for each in repeat.items:
        if isinstance(each, Module) and each.is_repeat:
            yield from _nested(each)
