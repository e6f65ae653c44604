"""Lists the limits of single engines: layers whose text is right, but whose numbers are wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from netspec.backend import Limit
from netspec.graph import Graph
from netspec.lowering.parts import Slot
from netspec.ops.activation import HardSigmoid
from netspec.ops.pointwise import Activation
from netspec_keras.arguments import padded
from netspec_keras.engine import chosen
from netspec_keras.lowering import LOWERINGS

Found = Iterable[tuple[str, str]]
ELSEWHERE = "run Keras on TensorFlow or JAX (KERAS_BACKEND)"


def _on(engine: str, found: Callable[[Graph], Found]) -> Callable[[Graph], Found]:
    """The result of `found` if Keras runs on this engine."""

    def found_there(graph: Graph) -> Found:
        layers = [*found(graph)]
        return layers if layers and chosen() == engine else ()  # most graphs have no such layer

    return found_there


def _uneven_means(graph: Graph) -> Iterator[tuple[str, str]]:
    for node in graph.nodes:
        if node.op.keyword != "avg_pool":
            continue
        from netspec.ops.pool import AvgPool

        assert isinstance(node.op, AvgPool)
        layers = LOWERINGS[AvgPool](node.op, [graph.types[value] for value in node.inputs]).layers
        words = (each.value for layer in layers for each in layer.arguments)
        same = any(isinstance(word, Slot) and word.value == "same" for word in words)
        # A mean that counts its padding leaves out only what rounding up added, which is at one end.
        counts = node.op.count_padding and any(node.op.overhang)
        if same and (counts or any(lo != hi for lo, hi in node.op.pads)):
            yield node.name, f"Keras on PyTorch counts uneven `same` padding in a mean; {ELSEWHERE}"


def _reflected_volumes(graph: Graph) -> Iterator[tuple[str, str]]:
    for node in graph.nodes:
        if node.op.keyword != "pad":
            continue
        from netspec.ops.resize import Pad

        op = node.op
        assert isinstance(op, Pad)
        if op.mode != "reflect" or op.amount is None:
            continue
        pads = op.pads([graph.types[value] for value in node.inputs])
        if len(pads) > 2 and padded(pads):
            yield node.name, f"Keras on PyTorch does not reflect over three axes; {ELSEWHERE}"


def _hard_sigmoids(graph: Graph) -> Iterator[tuple[str, str]]:
    for node in graph.nodes:
        activation = node.op if isinstance(node.op, Activation) else getattr(node.op, "activation", None)
        if isinstance(activation, HardSigmoid):
            yield (
                node.name,
                "PyTorch calculates the derivative of Keras' hard sigmoid with a sixth in float32; compare in float32, "
                f"or {ELSEWHERE}",
            )


LIMITS: Sequence[Limit] = (
    Limit("On PyTorch: average pools with uneven `same` padding.", _on("torch", _uneven_means)),
    Limit("On PyTorch: a border over three axes that reflects.", _on("torch", _reflected_volumes)),
    Limit("On PyTorch: hard sigmoids.", _on("torch", _hard_sigmoids), "float64"),
)
