"""Makes one definition of all uses of a block, or several if their texts differ in more than literals."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import field
from itertools import combinations

from netspec.dataclass import dataclass, replace
from netspec.lowering.derive import PAD, Naming, TextParameter, Unsettled
from netspec.lowering.folding import fold, settled, stretched
from netspec.lowering.names import camel
from netspec.lowering.options import optional
from netspec.lowering.parts import Argument, Slot, literal
from netspec.lowering.statements import Text, Use, returning, statements
from netspec.lowering.tree import Hole, LiteralRow, LiteralValue, Tree, same
from netspec.lowering.writing import Pen

COMING_IN = "in_channels"
"""The parameter for the channels of a block's input."""


_COUNTERS = ("i", "range")
"""The variables that count repetitions."""


class WrongFold(AssertionError):
    """A definition does not reproduce the text of one of its uses: a bug of netspec, found before anything runs."""


@dataclass(frozen=True)
class Definition:
    """One class or function: its parameters, its statements, and the numbers of the uses that it serves."""

    parameters: tuple[TextParameter, ...]
    lines: tuple[Text, ...]
    uses: tuple[int, ...]
    members: tuple[str, ...]
    known: Mapping[str, LiteralRow]
    kept: tuple[tuple[str, str], ...] = ()
    """Attributes and the parameters that they hold, for methods that run later."""
    given: frozenset[str] = frozenset()
    """The expressions that need no parameter and that the text uses."""
    traits: Mapping[str, LiteralRow] = field(default_factory=dict)
    """Words that distinguish its uses from those of a variant."""

    def spread(self, same_as: Sequence[int]) -> Definition:
        """The same definition for more uses; `same_as` has, for each use, the number of an equal one that it serves."""
        uses = tuple(number for number, one in enumerate(same_as) if one in self.uses)
        at = [self.uses.index(same_as[number]) for number in uses]

        def row(values: LiteralRow) -> LiteralRow:
            return tuple(values[each] for each in at)

        return replace(
            self,
            parameters=tuple(replace(each, values=row(each.values)) for each in self.parameters),
            uses=uses,
            known={name: row(values) for name, values in self.known.items()},
            traits={name: row(values) for name, values in self.traits.items()},
        )

    def signature(self) -> tuple[str, ...]:
        """The parameters as text: `in_channels`, `filters`, `stride=1`."""
        return tuple(
            each.name if each.default is None else f"{each.name}={literal(each.default)}"
            for each in self.parameters
        )

    def arguments(self, use: int) -> tuple[Argument, ...]:
        """The arguments of this use, as slots of the definition that contains the call."""
        at = self.uses.index(use)
        return tuple(
            Argument(
                Slot(each.values[at], each.name, each.default, each.channels),
                "" if each.known and each.default is None else each.name,
            )
            for each in self.parameters
        )


def unify(
    uses: Sequence[Use], taken: Collection[str] = (), attributes: Collection[str] = ()
) -> tuple[Definition, ...]:
    """The definitions that serve these uses of one block, the most used definition first.

    Uses whose texts differ only in literals share a definition; literals that differ become parameters. One `Use` may
    represent several equal ones. `taken` are names that no parameter may have, `attributes` names that no attribute may
    have.

    Raises:
        WrongFold: a definition does not give one of its uses its own text back.
    """
    first: dict[int, int] = {}
    same_as = [first.setdefault(id(use), number) for number, use in enumerate(uses)]
    single = sorted(first.values())
    if len(single) < len(uses):
        places = [single.index(number) for number in same_as]
        alone = unify([uses[number] for number in single], taken, attributes)
        return _in_order([each.spread(places) for each in alone])
    taken = {*taken, *_COUNTERS}
    trees: list[Tree] = [use.tree for use in uses]
    groups = _groups([each.shape for each in trees])
    if len(groups) > 1 and any(each.runs for each in trees):
        elastic = _elastic(trees, groups)
        joined = _joined(groups, [each.shape for each in elastic])
    else:
        elastic, joined = [], groups
    unifier = _Unifier(uses, trees, elastic, taken, attributes)
    return _in_order(unifier.definitions(joined))


@dataclass(frozen=True)
class _Unifier:
    """The uses of one block with their trees.

    `elastic` has trees with elastic repetitions if there are variants to join.
    """

    uses: Sequence[Use]
    trees: Sequence[Tree]
    elastic: Sequence[Tree]
    taken: Collection[str]
    attributes: Collection[str]

    def definitions(self, groups: Sequence[tuple[int, ...]]) -> list[Definition]:
        """A definition for each group, or one for several groups if some lack statements that others have."""
        rest = sorted(groups, key=lambda numbers: -len(statements(self.trees[numbers[0]])))
        found = []
        while rest:
            numbers = rest.pop(0)
            try:
                definition = self._define(numbers, self._plain(numbers))
            except Unsettled:
                exact = _groups([self.trees[number].shape for number in numbers])
                rest[:0] = [tuple(numbers[at] for at in each) for each in exact]
                continue
            for other in list(rest):
                both = tuple(sorted((*numbers, *other)))
                if (joined := self._with_options(both)) is not None:
                    numbers, definition = both, joined
                    rest.remove(other)
            found.append(definition)
        return found

    def _plain(self, numbers: Sequence[int]) -> Tree:
        own = [self.trees[number] for number in numbers]
        if len({each.shape for each in own}) > 1:
            return settled(_merged([self.elastic[number] for number in numbers]))
        return fold(_merged(own))

    def _with_options(self, numbers: tuple[int, ...]) -> Definition | None:
        """One definition for uses of several shapes, if they differ only in missing statements."""
        chosen = [(self.elastic or self.trees)[number] for number in numbers]
        longest = self.uses[max(numbers, key=lambda number: len(statements(self.trees[number])))]
        try:
            tree = optional(chosen, lambda row: self._condition(longest, numbers, row), longest.later)
            if tree is None:
                return None
            return self._define(numbers, settled(tree) if self.elastic else fold(tree), longest)
        except Unsettled:
            return None

    def _condition(self, longest: Use, numbers: Sequence[int], row: Sequence[bool]) -> str:
        """The name of a condition: by the members that are missing in the uses in which it is false.

        Raises:
            Unsettled: they lack nothing that has a name.
        """
        without = [self.uses[number] for number, has in zip(numbers, row, strict=True) if not has]
        lacking = [use.members for use in without]
        names = [each for each in longest.members if all(each not in members for members in lacking)]
        roles = {longest.roles.get(each, "") for each in names}
        if len(roles) == 1 and (role := roles.pop()):
            return role
        others = [each for members in lacking for each in members]
        more = _beyond(longest.members, others)
        if more is None and any(each not in use.pads for each in longest.pads for use in without):
            return PAD
        if more is None:
            raise Unsettled
        return f"with_{more}"

    def _define(self, numbers: tuple[int, ...], tree: Tree, longest: Use | None = None) -> Definition:
        uses = [self.uses[number] for number in numbers]
        own = [self.trees[number] for number in numbers]
        found = _define(uses, own, numbers, tree, self.taken, self.attributes)
        return found if longest is None else replace(found, members=longest.members)


def _in_order(found: Sequence[Definition]) -> tuple[Definition, ...]:
    return tuple(sorted(found, key=lambda each: (-len(each.uses), each.uses)))


def _merged(trees: Sequence[Tree]) -> Tree:
    return trees[0].merged(trees)


def _groups(shapes: Sequence[Hashable]) -> list[tuple[int, ...]]:
    """The numbers of the items of each shape."""
    groups: dict[Hashable, list[int]] = {}
    for number, each in enumerate(shapes):
        groups.setdefault(each, []).append(number)
    return [tuple(numbers) for numbers in groups.values()]


def _elastic(trees: Sequence[Tree], groups: Sequence[tuple[int, ...]]) -> list[Tree]:
    """The trees of the uses with runs that may have another length in another use.

    Each use is folded by itself, or all that have one shape together: whichever leaves fewer shapes.
    """
    alone = [fold(each, elastic=True) for each in trees]
    together = list(alone)
    for numbers in groups:
        folded = fold(_merged([trees[number] for number in numbers]), elastic=True)
        for at, number in enumerate(numbers):
            together[number] = folded.only(at)
    longest = max(range(len(trees)), key=lambda number: sum(1 for _ in trees[number].holes()))
    candidates = [[stretched(each, row[longest]) or each for each in row] for row in (alone, together)]
    return min(candidates, key=lambda row: len({each.shape for each in row}))


def _joined(exact: list[tuple[int, ...]], loose: Sequence[Hashable]) -> list[tuple[int, ...]]:
    """The groups, joined if they are equal except for the number of repetitions."""
    shapes = [{loose[number] for number in numbers} for numbers in exact]
    keys = [each.pop() if len(each) == 1 else at for at, each in enumerate(shapes)]
    return [tuple(sorted(number for at in together for number in exact[at])) for together in _groups(keys)]


def variant_names(stem: str, variants: Sequence[Definition]) -> tuple[str, ...]:
    """A name for each variant.

    The first has the plain name; others are named by what they add, by an argument, by what they lack, or by a trait.
    """
    first = variants[0]
    names = [stem]
    for variant in variants[1:]:
        more = _beyond(variant.members, first.members)
        less = _beyond(first.members, variant.members)
        called = _distinction(variant, variants, lambda each: each.known)
        other = called or _distinction(variant, variants, lambda each: each.traits)
        if more:
            name = f"{stem}_with_{more}"
        elif called:
            name = f"{stem}_{called}"
        else:
            name = f"{stem}_without_{less}" if less else stem
        if name in names and other:
            name = f"{stem}_{other}"
        names.append(_unused(name, names))
    return tuple(names)


def _beyond(members: Sequence[str], others: Sequence[str]) -> str | None:
    """The first member that the others do not have; without its number if it is the only one of its kind."""
    for name in members:
        if name not in others:
            kind = name.rstrip("0123456789")
            alike = [each for each in {*members, *others} if each.rstrip("0123456789") == kind]
            return kind if kind and len(alike) == 1 else name
    return None


def _unused(name: str, names: Sequence[str]) -> str:
    """The name, numbered if it is taken: `unit_variant2`, `unit_with_conv3_variant2`."""
    number, plain = 2, name
    while name in names:
        # Not `unit2`, which is the name of the second layer of this kind.
        name = f"{plain}_variant{number}"
        number += 1
    return name


def _distinction(
    variant: Definition,
    variants: Sequence[Definition],
    told: Callable[[Definition], Mapping[str, LiteralRow]],
) -> str | None:
    """What all uses of the variant have and no other use has: `stride2`; or two such: `filters8_stride2`.

    If there are several, one that does not vary among the other variants. `told` returns the arguments, or the traits,
    of a definition.
    """
    fixed = {
        name: values[0] for name, values in told(variant).items() if name != COMING_IN and len({*values}) == 1
    }
    plain: dict[str, int | str] = {
        name: value
        for name, value in fixed.items()
        if (isinstance(value, int) and value >= 0) or (isinstance(value, str) and value.isidentifier())
    }
    others = [
        dict(zip(told(each), row, strict=True))
        for each in variants
        if each is not variant
        for row in zip(*told(each).values(), strict=True)
    ]
    for count in (1, 2):
        found = [
            (len({tuple(row.get(name) for name in names) for row in others}), names)
            for names in combinations(plain, count)
            if all(any(row.get(name) != plain[name] for name in names) for row in others)
        ]
        if found:
            _, names = min(found, key=lambda each: each[0])
            return "_".join(_said(name, plain[name]) for name in names)
    return None


def _said(name: str, value: int | str) -> str:
    """An argument in the name of a variant: `stride2`, `wide`, `without_bias`, `backward`."""
    if isinstance(value, str):
        return f"without_{name}" if value == "none" else value
    if isinstance(value, bool):
        return name if value else f"without_{name}"
    return f"{camel(name).lower()}{value}"


def _define(
    uses: Sequence[Use],
    own: Sequence[Tree],
    numbers: tuple[int, ...],
    folded: Tree,
    taken: Collection[str],
    attributes: Collection[str],
) -> Definition:
    folded = returning(folded)
    known = _together([use.known for use in uses])
    given = _together([use.given for use in uses])
    members = {name for use in uses for name in use.members}
    naming, lines = _naming(known, given, taken, folded, {*attributes, *members})
    for number, use in enumerate(uses):
        arguments = {name: values[number] for name, values in given.items()}
        arguments |= {each.name: each.values[number] for each in naming.parameters}
        _check(use.place, own[number], folded, naming, arguments)
    kept = tuple((attribute, name) for name, attribute in naming.kept.items())
    parameters, used = tuple(_ordered(naming)), frozenset(naming.used)
    traits = _together([use.traits for use in uses])
    return Definition(parameters, lines, numbers, uses[0].members, known, kept, used, traits)


def _check(
    place: str, own: Tree, folded: Tree, naming: Naming, arguments: Mapping[str, LiteralValue]
) -> None:
    """Check that a definition reproduces the literals of one use."""
    made: dict[Hole, LiteralValue] = {}

    def value(hole: Hole) -> LiteralValue:
        if hole not in made:
            made[hole] = naming.expression(hole).at(arguments)
        return made[hole]

    back, wanted = folded.values(value), own.values(lambda hole: hole.row[0])
    if len(back) != len(wanted) or not all(map(same, back, wanted)):
        raise WrongFold(f"{place}: {wanted!r} comes back as {back!r}")


def _naming(
    known: Mapping[str, LiteralRow],
    given: Mapping[str, LiteralRow],
    taken: Collection[str],
    folded: Tree,
    attributes: Collection[str],
) -> tuple[Naming, tuple[Text, ...]]:
    """The naming with the fewest parameters, and the text with it.

    It is one without the input channels, if the block's arguments determine them.
    """
    own = {name: values for name, values in known.items() if name != COMING_IN}
    if own and own != known:
        try:
            without, lines = _settled(Naming(own, given, taken, plain=True, attributes=attributes), folded)
        except Unsettled:  # What only some uses have may need the input channels.
            return _settled(Naming(known, given, taken, attributes=attributes), folded)
        if all(each.known or not each.channels for each in without.parameters):
            return without, lines
    return _settled(Naming(known, given, taken, attributes=attributes), folded)


def _settled(naming: Naming, folded: Tree) -> tuple[Naming, tuple[Text, ...]]:
    """The same naming, but arguments that are not used do not reserve their names, and factors are known.

    The text with it is the second part.
    """
    lines = tuple(Pen(naming.expression).lines(folded))
    needed = {each.name for each in naming.parameters if each.known}
    known = {name: row for name, row in naming.known.items() if naming.spelling[name] in needed}
    factors = frozenset(naming.multiplied - {COMING_IN})
    reserved = [naming.spelling[name].strip("_") for name in naming.known if name not in known]
    fresh = [each.name.strip("_") for each in naming.parameters if not each.known]
    if not factors and not any(name.startswith(each) for name in fresh for each in reserved):
        return naming, lines  # it would be the same again
    freed = Naming(known, naming.given, naming.taken, naming.plain, naming.attributes, factors=factors)
    return freed, tuple(Pen(freed.expression).lines(folded))


def _together(rows: Sequence[Mapping[str, LiteralValue]]) -> dict[str, LiteralRow]:
    return {name: tuple(row[name] for row in rows) for name in rows[0] if all(name in row for row in rows)}


def _ordered(naming: Naming) -> list[TextParameter]:
    """The parameters in order: input channels, the arguments of the block, then the rest; those with defaults last."""
    order = [COMING_IN, *naming.spelling.values()]

    def rank(each: TextParameter) -> tuple[bool, bool, int]:
        position = order.index(each.name) if each.name in order else len(order)
        return (each.default is not None, not each.known, position)

    return sorted(naming.parameters, key=rank)
