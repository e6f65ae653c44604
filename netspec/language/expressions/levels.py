"""The parser's state inside one pair of brackets: operands and pending operators."""

from __future__ import annotations

from dataclasses import field
from typing import Literal as OneOf
from typing import NamedTuple

from netspec.dataclass import dataclass
from netspec.language.expressions.faults import Faults
from netspec.language.expressions.tokens import Token
from netspec.language.expressions.tree import Binary, Chain, Choice, ExpressionNode, NamePath, Prefix

BracketKind = OneOf["whole", "group", "list", "call", "index"]
"""The purpose of a pair of brackets; the whole text has none."""

# The precedence of operators; a larger number binds tighter.
_OR, _AND, NOT, _COMPARE = 1, 2, 3, 4
UNARY, _POWER = 11, 12
BINDING = {
    "or": _OR,
    "and": _AND,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), _COMPARE),
    "|": 5,
    "^": 6,
    "&": 7,
    **dict.fromkeys(("<<", ">>"), 8),
    **dict.fromkeys(("+", "-"), 9),
    **dict.fromkeys(("*", "/", "//", "%", "@"), 10),
    "**": _POWER,
}
PREFIXES = {"-": UNARY, "+": UNARY, "~": UNARY, "not": NOT}


class Operand(NamedTuple):
    """A parsed part, with its columns, including brackets around it."""

    node: ExpressionNode
    start: int
    end: int
    grouped: bool = False


class Operator(NamedTuple):
    """A pending operator, without its right operand."""

    sign: str
    binding: int
    start: int
    prefix: bool


@dataclass(slots=True)
class Level:
    """The parsed part of the content of one pair of brackets. The outermost level has no brackets.

    `head` is the called function or the indexed list. `items` are the parts before the last comma; `values` and
    `conditions` belong to choices without their `else` yet. `named` and `starred` are the start of an argument with a
    name or a star, `assigned` that of an assignment, `sliced` that of a slice.
    """

    kind: BracketKind
    opener: Token
    faults: Faults
    head: Operand | None = None
    items: list[Operand] = field(default_factory=list)
    comma: bool = False
    operands: list[Operand] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)
    values: list[Operand] = field(default_factory=list)
    conditions: list[Operand] = field(default_factory=list)
    named: int | None = None
    starred: int | None = None
    assigned: int | None = None
    sliced: int | None = None

    @property
    def fresh(self) -> bool:
        """Whether the part after the last comma is empty so far."""
        return not (self.operands or self.operators or self.values)

    def is_lone_name(self) -> bool:
        """Whether the part after the last comma is a single name so far."""
        lone = len(self.operands) == 1 and not self.operators and not self.values
        return lone and isinstance(self.operands[0].node, NamePath) and len(self.operands[0].node.steps) == 1

    def reduce(self, binding: int = 0) -> None:
        """Apply the pending operators with at least this precedence."""
        while self.operators and self.operators[-1].binding >= binding:
            operator = self.operators.pop()
            right = self.operands.pop()
            if operator.prefix:
                found = self._prefixed(operator, right)
            else:
                found = self._combined(operator, self.operands.pop(), right)
            self.operands.append(found)

    def _prefixed(self, operator: Operator, operand: Operand) -> Operand:
        self.faults.sign(operator.sign, operator.start, operand.end)
        node = Prefix(operator.start, operand.end, operator.sign, operand.node)
        return Operand(node, operator.start, operand.end)

    def _combined(self, operator: Operator, left: Operand, right: Operand) -> Operand:
        start, end = left.start, right.end
        self.faults.sign(operator.sign, start, end)
        if operator.binding > _COMPARE:
            return Operand(Binary(start, end, operator.sign, left.node, right.node), start, end)
        node = left.node
        signs: tuple[str, ...] = ()
        operands: tuple[ExpressionNode, ...] = (node,)
        if isinstance(node, Chain) and not left.grouped and BINDING[node.signs[0]] == operator.binding:
            signs, operands = node.signs, node.operands
        chain = Chain(start, end, (*signs, operator.sign), (*operands, right.node))
        return Operand(chain, start, end)

    def reduced(self) -> Operand:
        """The parsed part, without the choices around it."""
        self.reduce()
        return self.operands.pop()

    def part(self) -> Operand:
        """The whole part up to a comma or a bracket, including its choices."""
        found = self.reduced()
        if len(self.values) > len(self.conditions):
            self.faults.no_else(self.values[-1].start)
        while self.values:
            value, condition = self.values.pop(), self.conditions.pop()
            node = Choice(value.start, found.end, value.node, condition.node, found.node)
            found = Operand(node, value.start, found.end)
        self._note_argument(found.end)
        return found

    def _note_argument(self, end: int) -> None:
        """Record an argument with a name or a star, or an assignment."""
        if self.starred is not None:
            self.faults.more("this", self.starred, end)
        if self.assigned is not None:
            self.faults.more("an assignment", self.assigned, end)
        if self.named is not None and self.head is not None:
            self.faults.named(self.head.start, self.head.end, self.named, end)
        self.starred = self.assigned = self.named = None
