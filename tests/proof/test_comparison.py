"""The comparison, with backends that are the oracle, changed in one place: it finds what is there and no more."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from netspec.backend import Learns, Unavailable, Unsupported, backends
from netspec.diagnostics import Problems
from netspec.graph import Graph
from netspec.loading import graph_of_text
from netspec.ops.activation import Relu
from netspec.ops.conv import Conv
from netspec.ops.dense import Dense
from netspec.ops.norm import BatchNorm
from netspec.ops.pool import GlobalAvgPool
from netspec.ops.regularize import Dropout
from netspec.proof import comparison as module
from netspec.proof import rounding
from netspec.proof.comparison import CannotCompare, compare
from netspec.proof.difference import Difference, difference, differences, over
from netspec.proof.result import Comparison
from netspec.recipe.optimizers import Adam, Sgd
from tests.building import Sketch
from tests.fakes import Change, Fake
from tests.having import ORACLE
from tests.oracle import Oracle

Array = NDArray[Any]

A = np.arange(24.0).reshape(2, 3, 4) / 7


# The one comparison of two tensors.


def altered(change: Callable[[Array], Any]) -> Array:
    copy = A.copy()
    changed = change(copy)
    return copy if changed is None else np.asarray(changed)


def one_nan(array: Array) -> None:
    array[1, 2, 3] = nan


def one_infinity(array: Array) -> None:
    array[0, 0, 1] = inf


def a_thousandth(array: Array) -> None:
    array[1, 0, 2] += 1e-3


WRONG: dict[str, tuple[Array | None, str, tuple[int, ...] | None]] = {
    "dropped tensor": (None, "names", None),
    "dropped row": (altered(lambda a: a[:, :-1]), "shape", None),
    "swapped axis": (altered(lambda a: a.transpose(0, 2, 1)), "shape", None),
    "other precision": (altered(lambda a: a.astype("float32")), "dtype", None),
    "one NaN": (altered(one_nan), "finite", (1, 2, 3)),
    "one infinity": (altered(one_infinity), "finite", (0, 0, 1)),
    "1e-3 added": (altered(a_thousandth), "values", (1, 0, 2)),
}


@pytest.mark.parametrize(("other", "what", "index"), WRONG.values(), ids=WRONG)
def test_the_comparison_can_fail(other: Array | None, what: str, index: tuple[int, ...] | None) -> None:
    for pair in ((A, other), (other, A)):
        found = difference("conv1", pair[0], pair[1], 0.0, ("one", "two"))
        assert (found.what, found.index, found.max_rel > 1e-10) == (what, index, True)
        assert found.max_rel == inf or what == "values"
        assert str(found).startswith("conv1: one and two differ in " + what)


def test_a_swapped_axis_of_equal_length_is_found_by_its_values() -> None:
    square = A[0, :, :3]
    assert difference("w", square, square.T.copy(), 0.0).max_rel > 0.1


def test_equal_is_zero_and_zero_against_zero_is() -> None:
    assert difference("x", A, A.copy(), 0.0).max_rel == 0
    assert difference("x", 0 * A, 0 * A, 0.0).max_rel == 0
    assert difference("x", A[:0], A[:0], 0.0).max_rel == 0


def test_max_rel_is_the_definition() -> None:
    a, b = np.array([1.0, -8.0]), np.array([1.5, -8.0])
    assert difference("x", a, b, 0.0).max_rel == 0.5 / 8
    assert difference("x", a, b, 16.0).max_rel == 0.5 / 16
    assert difference("x", np.array([0.0]), np.array([1e-30]), 0.0).max_rel == 1


def test_who_did_not_return_a_tensor_is_named() -> None:
    sides = [(None, A, "one"), (A, None, "two"), (None, None, "one and two")]
    for one, two, absent in sides:
        found = difference("x", one, two, 0.0, ("one", "two"))
        assert (found.what, found.max_rel, found.detail) == ("names", inf, f"{absent} did not return it")


def test_small_beside_the_largest_of_its_kind_is_noise() -> None:
    sides = {
        "one": {"big": np.array([1000.0]), "zero": np.array([1e-13])},
        "two": {"big": np.array([1000.0]), "zero": np.array([-1e-13])},
    }
    big, zero = differences(["big", "zero"], sides)
    assert big.max_rel == 0
    assert zero.max_rel == pytest.approx(2e-13)


def test_the_noise_floor_is_a_thousandth_of_the_largest() -> None:
    sides = {
        "one": {
            "big": np.array([1000.0]),
            "at": np.array([1.0]),
            "above": np.array([4.0]),
            "below": np.array([0.25]),
        },
        "two": {
            "big": np.array([1000.0]),
            "at": np.array([0.5]),
            "above": np.array([3.0]),
            "below": np.array([0.5]),
        },
    }
    found = {each.name: each.max_rel for each in differences(["big", "at", "above", "below"], sides)}
    assert found == {"big": 0, "at": 0.5, "above": 0.25, "below": 0.25}


def test_the_noise_floor_does_not_hear_what_is_not_finite() -> None:
    sides = {name: {"x": np.array([2.0]), "y": np.array([value])} for name, value in (("a", inf), ("b", 1.0))}
    x, y = differences(["x", "y"], sides)
    assert (x.max_rel, y.max_rel, y.what) == (0, inf, "finite")


def test_the_worst_of_all_pairs_is_named_and_a_stranger_is_seen() -> None:
    sides = {"a": {"x": A}, "b": {"x": A + 1e-6}, "c": {"x": A + 1e-3, "extra": A}}
    x, extra = differences(["x"], sides)
    assert x.backends == ("a", "c")
    assert (extra.name, extra.what) == ("extra", "names")


def test_a_tolerance_is_the_largest_that_counts_as_equal() -> None:
    at, above, wild, none = (
        Difference("x", ("a", "b"), "values", number) for number in (1e-10, 1.000001e-10, inf, nan)
    )
    assert over([at, above, wild, none], 1e-10) == [above, wild, none]
    assert over([at, above, wild], None) == [wild]


# Whole runs.


def network() -> Graph:
    sketch = Sketch("small", image=(2, 6, 6))
    sketch.add("conv1", Conv.model_validate({"filters": 3, "kernel": 3, "bias": False}))
    sketch.add("norm1", BatchNorm())
    sketch.add("relu1", Relu())
    sketch.add("drop1", Dropout(rate=0.5))
    sketch.add("pool1", GlobalAvgPool())
    sketch.add("top", Dense(units=4))
    return sketch.graph()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Comparison]:
    """`compare` of the small network between `one`, honest, and `two`, as spoilt as one likes."""

    def compared(*spoilt: Fake, **options: Any) -> Comparison:
        fakes = {each.name: each for each in (Fake("one"), Fake("two"), *spoilt)}

        def usable(wanted: Sequence[str], capability: object) -> list[object]:
            return [fakes.get(name) or Oracle() for name in wanted]

        monkeypatch.setattr(module, "usable", usable)
        monkeypatch.setattr(module, "installed", lambda capability: ["one", "two"])
        return compare(options.pop("graph", network()), **options)

    return compared


def test_equal_backends_are_equal(run: Callable[..., Comparison]) -> None:
    found = run()
    told = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert told == {
        "spec": "small",
        "name": "small",
        "dtype": "float64",
        "device": "cpu",
        "backends": ["one", "two"],
        "absent_oracles": {},
        "batch": 2,
        "learning_rate": 2**-7,
        "ok": True,
        "tolerance": {"forward": 1e-10, "gradients": 1e-10, "steps": 1e-9},
        "forward": {"max_rel": 0.0, "layer": "conv1"},
        "undecided": [],
        "pairs": [
            {"backends": pair, "max_rel": 0.0, "layer": "conv1"}
            for pair in (["one", "two"], ["one", ORACLE], ["two", ORACLE])
        ],
        "gradients": {"max_rel": 0.0, "weight": "conv1.weight"},
        "steps": [
            {"optimizer": name, "count": 5, "learning_rate": rate, "max_rel": 0.0, "weight": "conv1.weight"}
            for name, rate in (("sgd", 2**-7), ("adam", 2**-10))
        ],
        "first_difference": None,
        "layers": [{"name": node.name, "max_rel": 0.0} for node in network().nodes],
    }
    assert [each.name for each in found.gradients] == [
        "conv1.weight", "norm1.weight", "norm1.bias", "top.weight", "top.bias",
    ]  # fmt: skip
    assert len(found.steps[0].found) == 7


def spoil(name: str, by: float) -> Change:
    def change(arrays: dict[str, Array]) -> None:
        arrays[name].flat[-1] += by

    return change


def test_a_layer_that_differs_at_one_size_of_batch_is_found(run: Callable[..., Comparison]) -> None:
    def alone(arrays: dict[str, Array]) -> None:
        if len(arrays["top"]) == 1:
            arrays["top"] += 1

    found = run(Fake("two", forward=alone), batch=2)
    assert found.first_difference is not None
    assert (found.first_difference.name, found.batch, found.others) == ("top", 2, (1, 3))
    assert run(Fake("two", forward=alone), batch=2, sizes=()).ok


def test_a_size_of_batch_that_suits_no_batch_norm_is_left_out(run: Callable[..., Comparison]) -> None:
    sketch = Sketch("flat", x=(4,))
    sketch.add("norm", BatchNorm())
    assert run(graph=sketch.graph(), batch=4, steps=0).others == (3,)


def test_the_first_layer_that_differs_is_named(run: Callable[..., Comparison]) -> None:
    def two(arrays: dict[str, Array]) -> None:
        arrays["relu1"][0, 0, 0, 0] += 1e-6
        arrays["top"] += 1

    found = run(Fake("two", forward=two))
    assert not found.ok
    assert found.first_difference is not None
    assert found.first_difference.name == "relu1"
    assert found.first_difference.index == (0, 0, 0, 0)
    assert found.as_dict()["forward"]["layer"] == "top"


def test_the_oracle_finds_what_all_backends_share(run: Callable[..., Comparison]) -> None:
    wrong = [Fake(name, forward=spoil("pool1", 1e-3)) for name in ("one", "two")]
    assert run(*wrong, oracle=False).ok
    found = run(*wrong)
    assert found.first_difference is not None
    assert (found.first_difference.name, found.first_difference.backends) == ("pool1", ("one", ORACLE))


def test_a_gradient_that_differs_fails_and_no_layer_is_blamed(run: Callable[..., Comparison]) -> None:
    found = run(Fake("two", gradients=spoil("top.bias", 1e-6)))
    assert (found.ok, found.first_difference) == (False, None)
    assert [each.name for each in found.failures] == ["top.bias"]


@pytest.mark.parametrize("name", ["conv1.weight", "norm1.running_var"])
def test_weights_and_statistics_after_the_steps_are_compared(
    name: str, run: Callable[..., Comparison]
) -> None:
    found = run(Fake("one", steps=spoil(name, 1e-6)))
    assert {each.name for each in found.failures} == {name}


def test_a_missing_gradient_and_a_nan_are_infinite(run: Callable[..., Comparison]) -> None:
    def lose(arrays: dict[str, Array]) -> None:
        del arrays["norm1.bias"]

    found = run(Fake("two", gradients=lose, forward=spoil("top", nan)), dtype="float32")
    told = found.as_dict()
    assert not found.ok
    assert told["gradients"] == {"max_rel": "inf", "weight": "norm1.bias"}
    assert told["first_difference"] == {"layer": "top", "max_rel": "inf"}
    json.dumps(told, allow_nan=False)


def test_float32_judges_the_outputs_alone(run: Callable[..., Comparison]) -> None:
    wrong = Fake("two", gradients=spoil("top.bias", 0.1), steps=spoil("top.bias", 0.1))
    found = run(wrong, dtype="float32")
    assert found.ok
    assert found.as_dict()["tolerance"] == {"forward": 1e-4, "gradients": None, "steps": None}
    assert found.as_dict()["gradients"]["max_rel"] > 1e-2
    assert not run(Fake("two", forward=spoil("top", 0.1)), dtype="float32").ok


def test_an_injected_fault_is_found_where_it_was_put(run: Callable[..., Comparison]) -> None:
    for layer in ("conv1", "norm1", "pool1", "top"):
        found = run(inject=f"{layer}=1e-3", steps=0)
        assert found.first_difference is not None
        assert found.first_difference.name == layer
        assert found.first_difference.backends == ("one", "two")
    assert run(inject="top=1e-14", steps=0).ok


def test_the_fault_is_put_into_the_last_backend_alone(run: Callable[..., Comparison]) -> None:
    one, two = Fake("one"), Fake("two")
    run(one, two, inject="top=1e-3", steps=0)
    assert (one.injected, two.injected) == ([None], [("top", 1e-3)])


def test_the_optimisers_are_those_that_every_backend_can_keep_exactly(run: Callable[..., Comparison]) -> None:
    fake = Fake("one")
    run(fake, steps=3)
    assert fake.asked == [
        Sgd(learning_rate=2**-7, momentum=0.875),
        Adam(learning_rate=2**-10, beta1=0.875, beta2=0.96875, epsilon=1e-3),
    ]
    for number in (2**-7, 0.875, 2**-10, 0.96875):
        assert float(np.float32(number)) == number


def test_the_rate_goes_by_the_loss_that_there_is(run: Callable[..., Comparison]) -> None:
    """4 outputs lie 1,000 away from their targets: the loss is 2e6, |g|² is 2³⁵, and SGD's rate up to 6e-5."""

    def far(arrays: dict[str, Array]) -> None:
        arrays["top"][:] = 1000

    def steep(arrays: dict[str, Array]) -> None:
        for array in arrays.values():
            array.fill(0)
        arrays["top.bias"][:2] = 2.0**17

    told = run(Fake("one", forward=far, gradients=steep), Fake("two")).as_dict()["steps"]
    assert [each["learning_rate"] for each in told] == [2.0**-15, 2**-10]
    told = run(Fake("one", gradients=steep), Fake("two")).as_dict()["steps"]
    assert told[0]["learning_rate"] < 2.0**-30


@pytest.mark.parametrize("strange", [nan, inf, 0.0])
def test_gradients_without_a_size_are_walked_as_any(strange: float, run: Callable[..., Comparison]) -> None:
    def spoilt(arrays: dict[str, Array]) -> None:
        for array in arrays.values():
            array.fill(strange)

    told = run(Fake("one", gradients=spoilt), steps=1).as_dict()["steps"]
    assert [each["learning_rate"] for each in told] == [2**-7, 2**-10]


def test_a_rate_that_is_given_is_kept(run: Callable[..., Comparison]) -> None:
    fake = Fake("one", gradients=lambda arrays: arrays["top.bias"].fill(1e9))
    run(fake, rate=0.5)
    assert [each.learning_rate for each in fake.asked] == [0.5, 2**-4]


def test_every_pair_has_its_worst_layer(run: Callable[..., Comparison]) -> None:
    found = run(Fake("one", forward=spoil("relu1", 1e-3)), Fake("two", forward=spoil("top", 1e-6)))
    assert [(each.backends, each.name) for each in found.pairs] == [
        (("one", "two"), "relu1"),
        (("one", ORACLE), "relu1"),
        (("two", ORACLE), "top"),
    ]


def test_one_backend_is_compared_with_the_oracle(run: Callable[..., Comparison]) -> None:
    for sides in (["one"], ["one", ORACLE]):
        told = run(backends=sides).as_dict()
        assert told["ok"]
        assert told["gradients"] == {"max_rel": None, "weight": None}
        assert [each["max_rel"] for each in told["steps"]] == [None, None]


def test_no_steps_are_no_steps(run: Callable[..., Comparison]) -> None:
    assert run(steps=0).as_dict()["steps"] == []


def test_inputs_are_of_their_kind_and_hang_on_the_seed(run: Callable[..., Comparison]) -> None:
    seen: list[dict[str, Array]] = []

    class Listener(Fake):
        def trial(self, *args: Any, **more: Any) -> Any:
            trial = super().trial(*args, **more)
            real = trial.honest.forward

            def forward(inputs: dict[str, Array]) -> dict[str, Array]:
                seen.append(inputs)
                return dict(real(inputs))

            trial.honest.forward = forward
            return trial

    sketch = Sketch(image=(2, 6, 6))
    sketch.words("text", 5, 7)
    sketch.add("relu", Relu(), "image")
    for seed in (0, 0, 1):
        run(Listener("one"), graph=sketch.graph(), seed=seed, batch=200, steps=0, sizes=())
    first, again, other = seen
    np.testing.assert_array_equal(first["image"], again["image"])
    assert not np.array_equal(first["image"], other["image"])
    assert first["image"].std() == pytest.approx(1, abs=0.05)
    assert (first["text"].shape, set(np.unique(first["text"]))) == ((200, 5), set(range(7)))


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown layer": ({"inject": "cnv1=1e-3"}, "no layer is called `cnv1`; did you mean `conv1`?"),
    "no number": ({"inject": "conv1=much"}, "`conv1=much` is not LAYER=EPS"),
    "no fault": ({"inject": "conv1"}, "`conv1` is not LAYER=EPS"),
    "nothing to find": ({"inject": "conv1=0"}, "`conv1=0` is not LAYER=EPS"),
    "not finite": ({"inject": "conv1=nan"}, "`conv1=nan` is not LAYER=EPS"),
    "one side": ({"backends": ["one"], "oracle": False}, "needs two backends"),
    "no side": ({"backends": []}, "needs two backends"),
    "twice": ({"backends": ["one", "one"]}, "named twice"),
    "dtype": ({"dtype": "float46"}, "`float46` is not float64 or float32"),
    "rate": ({"rate": 0.0}, "must be a number above 0, not 0.0"),
    "no rate": ({"rate": nan}, "must be a number above 0, not nan"),
    "batch": ({"batch": 0}, "a batch has at least 1 sample"),
}


@pytest.mark.parametrize(("options", "told"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_comparison_is_refused(
    options: dict[str, Any], told: str, run: Callable[..., Comparison]
) -> None:
    with pytest.raises(CannotCompare) as caught:
        run(**options)
    assert told in str(caught.value)


def test_the_variance_of_one_value_is_refused(run: Callable[..., Comparison]) -> None:
    sketch = Sketch(x=(3,))
    sketch.add("norm1", BatchNorm())
    with pytest.raises(CannotCompare, match="`norm1` would compute the variance of a single value"):
        run(graph=sketch.graph(), batch=1)
    frozen = Sketch(x=(3,))
    frozen.add("norm1", BatchNorm(), trainable=False)
    assert run(graph=frozen.graph(), batch=1, steps=0).ok


def test_batch_norms_of_two_values_are_named(run: Callable[..., Comparison]) -> None:
    sketch = Sketch(x=(3,))
    sketch.add("norm1", BatchNorm())
    assert run(graph=sketch.graph(), batch=2).two_valued == ("norm1",)
    assert run(graph=sketch.graph(), batch=3).two_valued == ()
    assert run(batch=2).two_valued == ()


def test_an_unknown_backend_is_told_and_a_refusal_goes_up(run: Callable[..., Comparison]) -> None:
    with pytest.raises(Unavailable, match="numpi"):
        compare(network(), backends=["numpi"])

    def refuse(arrays: dict[str, Array]) -> None:
        raise Unsupported("one has no such op")

    with pytest.raises(Unsupported):
        run(Fake("one", gradients=refuse))


# Gradients that are zero in theory: what is calculated of them is rounding.


def scaled(part: float) -> Change:
    """Gradients of at most this part of the largest layer output, which is 4 to 8 in the small network."""

    def change(arrays: dict[str, Array]) -> None:
        most = max(float(np.abs(array).max()) for array in arrays.values())
        for array in arrays.values():
            array *= part / most

    return change


def test_gradients_that_are_all_rounding_are_zero_on_both_sides(run: Callable[..., Comparison]) -> None:
    found = run(Fake("one", gradients=scaled(1e-13)), Fake("two", gradients=scaled(-3e-13)))
    assert found.ok
    assert found.vanished
    assert found.as_dict()["gradients"]["max_rel"] == 0


def test_gradients_that_agree_are_measured_however_small(run: Callable[..., Comparison]) -> None:
    found = run(Fake("one", gradients=scaled(1e-13)), Fake("two", gradients=scaled(1e-13)))
    assert found.ok
    assert not found.vanished


def test_in_float32_the_level_does_not_grow_with_the_positions() -> None:
    text = "netspec: 1\nname: wide\ninput: [1, 224, 224]\nlayers: [relu]\n"
    graph = graph_of_text(text, "wide.yaml", Problems())
    assert graph is not None
    outputs = {"one": {"relu1": np.full((1, 1, 2, 2), 8.0)}}
    assert rounding.level(graph, outputs, "float32") == pytest.approx(8e-5)
    assert rounding.level(graph, outputs, "float64") == pytest.approx(8e-12 * 224 * 224 / 10)


@pytest.mark.parametrize("part", [1e-9, 1e-3])
def test_small_gradients_are_compared_as_any(part: float, run: Callable[..., Comparison]) -> None:
    """All lie far below the outputs, and are none the less the network's: a tenth more on one side is a fault."""
    found = run(Fake("one", gradients=scaled(part)), Fake("two", gradients=scaled(1.1 * part)))
    assert not found.ok
    assert not found.vanished
    assert found.as_dict()["gradients"]["max_rel"] == pytest.approx(1 / 11)


def test_one_side_of_rounding_and_one_of_numbers_differ(run: Callable[..., Comparison]) -> None:
    found = run(Fake("one", gradients=scaled(1e-13)), Fake("two", gradients=scaled(1e-3)))
    assert not found.ok


def test_a_gradient_that_is_lost_or_no_number_is_seen_among_rounding(run: Callable[..., Comparison]) -> None:
    def lose(arrays: dict[str, Array]) -> None:
        scaled(1e-13)(arrays)
        del arrays["top.bias"]

    def break_(arrays: dict[str, Array]) -> None:
        scaled(1e-13)(arrays)
        arrays["top.bias"][0] = nan

    for change, what in ((lose, "names"), (break_, "finite")):
        found = run(Fake("one", gradients=scaled(1e-13)), Fake("two", gradients=change))
        assert [each.what for each in found.failures if each.name == "top.bias"] == [what]


def _two() -> list[str]:
    """The installed backends that give gradients, two at least."""
    ready = [each.name for each in backends() if isinstance(each, Learns) and each.status().state == "ok"]
    if len(ready) < 2:
        pytest.skip("a comparison of gradients takes two backends")
    return ready


@pytest.mark.parametrize("shape", ["[4, 10]", "[3]", "[2, 60, 60]"])
def test_a_network_whose_gradients_are_all_zero_is_equal(shape: str) -> None:
    """A batch norm takes away whatever a shift before it adds, so that the shift has no gradient."""
    text = f"netspec: 1\nname: flat\ninput: {shape}\nlayers:\n  - batch_norm: {{scale: false}}\n"
    graph = graph_of_text(text + "  - batch_norm: {scale: false, center: false}\n", "flat.yaml", Problems())
    assert graph is not None
    found = compare(graph, _two(), steps=2)
    assert found.ok, found.failures
    assert found.vanished


def test_a_network_of_small_gradients_is_measured() -> None:
    """A frozen end of 1e-7 makes every gradient small, and the backends agree on what it is."""
    text = """\
netspec: 1
name: faint
input: [4, 10]
layers:
  - conv: {filters: 3, kernel: 3}
  - conv: {filters: 2, kernel: 3, bias: false, init: {normal: {std: 1e-7}}}
    trainable: false
"""
    graph = graph_of_text(text, "faint.yaml", Problems())
    assert graph is not None
    found = compare(graph, _two(), steps=0)
    assert found.ok, found.failures
    assert not found.vanished
