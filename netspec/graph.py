"""The graph: the only thing that passes, analyses and backends see."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from netspec.dataclass import dataclass, replace
from netspec.diagnostics.span import Span
from netspec.ops.base import Op, Weight
from netspec.types import Type

if TYPE_CHECKING:
    from netspec.expectations import Expectations
    from netspec.recipe import StatedRecipe

ScopeKind = Literal["block", "network", "repeat", "group", "head"]


@dataclass(frozen=True, slots=True)
class Input:
    """What the network is given: a name, a type, and for indices the size of their vocabulary."""

    name: str
    type: Type
    span: Span
    vocabulary: int | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """What the network gives back: a name, and the value that it is."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Node:
    """One layer: a resolved op, what it takes, what it gives, what it learns.

    `name` is canonical: the path of names from the root. `inputs` are names of values: of an input, of
    a node (its first output) or `node.port`. `ports` are the further outputs of the op that something uses;
    `outputs` are the types of the first output and of those.
    `shares` names the node whose weights these are; they are counted there.
    """

    name: str
    op: Op
    inputs: tuple[str, ...]
    outputs: tuple[Type, ...]
    weights: tuple[Weight, ...]
    scope: str
    span: Span
    shares: str | None = None
    trainable: bool = True
    ports: tuple[str, ...] = ()

    @property
    def output(self) -> Type:
        return self.outputs[0]

    @property
    def local_name(self) -> str:
        """The name within its scope."""
        return self.name[len(self.scope) + 1 :] if self.scope else self.name

    def local(self, weight: Weight) -> str:
        """The name of one of its weights within the layer: `weight`, `depthwise.weight`."""
        return weight.name.removeprefix(f"{self.shares or self.name}.")

    @property
    def values(self) -> tuple[str, ...]:
        """The names of what it gives."""
        return (self.name, *(f"{self.name}.{port}" for port in self.ports))


@dataclass(frozen=True, slots=True)
class Scope:
    """A stretch of the author's text that has a name of its own, so that generated code can keep it.

    A `repeat` holds its repetitions, named 0, 1, …: each is a scope of what is repeated, or a node.
    `inputs` are the values that the author hands in, `output` is the value that its name stands for.
    """

    path: str
    kind: ScopeKind
    parent: str
    inputs: tuple[str, ...]
    output: str
    span: Span
    definition: str = ""
    arguments: tuple[tuple[str, object], ...] = ()
    shares: str | None = None

    @property
    def local_name(self) -> str:
        return self.path[len(self.parent) + 1 :] if self.parent else self.path


@dataclass(frozen=True)
class Graph:
    """A network, whole and resolved. Nodes stand in topological order, which is the author's.

    `scopes` stand in the order in which they open, parents first. `expect` and `train` are what the author
    states, read and checked; both are data. `altered` names the parameters that were set from outside.
    `pretrained` gives, for the path of an embedded network, the file that its weights start from.
    `left_out` gives the types of what the author's text can name, and no output needs: layers of embedded
    networks, and further outputs of any layer. They are in the spec, not in the network.
    """

    name: str
    inputs: tuple[Input, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[Output, ...]
    scopes: tuple[Scope, ...] = ()
    description: str = ""
    params: tuple[tuple[str, object], ...] = ()
    file: str = ""
    altered: tuple[str, ...] = ()
    expect: Expectations | None = None
    train: StatedRecipe | None = None
    pretrained: tuple[tuple[str, str], ...] = ()
    left_out: tuple[tuple[str, Type], ...] = ()

    @cached_property
    def by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}

    @cached_property
    def types(self) -> dict[str, Type]:
        """The type of every value."""
        types = {each.name: each.type for each in self.inputs}
        for node in self.nodes:
            types.update(zip(node.values, node.outputs, strict=True))
        return types

    @cached_property
    def named_types(self) -> dict[str, Type]:
        """The type of what each name of the spec stands for: a value, a scope's output, or what is left out."""
        named = {**dict(self.left_out), **self.types}
        for scope in self.scopes:
            if scope.output in self.types:
                named[scope.path] = self.types[scope.output]
        return named

    @cached_property
    def producers(self) -> dict[str, Node]:
        """The node that gives each value; inputs are not here."""
        return {value: node for node in self.nodes for value in node.values}

    @cached_property
    def scope_by_path(self) -> dict[str, Scope]:
        return {scope.path: scope for scope in self.scopes}

    @property
    def weights(self) -> Iterator[Weight]:
        """Every weight once, in order of nodes."""
        for node in self.nodes:
            if node.shares is None:
                yield from node.weights

    def __str__(self) -> str:
        """The one stable printed form: every resolved number, a line a node."""
        lines = [f"graph {self.name}"]
        lines += [f"  input {each.name}: {each.type}" for each in self.inputs]
        for node in self.nodes:
            flags = ("" if node.shares is None else f" shares {node.shares}") + (
                "" if node.trainable else " frozen"
            )
            types = ", ".join(str(type_) for type_ in node.outputs)
            lines.append(f"  {node.name} = {node.op}({', '.join(node.inputs)}) -> {types}{flags}")
        lines += [f"  output {each.name}: {each.value}" for each in self.outputs]
        return "\n".join(lines) + "\n"


def outputs_of(op: Op, inputs: tuple[Type, ...], ports: tuple[str, ...]) -> tuple[Type, ...]:
    """The types that a resolved op gives: of its first output, then of these ports."""
    first, *further = op.outputs(inputs)
    types = dict(zip((port.name for port in op.ports), further, strict=True))
    return (first, *(types[port] for port in ports))


def without_unused_ports(nodes: Sequence[Node], outputs: Iterable[Output]) -> tuple[Node, ...]:
    """The nodes, each with only those further outputs that a node takes, or the network gives."""
    used = {value for node in nodes for value in node.inputs} | {output.value for output in outputs}
    return tuple(_used(node, used) if node.ports else node for node in nodes)


def _used(node: Node, used: Collection[str]) -> Node:
    further = zip(node.ports, node.values[1:], node.outputs[1:], strict=True)
    kept = [(port, type_) for port, value, type_ in further if value in used]
    ports, types = (port for port, _ in kept), (type_ for _, type_ in kept)
    return replace(node, ports=tuple(ports), outputs=(node.output, *types))


class IllegalGraph(AssertionError):
    """A pass or the compiler broke the graph: a bug of netspec, never of a spec."""


def verify(graph: Graph) -> Graph:
    """Hold the graph to its own laws; tests run it between passes.

    Raises:
        IllegalGraph: a name stands twice, a value is used before it is made, or a node's type or weights
            are not what its op says.
    """
    types = {each.name: each.type for each in graph.inputs}
    nodes: dict[str, Node] = {}
    for node in graph.nodes:
        for value in node.inputs:
            if value not in types:
                raise IllegalGraph(f"{node.name} takes {value}, which is not made before it")
        if node.name in types:
            raise IllegalGraph(f"the name {node.name} stands twice")
        inputs = tuple(types[value] for value in node.inputs)
        given = outputs_of(node.op, inputs, node.ports)
        if given != node.outputs:
            raise IllegalGraph(f"{node.name} says {node.outputs}, its op gives {given}")
        if node.op.resolve(inputs) != node.op:
            raise IllegalGraph(f"{node.name} is not resolved: {node.op}")
        shapes = [spec.shape for spec in node.op.weights(inputs)]
        if shapes != [weight.shape for weight in node.weights]:
            raise IllegalGraph(f"{node.name} holds other weights than its op asks for")
        if node.shares is not None and [w.name for w in nodes[node.shares].weights] != [
            w.name for w in node.weights
        ]:
            raise IllegalGraph(f"{node.name} does not hold the weights of {node.shares}")
        nodes[node.name] = node
        types.update(zip(node.values, node.outputs, strict=True))
    for output in graph.outputs:
        if output.value not in types:
            raise IllegalGraph(f"the output {output.name} is {output.value}, which nothing makes")
        if types[output.value].kind == "positions":
            raise IllegalGraph(f"the output {output.name} is {output.value}, which holds positions")
    if without_unused_ports(graph.nodes, graph.outputs) != graph.nodes:
        raise IllegalGraph("a further output is given, and nothing uses it")
    return graph
