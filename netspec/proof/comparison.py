"""Compares one spec on several backends: the output of each layer, each gradient, steps of the optimisers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf, isfinite, prod
from typing import TYPE_CHECKING

from netspec.backend import Learns, Runs, installed, oracles, usable
from netspec.graph import Graph
from netspec.ops.nearest import did_you_mean
from netspec.ops.norm import BatchNorm
from netspec.passes.still import still
from netspec.proof import rounding
from netspec.proof.conditions import at, suited
from netspec.proof.difference import differences, farthest, larger, over, pairwise, worst
from netspec.proof.result import TOLERANCES, Comparison
from netspec.proof.trials import Trials

if TYPE_CHECKING:
    from netspec.backend import Arrays
    from netspec.types import Float

SIZES = (1, 2, 3)
"""Batch sizes at which outputs are compared: a backend can confuse two axes of equal length."""


class CannotCompare(Exception):
    """The comparison cannot be made. `str()` says why."""


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
    run = Trials(quiet, dtype, batch, seed, report, weights)
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
