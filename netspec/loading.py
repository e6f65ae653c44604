"""Loads a graph from a file or a text, for the API and for all commands."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

from netspec.analysis import Shapes, analyze
from netspec.dataclass import replace
from netspec.diagnostics import Full, Problems, SpecError
from netspec.graph import Graph
from netspec.language.document.declarations import Document
from netspec.language.document.library import Library
from netspec.language.document.parameters import ParameterError, check_value
from netspec.language.document.skeleton import is_recipe_file, read_document
from netspec.language.elaboration.elaborate import elaborate
from netspec.language.reading import locations
from netspec.language.reading.memory import no_collection
from netspec.language.reading.source import read
from netspec.language.reading.values import Value
from netspec.ops.nearest import did_you_mean


def find(spec: str | Path) -> Path:
    """The file of a spec: a path, or `zoo:` and a name.

    Raises:
        FileNotFoundError: the zoo has no such spec.
    """
    text = str(spec)
    if not text.startswith(locations.ZOO):
        return Path(spec)
    name = text.removeprefix(locations.ZOO)
    members = locations.recipes() if name.startswith(locations.RECIPES) else locations.zoo()
    path = members.get(name)
    if path is None:
        what = "recipe" if name.startswith(locations.RECIPES) else "spec"
        raise FileNotFoundError(f"the zoo has no {what} {name!r}{did_you_mean(name, members)}")
    return path


class LoadedGraph(Graph):
    """The graph of a spec, as `load` returns it, with convenience methods."""

    def shapes(self) -> Shapes:
        """Shapes, parameters, MACs, receptive fields and memory of every layer, and the totals."""
        return analyze(self)


def load(spec: str | Path, **params: object) -> LoadedGraph:
    """The graph of a spec, or of the spec that a recipe file names.

    Args:
        spec: a path, or `zoo:` and a name.
        params: values for parameters of the spec.

    Raises:
        SpecError: the spec is wrong; the exception has all diagnostics.
        ParameterError: the spec has no such parameter.
        FileNotFoundError: the zoo has no such spec.
    """
    problems = Problems()
    graph = graph_of_file(find(spec), problems, params)
    if graph is None:
        raise SpecError(problems.in_order())
    return LoadedGraph(**{each.name: getattr(graph, each.name) for each in fields(graph)})


def graph_of_file(
    path: Path,
    problems: Problems,
    params: Mapping[str, object] | None = None,
    library: Library | None = None,
) -> Graph | None:
    """The graph of a file, or None if anything is wrong (`problems` says what).

    Args:
        library: the cache of files that this run has already read.
    """
    graph = draft_of_file(path, problems, params, library or Library(problems))
    return None if problems.errors else graph


def graph_of_text(
    text: str, file: str, problems: Problems, params: Mapping[str, object] | None = None
) -> Graph | None:
    """The graph of a text in place of the file `file`; it cannot include files by relative paths."""
    graph = draft_of_text(text, file, problems, params)
    return None if problems.errors else graph


def draft_of_file(
    path: Path, problems: Problems, params: Mapping[str, object] | None, library: Library
) -> Graph | None:
    """Like `graph_of_file`, but also returns a graph if only `expect` or `train` is wrong."""
    with no_collection(), suppress(Full):
        shown = locations.shown(path)
        value = library.read(path, shown)
        if value is not None and is_recipe_file(value):
            return _trained(value, path, library, params or {})
        return _draft(library.spec(path, shown), library, problems, params or {})
    return None


def _trained(value: Value, path: Path, library: Library, params: Mapping[str, object]) -> Graph | None:
    """The graph of the spec that a recipe file names, with the recipe and the parameters of the file."""
    from netspec.language.document.recipe_file import trained

    found = trained(value, path, library)
    if found is None:
        return None
    graph = _draft(found.document, library, library.problems, {**found.params, **params})
    # The parameters of the file belong to its recipe: only others change what was written.
    return None if graph is None else replace(graph, altered=tuple(params))


def draft_of_text(
    text: str, file: str, problems: Problems, params: Mapping[str, object] | None = None
) -> Graph | None:
    """Like `draft_of_file`, for a text."""
    library = Library(problems)
    with no_collection(), suppress(Full):
        value = read(text, file, problems)
        document = None if value is None else library.complete(read_document(value, file, None, problems))
        return _draft(document, library, problems, params or {})
    return None


def _draft(
    document: Document | None, library: Library, problems: Problems, params: Mapping[str, object]
) -> Graph | None:
    if document is None:
        return None
    known = [each.name for each in document.params]
    for name, value in params.items():
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has no parameters"
            raise ParameterError(f"the spec has no parameter {name!r}{did_you_mean(name, known)} ({has})")
        check_value(name, value)
    return elaborate(document, library, problems, params)


__all__ = [
    "LoadedGraph",
    "ParameterError",
    "draft_of_file",
    "draft_of_text",
    "find",
    "graph_of_file",
    "graph_of_text",
    "load",
]
