"""Parses the inside of `${…}`: tokens → tree. Whatever is more than arithmetic is refused, before any value is known.

There is no recursion: brackets that are open stand on a list, each with the operands and operators in it that wait
for what follows. A construct that is read but refused (a list, a shift, a call of another function) is noted, and
told once the whole text is known to be readable: the outermost first.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import field
from functools import lru_cache
from typing import Literal as OneOf
from typing import NamedTuple, NoReturn

from netspec.dataclass import dataclass
from netspec.diagnostics import Code
from netspec.diagnostics.codes import expressions as codes
from netspec.language.expressions.refusal import Refusal
from netspec.language.expressions.tokens import Token, tokens
from netspec.language.expressions.tree import (
    Application,
    Binary,
    Chain,
    Choice,
    Formula,
    Index,
    Literal,
    Name,
    Node,
    Prefix,
    walk,
)
from netspec.ops.nearest import nearest
from netspec.types import LIMIT

DEPTH_LIMIT = 50
"""Parts of an expression that may lie inside each other, and brackets that may be open at once."""

FUNCTIONS = ("min", "max", "ceil", "floor", "round", "len")

# How tightly an operator binds: the larger, the tighter.
_OR, _AND, _NOT, _COMPARE = 1, 2, 3, 4
_UNARY, _POWER = 11, 12
_BINDING = {
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
_PREFIXES = {"-": _UNARY, "+": _UNARY, "~": _UNARY, "not": _NOT}
_OPERATOR_NAMES = frozenset({"and", "or", "not", "if", "else"})
_BOOLEANS = {"True": True, "False": False}
_CLOSERS = {"(": ")", "[": "]"}

# Operators of Python that are no arithmetic here, and what to write instead.
_REFUSED_SIGNS = {
    "^": "a power is `**`",
    "&": "write `and`",
    "|": "write `or`",
    "~": "write `not`",
    "<<": None,
    ">>": None,
    "@": None,
}
# What no word in quotes holds: escapes, control characters, halves of surrogate pairs.
_NO_WORD = re.compile(r"[\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_TEXT_PREFIX = re.compile("[bfru]|[bf]r|r[bf]", re.IGNORECASE)

_LIST_ADVICE = "make the list a parameter, and index it here"

# What somebody means by a sign that an expression does not have: patterns, the first that is found counts.
_HINTS = {
    "&&": "write `and`",
    r"\|\|": "write `or`",
    r"\?": "a choice is `a if c else b`",
    r"!(?!=)": "write `not`; unequal is `!=`",
    r"\$": "inside `${…}` a name stands without `$`",
    "−": "write a plain `-`",
    "–": "write a plain `-`",
    "×": "write `*`",
    "·": "write `*`",
    "÷": "write `/`",
    "≤": "write `<=`",
    "≥": "write `>=`",
    "≠": "write `!=`",
    "#": "a comment stands outside the expression",
    r"\\": "there are no escapes here",
    r"(?<![=!<>])=(?!=)": "equal is `==`",
    " in ": "`in` is the tensor that the item receives",
}

# How other languages' functions are written.
_OTHER_FUNCTIONS = {
    "sqrt": "a root is a power: `x ** 0.5`",
    "pow": "a power is `x ** y`",
    "abs": "write `max(x, -x)`",
    "int": "write `floor(x)`",
    "trunc": "write `floor(x)`",
    "ceildiv": "write `ceil(a / b)`",
    "cdiv": "write `ceil(a / b)`",
    "sum": "write the sum: `a + b`",
    "prod": "write the product: `a * b`",
    "mod": "write `a % b`",
    "divmod": "write `a // b` and `a % b`",
    "size": "write `len(x)`",
    "length": "write `len(x)`",
}


@lru_cache(maxsize=4096)
def parse(text: str) -> Formula | Refusal:
    """The formula in the text between the braces, or what is wrong with it."""
    flat = re.sub(r"\s", " ", text)
    if not flat.strip():
        message = "there is nothing to calculate"
        return Refusal(codes.EXPRESSION_SYNTAX, message, 0, len(text), "write `${name}`")
    try:
        return _Parser(flat).formula()
    except Refusal as refusal:
        return refusal.with_traceback(None)  # it is kept, and its frames need not be


class _Operand(NamedTuple):
    """A part that is read, with its columns, brackets around it included."""

    node: Node
    start: int
    end: int
    grouped: bool = False


class _Operator(NamedTuple):
    """An operator that waits for its right operand."""

    sign: str
    binding: int
    start: int
    prefix: bool


@dataclass(slots=True)
class _Level:
    """What stands inside one pair of brackets, as far as it is read. The outermost level has none.

    `head` is what is called or indexed. `items` are the parts before the last comma, `values` and `conditions`
    those of choices that wait for their `else`. `named` and `starred` start an argument that has a name or a star,
    `assigned` an assignment, `sliced` a part of a list.
    """

    kind: OneOf["whole", "group", "list", "call", "index"]
    opener: Token
    head: _Operand | None = None
    items: list[_Operand] = field(default_factory=list)
    comma: bool = False
    operands: list[_Operand] = field(default_factory=list)
    operators: list[_Operator] = field(default_factory=list)
    values: list[_Operand] = field(default_factory=list)
    conditions: list[_Operand] = field(default_factory=list)
    named: int | None = None
    starred: int | None = None
    assigned: int | None = None
    sliced: int | None = None

    @property
    def fresh(self) -> bool:
        """Whether the part after the last comma has not begun."""
        return not (self.operands or self.operators or self.values)


class _Parser:
    """Reads one expression from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.at = 0
        self.levels = [_Level("whole", self.tokens[0])]
        self.noted: list[tuple[int, int, int, Refusal]] = []
        self.wants_operand = True

    def formula(self) -> Formula:
        """The whole. Raises Refusal."""
        while (token := self.tokens[self.at]).kind != "end":
            self.at += 1
            (self._operand if self.wants_operand else self._operator)(token)
        root = self._whole(token)
        if self.noted:
            raise min(self.noted, key=lambda each: each[:3])[3]
        for node, depth in walk(root):
            if depth > DEPTH_LIMIT:
                message = f"this expression is nested more than {DEPTH_LIMIT} deep"
                raise Refusal(
                    codes.EXPRESSION_TOO_LONG, message, node.start, node.end, "use parameters for its parts"
                )
        return Formula(root, self.text)

    @property
    def level(self) -> _Level:
        return self.levels[-1]

    # Where a value belongs

    def _operand(self, token: Token) -> None:
        if token.kind == "number":
            self._number(token)
        elif token.kind == "word":
            if (wrong := _NO_WORD.search(token.text)) is not None:
                self._unreadable(token.start + wrong.start())
            self._push(Literal(token.start, token.end, token.text[1:-1]))
        elif token.kind == "name":
            self._name(token)
        elif token.text in _PREFIXES:
            self.level.operators.append(_Operator(token.text, _UNARY, token.start, prefix=True))
        elif token.text in _CLOSERS:
            self._open("group" if token.text == "(" else "list", token, None)
        elif token.text == "...":
            self._push(Literal(token.start, token.end, 0))
            self._note_strange(token.start, token.end)
        elif token.text in ("*", "**") and self.level.kind == "call" and self.level.fresh:
            self.level.starred = token.start
        elif token.text == ":" and self.level.kind == "index" and self.level.fresh:
            self._slice(token)
        elif token.text in _CLOSERS.values() and self.level.fresh and self._may_end():
            self._close(token)
        else:
            self._unreadable(token.start, token)

    def _number(self, token: Token) -> None:
        text = token.text.lower()
        if not re.match(r"0[xob]", text) and re.search(r"[.e]", text):
            value: int | float = float(text)
        elif re.match(r"0[0-9_]*[1-9]", text):
            self._unreadable(token.start)  # 012: Python's old way to write an octal number
        else:
            value = int(text, 0 if re.match(r"0[xob]", text) else 10)
        after = self.tokens[self.at]
        if after.text in ("j", "J") and after.start == token.end:
            self.at += 1
            self._note_strange(token.start, after.end)
        elif isinstance(value, int) and value >= LIMIT:
            message = "this number is too large; whole numbers stay below 2⁶³"
            self._note(codes.RESULT_TOO_LARGE, message, token.start, token.end)
        elif math.isinf(value):
            message = "this number is too large for a float"
            self._note(codes.NOT_A_NUMBER, message, token.start, token.end, "use a number below 1e308")
        self._push(Literal(token.start, token.end, value))

    def _name(self, token: Token) -> None:
        after = self.tokens[self.at]
        if token.text == "not":
            if any(each.binding > _NOT for each in self.level.operators):
                self._unreadable(token.start)
            self.level.operators.append(_Operator("not", _NOT, token.start, prefix=True))
        elif token.text in _OPERATOR_NAMES:
            self._unreadable(token.start)
        elif after.kind == "word" and after.start == token.end and _TEXT_PREFIX.fullmatch(token.text):
            self.at += 1  # f'…', b'…'
            self._push(Literal(token.start, after.end, ""))
            if "f" in token.text.lower():
                message = "a text with holes is no part of arithmetic"
                self._note(codes.NOT_ARITHMETIC, message, token.start, after.end)
            else:
                self._note_strange(token.start, after.end)
        elif token.text in _BOOLEANS:
            self._push(Literal(token.start, token.end, _BOOLEANS[token.text]))
        else:
            self._push(Name(token.start, token.end, (token.text,), token.end))

    def _may_end(self) -> bool:
        """Whether a bracket may close where a value could stand: nothing is in it, or a comma is before it."""
        level = self.level
        return level.sliced is not None or level.comma or level.kind != "index"

    def _push(self, node: Node) -> None:
        self.level.operands.append(_Operand(node, node.start, node.end))
        self.wants_operand = False

    def _open(
        self, kind: OneOf["group", "list", "call", "index"], token: Token, head: _Operand | None
    ) -> None:
        if len(self.levels) > DEPTH_LIMIT:
            message = f"this expression is nested more than {DEPTH_LIMIT} deep"
            advice = "use parameters for its parts"
            raise Refusal(codes.EXPRESSION_TOO_LONG, message, token.start, token.end, advice)
        self.levels.append(_Level(kind, token, head))
        self.wants_operand = True

    # Where an operator belongs, or the end of a part

    def _operator(self, token: Token) -> None:
        level = self.level
        if token.text in _BINDING and token.kind in ("sign", "name"):
            self._binary(token)
        elif token.text in ("if", "else") and token.kind == "name":
            self._choice(token)
        elif token.text == ".":
            self._attribute(token)
        elif token.text in _CLOSERS:
            self._open("call" if token.text == "(" else "index", token, level.operands.pop())
        elif token.text == ",":
            level.items.append(self._part())
            level.comma = self.wants_operand = True
        elif token.text in _CLOSERS.values():
            self._close(token)
        elif token.text == "=" and level.kind == "call" and self._is_lone_name():
            level.named = level.operands.pop().start
            self.wants_operand = True
        elif token.text == ":=" and self._is_lone_name():
            level.assigned = level.operands.pop().start
            self.wants_operand = True
        elif token.text == ":" and level.kind == "index":
            self._slice(token)
        else:
            self._unreadable(token.start, token)

    def _binary(self, token: Token) -> None:
        binding = _BINDING[token.text]
        # A power takes what follows first: 2 ** 3 ** 2 is 2 ** 9.
        self._reduce(binding if token.text != "**" else binding + 1)
        self.level.operators.append(_Operator(token.text, binding, token.start, prefix=False))
        self.wants_operand = True

    def _choice(self, token: Token) -> None:
        level = self.level
        waiting = len(level.values) > len(level.conditions)
        if waiting is (token.text == "if"):
            self._unreadable(token.start)
        (level.values if token.text == "if" else level.conditions).append(self._reduced())
        self.wants_operand = True

    def _attribute(self, token: Token) -> None:
        part = self.tokens[self.at]
        if part.kind != "name" or part.text in _OPERATOR_NAMES:
            self._unreadable(part.start, part) if part.kind != "end" else self._too_early(part)
        self.at += 1
        owner = self.level.operands.pop()
        steps = (*owner.node.steps, part.text) if isinstance(owner.node, Name) else ("", part.text)
        node = Name(owner.start, part.end, steps, owner.end)
        self.level.operands.append(_Operand(node, owner.start, part.end))
        of_block = steps[:2] == ("block", "in") and len(steps) <= 3
        if not of_block and not (steps[0] == "in" and len(steps) == 2):
            owner_text = self.text[owner.start : owner.end][:40]
            message = f"`{owner_text}` has no parts, so `.{part.text[:40]}` means nothing"
            advice = "only `in` and `block.in` have parts: `in.channels`"
            self._note(codes.ATTRIBUTE, message, owner.start, part.end, advice)

    def _slice(self, token: Token) -> None:
        level = self.level
        start = token.start if level.fresh else self._part().start
        level.sliced = start if level.sliced is None else level.sliced
        self.wants_operand = True

    def _is_lone_name(self) -> bool:
        level = self.level
        lone = len(level.operands) == 1 and not level.operators and not level.values
        return lone and isinstance(level.operands[0].node, Name) and len(level.operands[0].node.steps) == 1

    # Putting parts together

    def _reduce(self, binding: int = 0) -> None:
        """Apply the operators that bind at least so tightly to the operands before."""
        level = self.level
        while level.operators and level.operators[-1].binding >= binding:
            operator = level.operators.pop()
            right = level.operands.pop()
            if operator.prefix:
                found = self._prefixed(operator, right)
            else:
                found = self._combined(operator, level.operands.pop(), right)
            level.operands.append(found)

    def _prefixed(self, operator: _Operator, operand: _Operand) -> _Operand:
        self._note_sign(operator.sign, operator.start, operand.end)
        node = Prefix(operator.start, operand.end, operator.sign, operand.node)
        return _Operand(node, operator.start, operand.end)

    def _combined(self, operator: _Operator, left: _Operand, right: _Operand) -> _Operand:
        start, end = left.start, right.end
        self._note_sign(operator.sign, start, end)
        if operator.binding > _COMPARE:
            return _Operand(Binary(start, end, operator.sign, left.node, right.node), start, end)
        node = left.node
        goes_on = isinstance(node, Chain) and not left.grouped and _BINDING[node.signs[0]] == operator.binding
        signs, operands = (
            (node.signs, node.operands) if goes_on and isinstance(node, Chain) else ((), (node,))
        )
        chain = Chain(start, end, (*signs, operator.sign), (*operands, right.node))
        return _Operand(chain, start, end)

    def _reduced(self) -> _Operand:
        """The part that is read, without the choices around it."""
        self._reduce()
        return self.level.operands.pop()

    def _part(self) -> _Operand:
        """The whole part up to a comma or a bracket, its choices put together."""
        level = self.level
        found = self._reduced()
        if len(level.values) > len(level.conditions):
            start = level.values[-1].start
            message = "this choice has no `else`"
            raise Refusal(codes.EXPRESSION_SYNTAX, message, start, start + 1, "write `a if c else b`")
        while level.values:
            value, condition = level.values.pop(), level.conditions.pop()
            node = Choice(value.start, found.end, value.node, condition.node, found.node)
            found = _Operand(node, value.start, found.end)
        self._note_argument(found.end)
        return found

    def _note_argument(self, end: int) -> None:
        """Note what is no plain value: an argument with a name or a star, an assignment."""
        level = self.level
        if level.starred is not None:
            self._note(codes.NOT_ARITHMETIC, "this is no part of arithmetic", level.starred, end)
        if level.assigned is not None:
            message = "an assignment is no part of arithmetic"
            self._note(codes.NOT_ARITHMETIC, message, level.assigned, end)
        if level.named is not None and level.head is not None:
            function = self.text[level.head.start : level.head.end][:40]
            message = f"`{function}` takes plain values, and none by name"
            advice = f"write the values in order: `{function}(a, b)`"
            self._note(codes.CALL, message, level.named, end, advice)
        level.starred = level.assigned = level.named = None

    def _close(self, token: Token) -> None:
        level = self.level
        if level.kind == "whole" or _CLOSERS[level.opener.text] != token.text:
            self._unreadable(token.start, token)
        if not self.wants_operand:
            level.items.append(self._part())
        elif any(each is not None for each in (level.starred, level.named, level.assigned)):
            self._unreadable(token.start, token)
        self.levels.pop()
        self.level.operands.append(_BUILD[level.kind](self, level, token))
        self.wants_operand = False

    def _grouped(self, level: _Level, token: Token) -> _Operand:
        start, end = level.opener.start, token.end
        if len(level.items) != 1 or level.comma:
            self._note_list(start, end)
            return _Operand(Literal(start, end, 0), start, end)
        return _Operand(level.items[0].node, start, end, grouped=True)

    def _listed(self, level: _Level, token: Token) -> _Operand:
        start, end = level.opener.start, token.end
        self._note_list(start, end)
        return _Operand(Literal(start, end, 0), start, end)

    def _called(self, level: _Level, token: Token) -> _Operand:
        assert level.head is not None
        start, end = level.head.start, token.end
        head = level.head.node
        name = head.path if isinstance(head, Name) and len(head.steps) == 1 else ""
        if name not in FUNCTIONS:
            source = self.text[level.head.start : level.head.end]
            near = nearest(name, FUNCTIONS)
            other = _OTHER_FUNCTIONS.get(source.rpartition(".")[2])
            known = other or "the functions are " + ", ".join(FUNCTIONS)
            refusal = Refusal(
                codes.CALL,
                f"`{source[:40]}` is no function of expressions",
                level.head.start,
                level.head.end,
                f"did you mean `{near}`?" if near and not other else known,
            )
            self._keep(refusal, start, end)
        return _Operand(Application(start, end, name, tuple(each.node for each in level.items)), start, end)

    def _indexed(self, level: _Level, token: Token) -> _Operand:
        assert level.head is not None
        start, end = level.head.start, token.end
        if level.sliced is not None:
            message = "a part of a list is no part of arithmetic"
            self._note(codes.NOT_ARITHMETIC, message, level.sliced, self.tokens[self.at - 2].end)
        elif level.comma:
            self._note_list(level.items[0].start, self.tokens[self.at - 2].end)
        at = level.items[0].node if level.items else Literal(start, end, 0)
        return _Operand(Index(start, end, level.head.node, at), start, end)

    def _whole(self, token: Token) -> Node:
        """The tree of the whole text, at whose end `token` stands."""
        level = self.level
        if len(self.levels) > 1:
            start = level.opener.start
            message = f"the bracket `{level.opener.text}` is not closed"
            self._syntax(message, start, self._hint())
        if self.wants_operand and not (level.comma and level.fresh):
            self._too_early(token)
        if not self.wants_operand:
            level.items.append(self._part())
        if level.comma:
            self._note_list(level.items[0].start, token.end)
        return level.items[0].node

    # What is wrong

    def _note(self, code: Code, message: str, start: int, end: int, help: str | None = None) -> None:
        self._keep(Refusal(code, message, start, end, help), start, end)

    def _keep(self, refusal: Refusal, start: int, end: int) -> None:
        """Note a refusal of the part with these columns; of equal ones the later is further out."""
        self.noted.append((start, -end, -len(self.noted), refusal))

    def _note_sign(self, sign: str, start: int, end: int) -> None:
        if sign in _REFUSED_SIGNS:
            message = f"`{sign}` is no part of arithmetic"
            self._note(codes.NOT_ARITHMETIC, message, start, end, _REFUSED_SIGNS[sign])

    def _note_list(self, start: int, end: int) -> None:
        self._note(codes.NOT_ARITHMETIC, "a list is no part of arithmetic", start, end, _LIST_ADVICE)

    def _note_strange(self, start: int, end: int) -> None:
        message = "this is neither a number, nor a word in quotes, nor a boolean"
        self._note(codes.NOT_ARITHMETIC, message, start, end)

    def _hint(self) -> str | None:
        return next((hint for sign, hint in _HINTS.items() if re.search(sign, self.text)), None)

    def _unreadable(self, column: int, token: Token | None = None) -> NoReturn:
        if token is not None and token.kind == "unclosed":
            self._syntax("the quote that opens here is not closed", column, self._hint())
        rest, advice = self.text[column:].strip(), self._hint()
        if re.match(r"\.\d", rest):
            advice = "a value of a list is chosen with brackets: `[0]`"
        elif re.match(r"\w|\(", rest):
            advice = advice or "is an operator missing before it, as `*`?"
        self._syntax(f"this cannot be read from `{rest[:40]}` on", column, advice)

    def _too_early(self, token: Token) -> NoReturn:
        advice = self._hint() or f"something is missing behind `{self.text.split()[-1][-20:]}`"
        self._syntax("the expression ends too early", max(token.start - 1, 0), advice)

    def _syntax(self, message: str, column: int, help: str | None) -> NoReturn:
        raise Refusal(codes.EXPRESSION_SYNTAX, message, column, column + 1, help)


_BUILD: dict[str, Callable[[_Parser, _Level, Token], _Operand]] = {
    "group": _Parser._grouped,
    "list": _Parser._listed,
    "call": _Parser._called,
    "index": _Parser._indexed,
}
