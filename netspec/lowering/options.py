"""Joins uses of a block of which some lack statements: these statements get a condition."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from netspec.lowering.statements import IF, block, is_code, statements
from netspec.lowering.tree import Flag, Hole, Option, Tree

MOST = 2
"""The most conditions that one block may have; with more, several definitions are clearer."""

Presence = tuple[bool, ...]
"""For each use, whether it has a statement."""


def optional(bodies: Sequence[Tree], called: Callable[[Presence], str], later: int) -> Tree | None:
    """The longest body, in which the statements that other uses lack are optional; None if the uses differ in more.

    `called` returns the name of a condition for the uses in which it holds. Statements from number `later` on run where
    the parameters are not visible.
    """
    rows = {each.shape: [one.shape for one in statements(each)] for each in bodies}
    shapes = max(rows.values(), key=len)
    places = {key: _places(row, shapes) for key, row in rows.items()}
    columns: list[list[Tree | None]] = [[] for _ in shapes]
    for body in bodies:
        found = places[body.shape]
        if found is None:
            return None
        own = iter(statements(body))
        for at, column in enumerate(columns):
            column.append(next(own) if at in found else None)
    presence = [tuple(each is not None for each in column) for column in columns]
    lacking = [row for row in presence if not all(row)]
    if len(set(lacking)) > MOST or 2 * len(lacking) > len(presence):
        return None
    merged: list[Tree] = []
    before: Presence = ()
    for at, (row, column) in enumerate(zip(presence, columns, strict=True)):
        present = [each for each in column if each is not None]
        statement = present[0].merged(present)
        if all(row):
            merged.append(statement)
        elif statement.runs or not is_code(statement):
            return None
        else:
            statement = statement.changed(_partial([use for use, has in enumerate(row) if has]))
            if row == before and isinstance(last := merged[-1], Option):
                merged[-1] = Option(last.form, (last.flag, block((*statements(last.body), statement))))
            else:
                flag = Flag(row, called(row), kept=at >= later)
                merged.append(Option(IF, (flag, block((statement,)))))
            flag.within += statement.holes()
        before = row
    return block(merged)


def _places(row: Sequence[Hashable], longest: Sequence[Hashable]) -> set[int] | None:
    """The positions of the statements of one body in the longest body, in order; None if one is not in it."""
    found: set[int] = set()
    at = 0
    for shape in row:
        while at < len(longest) and longest[at] != shape:
            at += 1
        if at == len(longest):
            return None
        found.add(at)
        at += 1
    return found


def _partial(uses: Sequence[int]) -> Callable[[Tree], Tree | None]:
    """Record in each hole the uses that have it."""

    def change(part: Tree) -> Tree | None:
        return part.of(tuple(uses)) if isinstance(part, Hole) else None

    return change
