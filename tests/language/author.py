"""What the tests of the language share: short specs, and marks for the place that a diagnostic points at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent

from netspec.check import check_file, check_text
from netspec.diagnostics import Diagnostic
from netspec.diagnostics.render import as_text
from netspec.graph import Graph, verify

HEAD = "netspec: 1\nname: spec\ninput: [4, 8, 8]\n"
FILE = "spec.yaml"
OPEN, CLOSE = "«", "»"

Place = tuple[int, int, int]
"""Line, first column, column behind the end."""


def spec(text: str) -> str:
    """A whole spec: a text that does not say its version gets a head with one input, `[4, 8, 8]`."""
    text = dedent(text).lstrip("\n")
    return text if text.lstrip(OPEN).startswith("netspec") else HEAD + text


def graph_of(text: str, **params: object) -> Graph:
    """The graph of a spec about which there is nothing to say."""
    graph, diagnostics = check_text(spec(text), FILE, params or None)
    assert not diagnostics, as_text(diagnostics, {FILE: spec(text)})
    assert graph is not None
    return verify(graph)


def graph_of_file(path: Path) -> Graph:
    """The graph of a file about which there is nothing to say."""
    graph, diagnostics = check_file(path)
    assert not diagnostics, as_text(diagnostics)
    assert graph is not None
    return verify(graph)


def names_of(graph: Graph) -> list[str]:
    return [node.name for node in graph.nodes]


def wires_of(graph: Graph) -> dict[str, tuple[str, ...]]:
    return {node.name: node.inputs for node in graph.nodes}


def types_of(graph: Graph) -> dict[str, str]:
    return {node.name: str(node.output) for node in graph.nodes}


def unmarked(text: str) -> tuple[str, list[Place]]:
    """The spec without its marks `«…»`, and where they stood."""
    places: list[Place] = []
    lines = []
    for number, line in enumerate(spec(text).split("\n"), start=1):
        while OPEN in line:
            start = line.index(OPEN)
            line = line[:start] + line[start + 1 :]
            end = line.index(CLOSE)
            line = line[:end] + line[end + 1 :]
            places.append((number, start + 1, end + 1))
        lines.append(line)
    return "\n".join(lines), places


def place_of(diagnostic: Diagnostic) -> Place:
    span = diagnostic.span
    return span.line, span.column, span.end_column


def told(text: str) -> list[Diagnostic]:
    """Everything that is said about a spec."""
    return check_text(spec(text), FILE)[1]


def hold_refusals(text: str, *wanted: tuple[str, str]) -> Sequence[Diagnostic]:
    """A marked spec is refused with these diagnostics and no others: at the marks, in their order.

    Each is a code and words that its text holds, message, notes and help taken together.
    """
    plain, places = unmarked(text)
    graph, diagnostics = check_text(plain, FILE)
    shown = as_text(diagnostics, {FILE: plain})
    assert graph is None, "nothing is wrong with it"
    found = [(each.code.id, place_of(each)) for each in diagnostics]
    assert found == [(code, place) for (code, _), place in zip(wanted, places, strict=True)], shown
    for (_, words), each in zip(wanted, diagnostics, strict=True):
        hold_words(words, each)
    return diagnostics


def hold_words(words: str, diagnostic: Diagnostic) -> None:
    text = " ".join([diagnostic.message, *diagnostic.notes, diagnostic.help or ""])
    assert words in text, text


def hold_file(
    path: Path, *wanted: tuple[str, str], beside: dict[str, str] | None = None
) -> Sequence[Diagnostic]:
    """As `hold_refusals`, for a marked file and marked files beside it; it and they are written anew."""
    places: list[tuple[str, Place]] = []
    texts = {path.name: path.read_text(encoding="utf-8"), **(beside or {})}
    for name, text in sorted(texts.items()):
        plain, found = unmarked(text)
        (path.parent / name).write_text(plain, encoding="utf-8")
        places += [(name, place) for place in found]
    graph, diagnostics = check_file(path)
    assert graph is None, "nothing is wrong with it"
    found_at = [(each.code.id, Path(each.span.file).name, place_of(each)) for each in diagnostics]
    expected = [(code, *place) for (code, _), place in zip(wanted, places, strict=True)]
    assert found_at == expected, as_text(diagnostics)
    for (_, words), each in zip(wanted, diagnostics, strict=True):
        hold_words(words, each)
    return diagnostics
