"""The one suite: every registered backend on every row of the two tables, by what the backend can do.

Nothing here is written for one backend. A package with an entry point is in the suite, as the toy beside this file is.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from itertools import combinations
from math import prod
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import numpy as np
import pytest
from numpy.typing import NDArray

from netspec.backend import (
    CAPABILITIES,
    Backend,
    Builds,
    Files,
    Judges,
    Learns,
    Limit,
    Runs,
    Timed,
    Trains,
    Unsupported,
    Writes,
    backends,
    capabilities,
    refused,
)
from netspec.fit import Task
from netspec.graph import Graph
from netspec.marks import BLANK
from netspec.ops import OPS, lowered
from netspec.ops.activation import Relu
from netspec.ops.base import Op
from netspec.ops.norm import BatchNorm
from netspec.passes.still import still
from netspec.proof.comparison import compare
from netspec.proof.conditions import start
from netspec.recipe.optimizers import Sgd
from tests.building import Sketch
from tests.cases import CASES, Case
from tests.structures import STRUCTURES, structure

if TYPE_CHECKING:
    from netspec.types import Float

Values = NDArray[Any]
TOY = Path(__file__).parent / "toy"
FORWARD: Mapping[Float, float] = {"float64": 1e-12, "float32": 1e-5}
GRADIENTS: Mapping[Float, float] = {"float64": 1e-11, "float32": 1e-5}
STEPS = 1e-9
BATCHES = (3, 1, 2)
BY_NAME: dict[str, Case] = {case.name: case for case in CASES}


def registered() -> Iterator[Backend]:
    """Every registered backend, and the toy, whose folder is on the path meanwhile."""
    sys.path.insert(0, str(TOY))
    try:
        yield from list(backends())
    finally:
        sys.path.remove(str(TOY))


ALL = list(registered())
READY = [each for each in ALL if each.status().state == "ok"]
each_backend = pytest.mark.parametrize("backend", ALL, ids=lambda backend: backend.name)


def network(name: str) -> Graph:
    """A row of either table; in front of an op stands a layer that learns, so that its gradient is seen."""
    return BY_NAME[name].graph(learning=True) if name in BY_NAME else structure(name)


@dataclass(frozen=True)
class Sample:
    """A network that draws nothing, with weights in float64."""

    graph: Graph
    weights: dict[str, Values]

    def inputs(self, batch: int, dtype: str = "float64") -> dict[str, Values]:
        """A batch, from its size."""
        draw = np.random.default_rng(batch)
        return {
            each.name: draw.standard_normal((batch, *each.type.shape)).astype(dtype)
            if each.vocabulary is None
            else draw.integers(0, each.vocabulary, (batch, *each.type.shape))
            for each in self.graph.inputs
        }

    def targets(self, batch: int) -> dict[str, Values]:
        """What the outputs should be."""
        draw = np.random.default_rng(100 + batch)
        types = self.graph.types
        return {
            each.name: draw.standard_normal((batch, *types[each.value].shape)) for each in self.graph.outputs
        }


def sample(graph: Graph) -> Sample:
    """Weights as a comparison starts with them: what a spec lets start as zeros and ones is drawn."""
    graph = still(graph)
    return Sample(graph, dict(start(graph, 1, "float64")))


def farthest(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[float, str]:
    """How far apart two sets of tensors are, and where; of what is small all over, beside the largest of all."""
    assert set(found) == set(wanted)
    floor = 1e-3 * max((np.abs(array).max() for array in wanted.values()), default=0.0)
    apart = [(0.0, "")]
    for name, array in wanted.items():
        assert found[name].shape == array.shape, name
        assert np.isfinite(found[name]).all(), name
        size = max(float(np.abs(array).max()), floor, 1e-300)
        apart.append((float(np.abs(np.subtract(found[name], array)).max()) / size, name))
    return max(apart)


@dataclass
class Found:
    """What the backends say of one network, and what is wrong with it."""

    sample: Sample
    wanted: dict[int, dict[str, Values]] = field(default_factory=dict)
    gradients: dict[str, dict[str, Any]] = field(default_factory=dict)
    dtypes: dict[str, Float] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def check(self, what: str, far: float, where: str, tolerance: float) -> None:
        if not far <= tolerance:
            self.wrong.append(f"{what}: {where} differs by {far:.1e}")


def write(found: Found, backend: Backend, build: bool) -> None:
    """Source is a text; a file has the mark; a model that is built gives its weights back."""
    graph = found.sample.graph
    weights = {name: array.astype("float32") for name, array in found.sample.weights.items()}
    if isinstance(backend, Writes):
        ast.parse(backend.source(graph).text)
    if isinstance(backend, Files):
        assert BLANK.encode() in backend.file(graph, weights)
    if build and isinstance(backend, Builds):
        model = backend.build(graph, weights, device="cpu")
        back = backend.weights(model, graph)
        assert list(back) == [weight.name for weight in graph.weights]
        assert all(np.array_equal(back[name], array) for name, array in weights.items())


def run(found: Found, backend: Runs) -> None:
    """Outputs are the oracle's, in float64 where the backend does not refuse that; what learns is kept."""
    graph, weights = found.sample.graph, found.sample.weights
    dtype: Float = "float64"
    if reasons := refused(backend, graph, dtype):
        with pytest.raises(Unsupported) as caught:
            backend.trial(graph, weights, dtype)
        assert str(caught.value) == "\n".join(reason for _, reason in reasons)
        dtype = "float32"
    held = {name: array.astype(dtype) for name, array in weights.items()}
    learner = backend.trial(graph, held, dtype) if isinstance(backend, Learns) else None
    trial = learner or backend.trial(graph, held, dtype)
    for batch in found.wanted:
        outputs = trial.forward(found.sample.inputs(batch, dtype))
        assert set(outputs) == {node.name for node in graph.nodes}
        for node in graph.nodes:
            assert outputs[node.name].shape == (batch, *node.output.shape), node.name
            assert outputs[node.name].dtype == (dtype if node.output.dtype == "float" else "int64")
        found.check(
            f"{backend.name}, outputs of a batch of {batch}",
            *farthest(outputs, found.wanted[batch]),
            FORWARD[dtype],
        )
    if learner is not None:
        inputs, targets = found.sample.inputs(BATCHES[0]), found.sample.targets(BATCHES[0])
        found.gradients[backend.name] = learner.gradients(inputs, targets)
        found.dtypes[backend.name] = dtype
    found.ran.append(backend.name)


def _normalises_single_values(graph: Graph, batch: int) -> bool:
    """Whether a batch norm would have one value a channel, which backends refuse."""
    norms = (node for node in graph.nodes if isinstance(node.op, BatchNorm) and node.trainable)
    return any(batch * prod(node.output.sizes) < 2 for node in norms)


@pytest.fixture
def batches(request: pytest.FixtureRequest) -> Sequence[int]:
    """The sizes of batches that a row runs on; one of them where a run is brief."""
    return BATCHES[:1] if request.config.getoption("--brief") else BATCHES


ROWS = [pytest.param(case.name, marks=case.marks) for case in CASES]


@pytest.mark.parametrize("name", [*ROWS, *STRUCTURES])
def test_every_backend_does_what_it_can_and_all_agree(name: str, batches: Sequence[int]) -> None:
    found = Found(sample(network(name)))
    (oracle,) = [each for each in READY if isinstance(each, Judges)]
    judge = oracle.trial(found.sample.graph, found.sample.weights)
    found.wanted = {
        batch: judge.forward(found.sample.inputs(batch))
        for batch in batches
        if not _normalises_single_values(found.sample.graph, batch)
    }
    for backend in READY:
        if reasons := refused(backend, found.sample.graph):
            assert said(backend, found.sample) == {"\n".join(reason for _, reason in reasons)}
            continue
        write(found, backend, build=name in STRUCTURES)
        if isinstance(backend, Runs):
            run(found, backend)
    for one, other in combinations(found.gradients, 2):
        far, where = farthest(found.gradients[one], found.gradients[other])
        narrower = min(found.dtypes[one], found.dtypes[other])
        found.check(f"gradients of {one} and {other}", far, where, GRADIENTS[narrower])
    assert not found.wrong
    others = [each for each in READY if isinstance(each, Runs) and not isinstance(each, Judges)]
    assert len(found.ran) > 1 or not others, "a row that no backend runs but the oracle proves nothing"


LEARNING = [each for each in READY if isinstance(each, Learns)]


@pytest.mark.skipif(len(LEARNING) < 2, reason="steps are compared between two backends")
@pytest.mark.parametrize("name", STRUCTURES)
def test_steps_agree(name: str) -> None:
    this = sample(structure(name))
    if any(refused(each, this.graph, "float64") for each in LEARNING):
        pytest.skip("a backend refuses it")
    found = compare(this.graph, [each.name for each in LEARNING], batch=3, steps=2, sizes=(), seed=1)
    assert not [each for steps in found.steps for each in steps.found if each.max_rel > STEPS]


@pytest.mark.slow
@pytest.mark.skipif(len(LEARNING) < 2, reason="steps are compared between two backends")
@pytest.mark.parametrize("name", ["words", "gates"])
def test_many_steps_of_indices_and_tensors_agree(name: str) -> None:
    """Networks of ops on indices and of tensors that learn; recurrent layers have such a test beside their others."""
    this = sample(structure(name))
    found = compare(this.graph, [each.name for each in LEARNING], batch=3, steps=20, sizes=(), seed=1)
    assert all(each.max_rel <= 1e-11 for each in found.gradients)
    assert all(each.max_rel <= STEPS for steps in found.steps for each in steps.found)


def said(backend: Backend, this: Sample) -> set[str]:
    """The refusals of a network that a backend gives, by every capability that it has."""
    messages = set()
    for call in calls(backend, this):
        with pytest.raises(Unsupported) as caught:
            call()
        messages.add(str(caught.value))
    return messages


def calls(backend: Backend, this: Sample) -> Iterator[Callable[[], object]]:
    """All that a backend can be asked to do with a network; in float32, in which nothing else is refused."""
    graph = this.graph
    weights = {name: array.astype("float32") for name, array in this.weights.items()}
    if isinstance(backend, Writes):
        yield lambda: backend.source(graph)
    if isinstance(backend, Files):
        yield lambda: backend.file(graph, weights)
    if isinstance(backend, Builds):
        yield lambda: backend.build(graph, weights, device="cpu")
    if isinstance(backend, Runs):
        yield lambda: backend.trial(graph, weights, "float32")
    if isinstance(backend, Timed):
        yield lambda: backend.workload(graph, weights, {}, {}, "cpu")
    if isinstance(backend, Trains):
        yield lambda: backend.trainer(Task(graph, weights, (), Sgd(), device="cpu"))


def test_every_op_has_a_row() -> None:
    assert {OPS[case.keyword] for case in CASES} == set(lowered())


@each_backend
def test_every_op_is_lowered_or_refused_with_a_reason(backend: Backend) -> None:
    assert set(backend.lowerings) | set(backend.refusals) == set(lowered())
    assert not set(backend.lowerings) & set(backend.refusals)
    assert all(reason.endswith(".") for reason in backend.refusals.values())
    assert all(limit.what.endswith(".") for limit in backend.limits)


@each_backend
def test_a_lowering_is_for_the_op_of_its_row(backend: Backend) -> None:
    assert not [op for op, lowering in backend.lowerings.items() if not _takes(lowering, op)]


def test_a_lowering_of_another_op_is_seen() -> None:
    def lowering(op: BatchNorm | None, site: object) -> str:
        return ""

    assert _takes(lowering, BatchNorm)
    assert not _takes(lowering, Relu)


@cache
def _classes() -> dict[str, object]:
    """All classes of the modules of ops: a module of lowerings may import them for types only."""
    modules = [import_module(f"netspec.ops.{name}") for name in OPS.modules()]
    return {
        name: value for module in modules for name, value in vars(module).items() if isinstance(value, type)
    }


def _takes(lowering: object, op: type) -> bool:
    """Whether a lowering takes an op, where it says which it takes."""
    hints = (
        list(get_type_hints(lowering, localns=_classes()).values())
        if isinstance(lowering, FunctionType)
        else []
    )
    kinds = [each for each in get_args(hints[0]) or hints[:1] if isinstance(each, type)] if hints else []
    ops = [each for each in kinds if issubclass(each, Op)]
    return not ops or issubclass(op, tuple(ops))


@each_backend
def test_a_backend_can_do_something(backend: Backend) -> None:
    words = capabilities(backend)
    assert words
    assert set(words) <= {word for word, _ in CAPABILITIES.values()}


def test_the_toy_is_one_of_them() -> None:
    (toy,) = [each for each in READY if each.name == TOY.name]
    assert capabilities(toy) == ["source"]
    assert isinstance(toy, Writes)
    assert toy.source(structure("chain")).text == "layers = 4\n"


@pytest.mark.parametrize(
    "backend",
    READY,
    ids=lambda backend: backend.name,
)
def test_a_refusal_is_said_in_the_words_of_the_table(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal of an op, and a limit, whatever the backend is asked to do."""
    sketch = Sketch("refused", input=(3,))
    sketch.add("first", Relu())
    sketch.add("second", Relu())
    this = sample(sketch.graph())
    limit = Limit("Whatever is called second.", lambda graph: [("second", "it is called `second`")])
    monkeypatch.setattr(type(backend), "limits", (limit,))
    assert refused(backend, this.graph) == [("second", "it is called `second`")]
    assert said(backend, this) == {"it is called `second`"}
    kept = {op: lowering for op, lowering in backend.lowerings.items() if op is not Relu}
    monkeypatch.setattr(type(backend), "lowerings", kept)
    monkeypatch.setattr(type(backend), "refusals", {Relu: "It has no such thing."})
    assert refused(backend, this.graph) == [("first", "It has no such thing (`first` and 1 more)")]
    assert said(backend, this) == {"It has no such thing (`first` and 1 more)"}
