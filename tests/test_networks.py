"""Networks that the zoo does not hold: each has the sizes, parameters and work that it expects of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from netspec.check import check_file
from netspec.diagnostics.render import as_text
from netspec.graph import verify

NETWORKS = sorted((Path(__file__).parent / "networks").glob("*.yaml"))


def test_there_are_some() -> None:
    assert NETWORKS


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_a_network_holds_what_it_expects(path: Path) -> None:
    graph, diagnostics = check_file(path)
    assert not diagnostics, as_text(diagnostics)
    assert graph is not None
    verify(graph)
    assert graph.name == path.stem
    assert graph.expect is not None
    assert {"output", "params"} <= set(graph.expect.keys)
