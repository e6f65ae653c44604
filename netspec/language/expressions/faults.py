"""What is wrong with an expression: what cannot be read at all, and what is read but is more than arithmetic."""

from __future__ import annotations

import re
from dataclasses import field
from typing import NoReturn

from netspec.dataclass import dataclass
from netspec.diagnostics import Code
from netspec.diagnostics.codes import expressions as codes
from netspec.language.expressions.refusal import Refusal
from netspec.language.expressions.tokens import Token
from netspec.ops.nearest import nearest

FUNCTIONS = ("min", "max", "ceil", "floor", "round", "len")

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


@dataclass(slots=True)
class Faults:
    """The faults of one text. What cannot be read is raised at once; the rest is noted, and told at the end."""

    text: str
    _noted: list[tuple[int, int, int, Refusal]] = field(default_factory=list)

    def tell(self) -> None:
        """Raise the refusal that was noted of the outermost part, the first in the text."""
        if self._noted:
            raise min(self._noted, key=lambda each: each[:3])[3]

    # What is read, and is more than arithmetic

    def note(self, code: Code, message: str, start: int, end: int, help: str | None = None) -> None:
        """Note a refusal of the part with these columns."""
        self._keep(Refusal(code, message, start, end, help), start, end)

    def _keep(self, refusal: Refusal, start: int, end: int) -> None:
        """Note a refusal by the columns of the part that it is about; of equal ones the later is further out."""
        self._noted.append((start, -end, -len(self._noted), refusal))

    def more(self, what: str, start: int, end: int, help: str | None = None) -> None:
        """Something that is no part of arithmetic."""
        self.note(codes.NOT_ARITHMETIC, f"{what} is no part of arithmetic", start, end, help)

    def sign(self, sign: str, start: int, end: int) -> None:
        """An operator, if it is none of arithmetic."""
        if sign in _REFUSED_SIGNS:
            self.more(f"`{sign}`", start, end, _REFUSED_SIGNS[sign])

    def list(self, start: int, end: int) -> None:
        """A list that is written out."""
        self.more("a list", start, end, "make the list a parameter, and index it here")

    def strange(self, start: int, end: int) -> None:
        """A value of a kind that no expression has."""
        message = "this is neither a number, nor a word in quotes, nor a boolean"
        self.note(codes.NOT_ARITHMETIC, message, start, end)

    def named(self, function_start: int, function_end: int, start: int, end: int) -> None:
        """An argument with a name."""
        function = self.text[function_start:function_end][:40]
        message = f"`{function}` takes plain values, and none by name"
        self.note(codes.CALL, message, start, end, f"write the values in order: `{function}(a, b)`")

    def attribute(self, owner: str, part: str, start: int, end: int) -> None:
        """A dot behind something that has no parts."""
        message = f"`{owner[:40]}` has no parts, so `.{part[:40]}` means nothing"
        self.note(codes.ATTRIBUTE, message, start, end, "only `in` and `block.in` have parts: `in.channels`")

    def function(self, name: str, start: int, name_end: int, end: int) -> None:
        """A call of what is no function; `end` is that of the call."""
        source = self.text[start:name_end]
        near = nearest(name, FUNCTIONS)
        other = _OTHER_FUNCTIONS.get(source.rpartition(".")[2])
        known = other or "the functions are " + ", ".join(FUNCTIONS)
        advice = f"did you mean `{near}`?" if near and not other else known
        message = f"`{source[:40]}` is no function of expressions"
        self._keep(Refusal(codes.CALL, message, start, name_end, advice), start, end)

    # What cannot be read

    def unreadable(self, token: Token, offset: int = 0) -> NoReturn:
        """Nothing makes sense from this token on, or from a sign in it."""
        column = token.start + offset
        rest, advice = self.text[column:].strip(), self._hint()
        if token.kind == "unclosed":
            self._refuse("the quote that opens here is not closed", column, advice)
        if re.match(r"\.\d", rest):
            advice = "a value of a list is chosen with brackets: `[0]`"
        elif re.match(r"\w|\(", rest):
            advice = advice or "is an operator missing before it, as `*`?"
        self._refuse(f"this cannot be read from `{rest[:40]}` on", column, advice)

    def too_early(self, end: Token) -> NoReturn:
        """The text ends where something must follow."""
        advice = self._hint() or f"something is missing behind `{self.text.split()[-1][-20:]}`"
        self._refuse("the expression ends too early", max(end.start - 1, 0), advice)

    def unclosed(self, bracket: Token) -> NoReturn:
        """A bracket is open at the end."""
        self._refuse(f"the bracket `{bracket.text}` is not closed", bracket.start, self._hint())

    def no_else(self, start: int) -> NoReturn:
        """A choice has a condition and no `else`."""
        self._refuse("this choice has no `else`", start, "write `a if c else b`")

    def _hint(self) -> str | None:
        return next((hint for sign, hint in _HINTS.items() if re.search(sign, self.text)), None)

    def _refuse(self, message: str, column: int, help: str | None) -> NoReturn:
        raise Refusal(codes.EXPRESSION_SYNTAX, message, column, column + 1, help)
