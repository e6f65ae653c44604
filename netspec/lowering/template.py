"""All uses of a block become one definition, or several where their texts differ in more than literals."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netspec.lowering.derive import Hole, Naming, Parameter, Values
from netspec.lowering.folding import fold, merge, shape
from netspec.lowering.names import camel
from netspec.lowering.parts import Argument, Slot, Use, Value, literal
from netspec.lowering.writing import Expansion, Text, Writer

COMING_IN = "in_channels"
"""What the channels of a block's input are called."""


_COUNTERS = ("i", "range")
"""What repetitions are counted with."""


class WrongFold(AssertionError):
    """A definition does not give a use its own text back: a bug of netspec, found before anything runs."""


@dataclass(frozen=True)
class Definition:
    """One class or function: its parameters, its statements, and which uses it serves, by their number."""

    parameters: tuple[Parameter, ...]
    lines: tuple[Text, ...]
    uses: tuple[int, ...]
    members: tuple[str, ...]
    known: Mapping[str, Values]

    def signature(self) -> tuple[str, ...]:
        """`in_channels`, `filters`, `stride=1`."""
        return tuple(
            each.name if each.default is None else f"{each.name}={literal(each.default)}"
            for each in self.parameters
        )

    def arguments(self, use: int) -> tuple[Argument, ...]:
        """What this use hands in, as slots of the definition in which it stands."""
        at = self.uses.index(use)
        return tuple(
            Argument(
                Slot(each.values[at], each.name, each.default, each.channels),
                "" if each.known and each.default is None else each.name,
            )
            for each in self.parameters
        )


def unify(uses: Sequence[Use], taken: Collection[str] = ()) -> tuple[Definition, ...]:
    """The definitions that serve these uses of one block, the most used first.

    Uses whose texts are equal but for literals share a definition; literals that differ become parameters.
    `taken` are names that no parameter may have.

    Raises:
        WrongFold: a definition does not give one of its uses its own text back.
    """
    taken = {*taken, *_COUNTERS}
    exact = _groups([shape(use.body) for use in uses])
    elastic = [fold(merge([use.body]), elastic=True) for use in uses] if len(exact) > 1 else []
    loose = _groups([shape(tree) for tree in elastic])
    found = []
    for numbers in loose if len(loose) < len(exact) and elastic else exact:
        group = [uses[number] for number in numbers]
        if len({shape(use.body) for use in group}) > 1:
            tree = merge([elastic[number] for number in numbers])
        else:
            tree = fold(merge([use.body for use in group]))
        found.append(_define(group, numbers, tree, taken))
    return tuple(sorted(found, key=lambda each: -len(each.uses)))


def _groups(shapes: Sequence[object]) -> list[tuple[int, ...]]:
    """The numbers of what has one shape."""
    groups: dict[object, list[int]] = {}
    for number, each in enumerate(shapes):
        groups.setdefault(each, []).append(number)
    return [tuple(numbers) for numbers in groups.values()]


def variant_names(stem: str, variants: Sequence[Definition]) -> tuple[str, ...]:
    """A name for each: the first is plain, another says what it has more, has less, or is called with."""
    first = variants[0]
    names = [stem]
    for variant in variants[1:]:
        more = [name for name in variant.members if name not in first.members]
        less = [name for name in first.members if name not in variant.members]
        called = _distinction(variant, variants)
        if more:
            name = f"{stem}_with_{more[0]}"
        elif less:
            name = f"{stem}_without_{less[0]}"
        else:
            name = f"{stem}_{called}" if called else stem
        if name in names and called:
            name = f"{stem}_{called}"
        names.append(_unused(name, stem, names))
    return tuple(names)


def _unused(name: str, stem: str, names: Sequence[str]) -> str:
    """The name, or numbered: `unit2`, `unit_with_conv3_variant2`."""
    number, plain = 2, name
    while name in names:
        name = f"{stem}{number}" if plain == stem else f"{plain}_variant{number}"
        number += 1
    return name


def _distinction(variant: Definition, variants: Sequence[Definition]) -> str | None:
    """An argument that all uses of the variant have, and none of another: `stride2`.

    Where there are several, one that does not vary among the others either.
    """
    found: list[tuple[int, str]] = []
    for name, values in variant.known.items():
        others = {value for each in variants if each is not variant for value in each.known.get(name, ())}
        (value, *more) = set(values)
        if not more and value not in others and isinstance(value, int) and value >= 0:
            found.append((len(others), f"{camel(name).lower()}{value}"))
    return min(found, key=lambda each: each[0])[1] if found else None


def _define(uses: Sequence[Use], numbers: tuple[int, ...], folded: Any, taken: Collection[str]) -> Definition:
    known = _together([use.known for use in uses])
    given = _together([use.given for use in uses])
    naming = _naming(known, given, taken, folded)
    lines = tuple(Writer(naming.expression).lines(folded))
    for number, use in enumerate(uses):
        arguments = {name: values[number] for name, values in given.items()}
        arguments |= {each.name: each.values[number] for each in naming.parameters}
        back = Expansion(_substitution(naming, arguments)).text(folded)
        own = Expansion(lambda hole: hole.values[0]).text(merge([use.body]))
        if back != own:
            raise WrongFold(f"{use.place}: {own!r} comes back as {back!r}")
    return Definition(tuple(_ordered(naming)), lines, numbers, uses[0].members, known)


def _naming(
    known: Mapping[str, Values], given: Mapping[str, Values], taken: Collection[str], folded: Any
) -> Naming:
    """The fewest parameters: without the channels that come in, where the author's own arguments tell them."""
    own = {name: values for name, values in known.items() if name != COMING_IN}
    without = Naming(own, given, taken, plain=True)
    if own and own != known:
        deque(Writer(without.expression).lines(folded), maxlen=0)
        if all(each.known or not each.channels for each in without.parameters):
            return without
    return Naming(known, given, taken)


def _substitution(naming: Naming, arguments: Mapping[str, Value]) -> Callable[[Hole], Value]:
    return lambda hole: naming.expression(hole).at(arguments)


def _together(rows: Sequence[Mapping[str, Value]]) -> dict[str, Values]:
    return {name: tuple(row[name] for row in rows) for name in rows[0] if all(name in row for row in rows)}


def _ordered(naming: Naming) -> list[Parameter]:
    """What comes in first, then the author's own arguments, then the rest; defaults last."""
    order = [COMING_IN, *naming.spelling.values()]

    def rank(each: Parameter) -> tuple[bool, bool, int]:
        position = order.index(each.name) if each.name in order else len(order)
        return (each.default is not None, not each.known, position)

    return sorted(naming.parameters, key=rank)
