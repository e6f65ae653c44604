"""Decides in which order the variables of one body hold the axes of their values, so that few moves are written.

A class takes and gives values in the orders of its interface. Inside it, a layer that needs another order gives its
values to the next one as they are. A value is moved where it is made if most of the layers that use it need the other
order, and else where it is used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence

from netspec.dataclass import dataclass
from netspec.graph import Node
from netspec.lowering.gathering import Cycle, is_list
from netspec.lowering.outline import Module, given
from netspec_torch.construction import Whole
from netspec_torch.flow import Flow
from netspec_torch.orders import Interface, Order, canonical_of, channels_last
from netspec_torch.portions import Portion, ends
from netspec_torch.site import Lowered

Move = tuple[str, Order, Order]
"""A value, with its order before and after."""


@dataclass(frozen=True, slots=True)
class Placed:
    """How an item runs: in which order its inputs are in their variables, and in which these hold each value after it.

    `wants` and `makes` are the orders in which it needs its inputs and makes its values. `lowered` is that of a layer,
    or of the layer that a loop repeats. A loop is `steady` if the values that its repetitions hand on keep the order of
    the layer; `rebound` are the inputs that a statement before it must move.
    """

    takes: tuple[Order, ...]
    gives: tuple[Order, ...]
    wants: tuple[Order, ...]
    makes: tuple[Order, ...]
    lowered: Lowered | None = None
    steady: bool = True
    rebound: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a user of a value needs: some order, or none in particular. `passes` are those that its users need."""

    accepts: Callable[[Order], bool]
    prefers: Order | None = None
    passes: Collection[Order] = ()


class _Step:
    """An item as the arrangement sees it: the values that it takes and gives, and how it can run."""

    def __init__(
        self, item: Node | Module, whole: Whole, made: Cycle | None, portion: Portion | None = None
    ) -> None:
        self.item, self.made = item, made
        self.inputs, self.outputs = ends(item, made)
        first = item if made is None else made.repeat.items[0]
        self.layer = first if isinstance(first, Node) else None
        self.interface = whole.interface(first) if isinstance(first, Module) else None
        if portion is not None and made is None and self.interface is not None:
            self.interface = portion.part(self.interface, self.inputs, self.outputs)
            self.inputs, self.outputs = (
                tuple([value for value in values if value in portion.values])
                for values in (self.inputs, self.outputs)
            )
        self.lowerings, self.types = whole.lowered, whole.graph.types
        self.takes_list = self.layer is not None and any(map(is_list, self.inputs))
        """Whether it is a layer that takes a list, whose values are in their canonical order."""

    def lowered(self, order: Order | None = None) -> Lowered:
        """How its layer runs on inputs in this order."""
        assert self.layer is not None
        return self.lowerings.given(self.layer, order)

    def run(self, order: Order | None = None) -> Interface:
        """The orders in which it takes and gives its values, if its inputs come in this order."""
        if self.interface is not None:
            return self.interface
        assert self.layer is not None
        if not self.takes_list:
            return self.lowerings.interface(self.layer, order)
        takes, plain = (
            tuple(canonical_of(value, self.types) for value in row) for row in (self.inputs, self.outputs)
        )
        return Interface(takes, self.lowered().makes or plain)

    def is_steady(self, run: Interface) -> bool:
        """Whether the repetitions of a loop hand on values in the order in which the item takes them."""
        if self.made is None:
            return True
        wires = zip(run.takes, self.made.wires, strict=True)
        return all(wire is None or order == run.makes[wire] for order, wire in wires)


class Arrangement:
    """The orders of all values in one body. Without an interface, it finds the one with the fewest moves in the body.

    With a portion, it sees only the values in it; the interface has only their orders. `held` has the order of each
    value at the end of the body, `tapped` that of each value where its layer makes it.
    """

    def __init__(
        self, flow: Flow, interface: Interface | None = None, portion: Portion | None = None
    ) -> None:
        module, whole = portion or flow.module, flow.construction.whole
        self.types, self.is_open = whole.graph.types, interface is None
        self.interface = interface or Interface(
            tuple(map(self._canonical, module.inputs)), tuple(map(self._canonical, module.outputs))
        )
        self.ends = dict(zip(module.outputs, self.interface.makes, strict=True))
        items = flow.items if portion is None else portion.items
        self.steps = [_Step(item, whole, flow.cycle(item), portion) for item in items]
        self.wishes: dict[str, list[_Wish]] = {}
        self.held: dict[str, Order] = {}
        self.tapped: dict[str, Order] = {}
        self.first: tuple[Move, ...] = ()
        """The inputs of the body that are moved first: each with its order before and after."""
        self.placed: list[Placed]
        self.copies: Sequence[tuple[Move, ...]]
        """For each item, the values in another order that it and a later item use."""
        if self.interface.is_canonical and all(step.run().is_canonical for step in self.steps):
            # So all orders are canonical, as in most bodies: nothing needs another one.
            self.placed = [self._keep(step) for step in self.steps]
            self.copies = [()] * len(self.steps)
        else:
            self._arrange(module, interface is None)

    def _arrange(self, module: Module | Portion, is_open: bool) -> None:
        for value, order in () if is_open else self.ends.items():
            self._wish(value, order)
        for step in reversed(self.steps):
            self._ask(step)
        self.first = tuple(self._enter(module.inputs))
        self.placed = [self._place(step) for step in self.steps]
        if is_open:
            self.first = ()
            self.interface = Interface(
                tuple(map(self._wanted_by_all, module.inputs)), tuple(map(self.of, module.outputs))
            )
            self.ends = dict(zip(module.outputs, self.interface.makes, strict=True))
        self.copies = self._copies()

    def of(self, value: str) -> Order:
        """The order in which the variable of a value holds it."""
        return self.held.get(value) or self._canonical(value)

    def _canonical(self, value: str) -> Order:
        return canonical_of(value, self.types)

    def _keep(self, step: _Step) -> Placed:
        """How an item runs on values in their canonical order."""
        run = step.run()
        steady = step.is_steady(run)
        if step.layer is not None:
            self.tapped.update(self._taps(step, run, run.makes, steady))
        return Placed(
            run.takes, run.makes, run.takes, run.makes, None if step.layer is None else step.lowered(), steady
        )

    # What the users of values need, from the end of the body to its start

    def _ask(self, step: _Step) -> None:
        for place, value in enumerate(step.inputs):
            if is_list(value) or self.types[value].rank < 2:
                continue
            self.wishes.setdefault(value, []).append(self._wanted(step, place, value))

    def _wish(self, value: str, order: Order) -> None:
        self.wishes.setdefault(value, []).append(_Wish(order.__eq__, order))

    def _wanted(self, step: _Step, place: int, value: str) -> _Wish:
        wanted = step.run().takes[place]
        if not wanted.is_canonical:
            return _Wish(lambda order: step.run(order).takes[place] == order, wanted)
        other = channels_last(len(wanted.axes))
        if step.run(other).takes[place] != other:
            return _Wish(wanted.__eq__, wanted)
        (output, *others), axes = step.outputs, len(wanted.axes)
        if others or self.types[output].rank != axes:
            return _Wish(lambda order: True)
        wishes = self.wishes.get(output, ())
        preferred = {each.prefers for each in wishes if each.prefers is not None}
        if len(preferred) != 1 or len(step.inputs) > 1:
            return _Wish(lambda order: True, passes=preferred.union(*(each.passes for each in wishes)))
        (order,) = preferred
        return _Wish(order.__eq__, order)

    def _wanted_by_all(self, value: str) -> Order:
        """The order in which all users of an input take it; if they differ, that of its variable."""
        rows = (
            zip(step.inputs, placed.wants, strict=True)
            for step, placed in zip(self.steps, self.placed, strict=True)
        )
        wanted = {order for row in rows for each, order in row if each == value}
        return wanted.pop() if len(wanted) == 1 else self.of(value)

    # The orders, from the start to the end

    def _enter(self, inputs: Sequence[str]) -> Iterator[Move]:
        for place, value in enumerate(inputs):
            if not is_list(value):
                before = self.interface.takes[place]
                self.held[value] = self._chosen(value, None if self.is_open else before)
                if self.held[value] != before:
                    yield value, before, self.held[value]

    def _chosen(self, value: str, made: Order | None) -> Order:
        """The order of a variable with the fewest moves; the value is `made` in one order, or in any."""
        wishes, plain = self.wishes.get(value, ()), self._canonical(value)
        orders = [plain, made or plain, *(each.prefers for each in wishes if each.prefers is not None)]

        def moves(order: Order) -> tuple[int, bool, int]:
            others = [each.prefers for each in wishes if not each.accepts(order)]
            is_moved = order != (made or order)
            goes_back = is_moved and any(made in each.passes for each in wishes)
            # One user moves the value itself; for several, a variable holds it in their order.
            return is_moved + len(set(others)), goes_back, len(others) if len(wishes) > 1 else 0

        return min(dict.fromkeys(orders), key=moves)

    def _place(self, step: _Step) -> Placed:
        order = self._order(step)
        run = step.run(order)
        steady = step.is_steady(run)
        plain = Interface(tuple(map(self._canonical, step.inputs)), tuple(map(self._canonical, step.outputs)))
        whole = run if steady else plain
        rebound = tuple(self._rebind(step, whole.takes))
        takes = tuple(map(self.of, step.inputs))
        gives = tuple(self._give(step, whole.makes))
        lowered = None if step.layer is None else step.lowered(None if step.takes_list else order)
        if step.layer is not None:
            self.tapped.update(self._taps(step, run, gives, steady))
        return Placed(takes, gives, run.takes, whole.makes, lowered, steady, rebound)

    def _order(self, step: _Step) -> Order | None:
        """The order of the inputs for which an item runs with the fewest moves."""
        if step.interface is not None or step.takes_list or not step.inputs:
            return None
        held = [self.of(value) for value in step.inputs]
        wishes = self.wishes.get(step.outputs[0], ())

        def moves(order: Order) -> int:
            run = step.run(order)
            pairs = zip(run.takes, held, strict=True)
            return sum(each != given for each, given in pairs) + any(
                not each.accepts(run.makes[0]) for each in wishes
            )

        count = len(held[0].axes)
        orders = [each for each in (*held, self._canonical(step.inputs[0])) if len(each.axes) == count]
        return min(dict.fromkeys(orders), key=moves)

    def _rebind(self, step: _Step, takes: Sequence[Order]) -> Iterator[Move]:
        """The inputs that a loop takes by name, in another order than that of their variables."""
        wires = zip(step.inputs, step.made.wires, strict=True) if step.made else ()
        for place, (value, wire) in enumerate(wires):
            if is_list(value) or (step.layer is not None and wire is None):
                continue
            if self.of(value) != takes[place]:
                yield value, self.of(value), takes[place]
                self.held[value] = takes[place]

    def _give(self, step: _Step, makes: Sequence[Order]) -> Iterator[Order]:
        """The order in which each value is held after an item."""
        for value, made in zip(step.outputs, makes, strict=True):
            if not is_list(value):
                self.held[value] = self._chosen(value, made)
            yield self.of(value)

    def _taps(
        self, step: _Step, run: Interface, gives: Sequence[Order], steady: bool
    ) -> Iterator[tuple[str, Order]]:
        """The order of each value of a layer where it is made."""
        assert step.layer is not None
        nodes = step.made.repeat.items if step.made else (step.layer,)
        for node in nodes:
            values = given(node)
            if len(values) > 1 or (step.made and steady):
                yield from zip(values, run.makes, strict=True)
            elif not step.made:
                yield values[0], gives[0]

    def cost(self) -> int:
        """The number of moves that one pass through the body runs, without those in its blocks."""
        found = len(self.first) + len({move for row in self._rows() for move in row})
        for step, placed in zip(self.steps, self.placed, strict=True):
            found += len(placed.rebound)
            found += sum(made != held for made, held in zip(placed.makes, placed.gives, strict=True))
            if step.made is not None:
                found += len(step.made.repeat.items) * self._repeated(step, step.made, placed)
        return found

    def _repeated(self, step: _Step, made: Cycle, placed: Placed) -> int:
        """The moves in a loop, of one repetition."""
        orders = zip(placed.takes, placed.wants, made.wires, strict=True)
        found = sum(held != wanted for held, wanted, wire in orders if not placed.steady or wire is None)
        if not placed.steady:
            return found + len(placed.makes)
        listed = (made.listed(output) in made.repeat.outputs for output in range(len(placed.makes)))
        return found + sum(a and not b.is_canonical for a, b in zip(listed, placed.makes, strict=True))

    def _rows(self) -> list[list[Move]]:
        """The moves of the inputs of each item, and those at the end of the body."""
        rows = [[*self._moves(step, placed)] for step, placed in zip(self.steps, self.placed, strict=True)]
        ends = ((value, self.of(value), order) for value, order in self.ends.items() if not is_list(value))
        rows.append([move for move in ends if move[1] != move[2]])
        return rows

    def _copies(self) -> list[tuple[Move, ...]]:
        rows = self._rows()
        users = Counter(move for row in rows for move in set(row))
        seen: set[Move] = set()
        found = []
        for row in rows:
            first = [move for move in dict.fromkeys(row) if users[move] > 1 and move not in seen]
            seen.update(first)
            found.append(tuple(first))
        return found[:-1]  # what only the end of the body uses is moved there

    def _moves(self, step: _Step, placed: Placed) -> Iterator[Move]:
        """The moves of the inputs of an item that is not a loop."""
        for value, held, wanted in zip(step.inputs, placed.takes, placed.wants, strict=True):
            if step.made is None and held != wanted:
                yield value, held, wanted
