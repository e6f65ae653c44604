"""Counts the moves in a body, portion by portion.

When a module in it gets another interface, only the portions that call this module are arranged again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netspec.lowering.gathering import cycle
from netspec.lowering.outline import Module
from netspec_torch.arrangement import Arrangement
from netspec_torch.flow import Flow
from netspec_torch.orders import Interface, Order, channels_last
from netspec_torch.portions import Portion, called, portions

IMPOSSIBLE = 10**6
"""The number of moves that a text counts for each place at which it cannot be written."""


class Moves:
    """The moves in one body, as far as the interfaces of the modules in it are known.

    `called` are the paths of these modules.
    """

    def __init__(self, flow: Flow) -> None:
        self.flow, self.whole, self.module = flow, flow.construction.whole, flow.module
        self.plain = self.whole.canonical(self.module)
        found = portions(flow)
        self.ends = [each for each in found if each.inputs or each.outputs]
        """The portions that depend on the interface of the body itself."""
        inner = [each for each in found if not each.inputs and not each.outputs]
        # Whether a loop runs a repeat of borrowed modules is known when the text is written.
        items = self.module.items if self.whole.sharing.borrows_anything else flow.items
        repeats = (each for each in items if isinstance(each, Module) and each.is_repeat)
        links = [nested for repeat in repeats for nested in _nested(repeat)]
        self.users: dict[str, list[Portion | Module]] = {}
        """For each module that it calls, the portions and repeats with these calls."""
        pairs: list[tuple[Portion | Module, tuple[str, ...]]] = [(each, each.called) for each in inner]
        pairs += [(each, called([each])) for each in links]
        for user, paths in pairs:
            for path in paths:
                self.users.setdefault(path, []).append(user)
        self.called = called(self.module.items)
        self.known: dict[tuple[object, ...], tuple[Interface, int]] = {}
        """The results so far: each depends on the interfaces of the modules in its portion. Equal ones are one object.
        """
        self.costs: dict[Portion, int] = {}
        """The moves in each portion, without the ends."""
        self.inner = 0
        self.broken: set[str] = set()
        """The repeats whose repetitions a loop cannot run one after the other."""
        self._count([*inner, *links])

    def update(self, paths: Iterable[str]) -> None:
        """Count again what depends on the interfaces of these modules."""
        self._count({id(user): user for path in paths for user in self.users.get(path, ())}.values())

    def cost(self, interface: Interface) -> int:
        """The moves if the body has this interface."""
        return self._moves(interface) + IMPOSSIBLE * len(self.broken)

    def _moves(self, interface: Interface) -> int:
        return self.inner + sum(self._arranged(each, interface)[1] for each in self.ends)

    def own(self) -> Interface:
        """The interface with the fewest moves; a body that runs in any order has the channels last."""
        takes: dict[str, Order] = {}
        makes: dict[str, Order] = {}
        for each in self.ends:
            found, _ = self._arranged(each)
            takes.update(zip(each.inputs, found.takes, strict=True))
            makes.update(zip(each.outputs, found.makes, strict=True))
        module = self.module
        own = Interface(
            tuple([takes[value] for value in module.inputs]),
            tuple([makes[value] for value in module.outputs]),
        )
        if not own.is_canonical:
            return own
        last = Interface(
            *(
                tuple(channels_last(len(each.axes)) if each.axes else each for each in row)
                for row in (own.takes, own.makes)
            )
        )
        return own if self._moves(last) else last

    def _count(self, users: Iterable[Portion | Module]) -> None:
        for user in users:
            if isinstance(user, Portion):
                _, cost = self._arranged(user, self.plain)
                self.inner += cost - self.costs.get(user, 0)
                self.costs[user] = cost
            elif self._is_linked(user):
                self.broken.discard(user.path)
            else:
                self.broken.add(user.path)

    def _arranged(self, portion: Portion, interface: Interface | None = None) -> tuple[Interface, int]:
        """The orders at the ends of a portion, and its moves, if the body has this interface, or none yet."""
        part = interface and portion.part(interface, self.module.inputs, self.module.outputs)
        key = (portion, part, *[id(self.whole.interfaces.get(path)) for path in portion.called])
        if key not in self.known:
            made = Arrangement(self.flow, part, portion)
            self.known[key] = (made.interface, made.cost())
        return self.known[key]

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
        return made is None or all(row == rows[0] for row in rows)


def _nested(repeat: Module) -> Iterator[Module]:
    """A repeat, and those in it that belong to the same body."""
    yield repeat
    for each in repeat.items:
        if isinstance(each, Module) and each.is_repeat:
            yield from _nested(each)
