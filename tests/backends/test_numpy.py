"""The oracle against loops written straight from the definitions, one number at a time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from netspec import backend as backends
from netspec.backend import Backend, Unsupported
from netspec.graph import Graph
from netspec.ops import lowered
from netspec.ops.activation import LeakyRelu, Relu, Sigmoid, Softmax, Tanh
from netspec.ops.base import Misfit, Op
from netspec.ops.conv import Conv
from netspec.ops.dense import Dense
from netspec.ops.merge import Add, Concat, Multiply
from netspec.ops.norm import BatchNorm
from netspec.ops.pool import AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool
from netspec.ops.regularize import Dropout
from netspec.ops.reshape import Flatten, Identity
from netspec.ops.window import Windowed
from netspec.passes import still
from netspec.types import Type
from netspec.weights import initialise
from netspec_numpy import backend, forward
from tests.building import Sketch

Values = NDArray[np.float64]
CASES = 40


def normal(seed: int, *shape: int) -> Values:
    return np.random.default_rng(seed).standard_normal(shape)


def run(
    op: Op, *inputs: Values, training: bool = True, trainable: bool = True
) -> tuple[Values, dict[str, Values]]:
    """One op on arrays; its output, and the weights that it had, every one of them random."""
    sketch = Sketch("sketch", **{f"x{k}": x.shape[1:] for k, x in enumerate(inputs)})
    sketch.add("layer", op, *(f"x{k}" for k in range(len(inputs))), trainable=trainable)
    graph = sketch.graph()
    weights: dict[str, Values] = {
        each.name: 0.5 + np.abs(normal(k, *each.shape)) for k, each in enumerate(graph.weights)
    }
    given = {f"x{k}": x for k, x in enumerate(inputs)}
    result = np.asarray(forward(graph, weights, given, training)["layer"], "float64")
    assert result.shape == (len(inputs[0]), *graph.by_name["layer"].output.shape)
    return result, {name.removeprefix("layer."): array for name, array in weights.items()}


def windows(op: Windowed, size: int, axis: int) -> Sequence[Sequence[int]]:
    """For each output position along an axis, the input positions that its window touches, outside ones too."""
    (lo, _), k, s, d = op.pads[axis], op.kernel[axis], op.strides[axis], op.dilation[axis]
    end = size + sum(op.pads[axis])
    return [[start + tap * d - lo for tap in range(k)] for start in range(0, end - (k - 1) * d, s)]


def random_window(seed: int) -> tuple[dict[str, object], tuple[int, ...]]:
    """Settings for a window that fits, and the spatial sizes of its input."""
    draw = random.Random(seed)
    sizes = tuple(draw.randint(5, 7) for _ in range(draw.randint(1, 3)))
    kernel, stride, dilation = ([draw.randint(1, top) for _ in sizes] for top in (3, 3, 2))
    pads = [[draw.randint(0, 1), draw.randint(0, 1)] for _ in sizes]
    padding = draw.choice([pads, "same", "valid", "half"])
    return {"kernel": kernel, "stride": stride, "dilation": dilation, "padding": padding}, sizes


@pytest.mark.parametrize("seed", range(CASES))
def test_convolution(seed: int) -> None:
    settings, sizes = random_window(seed)
    groups = 1 + seed % 3
    x = normal(seed, 2, 2 * groups, *sizes)
    written = Conv.model_validate(
        {"filters": 3 * groups, "groups": groups, "bias": bool(seed % 2), **settings}
    )
    got, weights = run(written, x)
    op = Sketch(x=x.shape[1:])
    op.add("layer", written)
    resolved = op.nodes["layer"].op
    assert isinstance(resolved, Conv)
    axes = [windows(resolved, size, axis) for axis, size in enumerate(sizes)]
    want = np.zeros(got.shape)
    for n, o, *place in np.ndindex(*want.shape):
        total = float(weights["bias"][o]) if "bias" in weights else 0.0
        group = o // 3
        for i, *tap in product(range(2), *(range(k) for k in resolved.kernel)):
            at = [axes[a][p][t] for a, (p, t) in enumerate(zip(place, tap, strict=True))]
            if all(0 <= each < size for each, size in zip(at, sizes, strict=True)):
                total += weights["weight"][(o, i, *tap)] * x[(n, 2 * group + i, *at)]
        want[(n, o, *place)] = total
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-12, err_msg=f"seed {seed}: {resolved}")


def random_pool(seed: int, kind: str) -> tuple[MaxPool | AvgPool, Values]:
    """A pool that fits, resolved, and its input; every other one rounds up."""
    cls = MaxPool if kind == "max" else AvgPool
    extra = {"count_padding": True} if kind == "avg with padding" else {}
    for attempt in range(seed, seed + 100 * CASES, CASES):
        settings, sizes = random_window(attempt)
        written = cls.model_validate({**settings, **extra, "rounding": ("floor", "ceil")[seed % 2]})
        try:
            return written.resolve([Type(2, sizes)]), normal(seed, 2, 2, *sizes)
        except Misfit:  # a window of padding alone, which is refused
            continue
    raise AssertionError(f"no pool fits for seed {seed}")


@pytest.mark.parametrize("kind", ["max", "avg", "avg with padding"])
@pytest.mark.parametrize("seed", range(CASES))
def test_pools(seed: int, kind: str) -> None:
    op, x = random_pool(seed, kind)
    sizes = x.shape[2:]
    got, _ = run(op, x)
    axes = [windows(op, size, axis) for axis, size in enumerate(sizes)]
    want = np.zeros(got.shape)
    for n, c, *place in np.ndindex(*want.shape):
        seen = list(product(*(axes[a][p] for a, p in enumerate(place))))
        inside = [
            x[(n, c, *at)] for at in seen if all(0 <= p < size for p, size in zip(at, sizes, strict=True))
        ]
        ends = [size + hi - more for size, (_, hi), more in zip(sizes, op.pads, op.overhang, strict=True)]
        asked = sum(all(p < end for p, end in zip(at, ends, strict=True)) for at in seen)
        count = asked if kind == "avg with padding" else len(inside)
        want[(n, c, *place)] = max(inside) if kind == "max" else sum(inside) / count
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-12, err_msg=f"seed {seed}: {op}")


def test_the_random_windows_reach_every_case() -> None:
    drawn = [random_window(seed) for seed in range(CASES)]
    assert {len(sizes) for _, sizes in drawn} == {1, 2, 3}
    assert {str(settings["padding"]) for settings, _ in drawn} >= {"same", "valid", "half"}


def test_the_overhang_of_rounding_up_is_never_counted() -> None:
    op = AvgPool.model_validate({"kernel": 2, "rounding": "ceil", "count_padding": True})
    got, _ = run(op, np.array([[[2.0, 4.0, 5.0]]]))
    assert got.tolist() == [[[3.0, 5.0]]]


def test_padding_is_left_out_of_the_mean() -> None:
    x = np.array([[[2.0, 4.0, 6.0]]])
    settings = {"kernel": 3, "stride": 1, "padding": "half"}
    assert run(AvgPool.model_validate(settings), x)[0].tolist() == [[[3.0, 4.0, 5.0]]]
    counted = AvgPool.model_validate({**settings, "count_padding": True})
    assert run(counted, x)[0].tolist() == [[[2.0, 4.0, 10 / 3]]]


@pytest.mark.parametrize("shape", [(5,), (5, 4), (5, 4, 3), (5, 4, 3, 2)], ids=str)
def test_dense_acts_on_channels_at_every_position(shape: tuple[int, ...]) -> None:
    x = normal(1, 2, *shape)
    got, weights = run(Dense(units=7), x)
    want = np.einsum("oi,ni...->no...", weights["weight"], x)
    np.testing.assert_allclose(got, want + weights["bias"].reshape(-1, *(1,) * (len(shape) - 1)), atol=1e-12)
    assert "bias" not in run(Dense(units=7, bias=False), x)[1]


@pytest.mark.parametrize("shape", [(5,), (5, 4), (5, 4, 3), (2, 4, 3, 2)], ids=str)
def test_batch_norm(shape: tuple[int, ...]) -> None:
    x = 3 + 2 * normal(1, 6, *shape)
    op = BatchNorm(epsilon=0.25)
    for training, trainable in ((True, True), (True, False), (False, True)):
        got, held = run(op, x, training=training, trainable=trainable)
        for c in range(shape[0]):
            channel = x[:, c]
            mean, variance = float(held["running_mean"][c]), float(held["running_var"][c])
            if training and trainable:
                mean = channel.sum() / channel.size
                variance = ((channel - mean) ** 2).sum() / channel.size
            want = (channel - mean) / (variance + 0.25) ** 0.5 * held["weight"][c] + held["bias"][c]
            np.testing.assert_allclose(got[:, c], want, atol=1e-12)


POINTS = np.array([[-800.0, -1.5, 0.0, 0.25, 700.0]]).T
ACTIVATIONS: dict[Op, list[float]] = {
    Relu(): [0.0, 0.0, 0.0, 0.25, 700.0],
    LeakyRelu(slope=0.5): [-400.0, -0.75, 0.0, 0.25, 700.0],
    Sigmoid(): [0.0, 1 / (1 + np.e**1.5), 0.5, 1 / (1 + np.e**-0.25), 1.0],
    Tanh(): [-1.0, (np.e**-3 - 1) / (np.e**-3 + 1), 0.0, (np.e**0.5 - 1) / (np.e**0.5 + 1), 1.0],
    Softmax(): [1.0] * 5,
    Identity(): [-800.0, -1.5, 0.0, 0.25, 700.0],
    Dropout(rate=0.0): [-800.0, -1.5, 0.0, 0.25, 700.0],
}


@pytest.mark.parametrize(("op", "want"), ACTIVATIONS.items(), ids=str)
def test_activations(op: Op, want: list[float]) -> None:
    np.testing.assert_allclose(run(op, POINTS)[0][:, 0], want, rtol=1e-14, atol=1e-15)


def test_softmax_runs_over_the_channels_and_knows_its_temperature() -> None:
    x = normal(1, 2, 5, 3)
    raised = np.exp(x / 0.5)
    want = raised / raised.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(run(Softmax(temperature=0.5), x)[0], want, atol=1e-14)


@pytest.mark.parametrize(
    "field", [None, Relu(), LeakyRelu(slope=0.25), Sigmoid(), Tanh(), Softmax(temperature=2.0)]
)
def test_an_activation_field_is_the_layer_behind_it(field: Op | None) -> None:
    x = normal(1, 2, 5, 6)
    plain = run(Conv.model_validate({"filters": 4, "kernel": 3}), x)[0]
    want = plain if field is None else run(field, plain)[0]
    op = Conv.model_validate({"filters": 4, "kernel": 3, "activation": field})
    np.testing.assert_array_equal(run(op, x)[0], want)


def test_merges() -> None:
    a, b, vector, single = (
        normal(k, 2, *shape) for k, shape in enumerate([(3, 4, 5)] * 2 + [(3,), (1, 4, 5)])
    )
    spread = vector[:, :, None, None]
    np.testing.assert_array_equal(run(Add(), a, b, a)[0], a + b + a)
    np.testing.assert_array_equal(run(Multiply(), a, vector)[0], a * spread)
    np.testing.assert_array_equal(run(Add(), vector, a, single)[0], spread + a + single)
    np.testing.assert_array_equal(run(Concat(), a, single)[0], np.concatenate([a, single], 1))
    np.testing.assert_array_equal(run(Concat(axis="width"), a, b)[0], np.concatenate([a, b], 3))


def test_flatten_and_global_pools() -> None:
    x = normal(1, 2, 3, 4, 5)
    np.testing.assert_array_equal(run(Flatten(), x)[0], x.reshape(2, 60))
    np.testing.assert_array_equal(run(GlobalMaxPool(), x)[0], x.max((2, 3)))
    np.testing.assert_allclose(run(GlobalAvgPool(), x)[0], x.sum((2, 3)) / 20, atol=1e-14)


def shared() -> Graph:
    sketch = Sketch(x=(4,))
    sketch.add("first", Dense(units=4))
    sketch.add("again", Dense(units=4), "x", shares="first")
    return sketch.graph()


def test_shared_weights_are_used_twice() -> None:
    graph = shared()
    got = forward(graph, initialise(graph), {"x": normal(1, 2, 4)})
    np.testing.assert_array_equal(got["first"], got["again"])


def test_indices_stay_whole_numbers() -> None:
    sketch = Sketch()
    sketch.words("text", 5, 100)
    sketch.add("same", Identity())
    assert forward(sketch.graph(), {}, {"text": np.arange(10).reshape(2, 5)})["same"].dtype == np.int64


def test_dropout_in_training_is_refused_and_still_takes_it_out() -> None:
    sketch = Sketch(x=(4,))
    sketch.add("noise", Dropout(rate=0.5))
    graph, x = sketch.graph(), normal(1, 2, 4)
    with pytest.raises(Unsupported, match="noise"):
        forward(graph, {}, {"x": x})
    np.testing.assert_array_equal(forward(graph, {}, {"x": x}, training=False)["noise"], x)
    np.testing.assert_array_equal(forward(still(graph), {}, {"x": x})["noise"], x)


def test_it_is_a_backend_that_covers_every_op() -> None:
    oracle = backend()
    assert isinstance(oracle, Backend)
    assert set(oracle.lowerings) | set(oracle.refusals) == set(lowered())
    assert oracle.status().state == "ok"
    for _ in range(2):
        found = backends.backend("numpy")
        assert (found.name, found.status().state) == ("numpy", "ok")


def test_the_trial_injects_and_rounds() -> None:
    sketch = Sketch(x=(4,))
    sketch.add("a", Relu())
    sketch.add("b", Identity())
    graph, x = sketch.graph(), {"x": normal(1, 2, 4)}
    plain = backend().trial(graph, {}).forward(x)
    moved = backend().trial(graph, {}, inject=("a", 0.5)).forward(x)
    for name in ("a", "b"):
        np.testing.assert_array_equal(moved[name], np.add(plain[name], 0.5))
    trial = backend().trial(graph, {}, "float32")
    assert trial.forward(x)["b"].dtype == np.float32
