"""Decides in which orders the classes of a text take and give their values, so that few moves run.

A class that needs another order than the canonical one can move its values itself, or take and give them as it has
them. The second is better where one class gives them to the next. All calls of one class are alike in this.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence

from netspec.graph import Node
from netspec.lowering.outline import Module
from netspec.lowering.uses import firsts
from netspec_torch.construction import Construction, Whole
from netspec_torch.counting import IMPOSSIBLE, Moves
from netspec_torch.flow import Flow, loops
from netspec_torch.orders import Interface, all_orders
from netspec_torch.sharing import path_of
from netspec_torch.site import Lowered

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


_Place = tuple[int, int]
"""The number of a definition, and that of one of its uses."""


class _Choice:
    """The choice for all definitions. Inner ones come first, and the network last.

    First every definition has the interface with the fewest moves in its body, then those that gain nothing by it get
    the canonical one, outer ones before inner ones: so a value is moved as near as possible to the layer that needs it.
    """

    def __init__(self, groups: Sequence[Uses], whole: Whole) -> None:
        self.groups, self.whole = groups, whole
        self.bodies: dict[_Place, Moves] = {}
        """The body of the first of those uses of a definition that are arranged in the same way."""
        self.alike: dict[_Place, list[Module]] = {}
        """All these uses."""
        self.turning: dict[int, Hashable] = {}
        """How each kind of layers takes and gives its values."""
        self.places: list[list[_Place]] = []
        """Those of each definition."""
        for number, (uses, first) in enumerate(zip(groups, self._firsts(), strict=True)):
            self.places.append([(number, same) for same in dict.fromkeys(first)])
            for use, same in zip(uses, first, strict=True):
                self.alike.setdefault((number, same), []).append(use)
        self.callers: dict[str, list[_Place]] = {}
        """The bodies that call a module."""
        self.costs: dict[_Place, int] = {}
        """The moves that the uses of each body run, in one pass through the network."""
        self.kinds: dict[Interface, Interface] = {}
        """One object for each interface."""
        self.total = 0
        self.turned = set(range(len(groups) - 1))
        """The definitions that have the interface with the fewest moves in their bodies, and not the canonical one."""
        for place in sorted(self.alike):
            self._begin(place)
        self.turned = {number for number, _ in filter(self._is_turned, self.alike)} - {len(groups) - 1}
        self._reduce()
        if self.total >= IMPOSSIBLE:
            turned, self.turned = self.turned, set()
            self._settle(turned)
        self.found: Mapping[str, Interface] = dict(whole.interfaces)
        whole.interfaces.clear()

    def _reduce(self) -> None:
        """Give each definition that gains nothing by its own interface the canonical one."""
        changed = True
        while changed:
            changed = False
            for number in sorted(self.turned, reverse=True):
                best = self.total
                self.turned.remove(number)
                self._settle([number])
                if self.total <= best:
                    changed = True
                else:
                    self.turned.add(number)
                    self._settle([number])

    def _is_turned(self, place: _Place) -> bool:
        return self.alike[place][0].path in self.whole.interfaces

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
            first = self._joined(uses, firsts(uses, mark, self.whole.canonical), like)
            like.update((use.path, (number, same)) for use, same in zip(uses, first, strict=True))
            found.append(first)
        return found

    def _joined(self, uses: Uses, first: list[int], like: Mapping[str, Hashable]) -> list[int]:
        """The same numbers, where uses whose layers differ only in what does not concern the orders are alike, too."""
        several = list(dict.fromkeys(first))
        if len(several) < 2 or self.whole.sharing.borrows_anything:
            return first

        def mark(item: Node | Module) -> Hashable:
            return like[item.path] if isinstance(item, Module) else self._turning(item)

        joined = firsts([uses[number] for number in several], mark, self._around)
        alike = {number: several[same] for number, same in zip(several, joined, strict=True)}
        return [alike[number] for number in first]

    def _around(self, use: Module) -> Hashable:
        """Its own orders, and which of its repeats a loop can run."""
        can_loop = loops(self.whole.lowered)
        repeats = [each for each in use.modules() if each.is_repeat]
        return self.whole.canonical(use), tuple(map(can_loop, repeats))

    def _turning(self, node: Node) -> Hashable:
        """The orders in which a layer takes and gives its values, for each order of its inputs."""
        lowerings = self.whole.lowered
        key = id(lowerings[node.name])
        if key not in self.turning:
            axes = {self.whole.graph.types[value].rank for value in node.inputs}
            self.turning[key] = tuple(
                lowerings.interface(node, order) for count in sorted(axes) for order in all_orders(count)
            )
        return self.turning[key]

    def _begin(self, place: _Place) -> None:
        """Arrange a body for the first time; those of the modules in it are arranged."""
        use = self.alike[place][0]
        self.bodies[place] = moves = Moves(Flow(use, Construction(use, self.whole)))
        for path in moves.called:
            self.callers.setdefault(path, []).append(place)
        self._arrange(place)

    def _settle(self, numbers: Collection[int]) -> None:
        """Arrange the bodies of these definitions again, and all bodies whose modules then have another interface."""
        from heapq import heappop, heappush  # needed only where a class can have another interface

        pending = sorted(place for number in numbers for place in self.places[number])
        waiting: dict[_Place, set[str]] = {place: set() for place in pending}
        while pending:
            place = heappop(pending)
            self.bodies[place].update(waiting.pop(place))
            for path in self._arrange(place):
                for caller in self.callers.get(path, ()):
                    if caller not in waiting:
                        waiting[caller] = set()
                        heappush(pending, caller)
                    waiting[caller].add(path)

    def _arrange(self, place: _Place) -> list[str]:
        """Give the uses of a body their interface; the paths of those that had another one."""
        uses, moves = self.alike[place], self.bodies[place]
        interface = self._interface(place)
        interface = self.kinds.setdefault(interface, interface)
        cost = moves.cost(interface) * len(uses)
        self.total += cost - self.costs.get(place, 0)
        self.costs[place] = cost
        before = self.whole.interface(uses[0])
        for use in uses:
            if interface.is_canonical:
                self.whole.interfaces.pop(use.path, None)
            else:
                self.whole.interfaces[use.path] = interface
        return [] if interface == before else [use.path for use in uses]

    def _interface(self, place: _Place) -> Interface:
        use, moves = self.alike[place][0], self.bodies[place]
        if self.whole.attributes.is_series(use):
            (repeat,) = use.items
            assert isinstance(repeat, Module)
            return self.whole.interface(repeat)
        return moves.own() if place[0] in self.turned else moves.plain
