"""Computes sizes and positions: boxes from the inside outwards, rows from top to bottom, lines straight if possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from netspec.drawing.columns import place
from netspec.drawing.picture import Box, Leaf
from netspec.drawing.rows import Cell, Rows, arrange

LINE_HEIGHT = 15
LEAF_PAD = 9
LEAF_WIDTH = 110
HEADER = 22
MARGIN = 14
GAP = 16
WIDE_GAP = 28
PORT = 12

NARROW = set("ijltfr.,:;|!'()[]{} 1I→·")
WIDE = set("mwMW@%—")


def text_width(text: str, size: float) -> float:
    """The approximate width of a text, rounded up."""
    units = sum(0.36 if each in NARROW else 0.92 if each in WIDE else 0.6 for each in text)
    return units * size


@dataclass(eq=False)
class PlacedBox:
    """A box with the positions of its content. `xs` are middles, from the left border; rows have heights and gaps.

    `entries` and `exits` are the positions at which the lines of each value cross the border, from the box's middle.
    """

    box: Box
    rows: Rows
    boxes: dict[Box, PlacedBox]
    width: float
    heights: list[float]
    gaps: list[float]
    entries: dict[str, float]
    exits: dict[str, float]

    @property
    def head(self) -> float:
        """The distance from the upper border to the first row."""
        return HEADER if self.box.kind != "whole" else 0.0

    @cached_property
    def tops(self) -> list[float]:
        """The top of each row, from the upper border, and the top of a row after the last."""
        tops, y = [], self.head
        for height, gap in zip([*self.heights, 0.0], self.gaps, strict=True):
            tops.append(y + gap)
            y += gap + height
        return tops

    @property
    def height(self) -> float:
        return self.tops[-1]

    def top(self, row: int) -> float:
        """The top of a row, from the upper border."""
        return self.tops[row]


def lay_out(box: Box) -> PlacedBox:
    """Compute the position of everything in a box."""
    boxes = {child: lay_out(child) for child in box.children if isinstance(child, Box)}
    into = {(child, value): x for child, inside in boxes.items() for value, x in inside.entries.items()}
    out_of = {(child, value): x for child, inside in boxes.items() for value, x in inside.exits.items()}
    rows = arrange(box, {child: _width(child, boxes) for child in box.children}, into, out_of)
    place(rows)
    left = min((cell.x - cell.width / 2 for row in rows.rows for cell in row), default=0.0)
    right = max((cell.x + cell.width / 2 for row in rows.rows for cell in row), default=0.0)
    title = text_width(box.title, 12) + 40 if box.kind != "whole" else 0.0
    width = max(right - left + 2 * MARGIN, title)
    shift = (width - (right - left)) / 2 - left
    for row in rows.rows:
        for cell in row:
            cell.x += shift
    _spread(rows)
    heights = [max((_height(cell.item, boxes) for cell in row), default=0.0) for row in rows.rows]
    entries = _ports(rows.rows[:1], width) if box.entries else {}
    exits = _ports(rows.rows[-1:], width) if box.exits else {}
    return PlacedBox(box, rows, boxes, width, heights, _gaps(rows, box), entries, exits)


def _ports(rows: Sequence[Sequence[Cell]], width: float) -> dict[str, float]:
    """The positions at which the lines of each value cross the border, from its middle."""
    return {cell.item: cell.x - width / 2 for row in rows for cell in row if isinstance(cell.item, str)}


def leaf_height(leaf: Leaf) -> float:
    """The height of a leaf with one or two lines of text."""
    return (2 if leaf.note else 1) * LINE_HEIGHT + LEAF_PAD


def _width(item: Leaf | Box, boxes: dict[Box, PlacedBox]) -> float:
    if isinstance(item, Box):
        return boxes[item].width
    return max(LEAF_WIDTH, text_width(item.text, 12.5) + 20, text_width(item.note, 11) + 20)


def _height(item: Leaf | Box | str | None, boxes: dict[Box, PlacedBox]) -> float:
    if isinstance(item, Box):
        return boxes[item].height
    return leaf_height(item) if isinstance(item, Leaf) else 0.0


def _spread(rows: Rows) -> None:
    """Several lines into one leaf end side by side; a straight one ends in the middle."""
    for row in rows.rows:
        for cell in row:
            if isinstance(cell.item, Leaf) and len(cell.above) > 1:
                links = sorted(cell.above, key=lambda link: link.source.x + link.source_shift)
                away = [abs(link.source.x + link.source_shift - cell.x) for link in links]
                middle = away.index(min(away)) if min(away) < 1 else (len(links) - 1) / 2
                for index, link in enumerate(links):
                    link.target_shift = (index - middle) * min(PORT, cell.width / len(links) * 0.8)


def _gaps(rows: Rows, box: Box) -> list[float]:
    """The gap above each row and below the last; larger where lines bend."""
    whole = box.kind == "whole"
    gaps = [0.0 if whole or box.entries else GAP * 0.5]
    gaps += [_gap(row) for row in rows.rows[:-1]]
    return [*gaps, 0.0 if whole or box.exits else GAP * 0.7]


def _gap(row: Sequence[Cell]) -> float:
    bends = [
        abs(link.source.x + link.source_shift - link.target.x - link.target_shift)
        for cell in row
        for link in cell.below
    ]
    return WIDE_GAP if max(bends, default=0.0) > PORT + 1 else GAP
