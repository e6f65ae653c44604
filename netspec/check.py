"""Checks specs: the text, the shapes, what they expect of themselves, their recipes. Imports no framework."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from netspec.analysis import analyze
from netspec.analysis.expect import hold
from netspec.diagnostics import Diagnostic, Full, Problems
from netspec.graph import Graph
from netspec.language import places
from netspec.language.document import is_blocks_file
from netspec.language.library import Library
from netspec.loading import graph_of_file, graph_of_text

# A file below a folder is a spec if it has this key; a broken one must still count as one.
_MARK = re.compile(rb"^(\xef\xbb\xbf)?[\"']?netspec[\"']?[ \t]*:", re.MULTILINE)
_SKIPPED = frozenset({"node_modules", "__pycache__", "venv", "site-packages"})


def check_file(
    path: Path, params: Mapping[str, object] | None = None
) -> tuple[Graph | None, list[Diagnostic]]:
    """The graph of a spec, if it has one, and all that is wrong with it, in source order.

    A file of blocks has no graph: its blocks are checked, not elaborated.
    """
    problems = Problems()
    library = Library(problems)
    value = library.read(path, places.shown(path))
    if params is None and value is not None and is_blocks_file(value):
        with suppress(Full):
            library.part(path, places.shown(path))
        return None, problems.in_order()
    graph = graph_of_file(path, problems, params, library)
    _hold(graph, problems)
    return graph, problems.in_order()


def check_text(
    text: str, file: str, params: Mapping[str, object] | None = None
) -> tuple[Graph | None, list[Diagnostic]]:
    """As `check_file`, for a text that stands for a file called `file`."""
    problems = Problems()
    graph = graph_of_text(text, file, problems, params)
    _hold(graph, problems)
    return graph, problems.in_order()


def _hold(graph: Graph | None, problems: Problems) -> None:
    if graph is None:
        return
    problems.add(hold(graph, analyze(graph)))
    if graph.train is not None:
        from netspec.training.match import check as check_recipe

        check_recipe(graph, problems)


def specs_below(paths: Iterable[Path]) -> Iterator[Path]:
    """The specs among these: a file is one by being named, a file below a folder by its key `netspec`."""
    for path in paths:
        if path.is_dir():
            yield from sorted(_below(path))
        else:
            yield path


def _below(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _SKIPPED]
        for name in files:
            path = Path(parent, name)
            if path.suffix in places.SUFFIXES and _is_marked(path):
                yield path


def _is_marked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _MARK.search(file.read(1_000_000)) is not None
    except OSError:
        return True  # unreadable: let the check say so
