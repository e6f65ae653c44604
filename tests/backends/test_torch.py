"""PyTorch against the oracle on every op and structure: layers, shapes, keys, gradients, frozen layers, training."""

from __future__ import annotations

import copy
import keyword
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

from netspec.analysis import analyze
from netspec.backend import NoDevice, native_names
from netspec.benchmark import sample
from netspec.graph import Graph
from netspec.lowering.template import WrongFold
from netspec.lowering.witness import Unfolded
from netspec.ops import OPS
from netspec.ops.conv import SeparableConv
from netspec.proof.comparison import compare
from netspec.recipe.optimizers import Sgd
from netspec.weights import initialise, load
from netspec_torch import backend
from netspec_torch.attributes import native_names as keys_and_names
from netspec_torch.bench import TorchWorkload
from netspec_torch.reserved import ATTRIBUTES
from netspec_torch.runtime import choose, keys
from tests.building import Sketch
from tests.cases import CASES, Case
from tests.structures import STRUCTURES, structure
from tests.training.driving import Driven, classifier, drive

if TYPE_CHECKING:
    from netspec.backend import Array

TORCH = backend()


def by_name(case: Case) -> str:
    return case.name


def renamed(key: str) -> str:
    """A key of a state dict, without what is appended to names that are taken."""
    return ".".join(part.rstrip("_") if taken(part.rstrip("_")) else part for part in key.split("."))


def taken(name: str) -> bool:
    return keyword.iskeyword(name) or name in ATTRIBUTES


def check_build(graph: Graph) -> None:
    """In float32: the shapes of all outputs are the inferred ones, and the keys say the canonical names.

    A scope that only passes on has no part in a key.
    """
    model = TORCH.build(graph, initialise(graph), device="cpu")
    kinds = [torch.float32 if each.vocabulary is None else torch.int64 for each in graph.inputs]
    inputs = [
        torch.zeros(2, *each.type.shape, dtype=kind) for each, kind in zip(graph.inputs, kinds, strict=True)
    ]
    result = model(*inputs)
    outputs = result if isinstance(result, dict) else {graph.outputs[0].name: result}
    shapes = {name: tuple(value.shape[1:]) for name, value in outputs.items()}
    assert shapes == {each.name: graph.types[each.value].shape for each in graph.outputs}
    assert all(value.dtype == torch.float32 for value in outputs.values())
    places = keys(graph)
    assert places.keys() == {weight.name for weight in graph.weights}
    assert all(contains(name.split("."), renamed(key).split(".")) for name, key in places.items())
    beside = {key for key, name in keys_and_names(graph).items() if name is None}
    found = {key for key in model.state_dict() if key not in beside}
    assert set(places.values()) <= found
    assert len(places) == len(found) or any(node.shares for node in graph.nodes)


def contains(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether these are some of the parts of a name, in their order."""
    rest = iter(part.rstrip("_") if taken(part.rstrip("_")) else part for part in parts)
    return all(part in rest for part in wanted)


def test_the_list_of_taken_names_is_that_of_pytorch() -> None:
    module = nn.Module()
    own = {
        name for name in (*dir(module), *vars(module)) if not (name.startswith("__") and name.endswith("__"))
    }
    assert own <= ATTRIBUTES
    exported = dir(torch.fx.GraphModule(module, torch.fx.Graph()))
    assert {name for name in exported if not name.startswith("_")} <= ATTRIBUTES


@pytest.mark.parametrize("case", [pytest.param(each, marks=each.marks) for each in CASES], ids=by_name)
def test_the_model_of_an_op_has_its_shapes_and_keys(case: Case) -> None:
    check_build(case.graph())


@pytest.mark.parametrize("name", STRUCTURES)
def test_the_model_of_a_structure_has_its_shapes_and_keys(name: str) -> None:
    check_build(structure(name))


def numeric(
    loss: Callable[[Mapping[str, Array]], float], weights: Mapping[str, Array], name: str
) -> Iterator[tuple[int, float]]:
    """Differences of the loss by a few numbers of a weight."""
    size = weights[name].size
    for at in range(0, size, max(size // 3, 1)):
        sides = []
        for sign in (1, -1):
            moved = {key: np.array(value, "float64") for key, value in weights.items()}
            moved[name].flat[at] += sign * 1e-6
            sides.append(loss(moved))
        yield at, (sides[0] - sides[1]) / 2e-6


@pytest.mark.parametrize("name", ["residual", "siamese", "tied", "heads", "frozen"])
def test_gradients_are_those_of_the_loss(name: str) -> None:
    """By differences of the loss that the oracle's outputs give, so that neither side is PyTorch's."""
    from netspec_numpy import forward

    graph = structure(name)
    generator = np.random.default_rng(3)
    inputs = {each.name: generator.standard_normal((2, *each.type.shape)) for each in graph.inputs}
    targets = {
        each.name: generator.standard_normal((2, *graph.types[each.value].shape)) for each in graph.outputs
    }

    def loss(weights: Mapping[str, Array]) -> float:
        found = forward(graph, weights, inputs)
        differences = [
            np.asarray(found[each.value], "float64") - targets[each.name] for each in graph.outputs
        ]
        return sum(float((difference**2).sum()) / 4 for difference in differences)

    # Biases that are not 0, so that no relu stands at its kink.
    weights = {
        name: np.asarray(array, "float64") + 0.1 * (generator.random(array.shape) + 0.5)
        for name, array in initialise(graph, dtype="float64").items()
    }
    gradients = TORCH.trial(graph, weights).gradients(inputs, targets)
    largest = max(float(np.abs(gradient).max()) for gradient in gradients.values())
    for weight, gradient in gradients.items():
        for at, expected in numeric(loss, weights, weight):
            assert gradient.flat[at] == pytest.approx(expected, abs=1e-6 * largest), weight


def test_what_is_frozen_stays_and_what_is_not_moves() -> None:
    graph = structure("frozen")
    weights = initialise(graph, dtype="float64")
    inputs = {"input": np.random.default_rng(0).standard_normal((3, 3, 8, 8))}
    targets = {"output": np.ones((3, 3))}
    trial = TORCH.trial(graph, weights)
    after = trial.steps(inputs, targets, Sgd(learning_rate=0.1, momentum=0.9), 3)
    moved = {name for name in weights if not np.array_equal(weights[name], after[name])}
    assert moved == {name for name in weights if name.startswith(("alive.", "dense1."))}
    assert set(trial.gradients(inputs, targets)) == {name for name in moved if "running" not in name}


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9, 0.99, 1.0])
def test_running_statistics_are_the_canonical_ones(momentum: float) -> None:
    sketch = Sketch("running", input=(3, 4, 5))
    sketch.add("norm", OPS["batch_norm"].model_validate({"momentum": momentum}))
    graph = sketch.graph()
    x = 2 + np.random.default_rng(0).standard_normal((4, 3, 4, 5))
    after = TORCH.trial(graph, initialise(graph, dtype="float64")).steps(
        {"input": x}, {"output": x}, Sgd(learning_rate=0.1), 1
    )
    mean, variance = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3), ddof=1)
    expected = {"mean": (1 - momentum) * mean, "var": momentum + (1 - momentum) * variance}
    for name, value in expected.items():
        np.testing.assert_allclose(np.asarray(after[f"norm.running_{name}"], "float64"), value, rtol=1e-12)


def test_a_trial_starts_anew_each_time() -> None:
    graph = structure("residual")
    inputs = {"input": np.random.default_rng(0).standard_normal((2, 3, 8, 8))}
    targets = {"output": np.zeros((2, 8))}
    trial = TORCH.trial(graph, initialise(graph, dtype="float64"))
    first = trial.steps(inputs, targets, Sgd(), 2)
    trial.forward(inputs)
    second = trial.steps(inputs, targets, Sgd(), 2)
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_an_injection_moves_its_layer_and_what_follows() -> None:
    graph = structure("siamese")
    inputs = {name: np.random.default_rng(0).standard_normal((2, 1, 8, 8)) for name in ("left", "right")}
    weights = initialise(graph, dtype="float64")
    plain = TORCH.trial(graph, weights).forward(inputs)
    moved = TORCH.trial(graph, weights, inject=("two.first", 1e-3)).forward(inputs)
    different = {name for name in plain if not np.array_equal(plain[name], moved[name])}
    assert "two.first" in different
    assert not any(name.startswith(("one.", "three.")) for name in different)
    by = np.asarray(moved["two.first"], "float64") - np.asarray(plain["two.first"], "float64")
    np.testing.assert_allclose(by, 1e-3, rtol=0, atol=1e-15)


def test_weights_go_in_and_come_out() -> None:
    for name in ("names", "tied", "frozen"):
        graph = structure(name)
        weights = initialise(graph, seed=5)
        model = TORCH.build(graph, weights, device="cpu")
        back = TORCH.weights(model, graph)
        assert back.keys() == weights.keys() == keys(graph).keys()
        assert all(np.array_equal(back[key], weights[key]) for key in weights)
        assert not model.training
        for array in weights.values():
            array.fill(7)
        again = TORCH.weights(model, graph)
        assert all(np.array_equal(back[key], again[key]) for key in back)


def test_tied_layers_learn_as_one() -> None:
    graph = structure("tied")
    model = TORCH.build(graph, initialise(graph), device="cpu")
    owner = model.get_parameter("first.weight")
    assert model.get_parameter("group.dense1.weight") is owner
    assert sum(each.numel() for each in model.parameters()) == sum(
        int(np.prod(weight.shape)) for weight in graph.weights
    )


def shared_statistics() -> Graph:
    """Two batch norms of one weight and one mean, which are two objects: they keep it in other shares."""
    sketch = Sketch("shared", input=(3, 4, 4))
    sketch.add("first", OPS["batch_norm"]())
    sketch.add("relu1", OPS["relu"]())
    sketch.add("second", OPS["batch_norm"].model_validate({"momentum": 0.5}), shares="first")
    return sketch.graph()


def test_buffers_that_two_layers_share_stay_one_wherever_the_model_goes() -> None:
    graph = shared_statistics()
    moves: tuple[Callable[[Any], Any], ...] = (
        lambda model: model.double(),
        lambda model: model.half(),
        copy.deepcopy,
    )
    for moved in moves:
        model = moved(TORCH.build(graph, initialise(graph), device="cpu"))
        for name in ("running_mean", "running_var", "weight", "bias"):
            assert getattr(model.first, name) is getattr(model.second, name), name


def test_a_text_whose_buffers_lose_each_other_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from netspec_torch import body

    monkeypatch.setattr(body, "moving", lambda ties: ())
    with pytest.warns(Unfolded), pytest.raises(WrongFold, match=r"second does not use first\.running_mean"):
        TORCH.source(shared_statistics())


def test_what_a_model_holds_beyond_the_graph_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would keep the numbers that PyTorch drew, and they would be lost with the model."""
    graph = structure("chain")
    weights = initialise(graph)
    kept = torch.nn.Linear.__init__

    def more(self: Any, *arguments: Any, **settings: Any) -> None:
        kept(self, *arguments, **settings)
        self.register_buffer("mask", torch.ones(3))

    monkeypatch.setattr(torch.nn.Linear, "__init__", more)
    with pytest.raises(WrongFold, match=r"disagree about dense1\.mask"):
        TORCH.build(graph, weights, device="cpu")


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_module_has_the_parameters_of_the_graph(name: str) -> None:
    graph = structure(name)
    model = TORCH.build(graph, initialise(graph), device="cpu")
    assert sum(each.numel() for each in model.parameters()) == analyze(graph).totals.params


def test_layers_of_several_parts_share_them_with_another_stride() -> None:
    sketch = Sketch("strides", x=(4, 9, 9))
    sketch.add("first", SeparableConv(filters=4, kernel=(3,), padding="same"))
    sketch.add("second", SeparableConv(filters=4, kernel=(3,), stride=(2,)), shares="first")
    assert compare(sketch.graph(), ["torch"], steps=1).ok


def test_wrong_weights_are_refused() -> None:
    graph = structure("chain")
    weights = initialise(graph)
    with pytest.raises(ValueError, match=r"conv1\.weight"):
        TORCH.build(graph, {name: array for name, array in weights.items() if name != "conv1.weight"})
    with pytest.raises(ValueError, match=r"conv1\.bias"):
        TORCH.build(graph, {**weights, "conv1.bias": np.zeros(3, "float32")})


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate"), "CUDA out of memory"),
        (AssertionError(), "AssertionError"),
        (RuntimeError("\nno kernel image"), "RuntimeError"),
    ],
)
def test_a_device_that_cannot_be_used_says_why(
    error: Exception, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(torch, "zeros", fails)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(NoDevice) as caught:
        choose("cuda:0")
    assert str(caught.value) == f"the device `cuda:0` cannot be used: {why}"


def test_building_leaves_pytorch_as_it_was() -> None:
    graph = structure("tied")
    torch.manual_seed(0)
    before = torch.get_rng_state()
    TORCH.build(graph, initialise(graph), dtype="float64", device="cpu")
    assert torch.equal(before, torch.get_rng_state())
    assert torch.get_default_dtype() == torch.float32


def test_an_error_in_generated_code_shows_its_line() -> None:
    import traceback

    graph = structure("chain")
    model = TORCH.build(graph, initialise(graph), device="cpu")
    with pytest.raises(RuntimeError) as caught:
        model(torch.zeros(1, 3, 2, 2))
    assert "x = self.conv1(x)" in "".join(traceback.format_tb(caught.value.__traceback__))


def learn(seed: int) -> Driven:
    """Two classes told apart by the sign of their mean, with dropout on the way."""
    sketch = Sketch("learner", input=(1, 4, 4))
    sketch.add("flatten", OPS["flatten"]())
    sketch.add("hidden", OPS["dense"].model_validate({"units": 8, "activation": "tanh"}))
    sketch.add("dropout", OPS["dropout"].model_validate({"rate": 0.25}))
    sketch.add("logits", OPS["dense"].model_validate({"units": 2}))
    graph = sketch.graph()
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 60)
    images = (generator.standard_normal((60, 1, 4, 4)) + (2 * labels - 1)[:, None, None, None]).astype(
        "float32"
    )

    def batches(epoch: int) -> Iterator[tuple[Array, Array]]:
        return iter([(images[at : at + 16], labels[at : at + 16]) for at in range(0, 60, 16)])

    task = classifier(graph, initialise(graph), Sgd(learning_rate=0.1, momentum=0.9), seed)
    return drive(TORCH, task, 3, batches)


def test_the_work_that_is_timed_moves_every_weight_in_a_step_and_none_forward() -> None:
    graph = structure("heads")
    weights = initialise(graph)
    workload = TORCH.workload(graph, weights, *sample(graph, 2, 0), "cpu")
    assert isinstance(workload, TorchWorkload)
    workload.prepare()
    workload.forward()
    before = {name: array.copy() for name, array in TORCH.weights(workload.model, graph).items()}
    assert all((before[name] == array).all() for name, array in weights.items())
    workload.train()
    after = TORCH.weights(workload.model, graph)
    assert all((before[name] != after[name]).any() for name in weights)


def test_a_missing_framework_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    told = TORCH.status()
    assert (told.state, told.detail) == ("missing", "PyTorch is not installed")
    assert told.fix.startswith("pip install ")


def test_training_learns_and_repeats_itself() -> None:
    first, again, other = learn(1), learn(1), learn(2)
    assert len(first.steps) == 12
    assert first.steps == again.steps
    assert first.steps[0] != other.steps[0]
    assert first.epochs[-1]["test_accuracy"] > 0.9
    assert first.epochs[-1]["test_loss"] < first.epochs[0]["train_loss"]
    sizes = (16, 16, 16, 12)
    mean = sum(loss * size for loss, size in zip(first.losses[0], sizes, strict=True)) / 60
    assert first.epochs[0]["train_loss"] == pytest.approx(mean)
    assert set(first.weights[-1]) == {"hidden.weight", "hidden.bias", "logits.weight", "logits.bias"}
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("name", STRUCTURES)
def test_the_state_dict_of_a_model_is_a_file_of_its_weights(name: str, tmp_path: Path) -> None:
    """Whatever the structure: names that are taken, blocks, loops, shared layers."""
    from safetensors.torch import save_file

    graph = structure(name)
    model = TORCH.build(graph, initialise(graph, 3), device="cpu")
    state = {key: tensor.clone().contiguous() for key, tensor in model.state_dict().items()}
    save_file(state, tmp_path / "w.safetensors")
    found = load(tmp_path / "w.safetensors", graph, "float32", native_names(graph), lambda line: None)
    for weight, array in initialise(graph, 3).items():
        np.testing.assert_array_equal(found[weight], array)


@pytest.mark.parametrize(
    "layers",
    [
        "{permute: [width, channels, height]}",
        "{layer_norm: {scale: false, center: false}}",
    ],
)
def test_a_group_norm_of_any_memory_order_goes_backwards(layers: str) -> None:
    """In a process of its own: PyTorch's derivative ends it where the map needs no gradient and is not contiguous."""
    text = f"netspec: 1\nname: order\ninput: [4, 4, 8]\nlayers: [{layers}, {{group_norm: 4}}]\n"
    program = (
        "import sys, netspec, torch\n"
        "from netspec.diagnostics import Problems\n"
        "from netspec.loading import graph_of_text\n"
        "graph = graph_of_text(sys.argv[1], 'order.yaml', Problems())\n"
        "netspec.build(graph, 'torch')(torch.randn(2, 4, 4, 8)).sum().backward()\n"
    )
    done = subprocess.run([sys.executable, "-c", program, text], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
