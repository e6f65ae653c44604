"""Computes the horizontal positions of cells: chains are straight, branches symmetrical, and nothing overlaps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from netspec.drawing.picture import Box, Leaf
from netspec.drawing.rows import Cell, Link, Rows

BESIDE = 22
BESIDE_LINE = 14
SWEEPS = 80
SKIP = 0.15
"""The weight of a skip connection at a fork or merge; a branch with layers has weight 1."""


@dataclass(eq=False)
class _Column:
    """Cells exactly below each other; `shifts` are the distances of their middles from the x of the column."""

    x: float = 0.0
    cells: list[Cell] = field(default_factory=list)
    shifts: list[float] = field(default_factory=list)
    pulls: list[tuple[_Column, float, float]] = field(
        default_factory=list
    )  # other column, distance to the right of it, weight
    left: dict[_Column, float] = field(default_factory=dict)  # neighbour: minimum distance
    right: dict[_Column, float] = field(default_factory=dict)


def place(rows: Rows) -> None:
    """Set the x of every cell."""
    straight, skips = _characters(rows)
    for links in (straight, set[Link]()):
        columns = _columns(rows, links, skips)
        order = _in_order(columns)
        if order is not None:
            break
    assert order is not None  # without straight links every column is one cell, and rows are in order
    for column in order:
        column.x = max((other.x + distance for other, distance in column.left.items()), default=0.0)
    for _ in range(SWEEPS):
        _settle(order)
    for column in order:
        for cell, shift in zip(column.cells, column.shifts, strict=True):
            cell.x = column.x + shift


def _characters(rows: Rows) -> tuple[set[Link], set[Link]]:
    """The links to draw straight (in a chain, or in the only branch beside skips of a fork or merge), and the skips."""
    outgoing: dict[Cell, list[list[Link]]] = defaultdict(list)
    incoming: dict[Cell, list[list[Link]]] = defaultdict(list)
    for line in rows.lines:
        outgoing[line[0].source].append(line)
        incoming[line[-1].target].append(line)
    straight: set[Link] = set()
    skips: set[Link] = set()
    for line in rows.lines:
        source, target = line[0].source, line[-1].target
        # A branch has a layer of its own at its start or end, with no other input or no other user.
        starts = [each for each in outgoing[source] if _is_own(each[-1].target, incoming)]
        ends = [each for each in incoming[target] if _is_own(each[0].source, outgoing)]
        from_source = len(outgoing[source]) == 1 or starts == [line]
        to_target = len(incoming[target]) == 1 or ends == [line]
        for link in line:
            if (from_source or link is not line[0]) and (to_target or link is not line[-1]):
                straight.add(link)
        if len(outgoing[source]) > 1 and not _is_own(target, incoming):
            skips.update(line)
    return straight, skips


def _is_own(cell: Cell, lines: dict[Cell, list[list[Link]]]) -> bool:
    return len(lines[cell]) == 1 and not isinstance(cell.item, str)


def _columns(rows: Rows, straight: set[Link], skips: set[Link]) -> list[_Column]:
    """The cells as columns, with their attractions and their minimum distances."""
    column_of: dict[Cell, _Column] = {}
    shift_of: dict[Cell, float] = {}
    for row in rows.rows:
        for cell in row:
            above = [link for link in cell.above if link in straight]
            column = column_of[above[0].source] if above else _Column()
            shift = (
                shift_of[above[0].source] + above[0].source_shift - above[0].target_shift if above else 0.0
            )
            column_of[cell], shift_of[cell] = column, shift
            column.cells.append(cell)
            column.shifts.append(shift)
    for row in rows.rows:
        for a, b in pairwise(row):
            _keep_apart(column_of[a], column_of[b], _distance(a, b) + shift_of[a] - shift_of[b])
    for link in (link for line in rows.lines for link in line if link not in straight):
        gap = shift_of[link.source] + link.source_shift - shift_of[link.target] - link.target_shift
        _pull(column_of[link.source], column_of[link.target], gap, SKIP if link in skips else 1.0)
    _pull_ends(rows, column_of, shift_of)
    return list(dict.fromkeys(column_of.values()))


def _pull(a: _Column, b: _Column, gap: float, weight: float) -> None:
    """Attract b to the position `gap` right of a, and a to the corresponding position."""
    if a is not b:
        b.pulls.append((a, gap, weight))
        a.pulls.append((b, -gap, weight))


def _pull_ends(rows: Rows, column_of: dict[Cell, _Column], shift_of: dict[Cell, float]) -> None:
    """Align the entry and the exit of a box, if possible."""
    if rows.ends is not None:
        entry, exit_ = rows.ends
        _pull(column_of[entry], column_of[exit_], shift_of[entry] - shift_of[exit_], 1.0)


def _keep_apart(a: _Column, b: _Column, distance: float) -> None:
    if distance > b.left.get(a, float("-inf")):
        b.left[a] = a.right[b] = distance


def _in_order(columns: Sequence[_Column]) -> list[_Column] | None:
    """The columns from left to right; None if a column would have to be both left and right of another."""
    waiting = {column: len(column.left) for column in columns}
    ready = [column for column in columns if not column.left]
    order: list[_Column] = []
    while ready:
        column = ready.pop()
        order.append(column)
        for other in column.right:
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    return order if len(order) == len(columns) else None


def _settle(order: Sequence[_Column]) -> None:
    """Move each column one step towards its target.

    Pushing to the right keeps all minimum distances, so does pushing to the left, and so does the average of the two.
    """
    wanted = {column: _wanted(column) for column in order}
    rightwards: dict[_Column, float] = {}
    for column in order:
        least = max((rightwards[other] + gap for other, gap in column.left.items()), default=float("-inf"))
        rightwards[column] = max(wanted[column], least)
    leftwards: dict[_Column, float] = {}
    for column in reversed(order):
        most = min((leftwards[other] - gap for other, gap in column.right.items()), default=float("inf"))
        leftwards[column] = min(wanted[column], most)
    for column in order:
        column.x = (rightwards[column] + leftwards[column]) / 2


def _wanted(column: _Column) -> float:
    total = sum(weight for _, _, weight in column.pulls)
    if not total:
        return column.x
    aim = sum((other.x + gap) * weight for other, gap, weight in column.pulls) / total
    return (column.x + aim) / 2  # half the way, because two columns that attract each other would oscillate


def _distance(a: Cell, b: Cell) -> float:
    """The minimum distance between the middles of two neighbours."""
    beside = BESIDE if isinstance(a.item, Leaf | Box) and isinstance(b.item, Leaf | Box) else BESIDE_LINE
    return (a.width + b.width) / 2 + beside
