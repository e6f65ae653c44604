"""Writes line charts as SVG: no external resources, reproducible bytes, readable in light and dark mode."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

from netspec.drawing.layout import text_width
from netspec.drawing.svg import EDGE, FONT, number

WIDTH, HEIGHT = 400, 250
"""The size of the plot area."""
LEFT, TOP, GAP, BOTTOM = 62, 92, 70, 48
TICKS = 5
Point = tuple[float, float]


@dataclass(frozen=True)
class Curve:
    """Points from left to right.

    `kind` has the classes in the style: `train`, `test`, `third`, or `step` for a thin line; with `dashed`.
    """

    label: str
    kind: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Panel:
    """A plot with lines over one axis from 0. `percent` shows fractions as percentages."""

    x: str
    y: str
    lines: tuple[Curve, ...]
    percent: bool = False

    @property
    def points(self) -> list[Point]:
        """The values of all lines."""
        return [point for line in self.lines for point in line.points]


def as_svg(title: str, facts: str, panels: Sequence[Panel]) -> str:
    """The complete SVG file: panels side by side below a title and a line of facts."""
    step = LEFT + WIDTH + GAP
    width = ceil(
        max(EDGE + len(panels) * step, text_width(title, 18) + 2 * EDGE, text_width(facts, 12) + 2 * EDGE)
    )
    height = TOP + HEIGHT + BOTTOM
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(facts)}</desc>",
            f"<style>\n{STYLE}</style>",
            f'<rect class="paper" width="{width}" height="{height}"/>',
            f'<text class="title" x="{EDGE}" y="34">{escape(title)}</text>',
            f'<text class="facts" x="{EDGE}" y="53">{escape(facts)}</text>',
            *(
                line
                for index, panel in enumerate(panels)
                for line in _panel(panel, EDGE + LEFT + index * step)
            ),
            "</svg>",
            "",
        ]
    )


def _panel(panel: Panel, left: float) -> Iterator[str]:
    xs, ys = [x for x, _ in panel.points], [y for _, y in panel.points]
    right = max(xs, default=0.0) or 1.0
    low, high, every = scale(min(ys, default=0.0), max(ys, default=1.0))
    yield f'<g transform="translate({number(left)} {TOP})">'
    yield from _legend(panel)
    for at in range(round((high - low) / every) + 1):
        value = low + at * every
        y = number(HEIGHT * (1 - (value - low) / (high - low)))
        yield f'<path class="grid" d="M0 {y} H{WIDTH}"/>'
        yield f'<text class="tick end" x="-8" y="{y}" dy="4">{_figure(value, every, panel.percent)}</text>'
    for value in whole_ticks(right):
        x = number(WIDTH * value / right)
        yield f'<path class="mark" d="M{x} {HEIGHT} v4"/>'
        yield f'<text class="tick middle" x="{x}" y="{HEIGHT + 18}">{value:g}</text>'
    yield f'<path class="axis" d="M0 0 V{HEIGHT} H{WIDTH}"/>'
    yield f'<text class="facts middle" x="{WIDTH / 2:g}" y="{HEIGHT + 38}">{escape(panel.x)}</text>'
    for line in panel.lines:
        places = [(WIDTH * x / right, HEIGHT * (1 - (y - low) / (high - low))) for x, y in line.points]
        yield from _line(line, places)
    yield "</g>"


def _legend(panel: Panel) -> Iterator[str]:
    yield f'<text class="text" x="0" y="-14">{escape(panel.y)}</text>'
    x = text_width(panel.y, 13) + 24
    for line in panel.lines:
        yield f'<path class="line {line.kind}" d="M{number(x)} -18 h18"/>'
        yield f'<text class="tick" x="{number(x + 24)}" y="-14">{escape(line.label)}</text>'
        x += 24 + text_width(line.label, 12) + 18


def _line(line: Curve, places: Sequence[Point]) -> Iterator[str]:
    drawn = thinned(places, WIDTH)
    path = " L".join(f"{number(x)} {number(y)}" for x, y in drawn)
    yield f'<path class="line {line.kind}" d="M{path}"/>'
    if line.kind != "step" and len(places) <= WIDTH / 8:
        for x, y in places:
            yield f'<circle class="dot {line.kind}" cx="{number(x)}" cy="{number(y)}" r="2.6"/>'


def thinned(places: Sequence[Point], columns: int) -> list[Point]:
    """The points; if there are many, only the lowest and the highest of each column, so that no peak is lost."""
    if len(places) <= 2 * columns:
        return list(places)
    kept: list[Point] = []
    each = len(places) / columns
    for column in range(columns):
        part = places[round(column * each) : round((column + 1) * each)]
        extremes = {min(part, key=lambda point: point[1]), max(part, key=lambda point: point[1])}
        kept += sorted(extremes)
    return kept


def scale(low: float, high: float) -> tuple[float, float, float]:
    """The ends of an axis for these values, and the distance of its ticks: 1, 2 or 5 times a power of ten."""
    if high <= low:
        low, high = low - max(abs(low), 1.0) / 2, high + max(abs(high), 1.0) / 2
    rough = (high - low) / TICKS
    power = 10.0 ** floor(log10(rough))
    every = power * next(times for times in (1, 2, 5, 10) if times * power >= rough * (1 - 1e-9))
    return floor(low / every) * every, ceil(high / every) * every, every


def whole_ticks(right: float) -> list[int]:
    """A few whole numbers from 0 to the right end."""
    _, _, every = scale(0.0, right)
    whole = max(1, round(every))
    return list(range(0, floor(right + 1e-9) + 1, whole))


def _figure(value: float, every: float, percent: bool) -> str:
    """A tick label with enough digits to differ from the next one."""
    value, every = (100 * value, 100 * every) if percent else (value, every)
    digits = max(0, -floor(log10(every) + 1e-9))
    text = f"{value:.{digits}f}" if digits < 6 and abs(value) < 1e6 else f"{value:g}"
    return (text if float(text) else text.removeprefix("-")) + (" %" if percent else "")


STYLE = f"""svg {{ font-family: {FONT}; }}
text {{ fill: #1f2328; }}
.title {{ font-size: 18px; font-weight: 600; }}
.facts {{ font-size: 12px; fill: #59636e; }}
.text {{ font-size: 13px; font-weight: 600; }}
.tick {{ font-size: 11.5px; fill: #59636e; }}
.end {{ text-anchor: end; }}
.middle {{ text-anchor: middle; }}
.paper {{ fill: #ffffff; }}
.grid {{ stroke: #e4e8ec; stroke-width: 1; }}
.axis, .mark {{ fill: none; stroke: #8c959f; stroke-width: 1; }}
.line {{ fill: none; stroke-width: 1.8; stroke-linejoin: round; }}
.line.step {{ stroke: #a8b1ba; stroke-width: 0.8; }}
.line.train {{ stroke: #1f6feb; }}
.line.test {{ stroke: #c4501b; }}
.line.third {{ stroke: #1a7f37; }}
.line.dashed {{ stroke-dasharray: 6 5; }}
.dot.train {{ fill: #1f6feb; }}
.dot.test {{ fill: #c4501b; }}
.dot.third {{ fill: #1a7f37; }}
@media (prefers-color-scheme: dark) {{
text {{ fill: #e6edf3; }}
.facts, .tick {{ fill: #9aa4af; }}
.paper {{ fill: #0d1117; }}
.grid {{ stroke: #21262d; }}
.axis, .mark {{ stroke: #6e7681; }}
.line.step {{ stroke: #57606a; }}
.line.train {{ stroke: #58a6ff; }}
.line.test {{ stroke: #f0883e; }}
.line.third {{ stroke: #3fb950; }}
.dot.train {{ fill: #58a6ff; }}
.dot.test {{ fill: #f0883e; }}
.dot.third {{ fill: #3fb950; }}
}}
"""
