"""Text that is written for one size of the input is the text for another: only `keras.Input` states the size."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest

from docs.proofs import ROWS, Row
from netspec.graph import Graph
from tests.backends.sizes import ONE_SIZE, at_another_size

QUICK = ("vgg16", "fcn8s", "yolov3", "ssd300", "segnet", "super_resolution")


INPUT = re.compile(r"keras\.Input\(shape=\([\d, ]*\)")


def code(graph: Graph, backend: Any) -> str:
    """The text without comments, the sizes of its inputs and the docstring of the module."""
    tree = ast.parse(backend.source(graph).text)
    return INPUT.sub("keras.Input(", ast.unparse(ast.Module(tree.body[1:], [])))


def marked(row: Row) -> Any:
    return pytest.param(row, id=row.spec, marks=() if row.spec in QUICK else pytest.mark.slow)


@pytest.mark.parametrize("name", ["torch", "keras"])
@pytest.mark.parametrize("row", [marked(row) for row in ROWS if row.spec not in ONE_SIZE])
def test_the_text_states_no_size_that_the_network_does_not_need(row: Row, name: str) -> None:
    backend = pytest.importorskip(f"netspec_{name}").backend()
    texts = [code(graph, backend) for graph in (row.graph(full=False), at_another_size(row))]
    assert texts[0] == texts[1]
