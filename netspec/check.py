"""Checks specs: the text, the shapes, `expect`, the recipe. Imports no framework."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

from netspec.analysis import analyze
from netspec.analysis.expect import hold
from netspec.diagnostics import Diagnostic, Full, Problems
from netspec.graph import Graph
from netspec.language.document.library import Library
from netspec.language.document.skeleton import is_blocks_file, is_recipe_file
from netspec.language.reading import locations
from netspec.language.reading.memory import no_collection
from netspec.loading import ParameterError, draft_of_file, draft_of_text

FileKind = Literal["spec", "recipe", "blocks"]


class Checked(NamedTuple):
    """A checked file; `graph` is None for a file of blocks, and for a wrong spec."""

    kind: FileKind
    graph: Graph | None
    diagnostics: list[Diagnostic]


def check_file(
    path: Path, params: Mapping[str, object] | None = None
) -> tuple[Graph | None, list[Diagnostic]]:
    """The graph of a spec, if it has one, and its diagnostics in source order."""
    return checked(path, params)[1:]


def checked(path: Path, params: Mapping[str, object] | None = None) -> Checked:
    """The kind of a file, its graph, and its diagnostics in source order.

    A file of blocks has no graph: its blocks are checked, but not elaborated.

    Raises:
        ParameterError: the spec does not have one of the parameters.
    """
    library = Library(Problems())
    with no_collection():
        try:
            return _checked(path, params, library)
        finally:
            library.release()


def _checked(path: Path, params: Mapping[str, object] | None, library: Library) -> Checked:
    problems = library.problems
    value = library.read(path, locations.shown(path))
    if value is not None and is_blocks_file(value):
        if params:
            raise ParameterError(
                f"a file of blocks has no parameters, so {next(iter(params))!r} cannot be set"
            )
        with suppress(Full):
            library.part(path, locations.shown(path))
        return Checked("blocks", None, problems.in_order())
    graph = _held(draft_of_file(path, problems, params, library), problems)
    kind: FileKind = "recipe" if value is not None and is_recipe_file(value) else "spec"
    return Checked(kind, graph, problems.in_order())


def check_text(
    text: str, file: str, params: Mapping[str, object] | None = None
) -> tuple[Graph | None, list[Diagnostic]]:
    """Like `check_file`, for a text in place of the file `file`."""
    problems = Problems()
    graph = _held(draft_of_text(text, file, problems, params), problems)
    return graph, problems.in_order()


def _held(draft: Graph | None, problems: Problems) -> Graph | None:
    """The graph, checked against `expect` and the recipe; None if the spec cannot be read."""
    if draft is None:
        return None
    graph = None if problems.errors else draft
    problems.add(hold(draft, analyze(draft)))
    if draft.train is not None:
        from netspec.training.match import check as check_recipe

        check_recipe(draft, problems)
    return graph
