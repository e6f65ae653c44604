"""A folded text back to source, and written out in full, which is what two texts must agree in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from netspec.lowering.derive import Expression, Hole
from netspec.lowering.folding import Affine, Run
from netspec.lowering.parts import (
    Call,
    Cut,
    Index,
    Line,
    Loop,
    Quoted,
    Raw,
    Seq,
    Series,
    Value,
    literal,
    quoted,
)


@dataclass(frozen=True, slots=True)
class Text:
    """A finished statement, not yet broken into lines."""

    text: str
    indent: int = 0
    tap: tuple[str, str] | None = None
    comment: str = ""


class Writer:
    """Writes a folded text, with an expression in each hole."""

    def __init__(self, expression: Callable[[Hole], Expression]) -> None:
        self.expression = expression

    def lines(self, body: Any, more: int = 0, number: int | None = None, loop: str = "") -> Iterator[Text]:
        for each in body:
            if isinstance(each, Line):
                tap = each.tap and (each.tap[0], each.tap[1] if loop else _numbered(each.tap[1], number))
                yield Text(self.text(each.part, loop), each.indent + more, tap, each.comment)
            else:
                yield from self._loop(each, more)

    def _loop(self, loop: Loop, more: int) -> Iterator[Text]:
        runs: Any = loop.bodies
        for run in runs:
            if run.single:
                yield from self._single(run, more)
                continue
            yield Text(f"for {self._rounds(run)}:", loop.indent + more)
            yield from self.lines(run.item, more + 1, loop=loop.variable)

    def _single(self, run: Run, more: int) -> Iterator[Text]:
        """A repetition that is one in every use; which one it is may still differ between them."""
        if run.numbered and run.number is None:
            yield from self.lines(run.item, more, loop=self.expression(run.first).text)
        else:
            yield from self.lines(run.item, more, run.number)

    def _rounds(self, run: Run) -> str:
        """`i in range(1, 4)`, or `_ in range(3)` where the number does not matter."""
        if not run.numbered:
            return f"_ in range({self.expression(run.count).text})"
        first, end = self.expression(run.first).text, self.expression(run.end).text
        return f"{run.variable} in " + (f"range({end})" if first == "0" else f"range({first}, {end})")

    def text(self, part: Any, loop: str = "") -> str:
        match part:
            case str():
                return part
            case Hole():
                return self.expression(part).text
            case Affine():
                return self._affine(part)
            case Index(number):
                return loop or str(number)
            case Quoted(parts):
                return _quoted(parts, loop)
            case Seq(parts):
                return "".join(self.text(each, loop) for each in parts)
            case Call():
                return f"{part.function}({', '.join(self._arguments(part, loop))}){part.tail}"
            case Series(runs):
                return self._series(part, runs, loop)
            case Cut(start, end):
                return _cut(self.text(start, loop), self.text(end, loop))
        raise TypeError(f"no text: {part!r}")

    def _arguments(self, call: Call, loop: str) -> Iterator[str]:
        for argument in call.arguments:
            value: Any = argument.value
            if isinstance(value, Hole) and value.omitted:
                continue
            yield (
                f"{argument.keyword}={self.text(value, loop)}" if argument.keyword else self.text(value, loop)
            )

    def _series(self, part: Series, runs: Any, loop: str) -> str:
        if part.listed and len(runs) == 1 and not runs[0].single:
            return self._generator(runs[0], loop)
        text = ", ".join(self._run(run, loop) for run in runs)
        return f"[{text}]" if part.listed else text

    def _run(self, run: Any, loop: str) -> str:
        return self.text(run.item, loop) if run.single else f"*({self._generator(run, loop)})"

    def _generator(self, run: Any, loop: str) -> str:
        return f"{self.text(run.item, loop)} for {self._rounds(run)}"

    def _affine(self, part: Affine) -> str:
        step = self.expression(part.step)
        start = self.expression(part.start).text
        by = step.text.removeprefix("-")
        counted = part.variable if by == "1" else f"{step.operand.removeprefix('-')} * {part.variable}"
        if by != step.text:
            return f"{start} - {counted}"
        return counted if start == "0" else f"{start} + {counted}"


def _cut(start: str, end: str) -> str:
    """The slice as a formatter leaves it: with spaces where a side is more than a number."""
    left, right = start, f"-{end}" if end else ""
    if left.isdigit() + right[1:].isdigit() == bool(left) + bool(right):
        return f"{left}:{right}"
    return f"{left} : {right}".strip()


def _numbered(node: str, number: int | None) -> str:
    return node if number is None else node.replace("{}", str(number))


def _quoted(parts: tuple[str | Index | Raw, ...], loop: str) -> str:
    live = any(isinstance(each, Raw) or (isinstance(each, Index) and loop) for each in parts)
    text = ""
    for each in parts:
        match each:
            case str():
                escaped = quoted(each)[1:-1]
                text += escaped.replace("{", "{{").replace("}", "}}") if live else escaped
            case Index(number):
                text += f"{{{loop}}}" if loop else str(number)
            case Raw(inner):
                text += f"{{{inner}}}"
    return f'{"f" if live else ""}"{text}"'


class Expansion:
    """Writes a text out with a literal in each hole and every run unrolled: what two texts must agree in."""

    def __init__(self, value: Callable[[Hole], Value]) -> None:
        self.value = value

    def text(self, part: Any, number: int | None = None) -> str:
        match part:
            case str():
                return part
            case Hole():
                return literal(self.value(part))
            case Affine(start, step):
                first: Any = self.value(start)
                more: Any = self.value(step)
                return literal(first + more * number)
            case Index(own):
                return str(own if number is None else number)
            case Quoted(parts):
                return "".join(self.text(each, number) for each in parts)
            case Raw(text):
                return "{" + text + "}"
            case Run():
                return "".join(self.text(part.item, at) + "\n" for at in self._numbers(part))
            case Call(function, arguments, tail):
                inner = ", ".join(f"{a.keyword}={self.text(a.value, number)}" for a in arguments)
                return f"{function}({inner}){tail}"
            case Series(items):
                return "".join(self._item(each, number, at) for at, each in enumerate(items))
            case Seq(parts):
                return "".join(self.text(each, number) for each in parts)
            case Cut(start, end):
                return f"{self.text(start, number)}:-{self.text(end, number)}"
            case Line():
                return f"{part.indent}:{self.text(part.part, number)}"
            case Loop(bodies):
                return "".join(self._item(each, number, at) for at, each in enumerate(bodies))
            case tuple():
                return "".join(self.text(each, number) + ";" for each in part)
        raise TypeError(f"no text: {part!r}")

    def _numbers(self, run: Run) -> range:
        if not run.numbered:
            count: Any = self.value(run.count)
            return range(count)
        ends: Any = (self.value(run.first), self.value(run.end))
        return range(*ends)

    def _item(self, item: Any, number: int | None, at: int) -> str:
        return self.text(item, number) if isinstance(item, Run) else self.text(item, at) + "\n"
