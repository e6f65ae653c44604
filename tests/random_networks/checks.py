"""What every random network is held to, from its text to the gradients of its native models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netspec.backend import Builds, Learns, capable
from netspec.dataclass import replace
from netspec.graph import Graph, Node, verify
from netspec.ops.norm import BatchNorm
from netspec.ops.reshape import Identity
from netspec.ops.sample import Sample
from netspec.passes.fold_batch_norm import fold_batch_norm, folded_weights
from netspec.passes.still import still
from netspec.tensors import save
from netspec.weights import load
from tests.having import ORACLE
from tests.random_networks.author import Refused
from tests.random_networks.conditions import can_train, inputs_of, targets_of, weights_of
from tests.random_networks.equal import TOLERANCE, apart, finite_samples, floors, gradient_floor, overflows
from tests.random_networks.networks import graph_of
from tests.random_networks.rounding import Rounding, tied
from tests.random_networks.text import Files
from tests.random_networks.text import save as save_files
from tests.rereading import differences, reread

if TYPE_CHECKING:
    from tests.backends.native import Array, Arrays, Native


COMPILED = 2
"""The size of batch at which gradients come from a compiled graph, as in training; else they are eager."""


class Broken(Exception):
    """A promise that a network breaks. `kind` is the same for the same fault; `str()` has the numbers."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(f"{kind}: {words}")
        self.kind = kind


@dataclass
class Trial:
    """One network with all that its checks share."""

    graph: Graph
    batches: Sequence[int]
    backends: Sequence[str]
    seed: int = 0
    weights: dict[str, Array] = field(init=False)
    quiet: Graph = field(init=False)
    inference: dict[int, Arrays] = field(init=False)
    """The oracle's values in inference, by the size of the batch."""
    rounding: list[str] = field(default_factory=list)
    """What differs by rounding that the network itself makes large."""

    def __post_init__(self) -> None:
        from tests.oracle import forward

        self.graph = _settled(self.graph)
        self.weights = weights_of(self.graph, self.seed)
        self.quiet = still(self.graph)
        with naming(ORACLE):
            self.inference = {
                batch: forward(
                    self.graph, self.weights, inputs_of(self.graph, self.seed, batch), training=False
                )
                for batch in self.batches
            }


def _settled(graph: Graph) -> Graph:
    """The network without the draws that also take place outside training; those of training stay."""
    quiet = still(graph)
    nodes = [b if isinstance(a.op, Sample) else a for a, b in zip(graph.nodes, quiet.nodes, strict=True)]
    return replace(graph, nodes=tuple(nodes))


@contextmanager
def naming(what: str) -> Iterator[None]:
    """Tell any exception of this part as a broken promise: nothing valid ends in one."""
    try:
        yield
    except Broken:
        raise
    except Exception as error:
        where = error.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        place = (
            "" if where is None else f" in {Path(where.tb_frame.f_code.co_filename).name}:{where.tb_lineno}"
        )
        raise Broken(f"{what} {type(error).__name__}", f"{str(error)[:600]}{place}") from error


def check(
    files: Files, folder: Path, batches: Callable[[Graph], Sequence[int]], backends: Sequence[str]
) -> list[str]:
    """Hold a network to everything; return what differs by rounding that the network itself makes large.

    Args:
        batches: the sizes of batch for a graph.

    Raises:
        Broken: it breaks a promise, the first that is found.
    """
    path = save_files(files, folder)
    try:
        with naming("check"):
            graph = graph_of(path)
    except Broken as broken:
        if isinstance(broken.__cause__, Refused):
            raise Broken("check refuses", str(broken.__cause__)) from None
        raise
    trial = Trial(graph, batches(graph), backends)
    _check_sizes(trial)
    for name in backends:
        _check_native(trial, name, folder)
    _check_training(trial)
    _check_folded(trial)
    check_written(graph, "written again")
    return trial.rounding


def check_written(graph: Graph, what: str) -> None:
    """Write a graph as a spec and read that: nothing but names may differ, and a second time nothing at all."""
    try:
        with naming(what):
            again, text = reread(graph)
            _, twice = reread(again)
    except Broken as broken:
        if isinstance(broken.__cause__, AssertionError):
            raise Broken(f"{what}: refused", str(broken.__cause__)) from None
        raise
    found = differences(graph, again)
    if found:
        raise Broken(f"{what}: another graph", f"{found[0]}\n{text}")
    if twice != text:
        raise Broken(f"{what}: another text", f"{text}\n{twice}")


def _check_sizes(trial: Trial) -> None:
    """The oracle's outputs have the sizes that the graph promises."""
    for batch, values in trial.inference.items():
        for name, value in values.items():
            _check_shape(trial.graph, ORACLE, name, value, batch)


def _check_shape(graph: Graph, side: str, name: str, value: Array, batch: int) -> None:
    promised = (batch, *graph.types[name].shape)
    if value.shape != promised:
        raise Broken(f"{side}: shape", f"{name} has {value.shape}, promised is {promised}")


def _check_folded(trial: Trial) -> None:
    """Batch norm taken into the layers before it changes no output; what is left is a spec, too."""
    from tests.oracle import forward

    with naming("folded"):
        folded = verify(fold_batch_norm(trial.graph))
        weights = folded_weights(trial.graph, trial.weights)
    if folded == trial.graph:
        return
    check_written(folded, "folded and written")
    batch = trial.batches[0]
    inputs = inputs_of(trial.graph, trial.seed, batch)
    with naming("folded"):
        values = forward(folded, weights, inputs, training=False)
    _check_ends(trial, "folded", _ends(folded, values), batch)
    for name in trial.backends:
        with naming(f"folded {name}"):
            model = _native(name, folded, weights)
            _check_ends(trial, f"folded {name}", model.outputs(inputs), batch)


def _ends(graph: Graph, values: Arrays) -> dict[str, Array]:
    """The values of the outputs; an output may be an input as it is."""
    return {each.name: values[each.value] for each in graph.outputs if each.value in values}


def _native(name: str, graph: Graph, weights: Arrays) -> Native:
    from tests.backends.native import NATIVE

    return NATIVE[name](graph, weights)


def _check_native(trial: Trial, name: str, folder: Path) -> None:
    """A built model holds the graph's parameters and no others, gives weights back, and infers as the oracle."""
    with naming(f"{name} build"):
        model = _native(name, trial.graph, trial.weights)
    learnt = [w for node in trial.graph.nodes if node.shares is None for w in node.weights if not w.statistic]
    promised = sum(_size(w) for w in learnt), sum(_size(w) for w in learnt if w.trainable)
    with naming(f"{name} parameters"):
        held = model.held()
    if held != promised:
        raise Broken(
            f"{name}: parameters", f"the model holds {held[0]}, {held[1]} of them learn; the graph {promised}"
        )
    with naming(f"{name} weights back"):
        back = model.weights()
        path = folder / "weights.safetensors"
        save(path, back)
        back = load(path, trial.graph)
    for weight, array in trial.weights.items():
        if weight not in back or not (back[weight] == array).all():
            raise Broken(f"{name}: weights back", f"{weight} comes back as another")
    for batch in trial.batches:
        with naming(f"{name} inference"):
            outputs = model.outputs(inputs_of(trial.graph, trial.seed, batch))
        _check_ends(trial, f"{name} inference", outputs, batch)


def _size(weight: Any) -> int:
    from math import prod

    return prod(weight.shape)


def _check_ends(trial: Trial, side: str, outputs: Arrays, batch: int) -> None:
    """Outputs are the oracle's."""
    inputs = inputs_of(trial.graph, trial.seed, batch)
    values = trial.inference[batch]
    least = floors(trial.graph, inputs, values)
    for each in trial.graph.outputs:
        if each.value in values:
            _check_near(trial, side, each.value, outputs[each.name], values, least[each.value], batch)


def _check_near(
    trial: Trial, side: str, name: str, found: Array, values: Arrays, floor: float, batch: int
) -> None:
    wanted = values[name]
    _check_shape(trial.graph, side, name, found, batch)
    distance = apart(found, wanted, floor)
    if distance <= TOLERANCE:
        return
    words = f"{name} ({trial.graph.by_name[name].op}) at batch {batch} by {distance:.3g}"
    inputs = inputs_of(trial.graph, trial.seed, batch)
    training = side.endswith("training")
    sound = finite_samples(trial.graph, name, values, training)
    if not sound.all() and apart(found[sound], wanted[sound], floor) <= TOLERANCE:
        trial.rounding.append(f"{side}: overflow: {words}")
        return
    graph = trial.quiet if training else trial.graph

    def give(weights: Arrays, inputs: Arrays) -> Arrays:
        from tests.oracle import forward

        return forward(graph, weights, inputs, training)

    def inside(change: Callable[[Array], Array]) -> Arrays:
        from tests.oracle import forward_with

        return forward_with(graph, trial.weights, inputs, training, change)

    rounding = Rounding(give, trial.weights, inputs, inside=inside)
    if not rounding.explains(distance, name, floor) and name not in tied(graph, give(trial.weights, inputs)):
        raise Broken(f"{side}: differs", words)
    trial.rounding.append(f"{side}: {words}")


def _check_training(trial: Trial) -> None:
    """In training every layer gives what the oracle says, statistics move as they should, gradients are equal."""
    from tests.oracle import forward

    trials: dict[str, Any] = {}
    for name in trial.backends:
        with naming(f"{name} trial"):
            trials[name] = capable(name, Learns).trial(trial.quiet, trial.weights, "float64")
    for batch in trial.batches:
        if not can_train(trial.quiet, batch):
            continue
        inputs = inputs_of(trial.graph, trial.seed, batch)
        with naming(f"{ORACLE} training"):
            values = forward(trial.quiet, trial.weights, inputs, training=True)
        least = floors(trial.quiet, inputs, values)
        for name, each in trials.items():
            with naming(f"{name} training"):
                found = each.forward(inputs)
            for node in trial.quiet.nodes:
                if node.name not in found:
                    raise Broken(f"{name} training: missing", node.name)
                value = found[node.name]
                _check_near(trial, f"{name} training", node.name, value, values, least[node.name], batch)
            _check_statistics(trial, name, each.model, {**inputs, **values}, batch)
        _check_gradients(trial, trials, inputs, values, batch)


def _check_statistics(trial: Trial, name: str, model: Any, values: Arrays, batch: int) -> None:
    """After one step in training the running statistics are those of its definition, and nothing else moved."""
    with naming(f"{name} statistics"):
        found = capable(name, Builds).weights(model, trial.quiet)
    wanted = dict(trial.weights)
    owners: dict[str, list[str]] = {}
    for node in trial.quiet.nodes:
        if isinstance(node.op, BatchNorm) and node.trainable:
            owners.setdefault(node.shares or node.name, []).append(node.name)
            taken = values.get(node.inputs[0])
            if taken is None:
                taken = _of_port(trial.quiet, trial.weights, values, node)
            _move(node.op.momentum, node.shares or node.name, taken, wanted)
    for weight, array in wanted.items():
        distance = apart(found[weight], array, 1e-3)
        if distance <= TOLERANCE:
            continue
        words = f"{weight} after a step at batch {batch} by {distance:.3g}"
        normalised = owners.get(weight.rpartition(".")[0], [])
        if not set(normalised) & set(tied(trial.quiet, values)):
            raise Broken(f"{name}: statistics", words)
        trial.rounding.append(f"{name}: statistics: {words}")


def _of_port(graph: Graph, weights: Arrays, values: Arrays, node: Node) -> Array:
    """What a node takes, where that is a further output of another one: through a layer that changes nothing."""
    from tests.oracle import forward

    source = node.inputs[0]
    copy = replace(
        node, name="taken", op=Identity(), inputs=(source,), outputs=(graph.types[source],), weights=(), ports=(),
        shares=None,
    )  # fmt: skip
    inputs = {each.name: values[each.name] for each in graph.inputs}
    return forward(replace(graph, nodes=(*graph.nodes, copy)), weights, inputs, training=True)["taken"]


def _move(momentum: float, owner: str, taken: Array, weights: dict[str, Array]) -> None:
    import numpy as np

    values, axes = np.asarray(taken, "float64"), (0, *range(2, taken.ndim))
    for name, value in (("running_mean", values.mean(axes)), ("running_var", values.var(axes, ddof=1))):
        before = np.asarray(weights[f"{owner}.{name}"], "float64")
        weights[f"{owner}.{name}"] = momentum * before + (1 - momentum) * value


def _check_gradients(
    trial: Trial, trials: dict[str, Any], inputs: Arrays, values: Arrays, batch: int
) -> None:
    """The gradients of all weights are equal on every pair of backends."""
    from tests.backends.native import EAGER

    targets = targets_of(trial.graph, trial.seed, batch)

    def slopes_of(name: str, each: Any, inputs: Arrays, targets: Arrays) -> Arrays:
        if name in EAGER and batch != COMPILED:
            return EAGER[name](each, inputs, targets)
        found: Arrays = each.gradients(inputs, targets)
        return found

    def again(name: str) -> Rounding:
        def give(weights: Arrays, inputs: Arrays, targets: Arrays) -> Arrays:
            again = capable(name, Learns).trial(trial.quiet, weights, "float64")
            return slopes_of(name, again, inputs, targets)

        return Rounding(give, trial.weights, inputs, targets)

    slopes: dict[str, Arrays] = {}
    for name, each in trials.items():
        with naming(f"{name} gradients"):
            slopes[name] = slopes_of(name, each, inputs, targets)
    roundings = {name: again(name) for name in trials}
    wanted = {weight.name: weight.shape for weight in trial.quiet.weights if weight.trainable}
    for name, found in slopes.items():
        if {weight: array.shape for weight, array in found.items()} != wanted:
            raise Broken(f"{name}: gradients of other weights", f"{sorted(found.keys() ^ wanted.keys())}")
    over = {weight for found in slopes.values() for weight, array in found.items() if overflows(array)}
    if over and all(any(overflows(array) for array in found.values()) for found in slopes.values()):
        # Infinity times zero is not a number: what comes out depends on whether a backend multiplies by the zero.
        trial.rounding.append(f"gradients: overflow at batch {batch}")
        slopes = {name: {w: found[w] for w in found.keys() - over} for name, found in slopes.items()}
    floor = gradient_floor(slopes.values(), values)
    for (a, one), (b, other) in combinations(slopes.items(), 2):
        for weight in one:
            distance = apart(one[weight], other[weight], floor)
            if distance <= TOLERANCE:
                continue
            words = f"{weight} on {a} and {b} at batch {batch} by {distance:.3g}"
            # One backend may sum equal values without rounding where the other does not: either may explain it.
            explained = any(roundings[side].explains(distance, weight, floor) for side in (a, b))
            if not explained and not tied(trial.quiet, values):
                raise Broken("gradients: differ", words)
            trial.rounding.append(f"gradients: {words}")
