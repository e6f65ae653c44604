"""Parses the inside of `${…}` and holds it to arithmetic, before any value is known."""

from __future__ import annotations

import ast
import keyword
import math
import re
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from netspec.dataclass import dataclass
from netspec.diagnostics import Code
from netspec.diagnostics.codes import expressions as codes
from netspec.ops.nearest import nearest
from netspec.types import LIMIT

DEPTH_LIMIT = 50

FUNCTIONS = ("min", "max", "ceil", "floor", "round", "len")
LITERALS = {"true": True, "false": False}

_ALLOWED: tuple[type[ast.AST], ...] = (
    *(ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.IfExp, ast.Load),
    *(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow),
    *(ast.UnaryOp, ast.UAdd, ast.USub, ast.Not, ast.BoolOp, ast.And, ast.Or),
    *(ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE),
)
_NAMES_OF_REFUSED: dict[type[ast.AST], str] = {
    ast.List: "a list",
    ast.Tuple: "a list",
    ast.Set: "a set",
    ast.Dict: "a mapping",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.JoinedStr: "a text with holes",
    ast.NamedExpr: "an assignment",
    ast.Slice: "a part of a list",
    ast.BitXor: "`^`",
    ast.BitAnd: "`&`",
    ast.BitOr: "`|`",
    ast.Invert: "`~`",
    ast.LShift: "`<<`",
    ast.RShift: "`>>`",
    ast.MatMult: "`@`",
}
_ADVICE_FOR_REFUSED: dict[type[ast.AST], str] = {
    ast.BitXor: "a power is `**`",
    ast.BitAnd: "write `and`",
    ast.BitOr: "write `or`",
    ast.Invert: "write `not`",
    ast.List: "make the list a parameter, and index it here",
    ast.Tuple: "make the list a parameter, and index it here",
}
_HINTS = {
    "&&": "write `and`",
    "||": "write `or`",
    "?": "a choice is `a if c else b`",
    "!": "write `not`; unequal is `!=`",
    "$": "inside `${…}` a name stands without `$`",
    "−": "write a plain `-`",
    "–": "write a plain `-`",
    "×": "write `*`",
    "·": "write `*`",
    "÷": "write `/`",
    "≤": "write `<=`",
    "≥": "write `>=`",
    "≠": "write `!=`",
    "#": "a comment stands outside the expression",
    "\\": "there are no escapes here",
    "=": "equal is `==`",
    " in ": "`in` is the tensor that the item receives",
}

# `in` and other words of Python are plain names here. They are parsed as letters that nobody types, as many
# as before, so that columns stay what they are.
_KEYWORDS = frozenset(keyword.kwlist) - {"and", "or", "not", "if", "else", "True", "False"}
_WORD = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|\w+")
_STRANGE = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|([#\\])")
_SHIFT = 0x4E00 - ord("A")


@dataclass(eq=False, slots=True)
class Refusal(Exception):
    """What is wrong with an expression; `start` and `end` are columns in its text, from 0."""

    code: Code
    message: str
    start: int
    end: int
    help: str | None = None

    def moved(self, by: int) -> Refusal:
        """The same, in a text that starts so many columns earlier."""
        return Refusal(self.code, self.message, self.start + by, self.end + by, self.help)


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression that is arithmetic and nothing else."""

    root: ast.expr
    text: str
    disguised: str
    blank: int
    names: tuple[ast.Name, ...]
    """Every name that stands for a value, in the order of the text."""

    def place(self, node: ast.AST) -> tuple[int, int]:
        """The columns of a part, from 0, in characters of the text."""
        start = getattr(node, "col_offset", None)
        end = getattr(node, "end_col_offset", None)
        if start is None or end is None:
            return 0, len(self.text)
        raw = self.disguised.encode()
        return self.blank + len(raw[:start].decode()), self.blank + len(raw[:end].decode())

    def source(self, node: ast.AST) -> str:
        """The text of a part, as the author wrote it."""
        start, end = self.place(node)
        return self.text[start:end]

    def refuse(self, code: Code, message: str, node: ast.AST, help: str | None = None) -> Refusal:
        """A refusal of one part."""
        return Refusal(code, message, *self.place(node), help)


def written(name: str) -> str:
    """A name as the author wrote it."""
    if not any(ord(each) >= _SHIFT for each in name):
        return name
    plain = "".join(chr(ord(each) - _SHIFT) if ord(each) >= _SHIFT else each for each in name)
    return plain if plain in _KEYWORDS else name


@lru_cache(maxsize=4096)
def parse(text: str) -> Formula | Refusal:
    """The formula in the text between the braces, or what is wrong with it."""
    flat = re.sub(r"\s", " ", text)
    if not flat.strip():
        return Refusal(
            codes.EXPRESSION_SYNTAX, "there is nothing to calculate", 0, len(text), "write `${name}`"
        )
    strange = next((found.start() for found in _STRANGE.finditer(flat) if found.group(1)), None)
    if strange is not None:
        return _unreadable(flat, strange)
    blank = len(flat) - len(flat.lstrip())
    disguised = _WORD.sub(_disguise, flat.strip())
    try:
        root = _parsed(disguised)
    except SyntaxError as error:
        # Offset 0 is Python's way to say: at the end.
        column = error.offset - 1 if error.offset else len(disguised)
        return _unreadable(flat, blank + column, error.msg)
    except (ValueError, MemoryError, RecursionError, OverflowError):
        return _unreadable(flat, 0)
    formula = Formula(root, flat, disguised, blank, _names(root))
    try:
        _hold_to_arithmetic(formula)
    except Refusal as refusal:
        return refusal
    return formula


def used_names(formula: Formula) -> list[str]:
    """The names and paths of names (`in.channels`) in a formula, each once, in the order of the text."""
    nodes = [node for node in ast.walk(formula.root) if isinstance(node, ast.Attribute)]
    inside = {id(part) for node in nodes for part in ast.walk(node.value)}
    whole = [*(node for node in nodes if id(node) not in inside)]
    whole_names = [node for node in formula.names if id(node) not in inside]
    places = sorted(
        (formula.place(node), formula.source(node).replace(" ", "")) for node in [*whole, *whole_names]
    )
    return list(dict.fromkeys(name for _, name in places))


def written_as(value: object) -> str:
    """A value of an expression as a message shows it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        shown = ", ".join(written_as(each) for each in value[:8])
        return f"[{shown}{', …' if len(value) > 8 else ''}]"
    if isinstance(value, int | float):
        if not abs(value) < LIMIT:
            return "beyond 2⁶³"
        whole = isinstance(value, int) or value.is_integer()
        shown = str(int(value)) if whole else f"{value:.10g}"
        return shown.replace("-", "−")
    return f"`{str(value)[:40]}`"


def _names(root: ast.expr) -> tuple[ast.Name, ...]:
    nodes = list(ast.walk(root))
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    found = [node for node in nodes if isinstance(node, ast.Name) and id(node) not in called]
    return tuple(sorted(found, key=lambda node: node.col_offset))


def _disguise(found: re.Match[str]) -> str:
    word = found.group()
    return "".join(chr(ord(each) + _SHIFT) for each in word) if word in _KEYWORDS else word


def _parsed(text: str) -> ast.expr:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # Python has opinions on literals beside words; the whitelist has its own
        return ast.parse(text, mode="eval").body


def _unreadable(text: str, column: int, reason: str = "") -> Refusal:
    advice = next((hint for sign, hint in _HINTS.items() if sign in text), None)
    column = min(column, len(text))
    rest = text[column:].strip()
    if "never closed" in reason:
        message = f"the bracket `{text[column]}` is not closed"
    elif "expected 'else'" in reason:
        message, advice = "this choice has no `else`", "write `a if c else b`"
    elif "unterminated" in reason:
        message = "the quote that opens here is not closed"
    elif rest:
        message = f"this cannot be read from `{rest[:40]}` on"
        if re.match(r"\.\d", rest):
            advice = "a value of a list is chosen with brackets: `[0]`"
        elif re.match(r"\w|\(", rest):
            advice = advice or "is an operator missing before it, as `*`?"
    else:
        message, column = "the expression ends too early", max(len(text.rstrip()) - 1, 0)
        advice = advice or f"something is missing behind `{text.split()[-1][-20:]}`"
    return Refusal(codes.EXPRESSION_SYNTAX, message, column, column + 1, advice)


def _hold_to_arithmetic(formula: Formula) -> None:
    """Refuse whatever is no arithmetic, the outermost part first. A loop, since depth is what is checked."""
    todo: list[tuple[ast.AST, ast.AST, int]] = [(formula.root, formula.root, 1)]
    while todo:
        node, around, depth = todo.pop()
        if depth > DEPTH_LIMIT:
            message = f"this expression is nested more than {DEPTH_LIMIT} deep"
            raise formula.refuse(codes.EXPRESSION_TOO_LONG, message, around, "use parameters for its parts")
        if not isinstance(node, _ALLOWED):
            kind, advice = _NAMES_OF_REFUSED.get(type(node), "this"), _ADVICE_FOR_REFUSED.get(type(node))
            raise formula.refuse(codes.NOT_ARITHMETIC, f"{kind} is no part of arithmetic", around, advice)
        if check := _CHECKS.get(type(node)):
            check(formula, node)
        inner = node if isinstance(node, ast.expr) else around
        todo.extend((child, _placed(child, inner), depth + 1) for child in ast.iter_child_nodes(node))


def _placed(child: ast.AST, around: ast.AST) -> ast.AST:
    return child if hasattr(child, "col_offset") else around


def _constant(formula: Formula, node: ast.Constant) -> None:
    value = node.value
    if isinstance(value, int) and value >= LIMIT:
        message = "this number is too large; whole numbers stay below 2⁶³"
        raise formula.refuse(codes.RESULT_TOO_LARGE, message, node)
    if isinstance(value, float) and math.isinf(value):
        raise formula.refuse(
            codes.NOT_A_NUMBER, "this number is too large for a float", node, "use a number below 1e308"
        )
    if not isinstance(value, int | float | str) or formula.source(node)[:1] in "uU":
        message = "this is neither a number, nor a word in quotes, nor a boolean"
        raise formula.refuse(codes.NOT_ARITHMETIC, message, node)


def _attribute(formula: Formula, node: ast.Attribute) -> None:
    owner, part = node.value, written(node.attr)
    whole = isinstance(owner, ast.Name) and (
        written(owner.id) == "in" or (written(owner.id), part) == ("block", "in")
    )
    inner = isinstance(owner, ast.Attribute) and isinstance(owner.value, ast.Name)
    if whole or (inner and formula.source(owner).replace(" ", "") == "block.in"):
        return
    message = f"`{formula.source(owner)[:40]}` has no parts, so `.{part[:40]}` means nothing"
    raise formula.refuse(codes.ATTRIBUTE, message, node, "only `in` and `block.in` have parts: `in.channels`")


def _call(formula: Formula, node: ast.Call) -> None:
    name = written(node.func.id) if isinstance(node.func, ast.Name) else ""
    if name not in FUNCTIONS:
        near = nearest(name, FUNCTIONS)
        message = f"`{formula.source(node.func)[:40]}` is no function of expressions"
        called = _CALLED.get(formula.source(node.func).rpartition(".")[2])
        known = called or "the functions are " + ", ".join(FUNCTIONS)
        advice = f"did you mean `{near}`?" if near and not called else known
        raise formula.refuse(codes.CALL, message, node.func, advice)
    if node.keywords:
        message = f"`{name}` takes plain values, and none by name"
        raise formula.refuse(
            codes.CALL, message, node.keywords[0], f"write the values in order: `{name}(a, b)`"
        )


# How other languages' functions are written.
_CALLED = {
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

_CHECKS: dict[type[ast.AST], Callable[[Formula, Any], None]] = {
    ast.Constant: _constant,
    ast.Attribute: _attribute,
    ast.Call: _call,
}
