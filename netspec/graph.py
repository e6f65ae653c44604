"""The graph: the representation of a network that passes, analyses and backends use."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Generic, Literal, NamedTuple, TypeVar

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
    """An input of the network: a name and a type."""

    name: str
    type: Type
    span: Span

    @property
    def vocabulary(self) -> int | None:
        """The number of different indices; None for an input that holds numbers."""
        return self.type.vocabulary


@dataclass(frozen=True, slots=True)
class Output:
    """An output of the network: a name, and its value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Node:
    """One layer: a resolved op, its inputs, outputs and weights.

    `name` is canonical: the path of names from the root. `inputs` are names of values: of an input, of a node (its
    first output) or `node.port`. `ports` are the further outputs of the op that are used; `outputs` are the types of
    the first output and of the ports. `shares` is the node that owns the weights; they are counted there. `like` is the
    value whose sizes the op takes for its own, if the author names one.
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
    like: str | None = None

    @property
    def output(self) -> Type:
        return self.outputs[0]

    @property
    def local_name(self) -> str:
        """The name in its scope."""
        return self.name[len(self.scope) + 1 :] if self.scope else self.name

    def local(self, weight: Weight) -> str:
        """The name of a weight in the layer: `weight`, `depthwise.weight`."""
        return weight.name.removeprefix(f"{self.shares or self.name}.")

    @property
    def values(self) -> tuple[str, ...]:
        """The names of the output values."""
        return (self.name, *(f"{self.name}.{port}" for port in self.ports)) if self.ports else (self.name,)


@dataclass(frozen=True, slots=True)
class Scope:
    """A named part of the spec, so that generated code can keep its structure.

    A `repeat` contains its repetitions, named 0, 1, …: each is a scope of the repeated item, or a node. `inputs` are
    the values that the spec passes in, `output` is the value that the name of the scope stands for. `ports` are the
    outputs that its block declares, by name, and `names` are the names that it gives to its inputs.
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
    ports: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] = ()

    @property
    def local_name(self) -> str:
        return self.path[len(self.parent) + 1 :] if self.parent else self.path

    @property
    def named_ports(self) -> tuple[tuple[str, str], ...]:
        """The declared outputs by their paths: `stage.1.state`."""
        return tuple((f"{self.path}.{name}", value) for name, value in self.ports)

    def names_with(self, last: Node | None) -> list[tuple[str, str]]:
        """The names of the output and of further outputs: the declared ones, or those of the last layer, if inside.

        Args:
            last: the layer that gives the output.
        """
        names = [(self.path, self.output), *self.named_ports]
        if last is not None and not self.ports and last.name.startswith(f"{self.path}."):
            ports = zip(last.ports, last.values[1:], strict=True)
            names += [(f"{self.path}.{port}", value) for port, value in ports]
        return names


@dataclass(frozen=True)
class Graph:
    """A complete, resolved network. Nodes are in topological order, which is the order of the spec.

    `scopes` are in the order in which they open, parents first. `expect` and `train` are those of the spec, read and
    checked, as data. `altered` has the names of parameters that were set with `--set`. `pretrained` has, for the path
    of an embedded network, the file with its initial weights. `left_out` has the types of values that the spec can
    name but no output needs: layers of embedded networks, and further outputs of layers. They are in the spec, but
    not in the network.
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
    def named_values(self) -> dict[str, str]:
        """The value for each name of the spec: of a value, of a scope, or of a further output of a scope."""
        named = {value: value for value in self.types}
        for scope in self.scopes:
            for name, value in scope.names_with(self.by_name.get(scope.output)):
                if value in self.types:
                    named.setdefault(name, value)
        return named

    @cached_property
    def named_types(self) -> dict[str, Type]:
        """The type for each name of the spec, also for those of values in `left_out`."""
        named = {name: self.types[value] for name, value in self.named_values.items()}
        return {**dict(self.left_out), **named}

    @cached_property
    def producers(self) -> dict[str, Node]:
        """The node that gives each value, without the inputs."""
        return {value: node for node in self.nodes for value in node.values}

    @cached_property
    def scope_by_path(self) -> dict[str, Scope]:
        return {scope.path: scope for scope in self.scopes}

    @property
    def weights(self) -> Iterator[Weight]:
        """All weights without duplicates, in the order of nodes."""
        for node in self.nodes:
            if node.shares is None:
                yield from node.weights

    def __str__(self) -> str:
        """The stable printed form: every resolved number, one line per node."""
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


Result = TypeVar("Result")


class Once(Generic[Result]):
    """A function of an op and the types of its inputs that is called once for each op and types.

    Ops count as the same only if they are one object: comparing their values takes longer than most functions.
    """

    def __init__(self, function: Callable[[Op, tuple[Type, ...]], Result]) -> None:
        self._function = function
        # The op is kept: while it exists, no other op has its id.
        self._known: dict[tuple[int, tuple[Type, ...]], tuple[Op, Result]] = {}

    def __call__(self, op: Op, inputs: tuple[Type, ...]) -> Result:
        known = self._known.get((id(op), inputs))
        if known is None:
            known = self._known[id(op), inputs] = (op, self._function(op, inputs))
        return known[1]


def outputs_of(op: Op, inputs: tuple[Type, ...], ports: tuple[str, ...]) -> tuple[Type, ...]:
    """The output types of a resolved op: that of its first output, then those of these ports."""
    first, *further = op.outputs(inputs)
    types = dict(zip((port.name for port in op.further()), further, strict=True))
    return (first, *(types[port] for port in ports))


def without_unused_ports(nodes: Sequence[Node], outputs: Iterable[Output]) -> tuple[Node, ...]:
    """The nodes, each with only those further outputs that another node or an output of the network uses."""
    used = {value for node in nodes for value in node.inputs} | {output.value for output in outputs}
    return tuple(_used(node, used) if node.ports else node for node in nodes)


def _used(node: Node, used: Collection[str]) -> Node:
    further = zip(node.ports, node.values[1:], node.outputs[1:], strict=True)
    kept = [(port, type_) for port, value, type_ in further if value in used]
    ports, types = (port for port, _ in kept), (type_ for _, type_ in kept)
    return replace(node, ports=tuple(ports), outputs=(node.output, *types))


class IllegalGraph(AssertionError):
    """The graph is not valid: a bug in a pass or in the compiler, never an error of a spec."""


class _Facts(NamedTuple):
    """What an op says for these inputs."""

    output: Type
    further: dict[str, Type]
    is_resolved: bool
    weights: list[tuple[int, ...]]


def _facts(op: Op, inputs: tuple[Type, ...]) -> _Facts:
    first, *others = op.outputs(inputs)
    further = dict(zip((port.name for port in op.further()), others, strict=True))
    return _Facts(first, further, op.resolve(inputs) == op, [each.shape for each in op.weights(inputs)])


def verify(graph: Graph) -> Graph:
    """Check the invariants of the graph; tests run it between passes.

    Raises:
        IllegalGraph: a name is a duplicate, a value is used before it is defined, or the type or weights of a node do
            not match its op.
    """
    types = {each.name: each.type for each in graph.inputs}
    nodes: dict[str, Node] = {}
    facts_of = Once(_facts)
    for node in graph.nodes:
        for value in node.inputs:
            if value not in types:
                raise IllegalGraph(f"{node.name} takes {value}, which is not defined before it")
        if node.name in types:
            raise IllegalGraph(f"the name {node.name} is a duplicate")
        facts = facts_of(node.op, tuple([types[value] for value in node.inputs]))
        given = (facts.output, *(facts.further[port] for port in node.ports))
        if given != node.outputs:
            raise IllegalGraph(f"{node.name} has the types {node.outputs}, but its op gives {given}")
        if not facts.is_resolved:
            raise IllegalGraph(f"{node.name} is not resolved: {node.op}")
        if facts.weights != [weight.shape for weight in node.weights]:
            raise IllegalGraph(f"{node.name} has other weights than its op")
        if node.shares is not None and [w.name for w in nodes[node.shares].weights] != [
            w.name for w in node.weights
        ]:
            raise IllegalGraph(f"{node.name} does not have the weights of {node.shares}")
        nodes[node.name] = node
        types.update(zip(node.values, node.outputs, strict=True))
    for output in graph.outputs:
        if output.value not in types:
            raise IllegalGraph(f"the output {output.name} is {output.value}, which is not defined")
        if types[output.value].kind == "positions":
            raise IllegalGraph(f"the output {output.name} is {output.value}, which holds positions")
    if without_unused_ports(graph.nodes, graph.outputs) != graph.nodes:
        raise IllegalGraph("a node has a further output that is not used")
    return graph
