"""Compares one spec on several backends: the output of each layer, each gradient, steps of the optimisers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from math import inf, isfinite, nan, prod
from typing import TYPE_CHECKING, Any, TypeVar

from netspec.backend import Judges, Learns, Runs, Trial, installed, oracles, usable
from netspec.graph import Graph
from netspec.ops.nearest import did_you_mean
from netspec.ops.norm import BatchNorm
from netspec.passes.still import still
from netspec.proof import rounding, ties
from netspec.proof.conditions import at, start, suited
from netspec.proof.difference import Difference, differences, farthest, larger, over, pairwise, worst
from netspec.recipe.optimizers import Optimizer
from netspec.types import Type

if TYPE_CHECKING:
    from netspec.backend import Array, Arrays, LearningTrial
    from netspec.types import Float

SIZES = (1, 2, 3)
"""Batch sizes at which outputs are compared: a backend can confuse two axes of equal length."""


T = TypeVar("T")


class CannotCompare(Exception):
    """The comparison cannot be made. `str()` says why."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The largest `max_rel` that counts as equal. None: measured, but not judged."""

    forward: float
    gradients: float | None
    steps: float | None


# Float64 is the proof. In float32, a rounding error can move the input of a relu across 0 and so change a gradient; no
# tolerance for gradients would be meaningful, so only outputs are judged.
TOLERANCES: dict[str, Tolerance] = {
    "float64": Tolerance(1e-10, 1e-10, 1e-9),
    "float32": Tolerance(1e-4, None, None),
}


@dataclass(frozen=True, slots=True)
class Steps:
    """The weights after some steps of one optimiser."""

    optimizer: str
    count: int
    learning_rate: float
    found: tuple[Difference, ...]


@dataclass(frozen=True)
class Comparison:
    """The result: the worst pair for every layer, gradient and weight, and the worst layer for every pair."""

    spec: str
    name: str
    dtype: str
    device: str
    backends: tuple[str, ...]
    oracles: tuple[str, ...]
    """The oracles that take part."""
    absent: Mapping[str, str]
    """The oracles that cannot take part, each with the reason."""
    batch: int
    others: tuple[int, ...]
    """Further batch sizes at which the outputs were compared; a layer's difference is the largest of all sizes."""
    tolerance: Tolerance
    layers: tuple[Difference, ...]
    pairs: tuple[Difference, ...]
    gradients: tuple[Difference, ...]
    steps: tuple[Steps, ...]
    vanished: bool = False
    """Whether every gradient is zero in theory, and was compared as zero: all values are rounding errors."""
    two_valued: tuple[str, ...] = ()
    """Batch norms over two values per channel. Except for the epsilon, their outputs are −1 and 1 whatever the values
    are, and the two swap where the values are nearly equal: steps through them are chaotic."""
    undecided: tuple[str, ...] = ()
    """Layers whose outputs are not judged in float32: rounding errors decide to which positions values go back."""

    @cached_property
    def failures(self) -> tuple[Difference, ...]:
        """All differences over their tolerance: layers in the order of the graph, then gradients, then weights."""
        stepped = [each for steps in self.steps for each in over(steps.found, self.tolerance.steps)]
        return (*self._unequal, *over(self.gradients, self.tolerance.gradients), *stepped)

    @property
    def ok(self) -> bool:
        return not self.failures

    @property
    def first_difference(self) -> Difference | None:
        """The first layer, in the order of the graph, whose outputs differ."""
        return next(iter(self._unequal), None)

    @property
    def judged(self) -> tuple[Difference, ...]:
        """The layers whose outputs are judged."""
        return tuple(each for each in self.layers if each.name not in self.undecided)

    @cached_property
    def _unequal(self) -> tuple[Difference, ...]:
        """The layers that differ; of those that are not judged, the ones that differ in more than their values."""
        wrong = {each.name for each in over(self.judged, self.tolerance.forward)}
        wrong |= {each.name for each in over(self.layers, None)}
        return tuple(each for each in self.layers if each.name in wrong)

    def as_dict(self) -> dict[str, Any]:
        """The JSON of `netspec compare --format json`; an infinite difference is "inf", a missing one null."""
        first = self.first_difference
        forward, gradients = worst(self.judged), worst(self.gradients)
        return {
            "spec": self.spec,
            "name": self.name,
            "dtype": self.dtype,
            "device": self.device,
            "backends": list(self.backends),
            "absent_oracles": dict(self.absent),
            "batch": self.batch,
            "learning_rate": self.steps[0].learning_rate if self.steps else None,
            "ok": self.ok,
            "tolerance": {
                "forward": self.tolerance.forward,
                "gradients": self.tolerance.gradients,
                "steps": self.tolerance.steps,
            },
            "forward": {"max_rel": _number(forward), "layer": _name(forward)},
            "undecided": list(self.undecided),
            "pairs": [
                {"backends": list(each.backends), "max_rel": _number(each), "layer": each.name}
                for each in self.pairs
            ],
            "gradients": {"max_rel": _number(gradients), "weight": _name(gradients)},
            "steps": [
                {
                    "optimizer": steps.optimizer,
                    "count": steps.count,
                    "learning_rate": steps.learning_rate,
                    "max_rel": _number(worst(steps.found)),
                    "weight": _name(worst(steps.found)),
                }
                for steps in self.steps
            ],
            "first_difference": None if first is None else {"layer": first.name, "max_rel": _number(first)},
            "layers": [{"name": each.name, "max_rel": _number(each)} for each in self.layers],
        }


def _number(found: Difference | None) -> float | str | None:
    if found is None:
        return None
    return "inf" if found.max_rel == inf else found.max_rel


def _name(found: Difference | None) -> str | None:
    return None if found is None else found.name


def compare(
    graph: Graph,
    backends: Sequence[str] | None = None,
    dtype: Float = "float64",
    batch: int = 2,
    seed: int = 0,
    steps: int = 5,
    rate: float | None = None,
    inject: str | None = None,
    oracle: bool = True,
    gradients: bool = True,
    sizes: Sequence[int] = SIZES,
    device: str = "cpu",
    weights: Arrays | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> Comparison:
    """Run one network on several backends with the same weights and the same batch, and compare every value.

    Without `backends`, all installed backends that give gradients take part. Networks run in training mode without
    dropout, with all products in full precision on every `device`. The weights are the given ones, else those of
    `conditions.start`, where zeros and ones of the spec are also drawn. Inputs and targets are standard normal, or
    indices of the vocabulary. The oracle takes part in the comparison of outputs, on the CPU; gradients and steps are
    compared between the backends that give them. Outputs are also compared on batches of these `sizes`, unless a
    batch norm would have only one or two values per channel. Without `gradients`, only outputs are compared. SGD and
    Adam each take `steps` steps, with learning rates that fit the gradients, or with `rate` for SGD and an eighth of
    it for Adam. `inject`, such as "conv1=1e-3", adds a number to one layer's output on the last backend. `report`
    is called with the progress.

    Raises:
        CannotCompare: fewer than two sides, an unknown layer or dtype, or a batch that is too small for a batch norm.
        Unavailable: a backend is unknown, missing or broken, or the device does not exist.
        Unsupported: a backend refuses the graph.
    """
    quiet = still(graph)
    backends = installed(Learns) if backends is None else backends
    judges = oracles() if oracle else {}
    absent = {
        name: f"{status.state}: {status.detail}"
        for name, status in judges.items()
        if status.state != "ok" and name not in backends
    }
    names = _sides(backends, [name for name in judges if name not in absent], absent)
    perturbed = None if inject is None else _injection(inject, quiet)
    _check(quiet, dtype, batch, steps, rate)
    ready = usable(names, Runs)
    run = _Run(quiet, dtype, batch, seed, report, weights)
    for each in ready:
        run.enter(each, perturbed if each.name == backends[-1] else None, device)
    layers = run.outputs()
    names_of_layers = [node.name for node in quiet.nodes]
    outputs = pairwise(names_of_layers, layers)
    tied = run.undecided(layers)
    others = tuple(size for size in sizes if size != batch and not _is_small(quiet, size))
    for size in others:
        more = run.outputs(size)
        outputs = larger(outputs, pairwise(names_of_layers, more))
        tied |= run.undecided(more)
    slopes = run.gradients() if gradients else {}
    learnt = [each.name for each in quiet.weights if each.trainable]
    learning = differences(learnt, slopes)
    # Gradients that agree are fine; only those that differ are checked for being rounding errors.
    differ = bool(over(learning, TOLERANCES[dtype].gradients or 0.0))
    if flat := differ and rounding.vanished(slopes, rounding.level(quiet, layers, dtype)):
        slopes = rounding.zeros(slopes)
        learning = differences(learnt, slopes)
    pace = at(rate) if rate else suited(run.loss(layers[names[0]]), next(iter(slopes.values()), {}))
    return Comparison(
        spec=graph.file or graph.name,
        name=graph.name,
        dtype=dtype,
        device=device,
        backends=tuple(backends),
        oracles=tuple(names[len(backends) :]),
        absent=absent,
        batch=batch,
        others=others,
        tolerance=TOLERANCES[dtype],
        layers=farthest(outputs),
        pairs=tuple(found for each in outputs.values() if (found := worst(each)) is not None),
        gradients=learning,
        steps=tuple(run.steps(optimizer, steps) for optimizer in pace if steps and gradients),
        vanished=flat,
        two_valued=tuple(_normalising(quiet, batch, 2)),
        undecided=tuple(name for name in names_of_layers if name in tied),
    )


def _sides(backends: Sequence[str], judges: Sequence[str], absent: Mapping[str, str]) -> list[str]:
    names = [*backends, *(each for each in judges if each not in backends)]
    if len(set(names)) != len(names):
        raise CannotCompare(f"a backend is named twice: {', '.join(names)}")
    if not backends or len(names) < 2:
        lost = "".join(f"; the oracle {name} is {why}" for name, why in absent.items())
        raise CannotCompare(f"a comparison needs two backends, or one backend and the oracle{lost}")
    return names


def _injection(inject: str, graph: Graph) -> tuple[str, float]:
    """`LAYER=EPS` as a layer of the graph and a number."""
    layer, sign, text = inject.partition("=")
    if layer not in graph.by_name:
        hint = did_you_mean(layer, graph.by_name)
        raise CannotCompare(f"no layer is called `{layer}`{hint}; `netspec shapes` lists the names")
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not sign or not number or not isfinite(number):
        raise CannotCompare(f"`{inject}` is not LAYER=EPS, such as {layer}=1e-3")
    return layer, number


def _check(graph: Graph, dtype: str, batch: int, steps: int, rate: float | None) -> None:
    if dtype not in TOLERANCES:
        raise CannotCompare(f"`{dtype}` is not {' or '.join(TOLERANCES)}{did_you_mean(dtype, TOLERANCES)}")
    if batch < 1 or steps < 0:
        raise CannotCompare("a batch has at least 1 sample, and the number of steps is at least 0")
    if rate is not None and not 0 < rate < inf:
        raise CannotCompare(f"the learning rate must be a number above 0, not {rate}")
    for name in _normalising(graph, batch, 1):
        raise CannotCompare(
            f"`{name}` would compute the variance of a single value per channel; "
            "use a batch of 2 or more, or a larger input"
        )


def _normalising(graph: Graph, batch: int, count: int) -> Iterator[str]:
    """The batch norms that normalise this number of values per channel with the statistics of the batch."""
    for node in graph.nodes:
        if isinstance(node.op, BatchNorm) and node.trainable and batch * prod(node.output.sizes) == count:
            yield node.name


def _is_small(graph: Graph, batch: int) -> bool:
    """Whether a batch norm would have only one value per channel, or two, which become −1 and 1."""
    return any(True for count in (1, 2) for _ in _normalising(graph, batch, count))


class _Run:
    """The weights, the batch, and the trials of all sides."""

    def __init__(
        self,
        graph: Graph,
        dtype: Float,
        batch: int,
        seed: int,
        report: Callable[[str], None],
        weights: Arrays | None,
    ) -> None:
        self.graph, self.dtype, self.report = graph, dtype, report
        self.batch, self.seed = batch, seed
        self.trials: dict[str, Trial] = {}
        self.learners: dict[str, LearningTrial] = {}
        self.weights = start(graph, seed, dtype) if weights is None else weights
        self.inputs = self._batch(batch)
        self.targets = {
            each.name: _sample(f"target {each.name}", graph.types[each.value], None, batch, seed, dtype)
            for each in graph.outputs
        }

    def _batch(self, size: int) -> dict[str, Array]:
        return {
            each.name: _sample(f"input {each.name}", each.type, each.vocabulary, size, self.seed, self.dtype)
            for each in self.graph.inputs
        }

    def loss(self, layers: Arrays) -> float:
        """The loss (see `Trial`) for these outputs; NaN if they are missing or have the wrong shape."""
        import numpy as np

        total = 0.0
        for each in self.graph.outputs:
            found, target = layers.get(each.value), self.targets[each.name]
            if found is None or found.shape != target.shape:
                return nan
            with np.errstate(invalid="ignore", over="ignore"):
                total += float(((found.astype("float64") - target) ** 2).sum())
        return total / self.batch / 2

    def enter(self, backend: Runs, inject: tuple[str, float] | None, device: str) -> None:
        """Add a backend to the comparison; an oracle runs on the CPU."""
        self.report(f"{backend.name}: building")
        where = "cpu" if isinstance(backend, Judges) else device
        if isinstance(backend, Learns):
            learner = backend.trial(self.graph, self.weights, self.dtype, inject, where)
            self.trials[backend.name] = self.learners[backend.name] = learner
        else:
            self.trials[backend.name] = backend.trial(self.graph, self.weights, self.dtype, inject, where)

    def outputs(self, size: int = 0) -> dict[str, dict[str, Array]]:
        """The outputs of all layers on all sides, for the batch or for another batch of this size."""
        inputs, what = (
            (self._batch(size), f"outputs of a batch of {size}") if size else (self.inputs, "outputs")
        )
        return {name: trial.forward(inputs) for name, trial in self._in_turn(self.trials, what)}

    def undecided(self, layers: Mapping[str, Arrays]) -> set[str]:
        """The layers that float32 does not decide; in float64 every layer is judged."""
        tolerance = TOLERANCES[self.dtype].forward
        return set(ties.undecided(self.graph, layers, tolerance)) if self.dtype == "float32" else set()

    def gradients(self) -> dict[str, dict[str, Array]]:
        """The gradients of all backends that give them."""
        return {
            name: trial.gradients(self.inputs, self.targets)
            for name, trial in self._in_turn(self.learners, "gradients")
        }

    def steps(self, optimizer: Optimizer, count: int) -> Steps:
        """The weights after `count` steps from the same start, of all backends that can learn."""
        stepped = {
            name: trial.steps(self.inputs, self.targets, optimizer, count)
            for name, trial in self._in_turn(self.learners, f"{count} steps of {optimizer.kind}")
        }
        found = differences((each.name for each in self.graph.weights), stepped)
        return Steps(optimizer.kind, count, optimizer.learning_rate, found)

    def _in_turn(self, trials: Mapping[str, T], what: str) -> Iterator[tuple[str, T]]:
        for name, trial in trials.items():
            self.report(f"{name}: {what}")
            yield name, trial


def _sample(name: str, type_: Type, vocabulary: int | None, batch: int, seed: int, dtype: str) -> Array:
    """Standard normal values, or indices of a vocabulary; like weights, each tensor depends on its own name."""
    import numpy as np

    own = int.from_bytes(blake2b(name.encode(), digest_size=16).digest(), "big")
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, own])))
    shape = (batch, *type_.shape)
    if vocabulary is not None:
        return generator.integers(0, vocabulary, shape)
    return generator.standard_normal(shape).astype(dtype)
