"""Writes a drawing as SVG: no external resources, reproducible bytes, readable in light and dark mode."""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Sequence
from html import escape

from netspec.analysis import analyze
from netspec.drawing.layout import HEADER, LINE_HEIGHT, PlacedBox, lay_out, leaf_height, text_width
from netspec.drawing.picture import Box, Leaf, picture
from netspec.drawing.rows import Cell, Link
from netspec.graph import Graph
from netspec.ops import FAMILIES

EDGE = 20
TOP = EDGE + 52
"""The top of the network; its name and totals are above."""
BOTTOM = EDGE
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"

# A hue for each family, in the order of the catalogue; neighbours have very different hues.
HUES = (212, 150, 268, 36, 190, 330, 4, 100, 240, 60, 300, 172)


def as_svg(graph: Graph) -> str:
    """The complete SVG file."""
    return drawing(graph, lay_out(picture(graph)))


def drawing(graph: Graph, placed: PlacedBox) -> str:
    """The drawing as one `svg` element, for a file or a page."""
    title, facts = graph.name, summary(graph)
    width = max(placed.width, text_width(title, 18), text_width(facts, 12)) + 2 * EDGE
    height = placed.height + TOP + BOTTOM
    shift = (width - placed.width) / 2
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(width)} {number(height)}" '
            f'width="{number(width)}" height="{number(height)}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(graph.description or title)}</desc>",
            f"<style>\n{style()}</style>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7.2" refY="4" markerWidth="7" markerHeight="7" '
            'orient="auto"><path class="tip" d="M0.5 0.8 L7.5 4 L0.5 7.2 Z"/></marker></defs>',
            f'<rect class="paper" width="{number(width)}" height="{number(height)}"/>',
            f'<text class="title" x="{EDGE}" y="34">{escape(title)}</text>',
            f'<text class="facts" x="{EDGE}" y="53">{escape(facts)}</text>',
            f'<g id="b0" transform="translate({number(shift)} {TOP})">',
            *inside(placed, "b0"),
            "</g>",
            "</svg>",
            "",
        ]
    )


def summary(graph: Graph) -> str:
    """One line with inputs and outputs, parameters and MACs."""
    shapes = analyze(graph)
    macs = "MACs unavailable" if shapes.totals.macs is None else f"{shapes.totals.macs:,} MACs"
    inputs = ", ".join(str(each.type) for each in graph.inputs)
    outputs = ", ".join(str(graph.types[each.value]) for each in graph.outputs)
    return f"{inputs} → {outputs}  ·  {shapes.totals.params:,} parameters  ·  {macs}"


def inside(placed: PlacedBox, name: str) -> Iterator[str]:
    """The lines and the children of a box; the id of each element encodes its place."""
    for index, line in enumerate(placed.rows.lines):
        tip = "" if isinstance(line[-1].target.item, str) else ' marker-end="url(#tip)"'
        yield f'<path id="{name}l{index}" class="line" d="{path(line, placed)}"{tip}/>'
    for index, cell in enumerate(children(placed)):
        top = placed.top(cell.row)
        if isinstance(cell.item, Leaf):
            yield from _leaf(cell.item, cell, top, f"{name}n{index}")
        elif isinstance(cell.item, Box):
            yield from _box(placed.boxes[cell.item], cell, top, f"{name}n{index}")


def children(placed: PlacedBox) -> list[Cell]:
    """The leaves and boxes of a box, row by row."""
    return [cell for row in placed.rows.rows for cell in row if isinstance(cell.item, Leaf | Box)]


def _leaf(leaf: Leaf, cell: Cell, top: float, name: str) -> Iterator[str]:
    height = leaf_height(leaf)
    left, middle = cell.x - cell.width / 2, cell.width / 2
    kind = KINDS.get(leaf.family, "other")
    radius = height / 2 if kind in ("input", "output") else 5
    yield f'<g id="{name}" class="leaf {kind}" transform="translate({number(left)} {number(top)})">'
    yield f"<title>{escape(leaf.about)}</title>"
    yield f'<rect width="{number(cell.width)}" height="{number(height)}" rx="{number(radius)}"/>'
    yield f'<text class="text" x="{number(middle)}" y="16">{escape(leaf.text)}</text>'
    if leaf.note:
        yield f'<text class="note" x="{number(middle)}" y="{16 + LINE_HEIGHT}">{escape(leaf.note)}</text>'
    yield "</g>"


def _box(placed: PlacedBox, cell: Cell, top: float, name: str) -> Iterator[str]:
    width, height = number(placed.width), number(placed.height)
    left = cell.x - cell.width / 2
    yield f'<g id="{name}" class="box {placed.box.kind}" transform="translate({number(left)} {number(top)})">'
    yield f'<rect class="frame" width="{width}" height="{height}" rx="7"/>'
    yield f'<g id="{name}i">'
    yield from inside(placed, name)
    yield "</g>"
    yield f'<g id="{name}h" class="cap"><title>{escape(placed.box.about)}</title>'
    yield f'<path d="M0 {HEADER} V7 a7 7 0 0 1 7 -7 H{number(placed.width - 7)} a7 7 0 0 1 7 7 V{HEADER} Z"/>'
    yield f'<text x="9" y="15">{escape(placed.box.title)}</text></g>'
    yield "</g>"


def path(line: Sequence[Link], placed: PlacedBox) -> str:
    """The path of a line: down through the rows that it passes, with bends only between rows."""
    first = line[0]
    x, y = first.source.x + first.source_shift, _foot(first.source, placed)
    parts = [f"M{number(x)} {number(y)}"]
    for link in line:
        row = link.source.row
        low, high = placed.top(row) + placed.heights[row], placed.top(row + 1)
        x1, x2 = link.source.x + link.source_shift, link.target.x + link.target_shift
        if low > y:
            parts.append(f"V{number(low)}")
        middle = number((low + high) / 2)
        straight = number(x1) == number(x2)
        parts.append(
            f"V{number(high)}"
            if straight
            else f"C{number(x1)} {middle} {number(x2)} {middle} {number(x2)} {number(high)}"
        )
        y = high
    return " ".join(parts)


def _foot(cell: Cell, placed: PlacedBox) -> float:
    """The point where lines leave a cell."""
    top = placed.top(cell.row)
    if isinstance(cell.item, Box):
        return top + placed.boxes[cell.item].height
    return top + leaf_height(cell.item) if isinstance(cell.item, Leaf) else top


def number(value: float) -> str:
    """A number with one decimal, which is precise enough and reproducible."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


KINDS = {family: f"f{index}" for index, family in enumerate(FAMILIES)} | {
    "input": "input",
    "output": "output",
}


def style() -> str:
    """Colours and fonts for light and dark mode."""
    return f"""svg {{ font-family: {FONT}; }}
text {{ fill: #1f2328; }}
.title {{ font-size: 18px; font-weight: 600; }}
.facts {{ font-size: 12px; fill: #59636e; }}
.paper {{ fill: #ffffff; }}
.text {{ font-size: 12px; text-anchor: middle; }}
.note {{ font-size: 10.5px; text-anchor: middle; fill: #59636e; }}
.line {{ fill: none; stroke: #6e7781; stroke-width: 1.3; }}
.tip {{ fill: #6e7781; }}
.leaf rect {{ fill: #f6f8fa; stroke: #8c959f; stroke-width: 1; }}
.input rect, .output rect {{ fill: #ffffff; stroke: #59636e; stroke-width: 1.3; }}
.frame {{ fill: #57606a; fill-opacity: 0.055; stroke: #8c959f; stroke-width: 1; }}
.repeat > .frame {{ stroke-width: 1.6; }}
.cap path {{ fill: #d8dee4; }}
.cap text {{ font-size: 11.5px; font-weight: 600; }}
{_families(0.93, 0.50)}@media (prefers-color-scheme: dark) {{
text {{ fill: #e6edf3; }}
.facts, .note {{ fill: #9aa4af; }}
.paper {{ fill: #0d1117; }}
.line {{ stroke: #8b949e; }}
.tip {{ fill: #8b949e; }}
.leaf rect {{ fill: #1c2128; stroke: #6e7681; }}
.input rect, .output rect {{ fill: #0d1117; stroke: #9aa4af; }}
.frame {{ fill: #adbac7; fill-opacity: 0.06; stroke: #57606a; }}
.cap path {{ fill: #2d333b; }}
{_families(0.19, 0.52)}}}
"""


def _families(fill: float, stroke: float) -> str:
    strength = 0.75 if fill > 0.5 else 0.42
    rows = []
    for index in range(len(FAMILIES)):
        hue = HUES[index % len(HUES)]
        paint = f"fill: {_colour(hue, fill, strength)}; stroke: {_colour(hue, stroke, 0.5)};"
        rows.append(f".f{index} rect {{ {paint} }}\n")
    return "".join(rows)


def _colour(hue: int, light: float, strength: float) -> str:
    parts = colorsys.hls_to_rgb(hue / 360, light, strength)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)
