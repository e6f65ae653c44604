"""A setting that a backend does not obey is an error of `check --backend`, at its place, and of the training."""

from __future__ import annotations

import pytest

from netspec.backend import Trains, backends, require_obeyed, unobeyed
from netspec.backend.interface import Unsupported
from netspec.diagnostics import Problems
from netspec.loading import graph_of_text
from netspec.recipe import Recipe
from netspec.training.obeyed import check_obeyed

ALL = [(backend, each) for backend in backends() if isinstance(backend, Trains) for each in backend.unobeyed]


@pytest.mark.parametrize(
    ("backend", "each"), ALL, ids=[f"{backend.name} {each.setting} {each.value}" for backend, each in ALL]
)
def test_what_is_not_obeyed_is_refused_at_its_place(backend: Trains, each) -> None:  # type: ignore[no-untyped-def]
    beside = "" if each.beside is None else f", {each.beside[0]}: {each.beside[1]}"
    train = f"train: {{{each.setting}: {each.value}{beside}}}"
    text = f"netspec: 1\nname: net\ninput: [4]\nlayers: [{{dense: 2}}]\n{train}\n"
    problems = Problems()
    graph = graph_of_text(text, "net.yaml", problems)
    assert graph is not None
    assert graph.train is not None
    recipe = graph.train.recipe
    assert recipe is not None
    check_obeyed(graph, recipe, backend, problems, each.device)
    (problem,) = (found for found in problems if found.severity == "error")
    assert str(problem.span) == f"net.yaml:5:{text.splitlines()[4].index(': ', 8) + 3}"
    assert each.why in problem.message
    with pytest.raises(Unsupported, match=f"`{each.setting}: "):
        require_obeyed(backend, recipe, each.device or "cpu")
    if each.device is not None:  # not known to a check: it warns
        problems = Problems()
        check_obeyed(graph, recipe, backend, problems)
        assert [(found.severity, each.why in found.message) for found in problems] == [("warning", True)]
    # What holds on one kind of device is no error where the device is not known.
    assert bool(unobeyed(backend, recipe)) == (each.device is None)
    assert not unobeyed(backend, Recipe(), "cpu")
