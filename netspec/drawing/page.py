"""Writes a drawing as one HTML page with boxes that fold; the page loads no other files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Any

from netspec.drawing.layout import HEADER, PlacedBox, lay_out, leaf_height
from netspec.drawing.picture import Box, Leaf, picture
from netspec.drawing.rows import Link
from netspec.drawing.svg import BOTTOM, FONT, TOP, children, drawing
from netspec.graph import Graph


def as_html(graph: Graph) -> str:
    """The whole page."""
    placed = lay_out(picture(graph))
    # A script must not contain its own end tag.
    data = json.dumps(_data(placed, "b0"), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(graph.name)}</title>
<style>
{STYLE}</style>
</head>
<body>
<header>
<p>{escape(graph.description)}</p>
<p><button id="fold">Fold all</button> <button id="unfold">Unfold all</button>
<span>Click on the head of a box to fold it; point at an element for details.</span></p>
</header>
<main>
{drawing(graph, placed)}</main>
<script>
const root = {data};
const HEAD = {HEADER}, TOP = {TOP}, BOTTOM = {BOTTOM};
{SCRIPT}</script>
</body>
</html>
"""


def _data(placed: PlacedBox, name: str) -> dict[str, Any]:
    """The data that the page needs to move elements vertically: rows, heights, gaps, and the lines by their links."""
    cells = children(placed)
    index = {cell: number for number, cell in enumerate(cells)}
    return {
        "id": name,
        "head": placed.head,
        "gaps": placed.gaps,
        "children": [
            {
                "row": cell.row,
                "x": _tenths(cell.x - cell.width / 2),
                **(
                    {"box": _data(placed.boxes[cell.item], f"{name}n{index[cell]}")}
                    if isinstance(cell.item, Box)
                    else {"height": leaf_height(cell.item) if isinstance(cell.item, Leaf) else 0}
                ),
            }
            for cell in cells
        ],
        "lines": [_line(line, index.get(line[0].source, -1)) for line in placed.rows.lines],
    }


def _line(line: Sequence[Link], source: int) -> dict[str, Any]:
    """The row in which a line starts, and the horizontal start and end of each of its links."""
    xs = [
        [_tenths(link.source.x + link.source_shift), _tenths(link.target.x + link.target_shift)]
        for link in line
    ]
    return {"from": source, "row": line[0].source.row, "xs": xs}


def _tenths(value: float) -> float:
    return round(value, 1)


STYLE = f"""body {{ margin: 0; font-family: {FONT}; color: #1f2328; background: #ffffff; }}
header {{ padding: 12px 20px 0; font-size: 13px; }}
header p {{ margin: 0 0 8px; }}
header span {{ color: #59636e; margin-left: 8px; }}
main {{ overflow-x: auto; }}
button {{ font: inherit; padding: 3px 10px; border: 1px solid #8c959f; border-radius: 5px; cursor: pointer; }}
button {{ background: #f6f8fa; color: inherit; }}
.cap {{ cursor: pointer; }}
.cap:hover path, .cap:focus-visible path {{ fill: #c4ccd4; }}
.cap:focus {{ outline: none; }}
.folded > .cap path {{ stroke: #57606a; stroke-width: 1.2; stroke-dasharray: 5 3; }}
@media (prefers-color-scheme: dark) {{
body {{ color: #e6edf3; background: #0d1117; }}
header span {{ color: #9aa4af; }}
button {{ background: #1c2128; border-color: #6e7681; }}
.cap:hover path, .cap:focus-visible path {{ fill: #444c56; }}
}}
"""

SCRIPT = """const folded = new Set();
const at = id => document.getElementById(id);

// Compute heights from the inside outwards, then place every child and every line. Nothing moves horizontally.
function arrange(box) {
  const heights = box.gaps.slice(1).map(() => 0);
  box.children.forEach((child, index) => {
    const closed = child.box && folded.has(child.box.id);
    child.now = child.box ? (closed ? HEAD : arrange(child.box)) : child.height;
    heights[child.row] = Math.max(heights[child.row], child.now);
    if (child.box) show(child, closed);
  });
  const tops = [];
  let y = box.head;
  heights.forEach((height, row) => { y += box.gaps[row]; tops.push(y); y += height; });
  y += box.gaps[box.gaps.length - 1];
  box.children.forEach((child, index) =>
    at(`${box.id}n${index}`).setAttribute("transform", `translate(${child.x} ${tops[child.row]})`));
  box.lines.forEach((line, index) => at(`${box.id}l${index}`).setAttribute("d", path(box, line, tops, heights)));
  return y;
}

function show(child, closed) {
  const group = at(child.box.id);
  group.classList.toggle("folded", closed);
  group.querySelector(".frame").setAttribute("height", child.now);
  at(child.box.id + "i").style.display = closed ? "none" : "";
  at(child.box.id + "h").setAttribute("aria-expanded", String(!closed));
}

function path(box, line, tops, heights) {
  let row = line.row;
  let y = tops[row] + (line.from < 0 ? 0 : box.children[line.from].now);
  let d = `M${line.xs[0][0]} ${y}`;
  for (const [x1, x2] of line.xs) {
    const low = tops[row] + heights[row], high = tops[row + 1], middle = (low + high) / 2;
    if (low > y) d += ` V${low}`;
    d += x1 === x2 ? ` V${high}` : ` C${x1} ${middle} ${x2} ${middle} ${x2} ${high}`;
    y = high;
    row += 1;
  }
  return d;
}

function draw() {
  const svg = document.querySelector("main svg");
  const height = arrange(root) + TOP + BOTTOM;
  svg.setAttribute("height", height);
  svg.setAttribute("viewBox", `0 0 ${svg.getAttribute("width")} ${height}`);
  svg.querySelector(".paper").setAttribute("height", height);
}

function every(box, visit) {
  box.children.forEach(child => { if (child.box) { visit(child.box); every(child.box, visit); } });
}

every(root, box => {
  const head = at(box.id + "h");
  head.setAttribute("tabindex", "0");
  head.setAttribute("role", "button");
  head.setAttribute("aria-expanded", "true");
  const toggle = () => { folded.has(box.id) ? folded.delete(box.id) : folded.add(box.id); draw(); };
  head.addEventListener("click", toggle);
  head.addEventListener("keydown", event => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); toggle(); }
  });
});
at("fold").addEventListener("click", () => { every(root, box => folded.add(box.id)); draw(); });
at("unfold").addEventListener("click", () => { folded.clear(); draw(); });
"""
