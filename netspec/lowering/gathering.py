"""Finds repetitions that one loop can run, and the values that a network collects over them, as lists.

A list has the name that the spec uses for it, `stacks.*.skip`. In the tree it replaces its values wherever all of them
are used together, in order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from netspec.dataclass import dataclass, replace
from netspec.graph import Node
from netspec.lowering.names import free, numbered, plural, singular
from netspec.lowering.outline import Module, given, inside, within

EVERY = "*"
"""The part that replaces the number of a repetition in the name of a list."""

FEWEST = 3
"""From this number of values on, a list is shorter."""


def is_list(value: str) -> bool:
    """Whether a value is a list of values."""
    return EVERY in value


@dataclass(frozen=True, slots=True)
class Cycle:
    """The connections between the repetitions of a repeat.

    `wires` has, for each input of a repetition, the number of the output of the previous repetition, and None if it is
    the same value for all. `rests` are the names of the outputs after the number of the repetition.
    """

    repeat: Module
    wires: tuple[int | None, ...]
    rests: tuple[str, ...]

    def listed(self, output: int) -> str:
        """The list of an output of all repetitions."""
        return f"{self.repeat.path}.{EVERY}{self.rests[output]}"

    def values(self, output: int) -> tuple[str, ...]:
        """An output of all repetitions, in their order."""
        return tuple(given(each)[output] for each in self.repeat.items)


def cycle(repeat: Module) -> Cycle | None:
    """The connections between repetitions, if they are the same for all and `when` left none out; else None."""
    items = repeat.items
    if not repeat.is_repeat or len(items) < 2:
        return None
    if [each.local_name for each in items] != [str(number) for number in range(len(items))]:
        return None
    rests = {_rests(repeat, each) for each in items}
    if len(rests) > 1 or len({len(each.inputs) for each in items}) > 1:
        return None
    wires = [_wire(items, number) for number in range(len(items[0].inputs))]
    if any(each == _BROKEN for each in wires):
        return None
    starts: dict[int, str] = {}
    for value, wire in zip(items[0].inputs, wires, strict=True):
        if wire is not None and starts.setdefault(wire, value) != value:
            return None  # one variable cannot hold two values before the first repetition
    return Cycle(repeat, tuple(wires), rests.pop())


_BROKEN = -1


def _wire(items: Sequence[Node | Module], number: int) -> int | None:
    values = [each.inputs[number] for each in items]
    if len(set(values)) == 1:
        return None
    rows = [given(each) for each in items[:-1]]
    for output in range(len(rows[0])):
        if all(row[output] == value for row, value in zip(rows, values[1:], strict=True)):
            return output
    return _BROKEN


def _rests(repeat: Module, item: Node | Module) -> tuple[str, ...]:
    """The outputs of a repetition, named relative to its number."""
    return tuple(value[len(f"{repeat.path}.{item.local_name}") :] for value in given(item))


def gives(made: Cycle) -> set[str]:
    """The values that a loop can give: of each output, the list, and the value of the last repetition."""
    return {name for at in range(len(made.rests)) for name in (made.listed(at), made.values(at)[-1])}


def gathered(root: Module, loops: Callable[[Module], bool], joins: Callable[[Node], bool]) -> Module:
    """The tree with lists in it.

    `loops` says for a repeat whether the text can run it as a loop, `joins` for a layer whether it can take a list.
    """
    if all(len(each.outputs) < FEWEST for each in root.modules() if each.is_repeat):
        return root
    return _Gathering(root, loops, joins).root


class _Gathering:
    def __init__(self, root: Module, loops: Callable[[Module], bool], joins: Callable[[Node], bool]) -> None:
        self.loops, self.joins = loops, joins
        self.users: dict[str, list[Node]] = {}
        for node in root.nodes():
            for value in node.inputs:
                self.users.setdefault(value, []).append(node)
        self.results = root.outputs
        self.blocks = {each.path for each in root.modules() if each.kind in ("block", "network")}
        self.lists: dict[str, tuple[str, ...]] = {}
        """The values of each list; lists of lists are flattened."""
        self.repeats: dict[str, str] = {}
        """The path of the repeat that makes each list."""
        root = self._made(root)
        self.root = self._taken(root) if self.lists else root

    def _made(self, module: Module) -> Module:
        """A module that gives lists; inner ones first."""
        module = module.holding(
            [self._made(each) if isinstance(each, Module) else each for each in module.items]
        )
        made = cycle(module) if self.loops(module) else None
        if made is not None:
            for output in range(len(made.rests)):
                self._try(made, output)
            if not set(self._giving(module)) <= gives(made):
                # A value of another repetition than the last one is also used by itself, so no loop runs the repeat.
                self.lists = {
                    name: row for name, row in self.lists.items() if self.repeats[name] != module.path
                }
        return replace(module, outputs=self._giving(module)) if self.lists else module

    def _try(self, made: Cycle, output: int) -> None:
        rows = [self.lists.get(value, (value,)) for value in made.values(output)]
        values = tuple(value for row in rows for value in row)
        # The values that leave the last repetition can also be used separately.
        last = rows[-1] if output in made.wires else ()
        path = made.repeat.path
        if len(values) >= FEWEST and self._is_whole(values, path, last):
            self.lists[made.listed(output)] = values
            self.repeats[made.listed(output)] = path

    def _is_whole(self, values: tuple[str, ...], path: str, last: Collection[str]) -> bool:
        """Whether everything outside a repeat uses all of these values together."""
        joined = False
        for value in values:
            if value in self.results and value not in last:
                return False
            for user in self.users.get(value, ()):
                if inside(user.name, path):
                    continue
                if (
                    _at(values, user.inputs) is not None
                    and self.joins(user)
                    and not self._is_handed(user, path)
                ):
                    joined = True
                elif value not in last:
                    return False
        return joined

    def _is_handed(self, user: Node, path: str) -> bool:
        """Whether the values are inputs of the block around the layer: other calls pass other values."""
        around = user.scope
        while around and not within(path, around):
            if around in self.blocks:
                return True
            around = around.rpartition(".")[0]
        return False

    def _giving(self, module: Module) -> tuple[str, ...]:
        """The outputs of a module, with lists in place of their values."""
        outputs = module.outputs
        for name, values in self._outermost(lambda path: within(path, module.path)):
            if set(values) <= set(outputs):
                alone = {each for each in values if self._is_taken_alone(each, values, module)}
                outputs = _replaced(outputs, values, name, alone)
        return outputs

    def _is_taken_alone(self, value: str, values: tuple[str, ...], module: Module) -> bool:
        outside = [each for each in self.users.get(value, ()) if not inside(each.name, module.path)]
        return value in self.results or any(_at(values, each.inputs) is None for each in outside)

    def _taken(self, module: Module) -> Module:
        """A module that uses the lists."""
        return module.holding([*map(self._taking, module.items)])

    def _taking(self, item: Node | Module) -> Node | Module:
        if isinstance(item, Node):
            inputs = item.inputs
            for name, values in self._outermost(lambda path: not within(item.scope, path)):
                at = _at(values, inputs)
                if at is not None:
                    inputs = (*inputs[:at], name, *inputs[at + len(values) :])
            return item if inputs == item.inputs else replace(item, inputs=inputs)
        inputs = item.inputs
        for name, values in self._outermost(lambda path: not within(item.path, path)):
            if set(values) <= set(inputs):
                users = [each for each in item.nodes() if _at(values, each.inputs) is None]
                alone = {value for each in users for value in each.inputs if value in values}
                inputs = _replaced(inputs, values, name, alone)
        return self._taken(item if inputs == item.inputs else replace(item, inputs=inputs))

    def _outermost(self, counts: Callable[[str], bool]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The lists of some repeats, outer repeats first."""
        found = [name for name in self.lists if counts(self.repeats[name])]
        for name in sorted(found, key=lambda name: self.repeats[name].count(".")):
            yield name, self.lists[name]


def _replaced(
    row: tuple[str, ...], values: tuple[str, ...], name: str, alone: Collection[str]
) -> tuple[str, ...]:
    """A row with a list in place of its values; values that are also used separately stay."""
    first = next(each for each in row if each in values and each not in alone)
    found = [name if each == first else each for each in row]
    return tuple(each for each in found if each not in values or each in alone)


def _at(values: tuple[str, ...], inputs: tuple[str, ...]) -> int | None:
    """The positions of these values among inputs, if they are consecutive and each appears once."""
    if values[0] not in inputs:
        return None
    at = inputs.index(values[0])
    if inputs[at : at + len(values)] != values:
        return None
    mine = set(values)
    once = len(mine) == len(values) and mine.isdisjoint((*inputs[:at], *inputs[at + len(values) :]))
    return at if once else None


def together(names: Mapping[str, str], values: Sequence[str]) -> str:
    """Values and lists as one list in a text."""
    if len(values) == 1 and is_list(values[0]):
        return names[values[0]]
    return "[" + ", ".join("*" * is_list(each) + names[each] for each in values) + "]"


def extend(name: str, variable: str, value: str) -> str:
    """The statement that adds the value of a variable to a list: one value, or the values of a list."""
    return f"{name} += {variable}" if is_list(value) else f"{name}.append({variable})"


def lists(inputs: Sequence[str], items: Sequence[Node | Module]) -> tuple[str, ...]:
    """The lists that a body uses or makes."""
    rows = (inputs, *((*each.inputs, *given(each)) for each in items))
    return tuple(dict.fromkeys(value for row in rows for value in row if is_list(value)))


@dataclass(frozen=True, slots=True)
class ListNames:
    """The name of a list in a text, and of the value that each repetition adds: one value, or a list of values."""

    name: str
    one: str
    more: str


def called(values: Collection[str], taken: Collection[str]) -> Mapping[str, ListNames]:
    """The variables of lists: `skips`, `skip` and `more_skips`."""
    names: dict[str, ListNames] = {}
    used = set(taken)
    for each in values:
        repeat, last = re.sub(r"(\.[*\d]+)+$", "", each).split(".")[-1], each.split(".")[-1]
        one, many = last, plural(last)
        if last == EVERY or last[-1].isdigit():
            one, many = "y", f"{singular(repeat.rstrip('0123456789'))}_outputs"
        row = []
        for stem in (many, one, f"more_{many}"):
            row.append(numbered(free(stem, ()), used))
            used.add(row[-1])
        names[each] = ListNames(*row)
    return names
