"""Where each weight is in the models of frameworks: for every row of the table, out and back without a change."""

from __future__ import annotations

import numpy as np
import pytest

from netspec.backend import Exchanges, Unsupported
from netspec.exchange.formats import frameworks
from netspec.graph import Graph
from netspec.weights import WeightsError
from netspec.weights.flattened import is_undecided, orders, reordered
from netspec.weights.held import Held, by_place
from netspec.weights.importing import assembled, own_tensors
from netspec.weights.matching import match
from tests.cases import CASES
from tests.structures import STRUCTURES, structure
from tests.weights.test_matching import HEAD, graph_of


def out_and_back(graph: Graph, framework: Exchanges) -> int:
    """Give weights the names and layouts of a framework, match them by name, and compare; how many there are."""
    random = np.random.default_rng(0)
    start = {each.name: random.normal(size=each.shape) for each in graph.weights}
    try:
        places = framework.places(graph)
    except Unsupported:
        return 0
    tensors = own_tensors(places, start, framework.joint)
    assert {place.weight for place in places} == start.keys()
    for place in places:
        assert tensors[f"{place.layer}{framework.joint}{place.leaf}"].shape == place.shape
    held = Held(tensors, dict.fromkeys(tensors, "float64"), by_place(tensors))
    found = assembled(match(held, framework.split, places, graph, "name", "x"), held, "x", pytest.fail)
    for name, array in start.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
    return len(start)


@pytest.mark.parametrize("step", [6, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", [each.name for each in frameworks()])
def test_every_weight_goes_out_and_comes_back(name: str, step: int) -> None:
    """Of all rows and structures, or of one in six."""
    (framework,) = (each for each in frameworks() if each.name == name)
    with_weights = {case.keyword for case in CASES[::step] if out_and_back(case.graph(), framework)}
    assert {"conv", "conv_transpose", "lstm", "gru"} <= with_weights
    for each in list(STRUCTURES)[::step]:
        out_and_back(structure(each), framework)


# The order of flattened maps.

FLAT = HEAD.replace("[4]", "[3, 2, 2]")
FOLLOWED: dict[str, tuple[str, dict[str, tuple[object, ...]]]] = {
    "to a dense layer": ("  - flatten\n  - dense: 2\n", {"dense1.weight": (None, ((3, (2, 2)),))}),
    "through what keeps channels": (
        "  - flatten\n  - batch_norm\n  - relu\n  - prelu\n  - dense: 2\n",
        {
            **{f"batch_norm1.{leaf}": (((3, (2, 2)),),) for leaf in ("weight", "bias", "running_mean", "running_var")},
            "prelu1.weight": (((3, (2, 2)),),),
            "dense1.weight": (None, ((3, (2, 2)),)),
        },
    ),
    "from a dense layer to a map": (
        "  - global_avg_pool\n  - dense: 8\n  - tanh\n  - reshape: [2, 2, 2]\n",
        {"dense1.weight": (((2, (2, 2)),), None), "dense1.bias": (((2, (2, 2)),),)},
    ),
    "beside a vector": (
        "  - concat: [[flatten], [global_avg_pool]]\n  - dense: 2\n",
        {"dense1.weight": (None, ((3, (2, 2)), (3, ())))},
    ),
    "of one position": ("  - max_pool: 2\n  - flatten\n  - dense: 2\n", {}),
    "none": ("  - global_avg_pool\n  - dense: 2\n", {}),
}  # fmt: skip


@pytest.mark.parametrize(("layers", "wanted"), FOLLOWED.values(), ids=FOLLOWED)
def test_the_order_of_a_flattened_map_is_followed(layers: str, wanted: dict[str, object]) -> None:
    assert orders(graph_of(FLAT + layers)) == wanted


LOST = {
    "a norm over groups of channels": "  - flatten\n  - group_norm: 3\n  - dense: 2\n",
    "a part of the channels": "  - flatten\n  - slice: {axis: channels, stop: 6}\n  - dense: 2\n",
    "axes in another order": "  - permute: [height, width, channels]\n  - flatten\n  - dense: 2\n",
    "a map of another shape": "  - reshape: [2, 6]\n  - flatten\n  - dense: 2\n",
}


@pytest.mark.parametrize("layers", LOST.values(), ids=LOST)
def test_what_cannot_be_followed_is_refused(layers: str) -> None:
    with pytest.raises(WeightsError, match="netspec cannot follow the order of a map"):
        orders(graph_of(FLAT + layers))


@pytest.mark.parametrize(
    ("between", "wanted"),
    [
        ("relu", True),
        ("add: [[identity], [batch_norm]]", True),
        ("conv: {filters: 2, kernel: 1}", False),
        ("global_avg_pool", False),
    ],
)
def test_a_map_from_a_vector_to_a_vector_is_of_any_order(between: str, wanted: bool) -> None:
    layers = f"  - global_avg_pool\n  - dense: 8\n  - reshape: [2, 2, 2]\n  - {between}\n  - flatten\n"
    assert is_undecided(graph_of(FLAT + layers)) == wanted


def test_the_channels_of_a_position_come_apart() -> None:
    """Two channels of three positions: c0p0 c1p0 c0p1 c1p1 c0p2 c1p2, and behind them two values of their own."""
    array = np.arange(8)
    assert reordered(array, [((2, (3,)), (2, ()))]).tolist() == [0, 2, 4, 1, 3, 5, 6, 7]
