"""Records the output of every layer of generated source: a call is added after each line that makes a value."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from netspec.backend import LocalName, Source
from netspec.lowering.outline import Module

HOOK = "__tap__"

ANY_NUMBER = "#"
"""The end of the local name of a layer without a name of the author, if its number differs between uses of a block."""


def instrument(source: Source) -> ast.Module:
    """Parse the source, and add `variable = __tap__(node, variable)` after the line of each tap.

    A line that returns the value then returns `__tap__(node, value)`. A tap at the first line of a function records one
    of its arguments. The text itself does not change; pass the result to `compile`. Put a `Recorder` as `__tap__` into
    the namespace in which the code runs.

    Raises:
        ValueError: a tap points at a line at which no statement ends.
    """
    tree = ast.parse(source.text)
    taps: dict[int, list[tuple[str, LocalName]]] = {}
    for tap in source.taps:
        taps.setdefault(tap.line, []).append((tap.variable, tap.node))
    for body in _bodies(tree):
        for statement in list(body):
            if isinstance(statement, ast.FunctionDef):
                head = range(statement.lineno, statement.body[0].lineno)
                calls = [call for line in head for call in taps.pop(line, [])]
                statement.body[:0] = [
                    _binding(variable, node, statement, is_head=True) for variable, node in calls
                ]
            calls = [] if _is_compound(statement) else taps.pop(statement.end_lineno or 0, [])
            at = body.index(statement) + 1
            if isinstance(statement, ast.Return) and statement.value is not None and calls:
                for _, node in calls:
                    statement.value = ast.copy_location(_call(node, statement.value), statement.value)
                ast.fix_missing_locations(statement)
            else:
                body[at:at] = [_binding(variable, node, statement) for variable, node in calls]
    if taps:
        raise ValueError(
            f"no statement ends at line {min(taps)}, where {spell(taps[min(taps)][0][1])} is said to be made"
        )
    return tree


def _bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """The lists of statements in a node, at any depth."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        inner = getattr(node, name, None)
        if isinstance(inner, list):
            if inner and isinstance(inner[0], ast.stmt):
                yield inner
            for each in inner:
                yield from _bodies(each)


def _is_compound(statement: ast.stmt) -> bool:
    return isinstance(getattr(statement, "body", None), list)


def _call(node: LocalName, value: ast.expr) -> ast.Call:
    name = ast.Tuple([ast.Constant(part) for part in node], ast.Load())
    return ast.Call(func=ast.Name(id=HOOK, ctx=ast.Load()), args=[name, value], keywords=[])


def _binding(variable: str, node: LocalName, after: ast.stmt, is_head: bool = False) -> ast.stmt:
    """The statement that records a variable; it gets the place of another one, or of its first line."""
    call = _call(node, ast.Name(id=variable, ctx=ast.Load()))
    statement = ast.Assign(targets=[ast.Name(id=variable, ctx=ast.Store())], value=call)
    ast.copy_location(statement, after)
    if is_head:
        statement.end_lineno = after.lineno
    return ast.fix_missing_locations(statement)


def order(root: Module) -> tuple[str, ...]:
    """The canonical names of all values, in the order in which generated code makes them."""
    # A layer's own output can replace its input, so it comes after the further outputs.
    return tuple(value for node in root.nodes() for value in (*node.values[1:], node.name))


class Recorder:
    """The function `__tap__`. It knows the order of the values, and so the value of each call.

    Generated code runs its layers in the order of the outline. The name in a tap is local to its function, because one
    function can serve several uses; it is checked against the next name in the order. `seen` has the values of the last
    pass; `inject` adds a number to the output of one node.
    """

    def __init__(
        self,
        names: Sequence[str],
        inject: tuple[str, float] | None = None,
        keep: Callable[[Any], Any] = lambda v: v,
    ) -> None:
        if inject is not None and inject[0] not in names:
            raise KeyError(inject[0])
        self.names, self.inject, self.keep = names, inject, keep
        self.seen: dict[str, Any] = {}
        self._next = 0
        self._suffixes: dict[LocalName, str | None] = {}

    def start(self) -> None:
        """Prepare for a pass through the model."""
        self.seen = {}
        self._next = 0

    def due(self, node: LocalName) -> str:
        """The canonical name of the next value, checked against its local name."""
        if self._next >= len(self.names):
            raise RuntimeError(f"{spell(node)} is made after the last layer of the graph")
        name = self.names[self._next]
        self._next += 1
        if node not in self._suffixes:
            plain = not any(part is None or part.endswith(ANY_NUMBER) for part in node)
            self._suffixes[node] = f".{'.'.join(map(str, node))}" if plain else None
        suffix = self._suffixes[node]
        # Most names have no number to compare.
        ends = _ends_with(name.split("."), node) if suffix is None else f".{name}".endswith(suffix)
        if not ends:
            raise RuntimeError(f"{spell(node)} is made where {name} is due")
        return name

    def __call__(self, node: LocalName, value: Any) -> Any:
        name = self.due(node)
        if self.inject is not None and name == self.inject[0]:
            value = value + self.inject[1]
        self.seen[name] = self.keep(value)
        return value


def spell(node: LocalName) -> str:
    """A local name as the language writes it: `stage.*.conv1` in a loop."""
    return ".".join("*" if part is None else part for part in node)


def _ends_with(parts: Sequence[str], node: LocalName) -> bool:
    """Whether a canonical name ends with a local name, in which None stands for any number."""
    pairs = zip(parts[-len(node) :], node, strict=False)
    return len(parts) >= len(node) and all(_is(part, wanted) for part, wanted in pairs)


def _is(part: str, wanted: str | None) -> bool:
    if wanted is None:
        return part.isdigit()
    stem = wanted.removesuffix(ANY_NUMBER)
    return part == wanted if stem == wanted else part.removeprefix(stem).isdigit() and part.startswith(stem)
