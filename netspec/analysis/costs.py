"""The shapes and costs of a network, layer by layer: parameters, MACs, memory, receptive field."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from math import prod
from typing import Any

from netspec.analysis.receptive import Fields, Receptive
from netspec.dataclass import dataclass
from netspec.graph import Graph, Node, Once
from netspec.types import Type

FLOAT_BYTES = 4
"""The size of a float32."""


@dataclass(frozen=True, slots=True)
class LayerCosts:
    """One layer, including its activation. None means unknown, never zero."""

    name: str
    op: str
    inputs: tuple[str, ...]
    type: Type
    """The type of the output."""
    params: int
    macs: int | None
    bytes: int
    """The bytes of all outputs."""
    file: str
    line: int
    fields: Fields = field(repr=False, compare=False)

    @property
    def output(self) -> tuple[int, ...]:
        """The shape of the output."""
        return self.type.shape

    @property
    def receptive(self) -> Receptive | None:
        """The receptive field of one position of the output."""
        return self.fields[self.name]

    @property
    def receptive_field(self) -> tuple[int, ...] | None:
        """The largest over positions."""
        return None if self.receptive is None else self.receptive.size

    @property
    def receptive_field_min(self) -> tuple[int, ...] | None:
        """The smallest over positions."""
        return None if self.receptive is None else self.receptive.smallest

    def as_dict(self) -> dict[str, Any]:
        largest, smallest = self.receptive_field, self.receptive_field_min
        return {
            "name": self.name,
            "op": self.op,
            "inputs": list(self.inputs),
            "output": list(self.output),
            "params": self.params,
            "macs": self.macs,
            "bytes": self.bytes,
            "receptive_field": None if largest is None else list(largest),
            "receptive_field_min": None if smallest is None else list(smallest),
            "file": self.file,
            "line": self.line,
        }


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory in bytes, for float32.

    `inference_bytes`: the weights and the largest pair of a layer's output and an output that it is computed from;
    the network's input does not count. `training_bytes_per_sample`: the inputs and the outputs of all layers.
    """

    inference_bytes: int
    training_bytes_per_sample: int
    weights_bytes: int

    def as_dict(self) -> dict[str, int]:
        return {
            "inference_bytes": self.inference_bytes,
            "training_bytes_per_sample": self.training_bytes_per_sample,
            "weights_bytes": self.weights_bytes,
        }


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals of the network. `params` counts all weights except statistics, `trainable` those that are trained."""

    layers: int
    params: int
    trainable: int
    macs: int | None
    activations: int
    memory: Memory

    @property
    def counts(self) -> dict[str, int | None]:
        """The figures that `expect` can contain; `memory` is that of inference."""
        return {
            "params": self.params,
            "trainable": self.trainable,
            "macs": self.macs,
            "memory": self.memory.inference_bytes,
        }

    def as_dict(self) -> dict[str, Any]:
        return {
            "layers": self.layers,
            "params": self.params,
            "trainable": self.trainable,
            "macs": self.macs,
            "activations": self.activations,
            "memory": self.memory.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class Shapes:
    """The data that `netspec shapes` prints."""

    name: str
    inputs: dict[str, Type]
    outputs: dict[str, Type]
    layers: tuple[LayerCosts, ...]
    totals: Totals

    def as_dict(self) -> dict[str, Any]:
        """The JSON of `netspec shapes --format json`."""
        return {
            "netspec": 1,
            "name": self.name,
            "inputs": {name: list(type_.shape) for name, type_ in self.inputs.items()},
            "outputs": {name: list(type_.shape) for name, type_ in self.outputs.items()},
            "layers": [layer.as_dict() for layer in self.layers],
            "totals": self.totals.as_dict(),
        }


def analyze(graph: Graph) -> Shapes:
    """Shapes and costs of every layer for one sample, and the totals."""
    seen = Fields(graph)
    # Equal layers often have one op: its products are counted once.
    macs = Once(lambda op, types: op.macs(types))
    layers = tuple([_layer(node, graph, macs, seen) for node in graph.nodes])
    return Shapes(
        graph.name,
        {each.name: each.type for each in graph.inputs},
        {each.name: graph.types[each.value] for each in graph.outputs},
        layers,
        _totals(graph, layers),
    )


def _layer(node: Node, graph: Graph, macs: Once[int | None], seen: Fields) -> LayerCosts:
    return LayerCosts(
        node.name,
        node.op.keyword,
        node.inputs,
        node.output,
        _params(node),
        macs(node.op, tuple([graph.types[value] for value in node.inputs])),
        FLOAT_BYTES * _elements(node.outputs),
        node.span.file,
        node.span.line,
        seen,
    )


def _params(node: Node) -> int:
    """The parameters that the layer owns; shared weights count for the first layer."""
    return (
        0 if node.shares is not None else sum(prod(each.shape) for each in node.weights if not each.statistic)
    )


def _trainable(node: Node) -> int:
    if node.shares is not None or not node.trainable:
        return 0
    return sum(prod(each.shape) for each in node.weights if each.trainable and not each.statistic)


def _totals(graph: Graph, layers: tuple[LayerCosts, ...]) -> Totals:
    params = sum(layer.params for layer in layers)
    macs = [layer.macs for layer in layers]
    activations = sum(_elements(node.outputs) for node in graph.nodes)
    inputs = _elements(each.type for each in graph.inputs)
    weights_bytes = FLOAT_BYTES * params
    memory = Memory(
        inference_bytes=weights_bytes + FLOAT_BYTES * _largest_step(graph),
        training_bytes_per_sample=FLOAT_BYTES * (inputs + activations),
        weights_bytes=weights_bytes,
    )
    return Totals(
        layers=len(layers),
        params=params,
        trainable=sum(_trainable(node) for node in graph.nodes),
        macs=None if None in macs else sum(each or 0 for each in macs),
        activations=activations,
        memory=memory,
    )


def _largest_step(graph: Graph) -> int:
    """The largest number of elements of a tensor and one that it is computed from; inputs count 0."""
    made = {value: graph.types[value].elements for value in graph.producers}
    steps = (
        _elements(node.outputs) + max((made.get(value, 0) for value in node.inputs), default=0)
        for node in graph.nodes
    )
    return max(steps, default=0)


def _elements(types: Iterable[Type]) -> int:
    return sum(type_.elements for type_ in types)
