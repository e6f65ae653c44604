"""What differs between TensorFlow, JAX and PyTorch below Keras. `make test-engines` runs this on each of them."""

from __future__ import annotations

import numpy as np
import pytest

from netspec.backend import Incapable, NoDevice, refused
from netspec.graph import Graph
from netspec.passes.still import still
from netspec.proof.conditions import start
from netspec_keras import backend, engine, engine_limits
from netspec_numpy import forward
from tests.cases import CASES, Case
from tests.structures import structure

pytest.importorskip("keras")
ENGINE = engine.chosen()
REFUSED = [case for case in CASES if any(list(each.found(case.graph())) for each in engine_limits.LIMITS)]


@pytest.fixture
def graph() -> Graph:
    return structure("chain")


def test_float64_is_kept_in_a_comparison_and_as_before_after_it(graph: Graph) -> None:
    import keras

    from netspec_keras.engines import running

    before = keras.backend.result_type("float64", "float32")
    assert (before == "float64") == running().keeps_float64
    with running().exact("float64"):
        assert keras.backend.result_type("float64", "float32") == "float64"
        ones = keras.ops.ones((2, 2), "float64")
        assert running().array(keras.ops.matmul(ones, ones)).dtype == "float64"
    assert keras.backend.result_type("float64", "float32") == before


def test_a_keras_that_cannot_keep_float64_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    from netspec_keras.engines import float64

    monkeypatch.setattr(keras.backend, "result_type", lambda *dtypes: "float32")
    with pytest.raises(Incapable, match="on Engine rounds float64 to float32"), float64.kept("Engine"):
        raise AssertionError


def test_a_model_in_float64_is_built_only_where_it_stays_float64(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    from netspec_keras.engines import running

    monkeypatch.setattr(type(running()), "keeps_float64", False)
    with pytest.raises(Incapable, match="rounds some results to float32"):
        backend().build(graph, start(graph, 1, "float64"), "float64", "cpu")


@pytest.mark.parametrize("device", ["tpu", "gpu:7", "cpu:5000", "cuda:7"])
def test_a_device_that_is_not_here_is_named(graph: Graph, device: str) -> None:
    with pytest.raises(NoDevice, match=f"the device `{device}` is not here"):
        backend().trial(graph, start(graph, 1, "float32"), "float32", device=device)


def test_a_network_is_timed(graph: Graph) -> None:
    weights = start(graph, 1, "float32")
    draw = np.random.default_rng(0)
    inputs = {each.name: draw.standard_normal((2, *each.type.shape), "float32") for each in graph.inputs}
    targets = {
        each.name: draw.standard_normal((2, *graph.types[each.value].shape), "float32")
        for each in graph.outputs
    }
    workload = backend().workload(graph, weights, inputs, targets, "cpu")
    workload.prepare()
    workload.train()
    workload.forward()
    assert "cpu" in workload.device.lower()
    assert workload.peak_bytes() is None


def test_only_pytorch_has_limits_of_its_own() -> None:
    assert bool(REFUSED) == (ENGINE == "torch")


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_is_refused_on_an_engine_is_wrong_there(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that this version of Keras does not need fails here."""
    graph = still(case.graph(learning=True))
    assert refused(backend(), graph, "float64")
    monkeypatch.setattr(engine_limits, "LIMITS", ())
    assert not refused(backend(), graph, "float64")
    weights = start(graph, 1, "float64")
    draw = np.random.default_rng(3)
    inputs = {each.name: draw.standard_normal((3, *each.type.shape)) for each in graph.inputs}
    targets = {each.name: draw.standard_normal((3, *graph.types[each.value].shape)) for each in graph.outputs}
    try:
        trial = backend().trial(graph, weights, "float64")
    except (NotImplementedError, IndexError):
        return
    found, wanted = trial.forward(inputs), forward(graph, weights, inputs, training=True)
    if np.abs(np.subtract(found["layer"], wanted["layer"])).max() < 1e-12:  # then it is the gradient
        torch = pytest.importorskip("netspec_torch").backend()
        slopes = trial.gradients(inputs, targets)
        others = torch.trial(graph, weights, "float64").gradients(inputs, targets)
        assert max(np.abs(np.subtract(slopes[name], others[name])).max() for name in others) > 1e-9
