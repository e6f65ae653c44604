"""Parses the inside of `${…}`: tokens → tree. Everything that is not arithmetic is refused, without using values.

The parser does not recurse: a stack has the open brackets, each with its pending operands and operators. A construct
that can be parsed but is refused (a list, a shift, a call of another function) is recorded, and reported after the
whole text is parsed: the outermost first.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import lru_cache

from netspec.diagnostics.codes import expressions as codes
from netspec.language.expressions.faults import FUNCTIONS, Faults
from netspec.language.expressions.levels import (
    BINDING,
    NOT,
    PREFIXES,
    UNARY,
    BracketKind,
    Level,
    Operand,
    Operator,
)
from netspec.language.expressions.names import PROPERTIES
from netspec.language.expressions.refusal import Refusal
from netspec.language.expressions.tokens import Token, tokens
from netspec.language.expressions.tree import (
    Application,
    ExpressionNode,
    Formula,
    Literal,
    NamePath,
    Subscript,
    walk,
)
from netspec.types import LIMIT

DEPTH_LIMIT = 50
"""The limit of nested parts of an expression, and of open brackets."""

_OPERATOR_NAMES = frozenset({"and", "or", "not", "if", "else"})
_BOOLEANS = {"True": True, "False": False}
_CLOSERS = {"(": ")", "[": "]"}

# Characters that a quoted word cannot contain: escapes, control characters, halves of surrogate pairs.
_NO_WORD = r"[\\\x00-\x1f\x7f-\x9f\ud800-\udfff]"
_TEXT_PREFIX = "(?i)[bfru]|[bf]r|r[bf]"


@lru_cache(maxsize=4096)
def parse(text: str) -> Formula | Refusal:
    """The formula in the text between the braces, or a refusal."""
    flat = re.sub(r"\s", " ", text)
    if not flat.strip():
        message = "the expression is empty"
        return Refusal(codes.EXPRESSION_SYNTAX, message, 0, len(text), "write `${name}`")
    try:
        return _Parser(flat).formula()
    except Refusal as refusal:
        return refusal.with_traceback(None)  # the refusal is kept, but not its frames


class _Parser:
    """Parses one expression from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.at = 0
        self.faults = Faults(text)
        self.levels = [Level("whole", self.tokens[0], self.faults)]
        self.wants_operand = True

    def formula(self) -> Formula:
        """The tree of the whole expression. Raises Refusal."""
        while (token := self.tokens[self.at]).kind != "end":
            self.at += 1
            (self._operand if self.wants_operand else self._operator)(token)
        root = self._whole(token)
        self.faults.tell()
        for node, depth in walk(root):
            if depth > DEPTH_LIMIT:
                message = f"this expression is nested more than {DEPTH_LIMIT} deep"
                raise Refusal(
                    codes.EXPRESSION_TOO_LONG, message, node.start, node.end, "use parameters for its parts"
                )
        return Formula(root, self.text)

    @property
    def level(self) -> Level:
        return self.levels[-1]

    # At the place of a value

    def _operand(self, token: Token) -> None:
        if token.kind == "number":
            self._number(token)
        elif token.kind == "word":
            if (wrong := re.search(_NO_WORD, token.text)) is not None:
                self.faults.unreadable(token, wrong.start())
            self._push(Literal(token.start, token.end, token.text[1:-1]))
        elif token.kind == "name":
            self._name(token)
        elif token.text in PREFIXES:
            self.level.operators.append(Operator(token.text, UNARY, token.start, prefix=True))
        elif token.text in _CLOSERS:
            self._open("group" if token.text == "(" else "list", token, None)
        elif token.text == "...":
            self._push(Literal(token.start, token.end, 0))
            self.faults.strange(token.start, token.end)
        elif token.text in ("*", "**") and self.level.kind == "call" and self.level.fresh:
            self.level.starred = token.start
        elif token.text == ":" and self.level.kind == "index" and self.level.fresh:
            self._slice(token)
        elif token.text in _CLOSERS.values() and self.level.fresh and self._may_end():
            self._close(token)
        else:
            self.faults.unreadable(token)

    def _number(self, token: Token) -> None:
        text = token.text.lower()
        if not re.match(r"0[xob]", text) and re.search(r"[.e]", text):
            value: int | float = float(text)
        elif re.match(r"0[0-9_]*[1-9]", text):
            self.faults.unreadable(token)  # 012: an octal number in old Python
        else:
            value = int(text, 0 if re.match(r"0[xob]", text) else 10)
        after = self.tokens[self.at]
        if after.text in ("j", "J") and after.start == token.end:
            self.at += 1
            self.faults.strange(token.start, after.end)
        elif isinstance(value, int) and value >= LIMIT:
            message = "this number is too large; whole numbers must be below 2⁶³"
            self.faults.note(codes.RESULT_TOO_LARGE, message, token.start, token.end)
        elif math.isinf(value):
            message = "this number is too large for a float"
            self.faults.note(codes.NOT_A_NUMBER, message, token.start, token.end, "use a number below 1e308")
        self._push(Literal(token.start, token.end, value))

    def _name(self, token: Token) -> None:
        after = self.tokens[self.at]
        if token.text == "not":
            if any(each.binding > NOT for each in self.level.operators):
                self.faults.unreadable(token)
            self.level.operators.append(Operator("not", NOT, token.start, prefix=True))
        elif token.text in _OPERATOR_NAMES:
            self.faults.unreadable(token)
        elif after.kind == "word" and after.start == token.end and re.fullmatch(_TEXT_PREFIX, token.text):
            self.at += 1  # f'…', b'…'
            self._push(Literal(token.start, after.end, ""))
            if "f" in token.text.lower():
                self.faults.more("formatted text", token.start, after.end)
            else:
                self.faults.strange(token.start, after.end)
        elif token.text in _BOOLEANS:
            self._push(Literal(token.start, token.end, _BOOLEANS[token.text]))
        else:
            self._push(NamePath(token.start, token.end, (token.text,), token.end))

    def _may_end(self) -> bool:
        """Whether a bracket can close at the place of a value: it is empty, or there is a comma before it."""
        level = self.level
        return level.sliced is not None or level.comma or level.kind != "index"

    def _push(self, node: ExpressionNode) -> None:
        self.level.operands.append(Operand(node, node.start, node.end))
        self.wants_operand = False

    def _open(self, kind: BracketKind, token: Token, head: Operand | None) -> None:
        if len(self.levels) > DEPTH_LIMIT:
            message = f"this expression is nested more than {DEPTH_LIMIT} deep"
            advice = "use parameters for its parts"
            raise Refusal(codes.EXPRESSION_TOO_LONG, message, token.start, token.end, advice)
        self.levels.append(Level(kind, token, self.faults, head))
        self.wants_operand = True

    # At the place of an operator, or at the end of a part

    def _operator(self, token: Token) -> None:
        level = self.level
        if token.text in BINDING and token.kind in ("sign", "name"):
            self._binary(token)
        elif token.text in ("if", "else") and token.kind == "name":
            self._choice(token)
        elif token.text == "." or (_is_step(token) and self._ends_in_name(token)):
            self._attribute(token)
        elif token.text in _CLOSERS:
            self._open("call" if token.text == "(" else "index", token, level.operands.pop())
        elif token.text == ",":
            level.items.append(self.level.part())
            level.comma = self.wants_operand = True
        elif token.text in _CLOSERS.values():
            self._close(token)
        elif token.text == "=" and level.kind == "call" and level.is_lone_name():
            level.named = level.operands.pop().start
            self.wants_operand = True
        elif token.text == ":=" and level.is_lone_name():
            level.assigned = level.operands.pop().start
            self.wants_operand = True
        elif token.text == ":" and level.kind == "index":
            self._slice(token)
        else:
            self.faults.unreadable(token)

    def _binary(self, token: Token) -> None:
        binding = BINDING[token.text]
        # A power is right-associative: 2 ** 3 ** 2 is 2 ** 9.
        self.level.reduce(binding if token.text != "**" else binding + 1)
        self.level.operators.append(Operator(token.text, binding, token.start, prefix=False))
        self.wants_operand = True

    def _choice(self, token: Token) -> None:
        level = self.level
        waiting = len(level.values) > len(level.conditions)
        if waiting is (token.text == "if"):
            self.faults.unreadable(token)
        (level.values if token.text == "if" else level.conditions).append(self.level.reduced())
        self.wants_operand = True

    def _ends_in_name(self, token: Token) -> bool:
        last = self.level.operands[-1]
        return isinstance(last.node, NamePath) and last.end == token.start

    def _attribute(self, token: Token) -> None:
        if _is_step(token):
            # `stage.1`: the number of a repetition, with its dot
            part = Token("number", token.text[1:], token.start + 1, token.end)
        else:
            part = self.tokens[self.at]
            if part.kind != "name" or part.text in _OPERATOR_NAMES:
                self.faults.unreadable(part) if part.kind != "end" else self.faults.too_early(part)
            self.at += 1
        owner = self.level.operands.pop()
        steps = (*owner.node.steps, part.text) if isinstance(owner.node, NamePath) else ("", part.text)
        node = NamePath(owner.start, part.end, steps, owner.end)
        self.level.operands.append(Operand(node, owner.start, part.end))
        if part.kind == "number" and self.tokens[self.at].text != ".":
            self.faults.unreadable(token)
        if (
            self.tokens[self.at].text != "."
            and not _is_step(self.tokens[self.at])
            and not _has_meaning(steps)
        ):
            self.faults.attribute(self.text[owner.start : owner.end], part.text, owner.start, part.end)

    def _slice(self, token: Token) -> None:
        level = self.level
        start = token.start if level.fresh else self.level.part().start
        level.sliced = start if level.sliced is None else level.sliced
        self.wants_operand = True

    def _close(self, token: Token) -> None:
        level = self.level
        if level.kind == "whole" or _CLOSERS[level.opener.text] != token.text:
            self.faults.unreadable(token)
        if not self.wants_operand:
            level.items.append(self.level.part())
        elif any(each is not None for each in (level.starred, level.named, level.assigned)):
            self.faults.unreadable(token)
        self.levels.pop()
        self.level.operands.append(_BUILD[level.kind](self, level, token))
        self.wants_operand = False

    def _grouped(self, level: Level, token: Token) -> Operand:
        start, end = level.opener.start, token.end
        if len(level.items) != 1 or level.comma:
            self.faults.list(start, end)
            return Operand(Literal(start, end, 0), start, end)
        return Operand(level.items[0].node, start, end, grouped=True)

    def _listed(self, level: Level, token: Token) -> Operand:
        start, end = level.opener.start, token.end
        self.faults.list(start, end)
        return Operand(Literal(start, end, 0), start, end)

    def _called(self, level: Level, token: Token) -> Operand:
        assert level.head is not None
        start, end = level.head.start, token.end
        head = level.head.node
        name = head.path if isinstance(head, NamePath) and len(head.steps) == 1 else ""
        if name not in FUNCTIONS:
            self.faults.function(name, start, level.head.end, end)
        return Operand(Application(start, end, name, tuple(each.node for each in level.items)), start, end)

    def _indexed(self, level: Level, token: Token) -> Operand:
        assert level.head is not None
        start, end = level.head.start, token.end
        if level.sliced is not None:
            self.faults.more("a slice", level.sliced, self.tokens[self.at - 2].end)
        elif level.comma:
            places = [(each.start, each.end) for each in level.items]
            owner = self.faults.text[level.head.start : level.head.end]
            self.faults.indices(owner, places, start, end)
        at = level.items[0].node if level.items else Literal(start, end, 0)
        return Operand(Subscript(start, end, level.head.node, at), start, end)

    def _whole(self, token: Token) -> ExpressionNode:
        """The tree of the whole text; `token` is at its end."""
        level = self.level
        if len(self.levels) > 1:
            self.faults.unclosed(level.opener)
        if self.wants_operand and not (level.comma and level.fresh):
            self.faults.too_early(token)
        if not self.wants_operand:
            level.items.append(self.level.part())
        if level.comma:
            self.faults.list(level.items[0].start, token.end)
        return level.items[0].node


def _is_step(token: Token) -> bool:
    """Whether a token is the number of a repetition in a path, with its dot: `.1`."""
    return token.kind == "number" and re.fullmatch(r"\.[0-9]+", token.text) is not None


def _has_meaning(steps: tuple[str, ...]) -> bool:
    """Whether a path of names can have a value: `in.height`, `block.in.height`, `skip.height`, `stage.index`."""
    if steps[0] == "in":
        return len(steps) == 2
    if steps[0] == "block":
        return steps[:2] == ("block", "in") and len(steps) <= 3
    return steps[-1] in PROPERTIES and all(_STEP.fullmatch(step) for step in steps[:-1])


_STEP = re.compile("[A-Za-z][A-Za-z0-9_]*|[0-9]+")

_BUILD: dict[str, Callable[[_Parser, Level, Token], Operand]] = {
    "group": _Parser._grouped,
    "list": _Parser._listed,
    "call": _Parser._called,
    "index": _Parser._indexed,
}
