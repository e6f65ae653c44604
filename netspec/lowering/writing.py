"""Writes a folded tree as source: an expression for each hole, loops and generators for runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from netspec.backend import LocalName
from netspec.lowering.derive import Expression
from netspec.lowering.parts import Names, Part, literal, tree
from netspec.lowering.statements import Text, lines
from netspec.lowering.tree import Affine, Alternating, EqualRun, Hole, Multiplying, Tree


class Pen:
    """Writes trees, with an expression for each hole.

    In a run, `number` is the text of the number of its repetition, and `at` the number itself if there is only one
    repetition. `odd` is whether the number is odd, if that is known.
    """

    def __init__(
        self,
        expression: Callable[[Hole], Expression],
        number: str = "",
        at: int | None = None,
        odd: bool | None = None,
    ) -> None:
        self.expression, self.number, self.at, self.odd = expression, number, at, odd

    def lines(self, body: Tree) -> Iterator[Text]:
        """The statements of a body."""
        return lines(body, self)

    def within(self, number: str = "", at: int | None = None) -> Pen:
        """The pen for the content of a run."""
        return Pen(self.expression, number, at)

    def hole(self, hole: Hole) -> str:
        return self.expression(hole).text

    def affine(self, part: Affine) -> str:
        step, start = self.expression(part.step), self.expression(part.start).text
        by = step.text.removeprefix("-")
        counted = part.variable if by == "1" else f"{step.operand.removeprefix('-')} * {part.variable}"
        if by != step.text:
            return f"{start} - {counted}"
        return counted if start == "0" else f"{start} + {counted}"

    def power(self, part: Multiplying) -> str:
        step, start = self.expression(part.step), self.expression(part.start)
        sign = "**" if step.text.replace(".", "").isidentifier() or step.text.isdigit() else " ** "
        counted = f"{step.operand}{sign}{part.variable}"
        return counted if start.text == "1" else f"{start.operand} * {counted}"

    def alternating(self, part: Alternating) -> str:
        even, odd = self.expression(part.start).text, self.expression(part.step).text
        if self.odd is not None:
            return odd if self.odd else even
        return f"{odd} if {part.variable} % 2 else {even}"

    def node(self, name: LocalName) -> LocalName:
        """The name of a node, with None in it as long as the number is not fixed."""
        return name if self.at is None else tuple(str(self.at) if part is None else part for part in name)

    def repeated(self, run: EqualRun) -> str:
        """A run in an expression: a generator, or the expression itself."""
        if run.single:
            return run.item.text(self)
        item = run.item.text(self.within(run.variable))
        if any(isinstance(each, Alternating) for each in run.item.every()):
            even, odd = (run.item.text(Pen(self.expression, run.variable, odd=odd)) for odd in (False, True))
            item = f"{odd} if {run.variable} % 2 else {even}"
        return f"{item} for {self._header(run)}"

    def rounds(self, run: EqualRun, indent: int, more: int) -> Iterator[Text]:
        """A run of statements: a loop, or the statements themselves.

        The number of the repetition can differ between uses even if each use has only one.
        """
        if not run.single:
            yield Text(f"for {self._header(run)}:", indent + more)
            yield from lines(run.item, self.within(run.variable), more + 1)
        elif run.numbered and run.number is None:
            yield from lines(run.item, self.within(self.expression(run.first).text), more)
        else:
            yield from lines(run.item, self.within(at=run.number), more)

    def _header(self, run: EqualRun) -> str:
        """The header of a loop: `i in range(1, 4)`, or `_ in range(3)` if the number is not used."""
        if not run.numbered:
            return f"_ in range({self.expression(run.count).text})"
        first, end = self.expression(run.first).text, self.expression(run.end).text
        return f"{run.variable} in " + (f"range({end})" if first == "0" else f"range({first}, {end})")


def text_of(part: Part, names: Names | None = None) -> str:
    """The text of a single part, with every literal in it."""
    return part if isinstance(part, str) else tree(part, names).text(Pen(_literal))


def _literal(hole: Hole) -> Expression:
    return Expression((literal(hole.row[0]),), lambda _: hole.row[0])
