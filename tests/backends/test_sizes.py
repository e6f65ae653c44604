"""Text that is written for one size of the input is the text for another: only `keras.Input` states the size."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest

from docs.proofs import ROWS, Row
from netspec.backend import Judges, Runs, backend
from netspec.backend.refusals import refused
from netspec.graph import Graph
from netspec.ops.pool import AvgPool, MaxPool, Pool
from tests.backends.sizes import LAYERS, ONE_SIZE, at_another_size, of_layers, rows
from tests.backends.test_suite import READY, Found, run, sample
from tests.building import Sketch
from tests.having import WRITERS

QUICK = ("vgg16", "fcn8s", "yolov3", "ssd300", "segnet", "super_resolution")


INPUT = re.compile(r"keras\.Input\(shape=\([\d, ]*\)")


def code(graph: Graph, writer: Any) -> str:
    """The text without comments, the sizes of its inputs and the docstring of the module."""
    tree = ast.parse(writer.source(graph).text)
    return INPUT.sub("keras.Input(", ast.unparse(ast.Module(tree.body[1:], [])))


def marked(row: Row) -> Any:
    return pytest.param(row, id=row.spec, marks=() if row.spec in QUICK else pytest.mark.slow)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("row", [marked(row) for row in ROWS if row.spec not in ONE_SIZE])
def test_the_text_states_no_size_that_the_network_does_not_need(row: Row, name: str) -> None:
    texts = [code(graph, backend(name)) for graph in (row.graph(full=False), at_another_size(row))]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("row", LAYERS)
def test_the_text_of_a_layer_states_no_size_that_it_does_not_need(row: str, name: str) -> None:
    texts = [code(graph, backend(name)) for graph in of_layers(row)]
    assert texts[0] == texts[1]


@pytest.mark.slow
def test_the_text_of_every_row_is_right_at_another_size() -> None:
    """It is the text for that size, which computes there what the oracle does."""
    wrong: list[str] = []
    for row, graph, other in rows():
        found = Found(sample(other))
        (oracle,) = [each for each in READY if isinstance(each, Judges)]
        found.wanted = {
            1: oracle.trial(found.sample.graph, found.sample.weights).forward(found.sample.inputs(1))
        }
        for name in WRITERS:
            writer = backend(name)
            if refused(writer, other):
                continue
            if code(graph, writer) != code(other, writer):
                wrong.append(f"{name}: {row}: another text")
            elif isinstance(writer, Runs):
                run(found, writer)
        wrong += [f"{row}: {each}" for each in found.wrong]
    assert not wrong, "\n".join(wrong)


POOLS = [
    MaxPool(kernel=(2,), rounding="ceil"),
    MaxPool(kernel=(3,), stride=(2,), rounding="ceil"),
    MaxPool(kernel=(3, 2), stride=(2, 3), padding=1, rounding="ceil"),
    MaxPool(kernel=(2,), dilation=(2,), stride=(2,), rounding="ceil"),
    AvgPool(kernel=(2,), rounding="ceil"),
    AvgPool(kernel=(3,), stride=(2,), rounding="ceil"),
    AvgPool(kernel=(3,), stride=(2,), padding=1, rounding="ceil", count_padding=True),
]


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("pool", POOLS, ids=str)
def test_a_pool_that_rounds_up_is_one_text_for_all_sizes(pool: Pool, name: str) -> None:
    """So it rounds up at a size at which it has nothing to round, and the text is right at others."""
    texts = set()
    for size in range(8, 14):
        sketch = Sketch("rounded", input=(2, size, size + 1))
        sketch.add("pool", pool)
        texts.add(code(sketch.graph(), backend(name)))
    assert len(texts) == 1
