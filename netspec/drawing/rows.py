"""Arranges the children of one box in rows from top to bottom, in an order with few line crossings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from netspec.drawing.picture import Box, Leaf

SWEEPS = 12


@dataclass(eq=False)
class Cell:
    """An entry of a row: a child, the end of a line at the border (a name), or a line that passes (None)."""

    item: Leaf | Box | str | None
    row: int = 0
    x: float = 0.0
    width: float = 0.0
    above: list[Link] = field(default_factory=list)
    below: list[Link] = field(default_factory=list)


@dataclass(eq=False)
class Link:
    """A part of a line from one row to the next. The shifts are its ends, from the middles of both cells."""

    source: Cell
    target: Cell
    value: str
    source_shift: float = 0.0
    target_shift: float = 0.0


@dataclass
class Rows:
    """The cells of a box, row by row, and each line as a list of links."""

    rows: list[list[Cell]]
    lines: list[list[Link]]
    ends: tuple[Cell, Cell] | None
    """The first entry and the first exit of the box, if there are any."""


Ports = Mapping[tuple[Box, str], float]
"""The position at which the line of a value crosses the border of a box, from its middle."""


def arrange(box: Box, widths: Mapping[Leaf | Box, float], into: Ports, out_of: Ports) -> Rows:
    """Rows in which every line runs downwards, ordered so that few lines cross.

    Args:
        widths: the widths of the children.
        into, out_of: the positions at which lines enter and leave the children that are boxes.
    """
    entries = [Cell(name) for name in box.entries]
    children = {child: Cell(child, width=widths[child]) for child in box.children}
    exits = [Cell(name) for name in box.exits]
    ends = {("in", cell.item): cell for cell in entries} | {("out", cell.item): cell for cell in exits}
    lines = [
        (
            ends["in", source] if isinstance(source, str) else children[source],
            ends["out", target] if isinstance(target, str) else children[target],
            value,
        )
        for source, target, value in box.lines
    ]
    _rank(list(children.values()), lines, first=1 if entries else 0)
    last = max((cell.row for cell in children.values()), default=0) + 1
    for cell in exits:
        cell.row = last
    rows: list[list[Cell]] = [[] for _ in range(last + 1 if exits else last)]
    for cell in (*entries, *children.values(), *exits):
        rows[cell.row].append(cell)
    links = [_links(source, target, value, rows) for source, target, value in lines]
    for line in links:
        start, end = line[0].source.item, line[-1].target.item
        if isinstance(start, Box):
            line[0].source_shift = out_of[start, line[0].value]
        if isinstance(end, Box):
            line[-1].target_shift = into[end, line[-1].value]
    _order(rows)
    return Rows(rows, links, (entries[0], exits[0]) if entries and exits else None)


def _rank(cells: Sequence[Cell], lines: Sequence[tuple[Cell, Cell, str]], first: int) -> None:
    """The row of each child: below all its inputs. Children are in an order in which inputs come first."""
    above: dict[Cell, list[Cell]] = defaultdict(list)
    below: dict[Cell, list[Cell]] = defaultdict(list)
    for source, target, _ in lines:
        above[target].append(source)
        below[source].append(target)
    for cell in cells:
        cell.row = max((source.row + 1 for source in above[cell]), default=first)
        cell.row = max(cell.row, first)
    for cell in reversed(cells):
        # A child without inputs is directly above its first user.
        if not above[cell] and below[cell]:
            users = [user.row for user in below[cell] if user.row]
            cell.row = max(first, min(users, default=cell.row + 1) - 1)


def _links(source: Cell, target: Cell, value: str, rows: list[list[Cell]]) -> list[Link]:
    """A line as links from row to row, with its own cell in each row that it passes."""
    cells = [source]
    for row in range(source.row + 1, target.row):
        cells.append(Cell(None, row))
        rows[row].append(cells[-1])
    cells.append(target)
    links = [Link(a, b, value) for a, b in pairwise(cells)]
    for link in links:
        link.source.below.append(link)
        link.target.above.append(link)
    return links


def _order(rows: list[list[Cell]]) -> None:
    """Sort each row by the middle of its neighbours, up and down, and keep the best order."""
    best, fewest = [list(row) for row in rows], crossings(rows)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        for row in rows[1:] if down else reversed(rows[:-1]):
            _sort(row, rows, down)
        count = crossings(rows)
        if count < fewest:
            best, fewest = [list(row) for row in rows], count
    rows[:] = best


def _sort(row: list[Cell], rows: list[list[Cell]], down: bool) -> None:
    place = {cell: index for each in rows for index, cell in enumerate(each)}

    def middle(cell: Cell) -> float:
        ends = [_source_end(link, place) for link in cell.above] if down else []
        ends += [] if down else [_target_end(link, place) for link in cell.below]
        return sum(ends) / len(ends) if ends else float(place[cell])

    row.sort(key=middle)  # stable: equal ones keep the order of the spec


def _source_end(link: Link, place: Mapping[Cell, int]) -> float:
    """The start of a link, as an index in its row."""
    return place[link.source] + link.source_shift / (link.source.width + 1)


def _target_end(link: Link, place: Mapping[Cell, int]) -> float:
    return place[link.target] + link.target_shift / (link.target.width + 1)


def crossings(rows: Sequence[Sequence[Cell]]) -> int:
    """The number of pairs of links that cross."""
    place = {cell: index for row in rows for index, cell in enumerate(row)}
    count = 0
    for row in rows:
        links = [link for cell in row for link in cell.below]
        ends = sorted((_source_end(link, place), _target_end(link, place)) for link in links)
        for index, (start, end) in enumerate(ends):
            count += sum(1 for other, into in ends[:index] if other < start and into > end)
    return count
