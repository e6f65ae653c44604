"""Makes an ONNX model of a graph: its nodes, its weights by canonical names, and metadata about its origin."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from netspec._version import __version__
from netspec.backend import Unsupported
from netspec.graph import Graph, Node
from netspec.marks import BLANK
from netspec.types import Type
from netspec_onnx.lowering import LOWERINGS, site
from netspec_onnx.site import ConstantTensor, Emitted, Site

if TYPE_CHECKING:
    from netspec.backend import Arrays
    from netspec.types import Float

OPSET = 22
"""The version of the operators: the newest that every supported `onnx` can write, since 1.17 ends with it.

A newer version would bring nothing to these operators, and fewer programs could read the file: onnxruntime 1.32 reads
up to 26, TensorRT 11 up to 25.
"""

IR_VERSION = 10
"""The version of the file format of this opset."""

LARGEST = 2**31 - 2**24
"""The most bytes of weights in one file: less than 2 GiB with everything else in it."""

BATCH = "N"
"""The name of the open batch axis."""

KINDS = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE}


def model(
    graph: Graph,
    weights: Arrays,
    dtype: Float = "float32",
    training: bool = False,
    every_layer: bool = False,
    inject: tuple[str, float] | None = None,
) -> onnx.ModelProto:
    """The checked model. Inputs and outputs are (N, channels, *spatial), N open. The backend accepts the graph.

    With `training`, batch norms that learn take the statistics of the batch. With `every_layer` the model gives the
    value of every node beside the graph's outputs. `inject` adds a number to one node's value, wherever it is used.

    Raises:
        Unsupported: the weights are larger than a file may be.
        ValueError: the weights are not those of the graph.
    """
    if wrong := weights.keys() ^ {weight.name for weight in graph.weights}:
        raise ValueError(f"these are not the weights of {graph.name}: {', '.join(sorted(wrong)[:5])}")
    if (size := sum(array.size for array in weights.values()) * np.dtype(dtype).itemsize) >= LARGEST:
        raise Unsupported(f"an ONNX file holds less than 2 GB, and these weights take {size / 1e9:.1f} GB")
    built = _Model(graph, dtype, training, inject)
    made = built.proto(weights, every_layer)
    onnx.checker.check_model(made, full_check=True)
    return made


def digest(graph: Graph) -> str:
    """A fingerprint of the resolved network, from the stable printed form of its graph."""
    return blake2b(str(graph).encode(), digest_size=16).hexdigest()


class _Model:
    def __init__(self, graph: Graph, dtype: Float, training: bool, inject: tuple[str, float] | None) -> None:
        self.graph, self.dtype, self.training, self.inject = graph, dtype, training, inject
        outputs = {each.name: each.value for each in graph.outputs}
        # An output has the author's name; if another layer has the same name, that layer's value is renamed.
        self.names = {
            value: f"{value}/layer" if outputs.get(value, value) != value else value for value in graph.types
        }

    def proto(self, weights: Arrays, every_layer: bool) -> onnx.ModelProto:
        graph, nodes, tensors = self.graph, list[Any](), list[Any]()
        for node in graph.nodes:
            made = self._lowered(node)
            nodes += [_node(each) for each in made.emitted]
            tensors += [self._constant(each) for each in made.constants]
        for each in graph.outputs:
            if each.name != self.names[each.value]:
                nodes.append(helper.make_node("Identity", [self.names[each.value]], [each.name], each.name))
        tensors += [
            numpy_helper.from_array(np.ascontiguousarray(weights[weight.name], self.dtype), weight.name)
            for weight in graph.weights
        ]
        ends = {each.name: graph.types[each.value] for each in graph.outputs}
        if every_layer:
            ends |= {self.names[node.name]: node.output for node in graph.nodes}
        body = helper.make_graph(
            nodes,
            graph.name,
            [self._value(each.name, each.type) for each in graph.inputs],
            [self._value(name, type_) for name, type_ in ends.items()],
            tensors,
            doc_string=graph.description,
        )
        whole = helper.make_model(
            body,
            producer_name="netspec",
            producer_version=__version__,
            doc_string=f"\n{BLANK}\n",
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
        )
        helper.set_model_props(whole, dict(self._origin()))
        return whole

    def _origin(self) -> Iterator[tuple[str, str]]:
        yield "netspec.spec", self.graph.name
        yield "netspec.digest", digest(self.graph)
        yield "netspec.params", ", ".join(f"{name}={value}" for name, value in self.graph.params)

    def _lowered(self, node: Node) -> Site:
        made = site(self.graph, node, self.training, double=self.dtype == "float64")
        made.values = tuple(self.names[value] for value in node.inputs)
        made.further = tuple(self.names[value] for value in node.values[1:])
        result = LOWERINGS[type(node.op)](node.op, made)
        if self.inject is not None and self.inject[0] == node.name:
            result = made.emit("Add", result, made.number(self.inject[1]))
        made.finish(result, self.names[node.name])
        return made

    def _constant(self, each: ConstantTensor) -> Any:
        kind = "int64" if each.integer else self.dtype
        return numpy_helper.from_array(np.array(each.values, kind).reshape(each.shape), each.name)

    def _value(self, name: str, type_: Type) -> Any:
        kind = TensorProto.INT64 if type_.dtype == "int" else KINDS[self.dtype]
        return helper.make_tensor_value_info(name, kind, [BATCH, *type_.shape])


def _node(each: Emitted) -> Any:
    """An ONNX node, named after its output; the last node of a layer has the layer's name."""
    return helper.make_node(each.operator, each.inputs, each.outputs, each.outputs[0], **each.attributes)
