"""A folded tree back to source: an expression in each hole, runs as loops and generators."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from netspec.backend import LocalName
from netspec.lowering.derive import Expression
from netspec.lowering.parts import Names, Part, literal, tree
from netspec.lowering.statements import Text, lines
from netspec.lowering.tree import Affine, Hole, Power, Run, Tree


class Pen:
    """Writes trees, with an expression in each hole.

    Within a run `number` is the text of the number of its repetition, and `at` the number itself where it is one
    repetition only.
    """

    def __init__(
        self, expression: Callable[[Hole], Expression], number: str = "", at: int | None = None
    ) -> None:
        self.expression, self.number, self.at = expression, number, at

    def lines(self, body: Tree) -> Iterator[Text]:
        """The statements of a body."""
        return lines(body, self)

    def within(self, number: str = "", at: int | None = None) -> Pen:
        """The same within a run."""
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

    def power(self, part: Power) -> str:
        step, start = self.expression(part.step), self.expression(part.start)
        sign = "**" if step.text.replace(".", "").isidentifier() or step.text.isdigit() else " ** "
        counted = f"{step.operand}{sign}{part.variable}"
        return counted if start.text == "1" else f"{start.operand} * {counted}"

    def node(self, name: LocalName) -> LocalName:
        """The name of a node, None in it as long as its number is not one."""
        return name if self.at is None else tuple(str(self.at) if part is None else part for part in name)

    def repeated(self, run: Run) -> str:
        """A run in an expression: a generator, or the expression itself."""
        if run.single:
            return run.item.text(self)
        return f"{run.item.text(self.within(run.variable))} for {self._header(run)}"

    def rounds(self, run: Run, indent: int, more: int) -> Iterator[Text]:
        """A run of statements: a loop, or the statements themselves.

        Which repetition it is may differ between uses even where it is one in each.
        """
        if not run.single:
            yield Text(f"for {self._header(run)}:", indent + more)
            yield from lines(run.item, self.within(run.variable), more + 1)
        elif run.numbered and run.number is None:
            yield from lines(run.item, self.within(self.expression(run.first).text), more)
        else:
            yield from lines(run.item, self.within(at=run.number), more)

    def _header(self, run: Run) -> str:
        """`i in range(1, 4)`, or `_ in range(3)` where the number does not matter."""
        if not run.numbered:
            return f"_ in range({self.expression(run.count).text})"
        first, end = self.expression(run.first).text, self.expression(run.end).text
        return f"{run.variable} in " + (f"range({end})" if first == "0" else f"range({first}, {end})")


def text_of(part: Part, names: Names | None = None) -> str:
    """The text of a part by itself, every literal in it."""
    return part if isinstance(part, str) else tree(part, names).text(Pen(_literal))


def _literal(hole: Hole) -> Expression:
    return Expression((literal(hole.row[0]),), lambda _: hole.row[0])
