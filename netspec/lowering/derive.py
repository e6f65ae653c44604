"""Finds the expression for a hole: a literal, a parameter of the block, or a simple expression of parameters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property, partial
from itertools import combinations, permutations
from operator import add, floordiv, mul, sub
from typing import Any

from netspec.dataclass import dataclass, replace
from netspec.lowering.names import free, numbered
from netspec.lowering.parts import literal
from netspec.lowering.tree import Flag, Hole, LiteralRow, LiteralValue, equal, same

# The factors and divisors of channels that are common in code written by hand.
FORMS = [("*", factor) for factor in (2, 3, 4, 6, 8)] + [("//", divisor) for divisor in (2, 4, 8, 16, 32, 3)]
WINDOW = frozenset({"kernel", "stride", "dilation", "padding"})
"""The settings of a window, which do not multiply channels."""
MOST_PARTS = 8
"""The most arguments of which sums are tried."""
KERNEL, PADDING = "kernel", "padding"
"""The hints of the two counts that often depend on each other."""
PAD = "pad"
"""The hint of the condition of a layer that only pads."""
OPERATORS: dict[str, Callable[[int, int], int]] = {"*": mul, "//": lambda divisor, value: value // divisor}


@dataclass(frozen=True, slots=True)
class Reference:
    """A parameter in an expression; with `owner`, it is an attribute of that object."""

    name: str
    owner: str = ""

    def __str__(self) -> str:
        return f"{self.owner}.{self.name}" if self.owner else self.name


@dataclass(frozen=True)
class Expression:
    """An expression: its text, and its value for given arguments.

    `parameter` is the parameter that determines it, if there is only one.
    """

    pieces: tuple[str | Reference, ...]
    at: Callable[[Mapping[str, LiteralValue]], LiteralValue]
    parameter: str | None = None

    @cached_property
    def text(self) -> str:
        return "".join(map(str, self.pieces))

    @property
    def bracketed(self) -> tuple[str | Reference, ...]:
        """The pieces as an operand of another expression."""
        return ("(", *self.pieces, ")") if " " in self.text else self.pieces

    @property
    def operand(self) -> str:
        """The text as an operand of another expression."""
        return f"({self.text})" if " " in self.text else self.text


@dataclass
class TextParameter:
    """A parameter of a definition, with its value in each use."""

    name: str
    values: LiteralRow
    channels: bool = False
    known: bool = False
    default: LiteralValue | None = None


class Unsettled(Exception):
    """A hole that only some uses have needs a parameter for which the other uses have no value."""


@dataclass
class Naming:
    """Finds the expressions for the holes of one definition, in the order of its text.

    It tries, in this order: a literal if all uses agree; a given expression; an argument of the block; a simple
    expression of arguments (for counts of channels, and for padding by half the kernel); a new parameter, named by the
    hint.
    """

    known: Mapping[str, LiteralRow]
    given: Mapping[str, LiteralRow]
    taken: Collection[str]
    plain: bool = False
    """Whether only multiples of parameters may be derived."""
    attributes: Collection[str] = ()
    """Names that no attribute may have."""
    kept: dict[str, str] = field(default_factory=dict)
    """For each parameter that is kept, the name of its attribute."""
    parameters: list[TextParameter] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    """The given expressions that the text uses."""
    chosen: dict[Hole, Expression] = field(default_factory=dict)
    kernels: dict[str, LiteralRow] = field(default_factory=dict)
    """The parameters that are sizes of kernels."""
    deciding: set[str] = field(default_factory=set)
    """The arguments that decide whether a use has a layer, as in `if drop > 0:`."""
    factors: frozenset[str] = frozenset()
    """The arguments by which the text multiplies counts of channels, as far as that is known before it is written."""
    multiplied: set[str] = field(default_factory=set)
    """The arguments by which it has multiplied them."""
    equal: dict[tuple[object, ...], Expression] = field(default_factory=dict)
    """The expressions so far, by the holes, and by how much was known when they were chosen."""

    def __post_init__(self) -> None:
        # The author's `class` is `class_` here.
        self.spelling = {name: free(name, self.taken) for name in self.known}

    def expression(self, hole: Hole) -> Expression:
        """The expression for a hole."""
        if hole not in self.chosen:
            self.chosen[hole] = self._keep(self._choose(hole)) if hole.kept else self._choose(hole)
        expression = self.chosen[hole]
        if hole.hint == KERNEL and hole.uses is None and expression.text == expression.parameter:
            self.kernels[expression.text] = hole.row
        if expression.parameter and hole.default is not None:
            mostly = isinstance(hole, Flag) and _mostly(hole.row)
            self._offer_default(expression.parameter, mostly or hole.default)
        return expression

    def _choose(self, hole: Hole) -> Expression:
        """The expression, which is the one of an equal hole unless more is known since."""
        if isinstance(hole, Flag):
            return self._first_choice(hole)
        known = tuple(map(len, (self.parameters, self.kernels, self.deciding, self.factors)))
        literals = repr(hole.row)  # True is not 1
        key = (literals, hole.hint, hole.channels, hole.counts, hole.kept, hole.uses, known)
        if key not in self.equal:
            self.equal[key] = self._first_choice(hole)
        return self.equal[key]

    def _first_choice(self, hole: Hole) -> Expression:
        if hole.uses is not None:
            return self._partial(hole)
        if hole.constant:
            return _constant(hole)
        for name, values in self._candidates(hole):
            if equal(values, hole.row):
                return self._name(name, values, hole)
        for name, values, at in self._elements():
            if equal(values, hole.row):
                return self._element(name, at)
        if (whole := self._tuple(hole)) is not None:
            return whole
        if isinstance(hole, Flag) and (condition := self._reason(hole)) is not None:
            return condition
        for expression in self._expressions(hole):
            return expression
        return self._fresh(hole)

    def _partial(self, hole: Hole) -> Expression:
        """The expression for a hole that only some uses have; it cannot be a new parameter.

        Raises:
            Unsettled: nothing else would do.
        """
        if hole.omitted:
            return _constant(hole)  # the text leaves it out, so that it must not make a parameter
        used = {each.name for each in self.parameters}
        fitting = [each for each in self._candidates(hole) if equal(_of(each[1], hole), hole.row)]
        for name, values in fitting:
            # `stride=stride`, where another layer has it, too, though it may be 2 in all these uses.
            if name == hole.hint and (hole.channels or self.spelling.get(name, name) in used):
                return self._name(name, values, hole)
        channels = {each.name for each in self.parameters if each.channels}
        for name, values in fitting if hole.channels else ():
            if self.spelling.get(name, name) in channels:
                return self._name(name, values, hole)
        for name, values in fitting:
            # `if drop > 0: nn.Dropout(drop)`, though it is the same rate in all uses that have the layer.
            decides = name in self.factors or all(isinstance(value, float) for value in hole.row)
            if name in self.deciding and decides and not hole.channels:
                return self._name(name, values, hole)
        for expression in self._products(hole, self.deciding) if hole.channels else ():
            return expression
        if hole.constant:
            return _constant(hole)
        for name, values in fitting:
            return self._name(name, values, hole)
        for expression in self._expressions(hole):
            return expression
        raise Unsettled(hole.hint)

    def _reason(self, flag: Flag) -> Expression | None:
        """The argument that decides whether a use has something, as far as the text shows that it does.

        A kernel or a stride of more than 1 needs padding, a factor of more than 1 the layer that widens, and a size of
        more than 1 the layer that takes it; what has other reasons has a name of its own.
        """
        for least in (0, 1):
            for name, values in self.known.items():
                numbers = [value for value in values if isinstance(value, int | float)]
                if len(numbers) < len(values) or not equal([number > least for number in numbers], flag.row):
                    continue
                if least and name not in WINDOW and any(self._follows(each, name) for each in flag.within):
                    self.factors |= {name}
                if not least or flag.hint == PAD or name in self.factors:
                    return self._condition(name, values, least)
        return None

    def _follows(self, hole: Hole, name: str) -> bool:
        """Whether a literal is an argument, or a count of channels that is a multiple by it."""
        numbers = _positive(_of(self.known[name], hole))
        if not numbers or not hole.channels:
            return bool(numbers) and equal(numbers, hole.row)
        rows = (_positive(_of(row, hole)) for each, row in self._bases() if each != name)
        return any(list(map(mul, numbers, row)) == [*hole.row] for row in rows if row)

    def _condition(self, name: str, values: LiteralRow, least: int) -> Expression:
        """`drop > 0`, or `stride > 1`."""
        self.deciding.add(name)
        whole = self._name(name, values, Hole(values, name))
        off = next((value for value in values if value == 0 and not isinstance(value, bool)), None)
        if off is not None and whole.parameter:
            self._offer_default(whole.parameter, off)

        def exceeds(arguments: Mapping[str, LiteralValue]) -> bool:
            value = whole.at(arguments)
            assert isinstance(value, int | float)
            return value > least

        return Expression((*whole.pieces, f" > {least}"), exceeds)

    def _expressions(self, hole: Hole) -> Iterator[Expression]:
        if hole.channels:
            yield from self._derived(hole)
        elif hole.counts and hole.uses is None:
            yield from self._fewer(hole.row)
        elif hole.hint == PADDING:
            yield from self._halves(hole)

    def _keep(self, expression: Expression) -> Expression:
        """The expression for a hole in a method where the parameters are not visible."""
        pieces = [each if isinstance(each, str) else self._attribute(each) for each in expression.pieces]
        return replace(expression, pieces=tuple(pieces))

    def _attribute(self, parameter: Reference) -> Reference:
        return Reference(self.kept.setdefault(parameter.name, free(parameter.name, self.attributes)), "self")

    def _candidates(self, hole: Hole) -> Iterator[tuple[str, LiteralRow]]:
        yield from self.given.items()
        yield from (item for item in self.known.items() if item[0] == hole.hint and not hole.channels)
        yield from self.known.items()
        yield from (
            (p.name, p.values) for p in self.parameters if not p.known and p.channels == hole.channels
        )

    def _tuple(self, hole: Hole) -> Expression | None:
        """An expression such as `(values, 10)` for a hole that is a tuple in every use and needs no new parameter."""
        rows = [value for value in hole.row if isinstance(value, tuple)]
        if len(rows) < len(hole.row) or len(set(map(len, rows))) > 1 or hole.kept:
            return None
        parts = [Hole(column, hole.hint) for column in zip(*rows, strict=True)]
        known = [values for _, values in self._candidates(Hole((), ""))]
        if not all(each.constant or any(equal(each.row, row) for row in known) for each in parts):
            return None
        inner = [self._choose(each) for each in parts]
        pieces = [piece for each in inner for piece in (*each.pieces, ", ")]
        end = ",)" if len(inner) == 1 else ")"
        return Expression(
            ("(", *pieces[:-1], end), lambda arguments: tuple(each.at(arguments) for each in inner)
        )

    def _elements(self) -> Iterator[tuple[str, LiteralRow, int]]:
        """The elements of the lists that are arguments of the block."""
        for name, rows in self.known.items():
            lists = [row for row in rows if isinstance(row, tuple)]
            for at in range(min(map(len, lists)) if len(lists) == len(rows) else 0):
                yield name, tuple(row[at] for row in lists), at

    def _element(self, name: str, at: int) -> Expression:
        whole = self._name(name, self.known[name], Hole(self.known[name], name))

        def element(arguments: Mapping[str, LiteralValue]) -> LiteralValue:
            row = whole.at(arguments)
            assert isinstance(row, tuple)
            return row[at]

        return Expression((*whole.pieces, f"[{at}]"), element, whole.parameter)

    def _name(self, name: str, values: LiteralRow, hole: Hole) -> Expression:
        if name in self.given:
            self.used.add(name)
            return Expression((name,), lambda arguments: arguments[name])
        if name in self.known:
            spelling = self.spelling[name]
            if all(each.name != spelling for each in self.parameters):
                self.parameters.append(TextParameter(spelling, values, hole.channels, known=True))
            name = spelling
        return Expression((Reference(name),), lambda arguments: arguments[name], name)

    def _fresh(self, hole: Hole) -> Expression:
        name = numbered(
            hole.hint, {*self.taken, *self.spelling.values(), *(each.name for each in self.parameters)}
        )
        self.parameters.append(TextParameter(name, hole.row, hole.channels))
        return Expression((Reference(name),), lambda arguments: arguments[name], name)

    def _offer_default(self, name: str, default: LiteralValue) -> None:
        for each in self.parameters:
            if each.name == name and any(same(value, default) for value in each.values):
                each.default = default

    def _derived(self, hole: Hole) -> Iterator[Expression]:
        """Simple expressions that have the values of a hole in every use that has it."""
        numbers = _positive(hole.row)
        rows = ((name, _of(row, hole)) for name, row in self._bases())
        bases = [(name, values) for name, row in rows if (values := _positive(row))]
        if not numbers:
            return
        yield from self._products(hole, self.known.keys())
        for name, values in bases:
            for sign, factor in FORMS:
                operator = OPERATORS[sign]
                if (sign != "*" and self.plain) or operator(factor, values[0]) != numbers[0]:
                    continue
                if [operator(factor, value) for value in values] == numbers:
                    yield self._join(sign, factor, name)
        if self.plain:
            return
        for sign, operator in (("+", add), ("*", mul), ("//", floordiv)):
            # The first use excludes most pairs.
            for (left, a), (right, b) in permutations(bases, 2):
                if operator(a[0], b[0]) == numbers[0] and list(map(operator, a, b)) == numbers:
                    yield self._product(left, right) if sign == "*" else self._join(sign, left, right)
        for (left, a), (right, b) in permutations(bases, 2):
            # Patches of so many positions along both axes become channels.
            squares = right in self.known and right not in {*self.kernels, *WINDOW}
            if squares and [count * size**2 for count, size in zip(a, b, strict=True)] == numbers:
                yield self._squared(left, right)
        for name, values in bases:
            more = {whole - part for whole, part in zip(numbers, values, strict=True)}
            if len(more) == 1 and min(more) > 0:
                yield self._join("+", name, min(more))
        yield from self._sums(hole)

    def _sums(self, hole: Hole) -> Iterator[Expression]:
        """The channels of a concatenation: the sum of elements of the block's lists, and of other arguments."""
        parts: list[tuple[Callable[[], Expression], LiteralRow]] = [
            (partial(self._element, name, at), _of(row, hole)) for name, row, at in self._elements()
        ]
        if not parts or len(set(hole.row)) < 2:
            return
        parts += [(partial(self._operand, name), _of(row, hole)) for name, row in self._bases()]
        parts = [(make, row) for make, row in parts if _positive(row)]
        if len(parts) > MOST_PARTS:
            return
        found = [
            some
            for count in range(2, len(parts) + 1)
            for some in combinations(parts, count)
            if list(map(sum, zip(*(_positive(row) for _, row in some), strict=True))) == [*hole.row]
        ]
        if len(found) == 1:  # more than one could be chance
            yield _sum([make() for make, _ in found[0]])

    def _fewer(self, wanted: LiteralRow) -> Iterator[Expression]:
        """Expressions for a count of repetitions that is a little less or more than a parameter."""
        numbers = [number for number in wanted if type(number) is int]  # with repetitions, there may be none
        for name, row in self._bases(every=True):
            less = {whole - part for whole, part in zip(_positive(row), numbers, strict=False)}
            if len(_positive(row)) == len(numbers) and len(less) == 1 and 0 < abs(min(less)) <= 2:
                by = less.pop()
                yield self._join("-" if by > 0 else "+", name, abs(by))

    def _halves(self, hole: Hole) -> Iterator[Expression]:
        """The padding that keeps the size: `kernel // 2`."""
        known = {KERNEL: self.known[KERNEL]} if KERNEL in self.known else {}
        for name, row in {**known, **self.kernels}.items():
            numbers = _positive(_of(row, hole))
            if numbers and equal([number // 2 for number in numbers], hole.row):
                yield self._join("//", name, 2)

    def _products(self, hole: Hole, among: Collection[str]) -> Iterator[Expression]:
        """Counts of channels times one of these arguments, which is a factor of others, too."""
        rows = {name: _positive(_of(row, hole)) for name, row in self._bases()}
        for name in sorted(self.factors.intersection(among)):
            for count, values in rows.items():
                if count != name and rows[name] and list(map(mul, rows[name], values)) == [*hole.row]:
                    yield self._product(name, count)

    def _product(self, left: str, right: str) -> Expression:
        self.multiplied |= {left, right} & self.known.keys()
        return self._join("*", left, right)

    def _squared(self, left: str, right: str) -> Expression:
        self.multiplied.add(right)
        count, size = self._operand(left), self._operand(right)

        def product(arguments: Mapping[str, LiteralValue]) -> LiteralValue:
            many, by = count.at(arguments), size.at(arguments)
            assert isinstance(many, int)
            assert isinstance(by, int)
            return many * by**2

        return Expression((*count.bracketed, " * ", *size.bracketed, "**2"), product)

    def _join(self, sign: str, left: str | int, right: str | int) -> Expression:
        if sign == "//" and isinstance(left, int):
            left, right = right, left
        first, second = self._operand(left), self._operand(right)
        operator: Any = {"+": add, "-": sub, "*": mul, "//": floordiv}[sign]
        return Expression(
            (*first.bracketed, f" {sign} ", *second.bracketed),
            lambda arguments: operator(first.at(arguments), second.at(arguments)),
        )

    def _operand(self, what: str | int) -> Expression:
        if isinstance(what, int):
            return Expression((str(what),), lambda _: what)
        values = {**dict(self._bases(every=True)), **self.kernels}[what]
        return self._name(what, values, Hole(values, what, channels=True))

    def _bases(self, every: bool = False) -> Iterator[tuple[str, LiteralRow]]:
        # The most natural expression comes first.
        yield from self.given.items()
        yield from self.known.items()
        own = (each for each in self.parameters if not each.known)
        yield from ((each.name, each.values) for each in own if every or each.channels)


def _sum(parts: Sequence[Expression]) -> Expression:
    pieces = [piece for each in parts for piece in (" + ", *each.pieces)]

    def total(arguments: Mapping[str, LiteralValue]) -> LiteralValue:
        values = [each.at(arguments) for each in parts]
        numbers = [value for value in values if isinstance(value, int)]
        assert len(numbers) == len(values)
        return sum(numbers)

    return Expression(tuple(pieces[1:]), total)


def _constant(hole: Hole) -> Expression:
    """The value that all uses share."""
    value = hole.row[0]
    return Expression((literal(value),), lambda _: value)


def _of(values: LiteralRow, hole: Hole) -> LiteralRow:
    """The values in the uses that have the hole."""
    return values if hole.uses is None else tuple(values[use] for use in hole.uses)


def _mostly(row: LiteralRow) -> bool:
    """Whether most values are true."""
    return 2 * sum(value is True for value in row) > len(row)


def _positive(values: LiteralRow) -> list[int]:
    """The values if all are counts, else an empty list."""
    numbers = [value for value in values if type(value) is int and value > 0]
    return numbers if len(numbers) == len(values) else []
