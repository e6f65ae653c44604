"""Errors of an expression: text that cannot be parsed, and constructs that are not arithmetic."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field
from typing import NoReturn

from netspec.dataclass import dataclass
from netspec.diagnostics import Code
from netspec.diagnostics.codes import expressions as codes
from netspec.language.expressions.names import PROPERTIES
from netspec.language.expressions.refusal import Refusal
from netspec.language.expressions.tokens import Token
from netspec.ops.nearest import nearest

FUNCTIONS = ("min", "max", "ceil", "floor", "round", "len")

# Operators of Python that are not supported, and what to write instead.
_REFUSED_SIGNS = {
    "^": "a power is `**`",
    "&": "write `and`",
    "|": "write `or`",
    "~": "write `not`",
    "<<": None,
    ">>": None,
    "@": None,
}

# Advice for characters that expressions do not have: the first pattern that matches applies.
_HINTS = {
    "&&": "write `and`",
    r"\|\|": "write `or`",
    r"\?": "a choice is `a if c else b`",
    r"!(?!=)": "write `not`; unequal is `!=`",
    r"\$": "inside `${…}`, write a name without `$`",
    "−": "write a plain `-`",
    "–": "write a plain `-`",
    "×": "write `*`",
    "·": "write `*`",
    "÷": "write `/`",
    "≤": "write `<=`",
    "≥": "write `>=`",
    "≠": "write `!=`",
    "#": "put comments outside the expression",
    r"\\": "there are no escapes here",
    r"(?<![=!<>])=(?!=)": "equal is `==`",
    " in ": "`in` is the tensor that the item takes",
}

# Advice for functions of other languages.
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


_OTHER_PROPERTIES = {
    **dict.fromkeys(("c", "units", "filters", "features"), "channels"),
    **dict.fromkeys(("t", "length", "len", "steps", "frames"), "time"),
    **dict.fromkeys(("h", "rows"), "height"),
    **dict.fromkeys(("w", "columns", "cols"), "width"),
    **dict.fromkeys(("number", "repetition"), "index"),
    **dict.fromkeys(("calls",), "count"),
}
"""The properties that words of other libraries stand for."""


def _attribute(owner: str, part: str) -> str | None:
    """Advice for the attribute of a name: the property that is probably meant."""
    if owner == "block" and part in PROPERTIES:
        return f"write `block.in.{part}` for the first input of the block"
    if (repetition := re.fullmatch(r"([A-Za-z_][\w.]*)\[(\d+)\]", owner)) and part in PROPERTIES:
        return f"write `{repetition.group(1)}.{repetition.group(2)}.{part}` for a repetition"
    if not re.fullmatch(r"[A-Za-z_][\w.]*", owner):
        return None
    word = part.lower()
    if word in ("shape", "size", "sizes", "dims"):
        return f"each size has a name: `{owner}.channels`, `{owner}.height`, `{owner}.width`, `{owner}.time`"
    if word in _OTHER_PROPERTIES:
        return f"write `{owner}.{_OTHER_PROPERTIES[word]}`: this is the name in netspec"
    near = nearest(word, PROPERTIES)
    return None if near is None else f"did you mean `{owner}.{near}`?"


@dataclass(slots=True)
class Faults:
    """The errors of one text. Text that cannot be parsed raises at once; other errors are recorded and raised last."""

    text: str
    _noted: list[tuple[int, int, int, Refusal]] = field(default_factory=list)

    def tell(self) -> None:
        """Raise the refusal that was recorded for the outermost part, the first in the text."""
        if self._noted:
            raise min(self._noted, key=lambda each: each[:3])[3]

    # Constructs that are not arithmetic

    def note(self, code: Code, message: str, start: int, end: int, help: str | None = None) -> None:
        """Record a refusal of the part with these columns."""
        self._keep(Refusal(code, message, start, end, help), start, end)

    def _keep(self, refusal: Refusal, start: int, end: int) -> None:
        """Record a refusal by the columns of its part; of equal ones, the later is further out."""
        self._noted.append((start, -end, -len(self._noted), refusal))

    def more(self, what: str, start: int, end: int, help: str | None = None) -> None:
        """Record a construct that is not part of arithmetic."""
        self.note(codes.NOT_ARITHMETIC, f"{what} is not part of arithmetic", start, end, help)

    def sign(self, sign: str, start: int, end: int) -> None:
        """Record an operator that is not part of arithmetic."""
        if sign in _REFUSED_SIGNS:
            self.more(f"`{sign}`", start, end, _REFUSED_SIGNS[sign])

    def list(self, start: int, end: int) -> None:
        """Record a list literal."""
        self.more("a list", start, end, "make the list a parameter, and index it here")

    def indices(self, owner: str, items: Sequence[tuple[int, int]], start: int, end: int) -> None:
        """Record several indices in one pair of brackets."""
        written = "".join(f"[{self.text[first:last]}]" for first, last in items)
        self.more("a list of indices", start, end, f"write `{owner}{written}`, with brackets for each index")

    def strange(self, start: int, end: int) -> None:
        """Record a value of a kind that expressions do not have."""
        message = "this is not a number, a word in quotes or a boolean"
        self.note(codes.NOT_ARITHMETIC, message, start, end)

    def named(self, function_start: int, function_end: int, start: int, end: int) -> None:
        """Record an argument with a name."""
        function = self.text[function_start:function_end][:40]
        message = f"`{function}` takes only positional arguments"
        self.note(codes.CALL, message, start, end, f"write the values in order: `{function}(a, b)`")

    def attribute(self, owner: str, part: str, start: int, end: int) -> None:
        """Record a dot after something without attributes."""
        message = f"`{owner[:40]}` has no attributes, so `.{part[:40]}` has no meaning"
        advice = _attribute(owner, part) or (
            "only tensors have attributes, which are their sizes: `in.channels`, `block.in.height`, or "
            "`skip.width` for a layer"
        )
        self.note(codes.ATTRIBUTE, message, start, end, advice)

    def function(self, name: str, start: int, name_end: int, end: int) -> None:
        """Record a call of something that is not a function; `end` is that of the call."""
        source = self.text[start:name_end]
        near = nearest(name, FUNCTIONS)
        other = _OTHER_FUNCTIONS.get(source.rpartition(".")[2])
        known = other or "the functions are " + ", ".join(FUNCTIONS)
        advice = f"did you mean `{near}`?" if near and not other else known
        message = f"`{source[:40]}` is not a function of expressions"
        self._keep(Refusal(codes.CALL, message, start, name_end, advice), start, end)

    # Text that cannot be parsed

    def unreadable(self, token: Token, offset: int = 0) -> NoReturn:
        """Refuse the text from this token on, or from a character in it."""
        column = token.start + offset
        rest, advice = self.text[column:].strip(), self._hint()
        if token.kind == "unclosed":
            self._refuse("the quote that opens here is not closed", column, advice)
        if re.match(r"\.\d", rest):
            advice = "select a value of a list with brackets: `[0]`"
        elif re.match(r"\*\.", rest) and self.text[:column].endswith("."):
            advice = "one repetition has a size: write its number from 0 in place of `*`"
        elif re.match(r"\w|\(", rest):
            advice = advice or "is an operator such as `*` missing before it?"
        self._refuse(f"this cannot be read from `{rest[:40]}` on", column, advice)

    def too_early(self, end: Token) -> NoReturn:
        """Refuse a text that ends too early."""
        advice = self._hint() or f"something is missing after `{self.text.split()[-1][-20:]}`"
        self._refuse("the expression ends too early", max(end.start - 1, 0), advice)

    def unclosed(self, bracket: Token) -> NoReturn:
        """Refuse a bracket that is not closed."""
        self._refuse(f"the bracket `{bracket.text}` is not closed", bracket.start, self._hint())

    def no_else(self, start: int) -> NoReturn:
        """Refuse a choice without `else`."""
        self._refuse("this choice has no `else`", start, "write `a if c else b`")

    def _hint(self) -> str | None:
        return next((hint for sign, hint in _HINTS.items() if re.search(sign, self.text)), None)

    def _refuse(self, message: str, column: int, help: str | None) -> NoReturn:
        raise Refusal(codes.EXPRESSION_SYNTAX, message, column, column + 1, help)
