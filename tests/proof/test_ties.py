"""In float32, layers behind maxima that rounding errors decide are not judged; in float64, and elsewhere, all are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

import numpy as np
import pytest

from netspec.graph import Graph
from netspec.ops.activation import Relu
from netspec.ops.dense import Dense
from netspec.ops.pool import MaxPool, MaxUnpool
from netspec.proof import comparison as module
from netspec.proof.comparison import compare
from netspec.proof.result import Comparison
from netspec_cli.compare import text as as_text
from tests.building import Sketch
from tests.fakes import Array, Fake

BEHIND = ("back", "end")


def network() -> Graph:
    sketch = Sketch("tied", image=(1, 4, 4))
    sketch.add("made", Dense(units=1))
    sketch.add("pool", MaxPool(kernel=(2,)))
    sketch.add("side", Relu(), "pool")
    sketch.add("back", MaxUnpool(), "pool", "pool.indices")
    sketch.add("end", Relu())
    return sketch.graph(output="end", other="side")


def tied(place: int, apart: float = 1e-7) -> Callable[[dict[str, Array]], None]:
    """The first window holds 9 and a little more at this place of its first row; there the value goes back to."""

    def change(layers: dict[str, Array]) -> None:
        for name in layers:
            layers[name][0, 0] = 0
        layers["made"][0, 0, 0, :2] = 9.0
        layers["made"][0, 0, 0, place] = 9.0 * (1 + apart)
        layers["pool"][0, 0, 0, 0] = layers["side"][0, 0, 0, 0] = 9.0
        layers["back"][0, 0, 0, place] = layers["end"][0, 0, 0, place] = 9.0

    return change


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Comparison]:
    def compared(one: Fake, two: Fake, dtype: str = "float32") -> Comparison:
        def usable(wanted: Sequence[str], capability: object) -> list[Fake]:
            return [one, two]

        monkeypatch.setattr(module, "usable", usable)
        return compare(network(), ["one", "two"], dtype=dtype, oracle=False, steps=1)  # type: ignore[arg-type]

    return compared


def test_what_rounding_decides_is_not_judged_in_float32(run: Callable[..., Comparison]) -> None:
    found = run(Fake("one", forward=tied(0)), Fake("two", forward=tied(1)))
    assert found.undecided == BEHIND
    assert {each.name: each.max_rel for each in found.layers}["back"] == 1
    assert found.ok
    told = found.as_dict()
    assert told["undecided"] == list(BEHIND)
    assert told["forward"]["max_rel"] < 1e-6
    text = "\n".join(as_text(found))
    assert "2 more are not judged" in text
    assert "compare in float64" in text


def test_in_float64_every_layer_is_judged(run: Callable[..., Comparison]) -> None:
    found = run(Fake("one", forward=tied(0)), Fake("two", forward=tied(1)), "float64")
    assert found.undecided == ()
    assert not found.ok


def test_a_maximum_that_is_found_at_one_position_is_judged(run: Callable[..., Comparison]) -> None:
    def elsewhere(layers: dict[str, Array]) -> None:
        tied(0)(layers)
        layers["back"][0, 0] = np.roll(layers["back"][0, 0], 1)

    found = run(Fake("one", forward=tied(0)), Fake("two", forward=elsewhere))
    assert found.undecided == ()
    assert found.first_difference is not None
    assert found.first_difference.name == "back"


def test_values_that_are_apart_before_the_pool_are_told_there(run: Callable[..., Comparison]) -> None:
    found = run(Fake("one", forward=tied(0, 0.1)), Fake("two", forward=tied(1, 0.1)))
    assert found.undecided == ()
    assert found.first_difference is not None
    assert found.first_difference.name == "made"


def test_what_is_not_finite_is_told_also_where_values_are_not_judged(run: Callable[..., Comparison]) -> None:
    def spoilt(layers: dict[str, Array]) -> None:
        tied(1)(layers)
        layers["end"][0, 0, 2, 2] = inf

    found = run(Fake("one", forward=tied(0)), Fake("two", forward=spoilt))
    assert found.undecided == BEHIND
    assert found.first_difference is not None
    assert found.first_difference.name == "end"
