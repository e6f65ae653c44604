"""Graphs built by hand, so that a test of what comes after the language needs no language."""

from __future__ import annotations

from dataclasses import replace

from netspec.diagnostics import Span
from netspec.graph import Graph, Input, Node, Output, Scope, verify, without_unused_ports
from netspec.ops.base import Op
from netspec.ops.sample import Sample
from netspec.types import Type


def span(line: int = 1) -> Span:
    return Span("hand.yaml", line, 1, line, 2)


def without_draws(graph: Graph) -> Graph:
    """The graph with fixed numbers in place of those that it draws at inference too: two runs of it are equal."""
    return replace(
        graph,
        nodes=tuple(
            replace(node, op=node.op.replace(noise="ones")) if isinstance(node.op, Sample) else node
            for node in graph.nodes
        ),
    )


class Sketch:
    """Collects nodes; each takes the last value unless told otherwise."""

    def __init__(self, name: str = "sketch", **inputs: tuple[int, ...]) -> None:
        self.name = name
        self.inputs = [Input(each, Type(shape[0], shape[1:]), span()) for each, shape in inputs.items()]
        self.types = {each.name: each.type for each in self.inputs}
        self.last = self.inputs[-1].name if self.inputs else ""
        self.nodes: dict[str, Node] = {}
        self.scopes: list[Scope] = []

    def words(self, name: str, length: int | tuple[int, ...], vocabulary: int) -> str:
        """A further input, of indices."""
        sizes = (length,) if isinstance(length, int) else length
        self.inputs.append(Input(name, Type(None, sizes, "int", vocabulary=vocabulary), span()))
        self.types[name] = self.inputs[-1].type
        self.last = name
        return name

    def add(self, name: str, op: Op, *inputs: str, shares: str | None = None, trainable: bool = True) -> str:
        """A layer; its scope is what stands before the last dot of its name."""
        values = inputs or (self.last,)
        types = tuple(self.types[value] for value in values)
        op = op.resolve(types)
        owner = name if shares is None else shares
        weights = tuple(replace(weight, name=f"{owner}.{weight.name}") for weight in op.weights(types))
        where = span(len(self.nodes) + 2)
        scope = name.rpartition(".")[0]
        ports = tuple(port.name for port in op.further())
        node = Node(name, op, values, op.outputs(types), weights, scope, where, shares, trainable, ports)
        self.nodes[name] = node
        self.types.update(zip(node.values, node.outputs, strict=True))
        self.last = name
        return name

    def scope(self, scope: Scope) -> None:
        self.scopes.append(scope)

    def graph(self, **outputs: str) -> Graph:
        """The whole; without outputs its last value is the output `output`."""
        named = outputs or {"output": self.last}
        ends = tuple(Output(name, value) for name, value in named.items())
        nodes = without_unused_ports(tuple(self.nodes.values()), ends)
        return verify(Graph(self.name, tuple(self.inputs), nodes, ends, tuple(self.scopes)))
