"""Decides in which order the variables of one body hold the axes of their values, so that few moves are written.

A class takes and gives values in their canonical order. Inside it, a layer that needs another order gives its values to
the next one as they are. A value is moved where it is made if most of the layers that use it need the other order, and
else where it is used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from netspec.dataclass import dataclass
from netspec.graph import Node
from netspec.lowering.gathering import Cycle, is_list
from netspec.lowering.outline import Module, given
from netspec.types import Type
from netspec_torch.lowering import Lowerings
from netspec_torch.orders import Order, canonical, channels_last
from netspec_torch.site import Lowered

Move = tuple[str, Order, Order]
"""A value, with its order before and after."""


@dataclass(frozen=True, slots=True)
class Placed:
    """How an item runs: in which order its inputs are in their variables, and in which it gives each value.

    `lowered` is that of a layer, or of the layer that a loop repeats. A loop is `steady` if the values that its
    repetitions hand on keep the order of the layer; `rebound` are the inputs that a statement before it must move.
    """

    takes: tuple[Order, ...]
    gives: tuple[Order, ...]
    lowered: Lowered | None = None
    steady: bool = True
    rebound: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a user of a value needs: some order, or none in particular."""

    accepts: Callable[[Order], bool]
    prefers: Order | None = None


class _Step:
    """An item as the arrangement sees it: the values that it takes and gives, and how it can run."""

    def __init__(self, item: Node | Module, lowerings: Lowerings, made: Cycle | None) -> None:
        self.item, self.made = item, made
        self.inputs, self.outputs = item.inputs, given(item)
        first: Node | Module = item
        if made is not None:
            first = made.repeat.items[0]
            self.inputs = first.inputs
            self.outputs = tuple(made.values(output)[-1] for output in range(len(made.rests)))
        self.layer = first if isinstance(first, Node) else None
        self.lowerings = lowerings

    def lowered(self, order: Order | None = None) -> Lowered:
        """How its layer runs on inputs in this order."""
        assert self.layer is not None
        return self.lowerings.given(self.layer, order)

    @property
    def is_fixed(self) -> bool:
        """Whether it takes and gives every value in its canonical order: a block, or a layer that takes a list."""
        return self.layer is None or any(map(is_list, self.inputs))

    def is_steady(self, lowered: Lowered) -> bool:
        """Whether the repetitions of a loop hand on values in the order in which the layer takes them."""
        if self.made is None or not lowered.takes:
            return True
        wires = zip(lowered.takes, self.made.wires, strict=True)
        return all(wire is None or order == lowered.makes[wire] for order, wire in wires)


class Arrangement:
    """The orders of all values in one body. `cycles` says for an item how a loop runs it, if one does.

    `held` has the order of each value at the end of the body, `tapped` that of each value where its layer makes it.
    """

    def __init__(
        self,
        items: Sequence[Node | Module],
        inputs: Sequence[str],
        outputs: Sequence[str],
        types: Mapping[str, Type],
        lowerings: Lowerings,
        cycles: Callable[[Node | Module], Cycle | None],
    ) -> None:
        self.types, self.outputs = types, outputs
        self.steps = [_Step(item, lowerings, cycles(item)) for item in items]
        self.wishes: dict[str, list[_Wish]] = {}
        for value in outputs:
            self._wish(value, self._canonical(value))
        for step in reversed(self.steps):
            self._ask(step)
        self.held: dict[str, Order] = {}
        self.tapped: dict[str, Order] = {}
        self.first = tuple(self._enter(inputs))
        """The inputs of the body that are moved first: each with its order before and after."""
        self.placed = [self._place(step) for step in self.steps]
        self.copies = self._copies()
        """For each item, the values in another order that it and a later item use."""

    def of(self, value: str) -> Order:
        """The order in which the variable of a value holds it."""
        return self.held.get(value) or self._canonical(value)

    def _canonical(self, value: str) -> Order:
        return canonical(0 if is_list(value) else len(self.types[value].shape))

    # What the users of values need, from the end of the body to its start

    def _ask(self, step: _Step) -> None:
        for place, value in enumerate(step.inputs):
            if is_list(value) or len(self.types[value].shape) < 2:
                continue
            if step.is_fixed:
                self._wish(value, self._canonical(value))
            else:
                self.wishes.setdefault(value, []).append(self._wanted(step, place, value))

    def _wish(self, value: str, order: Order) -> None:
        self.wishes.setdefault(value, []).append(_Wish(order.__eq__, order))

    def _wanted(self, step: _Step, place: int, value: str) -> _Wish:
        wanted = self._taken(step, None, place, value)
        if not wanted.is_canonical:
            return _Wish(lambda order: self._taken(step, order, place, value) == order, wanted)
        other = channels_last(len(wanted.axes))
        if self._taken(step, other, place, value) != other:
            return _Wish(wanted.__eq__, wanted)
        (output, *others), axes = step.outputs, len(wanted.axes)
        preferred = {each.prefers for each in self.wishes.get(output, ()) if each.prefers is not None}
        is_one_to_one = not others and len(step.inputs) == 1 and len(self.types[output].shape) == axes
        if len(preferred) != 1 or not is_one_to_one:
            return _Wish(lambda order: True)
        (order,) = preferred
        return _Wish(order.__eq__, order)

    def _taken(self, step: _Step, order: Order | None, place: int, value: str) -> Order:
        """The order in which an item takes an input, if its inputs come in some order."""
        takes = step.lowered(order).takes
        return takes[place] if takes else self._canonical(value)

    # The orders, from the start to the end

    def _enter(self, inputs: Sequence[str]) -> Iterator[Move]:
        for value in inputs:
            if not is_list(value):
                before = self._canonical(value)
                self.held[value] = self._chosen(value, before)
                if self.held[value] != before:
                    yield value, before, self.held[value]

    def _chosen(self, value: str, made: Order) -> Order:
        """The order in which a variable holds a value: the one with the fewest moves."""
        wishes, plain = self.wishes.get(value, ()), self._canonical(value)
        orders = [plain, made, *(each.prefers for each in wishes if each.prefers is not None)]

        def moves(order: Order) -> tuple[int, int]:
            others = [each.prefers for each in wishes if not each.accepts(order)]
            # One user moves the value itself; for several, a variable holds it in their order.
            return (order != made) + len(set(others)), len(others) if len(wishes) > 1 else 0

        return min(dict.fromkeys(orders), key=moves)

    def _place(self, step: _Step) -> Placed:
        lowered = None if step.layer is None else step.lowered() if step.is_fixed else self._run(step)
        steady = lowered is not None and step.is_steady(lowered)
        rebound = tuple(self._rebind(step, lowered if steady else None))
        takes = tuple(map(self.of, step.inputs))
        kept = lowered if steady or step.made is None else None
        gives = self._give(step, kept)
        self.tapped.update(self._taps(step, lowered, gives, steady))
        return Placed(takes, gives, lowered, steady, rebound)

    def _run(self, step: _Step) -> Lowered:
        """The way to run a layer with the fewest moves."""
        held = [self.of(value) for value in step.inputs]
        plain = [self._canonical(value) for value in step.inputs]
        wishes = self.wishes.get(step.outputs[0], ())

        def moves(order: Order) -> int:
            lowered = step.lowered(order)
            made = lowered.makes[0] if lowered.makes else self._canonical(step.outputs[0])
            pairs = zip(lowered.takes or plain, held, strict=True)
            return sum(each != given for each, given in pairs) + any(
                not each.accepts(made) for each in wishes
            )

        count = len(held[0].axes)
        orders = [each for each in (*held, plain[0]) if len(each.axes) == count]
        return step.lowered(min(dict.fromkeys(orders), key=moves))

    def _rebind(self, step: _Step, lowered: Lowered | None) -> Iterator[Move]:
        """The inputs that a loop takes by name, in another order than that of their variables."""
        wires = zip(step.inputs, step.made.wires, strict=True) if step.made else ()
        for place, (value, wire) in enumerate(wires):
            if is_list(value) or (step.layer is not None and wire is None):
                continue
            wanted = lowered.takes[place] if lowered and lowered.takes else self._canonical(value)
            if self.of(value) != wanted:
                yield value, self.of(value), wanted
                self.held[value] = wanted

    def _give(self, step: _Step, lowered: Lowered | None) -> tuple[Order, ...]:
        """The order in which each value is held after an item."""
        for output, value in enumerate(step.outputs):
            if not is_list(value):
                made = lowered.makes[output] if lowered and lowered.makes else self._canonical(value)
                self.held[value] = self._chosen(value, made)
        return tuple(map(self.of, step.outputs))

    def _taps(
        self, step: _Step, lowered: Lowered | None, gives: Sequence[Order], steady: bool
    ) -> Iterator[tuple[str, Order]]:
        """The order of each value of a layer where it is made."""
        if step.layer is None:
            return
        assert lowered is not None
        nodes = step.made.repeat.items if step.made else (step.layer,)
        for node in nodes:
            values = given(node)
            if lowered.makes and (len(values) > 1 or (step.made and steady)):
                yield from zip(values, lowered.makes, strict=True)
            elif not step.made:
                yield values[0], gives[0]

    def _copies(self) -> list[tuple[Move, ...]]:
        rows = [[*self._moves(step, placed)] for step, placed in zip(self.steps, self.placed, strict=True)]
        ends = [
            (value, self.of(value), self._canonical(value)) for value in self.outputs if not is_list(value)
        ]
        rows.append([move for move in ends if move[1] != move[2]])
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
        takes = placed.lowered.takes if placed.lowered else ()
        for place, (value, held) in enumerate(zip(step.inputs, placed.takes, strict=True)):
            wanted = held if is_list(value) else takes[place] if takes else self._canonical(value)
            if step.made is None and held != wanted:
                yield value, held, wanted
