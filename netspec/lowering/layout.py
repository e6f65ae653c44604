"""Statements broken into lines as a formatter leaves them, so that generated text needs none."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from netspec.backend import Source, Tap
from netspec.lowering.writing import Text

WIDTH = 100
STEP = 4

_OPEN, _CLOSE = "([{", ")]}"
_KEEP_WORDS: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}


class Page:
    """Generated text as it grows, and the taps in it."""

    def __init__(self) -> None:
        self.rows: list[str] = []
        self.taps: list[Tap] = []

    def blank(self, count: int = 1) -> None:
        """Empty lines."""
        self.rows += [""] * count

    def write(self, text: str, indent: int = 0) -> None:
        """A statement."""
        self.rows += wrap(text, indent)

    def docstring(self, text: str, indent: int = 0) -> None:
        """A docstring; its first paragraph is one line if it fits."""
        self.rows += docstring(text, indent)

    def statements(self, lines: Iterable[Text], indent: int = 0) -> None:
        """Finished statements, with their comments and taps."""
        for line in lines:
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
        """All that was written."""
        return Source("\n".join(self.rows) + "\n", tuple(self.taps))


def wrap(text: str, indent: int = 0, width: int = WIDTH) -> list[str]:
    """The lines of one statement: whole if it fits, else broken at its last bracket."""
    pad = " " * (STEP * indent)
    if len(pad) + len(text) <= width:
        return [pad + text]
    made = _applied(text)
    if made is not None:
        (start, end), explode = made, len(pad) + made[1] + 2 <= width
    else:
        pair, explode = _breakable(text, width - len(pad)), False
        if pair is None:
            return [pad + text]
        start, end = pair
    body = text[start + 1 : end].strip()
    if not body:
        return [pad + text]
    # What is called there may need breaking, too; the bracket is a name for so long.
    first, *others = wrap("_" + text[end + 1 :], indent, width)
    return [
        pad + text[: start + 1],
        *_inside(body, indent + 1, width, explode),
        first.replace("_", text[end], 1),
        *others,
    ]


def _applied(text: str) -> tuple[int, int] | None:
    """The brackets of the first call in `layer(…)(x)`, which reads better broken there than at the second.

    A formatter breaks at the second as long as the text before it fits, unless each argument of the first
    has a line of its own.
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
    rows: list[str] = []
    for item in _split(body, ","):
        rows += wrap(item.strip() + ",", indent, width)
    return rows


def _breakable(text: str, room: int) -> tuple[int, int] | None:
    """The brackets to break at: of those that end the statement, the ones that hold most.

    Of `layer(…)([x, y])` it is the second pair, as long as the text up to it fits.
    """
    pairs = _top_level(text)
    if not pairs:
        return None
    trailing = [pairs[-1]]
    if len(pairs) > 1 and pairs[-2][1] + 1 == pairs[-1][0] and len(text[: pairs[-1][0]]) >= room:
        return pairs[-2]
    for pair in reversed(pairs[:-1]):
        # A chain of calls: what stands between is `.name`.
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
    """The pieces between separators that stand in no bracket and no string."""
    pieces, depth, last = [], 0, 0
    for at, character in _code(text):
        depth += (character in _OPEN) - (character in _CLOSE)
        if depth == 0 and text.startswith(separator, at):
            pieces.append(text[last:at])
            last = at + len(separator)
    return [piece for piece in (*pieces, text[last:]) if piece.strip()]


def _code(text: str) -> Iterable[tuple[int, str]]:
    """The characters of a statement that are not in a string."""
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
    """A docstring that says the text, whatever is in it; its lines are kept, and wrapped where they are long."""
    pad = " " * (STEP * indent)
    room = WIDTH - len(pad)
    rows: list[str] = []
    for line in text.strip().split("\n"):
        opening = 0 if rows else len('"""')
        rows += textwrap.wrap(_safe(" ".join(line.split())), room - opening, **_KEEP_WORDS) or [""]
    if len(rows) == 1 and len(rows[0]) <= room - len('""""""'):
        return [f'{pad}"""{rows[0]}"""']
    rows = [f'"""{rows[0]}', *rows[1:], '"""']
    return [pad + row if row else "" for row in rows]


def _safe(text: str) -> str:
    """Text that ends no docstring and escapes nothing."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    plain = plain.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    # A quote at either end would join the docstring's own.
    plain = f" {plain}" if plain.startswith('"') else plain
    return f'{plain[:-1]}\\"' if plain.endswith('"') else plain


def _comment(text: str, indent: int) -> Sequence[str]:
    pad = " " * (STEP * indent) + "# "
    return [pad + row for row in textwrap.wrap(text, WIDTH - len(pad), **_KEEP_WORDS)]
