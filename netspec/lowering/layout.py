"""Breaks statements into lines like a formatter, so that generated source needs no formatter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from netspec.backend import Source, Tap
from netspec.lowering.statements import Text

WIDTH = 100
STEP = 4

_OPEN, _CLOSE = "([{", ")]}"
_UNIT = re.compile(r"(?:\(N[\d, ]{1,60}\)|\[[\d., -]{1,60}\]|\S)+")
"""A unit that is never broken: a word, including a shape or a short list of numbers in it."""


class Page:
    """Generated text and its taps; rows are added one by one."""

    def __init__(self) -> None:
        self.rows: list[str] = []
        self.taps: list[Tap] = []

    def blank(self, count: int = 1) -> None:
        """Add empty lines."""
        self.rows += [""] * count

    def write(self, text: str, indent: int = 0) -> None:
        """Add a statement."""
        self.rows += wrap(text, indent)

    def docstring(self, text: str, indent: int = 0) -> None:
        """Add a docstring; its first paragraph is one line if it fits."""
        self.rows += docstring(text, indent)

    def statements(self, lines: Iterable[Text], indent: int = 0) -> None:
        """Add finished statements with their comments and taps."""
        for line in lines:
            if line.tap and not line.text:
                self.taps.append(Tap(len(self.rows), *line.tap))
                continue
            rows = wrap(line.text, line.indent + indent)
            beside = f"{rows[0]}  # {line.comment}"
            if line.comment and len(rows) == 1 and len(beside) <= WIDTH:
                rows = [beside]
            elif line.comment:
                rows = [*_comment(line.comment, line.indent + indent), *rows]
            self.rows += rows
            if line.tap:
                self.taps.append(Tap(len(self.rows), *line.tap))

    def source(self) -> Source:
        """The text and the taps so far."""
        return Source("\n".join(self.rows) + "\n", tuple(self.taps))


def wrap(text: str, indent: int = 0, width: int = WIDTH) -> list[str]:
    """The lines of one statement: one line if it fits, else broken where a formatter would break it."""
    pad = " " * (STEP * indent)
    if len(pad) + len(text) <= width:
        return [pad + text]
    head, value = _parts(text)
    targets, values = _split(head.removesuffix(" = "), ","), _split(value, ",")
    opening = value.find("(")
    if len(targets) > 1 and (opening < 0 or len(pad + head) + opening >= width):
        rest = f"{pad}) = {value}"
        fits = len(rest) <= width
        closing = [rest] if fits else _at_bracket(") = ", value, indent, width)
        return [f"{pad}(", *_listed(targets, indent + 1, width), *closing]
    if head and len(values) > 1:
        return [f"{pad}{head}(", *_listed(values, indent + 1, width), f"{pad})"]
    if head and _operands(value) != [value]:
        return [f"{pad}{head}(", *_sum(value, indent + 1, width), f"{pad})"]
    if head and len(chain := _chain(value)) > 2:
        return [f"{pad}{head}(", *(f"{pad}    {each}" for each in chain), f"{pad})"]
    return _at_bracket(head, value, indent, width)


def _parts(text: str) -> tuple[str, str]:
    """Split a statement into the part before the value (`x = `, `return `, or empty) and the value."""
    if text.startswith("return "):
        return "return ", text.removeprefix("return ")
    sides = _split(text, " = ")
    return (f"{sides[0]} = ", sides[1]) if len(sides) == 2 else ("", text)


def _at_bracket(head: str, value: str, indent: int, width: int) -> list[str]:
    pad = " " * (STEP * indent)
    made = _applied(value)
    if made is not None:
        pair: tuple[int, int] | None = made
        explode = len(pad + head) + made[1] + 2 <= width
    else:
        pair, explode = _breakable(value, width - len(pad + head)), False
    if pair is None or not value[pair[0] + 1 : pair[1]].strip() or len(pad + head) + pair[0] >= width:
        # No bracket helps: add a pair.
        alone = head == "" or head in _CLOSE
        return [pad + head + value] if alone else [f"{pad}{head}(", f"{pad}    {value}", f"{pad})"]
    start, end = pair
    return [
        pad + head + value[: start + 1],
        *_inside(value[start + 1 : end].strip(), indent + 1, width, explode),
        *_closed(value[end], value[end + 1 :], indent, width),
    ]


def _closed(bracket: str, tail: str, indent: int, width: int) -> list[str]:
    """The closing bracket with the text after it, which can also need breaking."""
    pad = " " * (STEP * indent)
    if len(pad) + len(bracket) + len(tail) <= width:
        return [pad + bracket + tail]
    return _at_bracket(bracket, tail, indent, width)


def _chain(value: str) -> list[str]:
    """The parts of a chain of method calls: `x.a(…)`, `.b(…)`, `.c(…)`."""
    ends = [end + 1 for start, end in _top_level(value) if value[start] == "("]
    cuts = [0, *(end for end in ends if value[end : end + 1] == "."), len(value)]
    return [value[start:end] for start, end in pairwise(cuts)]


def _applied(text: str) -> tuple[int, int] | None:
    """The brackets of the first call in `layer(…)(x)`, where the statement is easier to read if broken there.

    A formatter breaks at the second call as long as the text before it fits, unless each argument of the first has its
    own line.
    """
    *_, made, applied = [(0, 0), (0, 0), *_top_level(text)]
    called = applied[0] == made[1] + 1 and applied[1] == len(text) - 1
    return made if called and text[applied[0] + 1 : applied[1]].isidentifier() else None


def _inside(body: str, indent: int, width: int, explode: bool = False) -> list[str]:
    pad = " " * (STEP * indent)
    if len(pad) + len(body) <= width and not explode:
        return [pad + body]
    generator = _split(body, " for ")
    if len(generator) == 2:
        return [*wrap(generator[0], indent, width), pad + "for " + generator[1]]
    items = _split(body, ",")
    if len(items) == 1 and not explode:
        return wrap(body, indent, width)
    return _listed(items, indent, width)


def _listed(items: Sequence[str], indent: int, width: int) -> list[str]:
    """One item per line, each followed by a comma."""
    return [row for item in items for row in wrap(item.strip() + ",", indent, width)]


def _operands(value: str) -> list[str]:
    """The operands of a sum, product or quotient, each after its operator."""
    for sign in (" + ", " * ", " / "):
        first, *others = _split(value, sign)
        if others:
            return [first, *(sign.lstrip() + each for each in others)]
    return [value]


def _sum(value: str, indent: int, width: int) -> list[str]:
    pad = " " * (STEP * indent)
    if len(pad) + len(value) <= width:
        return [pad + value]
    return [row for operand in _operands(value) for row in wrap(operand, indent, width)]


def _breakable(text: str, room: int) -> tuple[int, int] | None:
    """The brackets to break at: the last pair, if the text before it fits.

    Otherwise, the pair with the longest content among those that end the statement.
    """
    pairs = _top_level(text)
    if not pairs:
        return None
    trailing = [pairs[-1]]
    start, end = pairs[-1]
    if start < room and end == len(text) - 1 and end > start + 1:
        return pairs[-1]
    if len(pairs) > 1 and pairs[-2][1] + 1 == pairs[-1][0] and len(text[: pairs[-1][0]]) >= room:
        return pairs[-2]
    for pair in reversed(pairs[:-1]):
        # In a chain of calls, the text between is `.name`.
        if not text[pair[1] + 1 : trailing[-1][0]].lstrip(".").isidentifier():
            break
        trailing.append(pair)
    return max(trailing, key=lambda pair: pair[1] - pair[0])


def _top_level(text: str) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    depth, start = 0, 0
    for at, character in _code(text):
        if character in _OPEN:
            start = at if depth == 0 else start
            depth += 1
        elif character in _CLOSE:
            depth -= 1
            if depth == 0:
                pairs.append((start, at))
    return pairs


def _split(text: str, separator: str) -> list[str]:
    """The pieces between separators outside all brackets and strings."""
    pieces, depth, last = [], 0, 0
    for at, character in _code(text):
        depth += (character in _OPEN) - (character in _CLOSE)
        if depth == 0 and text.startswith(separator, at):
            pieces.append(text[last:at])
            last = at + len(separator)
    return [piece for piece in (*pieces, text[last:]) if piece.strip()]


def _code(text: str) -> Iterable[tuple[int, str]]:
    """The characters of a statement outside of strings, with their positions."""
    inside = escaped = False
    for at, character in enumerate(text):
        if inside:
            inside = character != '"' or escaped
            escaped = character == "\\" and not escaped
        elif character == '"':
            inside = True
        else:
            yield at, character


def docstring(text: str, indent: int = 0) -> list[str]:
    """The rows of a docstring with any text; its lines are kept, and long lines are wrapped."""
    pad = " " * (STEP * indent)
    room = WIDTH - len(pad)
    rows: list[str] = []
    for line in text.strip().split("\n"):
        opening = 0 if rows else len('"""')
        rows += _filled(_safe(" ".join(line.split())), room - opening)
    if len(rows) == 1 and len(rows[0]) <= room - len('""""""'):
        return [f'{pad}"""{rows[0]}"""']
    rows = [f'"""{rows[0]}', *rows[1:], '"""']
    return [pad + row if row else "" for row in rows]


def _filled(text: str, width: int) -> list[str]:
    """The rows of a text at this width; a longer unit has its own row."""
    rows: list[str] = []
    for unit in _UNIT.findall(text):
        if rows and len(rows[-1]) + 1 + len(unit) <= width:
            rows[-1] += " " + unit
        else:
            rows.append(unit)
    return rows or [""]


def _safe(text: str) -> str:
    """The text, escaped so that it cannot end a docstring or form an escape sequence."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    plain = plain.replace("\\", "\\\\")
    # A quote at the end would merge with the quotes of the docstring.
    return plain.replace('"', '\\"') if '"""' in plain or plain.endswith('"') else plain


def _comment(text: str, indent: int) -> Sequence[str]:
    pad = " " * (STEP * indent) + "# "
    return [pad + row for row in _filled(text, WIDTH - len(pad))]
