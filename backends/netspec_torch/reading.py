"""Reads generated PyTorch without PyTorch: runs it on symbols, and checks it against the graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count
from types import CodeType
from typing import Any, NamedTuple

from netspec.graph import Graph, Node
from netspec.lowering.parts import Call, Name, Part, Slot, seq
from netspec.lowering.symbols import Bound, LayerObject, NamedValue, Symbol, bind, spell
from netspec.lowering.template import WrongFold
from netspec.lowering.witness import Reading
from netspec.lowering.writing import text_of
from netspec.ops.base import Weight
from netspec_torch.attributes import Attributes
from netspec_torch.axes import AxesPlace, AxesValue, turned, without_moves
from netspec_torch.lowering import Lowerings
from netspec_torch.objects import (
    ADDING,
    NN,
    TORCH,
    F,
    HeldLayer,
    LayerTensor,
    NnModule,
    constructor,
    outcome,
    starter,
)
from netspec_torch.orders import Order, all_orders, canonical
from netspec_torch.site import ALL, OWN, PADDED, Lowered, variable
from netspec_torch.starts import Home, Homes, start


class _Alone(LayerObject):
    """The layer of a single lowering."""

    def __call__(self, *inputs: Any, **keywords: Any) -> Any:
        return outcome(self, inputs, keywords)


class TorchReading(Reading):
    """Reads generated PyTorch as the classes, layers and functions that it names."""

    def __init__(
        self,
        graph: Graph,
        lowered: Lowerings,
        attributes: Attributes,
        class_name: str,
        helpers: Iterable[str],
        orders: Mapping[str, Order],
    ) -> None:
        self.graph, self.lowered, self.attributes, self.class_name = graph, lowered, attributes, class_name
        kinds: dict[tuple[object, ...], Order] = {}
        # Equal orders are one object, which is its own key.
        self.orders = {
            value: kinds.setdefault((each.axes, each.along), each)
            for value, each in orders.items()
            if not each.is_canonical
        }
        """The orders of the values that are not in their canonical order."""
        self.helpers = frozenset(helpers)
        self.model: Any = None
        self.ran: dict[str, HeldLayer] = {}
        self._own: dict[int, tuple[list[Callable[..., Any]], Iterator[Callable[..., Any]]]] = {}
        self._begun: dict[int, Symbol] = {}
        self.homes = Homes(lowered)

    def names(self) -> Mapping[str, Any]:
        own = {name: (constructor if name[0].isupper() else starter)(name) for name in self.helpers}
        return {"torch": TORCH, "F": F, "nn": NN, "math": math, **own}

    def value(self, name: str) -> AxesValue:
        return AxesValue(name, self._canonical(name))

    def held(self, value: NamedValue) -> NamedValue:
        assert isinstance(value, AxesValue)
        order = self.orders.get(value.name)
        return value if order is None else value.ordered(order)

    def normal(self, name: str, value: Any) -> Any:
        return without_moves(value, self.graph.types[name])

    def _canonical(self, value: str) -> Order:
        return canonical(self.graph.types[value].rank)

    def run(self, space: Mapping[str, Any], inputs: Mapping[str, NamedValue]) -> Mapping[str, Any]:
        self.model = space[self.class_name]()
        found = self.model(*inputs.values())
        return found if isinstance(found, dict) else {self.graph.outputs[0].name: found}

    def place(self, node: Node, number: int) -> AxesPlace:
        return AxesPlace(number, self._canonical(node.inputs[number]))

    def kind(self, node: Node, value: str) -> Hashable:
        name, orders = node.name, self.orders
        lowered, port = id(self.lowered[name]), value[len(name) :]
        if not orders:
            return lowered, port
        return lowered, port, *map(id, map(orders.get, (*node.inputs, name, value)))

    def own(self, node: Node, value: str, inputs: Sequence[Any]) -> Iterator[Any]:
        return (way.run(inputs) for way in self._ways_of(node, value))

    def _ways_of(self, node: Node, value: str) -> Iterator[Way]:
        wanted = self.orders.get(value, self._canonical(value))
        for lowered in self._lowerings(node):
            place = lowered.outputs(node.ports).index(value.removeprefix(node.name).removeprefix("."))
            port = node.values.index(value)
            made = lowered.makes[port] if lowered.makes else self._canonical(value)
            takes = lowered.takes or tuple(map(self._canonical, node.inputs))
            dims = made.permutation(wanted)
            turns = None if all(order.is_canonical for order in takes) else takes
            moves = None if dims == tuple(range(len(dims))) else dims
            for run in self._runs(lowered, len(node.inputs)):
                yield Way(run, turns, place if node.ports else None, moves)

    def _lowerings(self, node: Node) -> Iterator[Lowered]:
        """The lowerings of a node: for its inputs as they are made, and then for every order in which they can come.

        A body can move an input at its start, so that the order in which it is made says nothing.
        """
        plain = self.lowered[node.name]
        yield plain
        orders = [self.orders.get(value) for value in (*node.inputs, node.name)]
        axes = len(self.graph.types[node.inputs[0]].shape) if node.inputs else 0
        fitting = [order for order in orders if order is not None and len(order.axes) == axes]
        fitting += all_orders(axes)
        others = {id(each): each for each in (self.lowered.given(node, order) for order in fitting)}
        yield from (each for each in others.values() if each is not plain)

    def _runs(self, lowered: Lowered, inputs: int) -> Iterator[Callable[..., Any]]:
        if id(lowered) not in self._own:
            self._own[id(lowered)] = ([], _functions(lowered, inputs))
        made, further = self._own[id(lowered)]
        for at in count():
            if at == len(made):
                run = next(further, None)
                if run is None:
                    return
                made.append(run)
            yield made[at]

    def hold(self, node: Node, bound: Bound) -> None:
        for found in bound.values():
            assert isinstance(found, HeldLayer)
            self.ran[node.name] = found

    def close(self) -> None:
        places = _below(self.model, "", {})
        self._weights_have_their_places(self.graph.nodes, places)
        shared = [each for each in self.graph.nodes if each.shares and any(w.statistic for w in each.weights)]
        if shared:
            self.model._apply(None)
            self._weights_have_their_places(shared, places)
        ran = {id(each) for each in self.ran.values()}
        for path, module in places.items():
            if isinstance(module, HeldLayer) and id(module) not in ran:
                raise WrongFold(f"{self.graph.name}: the text constructs {path}, which no layer runs")

    def _weights_have_their_places(self, nodes: Iterable[Node], places: Mapping[str, NnModule]) -> None:
        """Check that every weight is at its key in the state dict, and is used by exactly the layers that share it."""
        tensors: dict[int, str] = {}
        for node in nodes:
            if not node.weights:
                continue
            owner = self.graph.by_name[node.shares or node.name]
            place, ran = places.get(self.attributes[owner.name]), self.ran[node.name]
            is_there = place is ran and owner is node
            for weight in node.weights:
                held = ran.tensors.at(node.local(weight))
                if not is_there and not (
                    isinstance(place, HeldLayer) and held is place.tensors.at(owner.local(weight))
                ):
                    raise WrongFold(f"{node.name} does not use {weight.name}")
                if tensors.setdefault(id(held), weight.name) != weight.name:
                    raise WrongFold(f"{weight.name} and {tensors[id(held)]} are one tensor")
                self._starts_as_it_should(owner, weight, held)
                if held.learns != owner.trainable:
                    raise WrongFold(f"{weight.name} {'learns' if held.learns else 'is frozen'} in the text")

    def _starts_as_it_should(self, owner: Node, weight: Weight, tensor: LayerTensor) -> None:
        home = self.homes.of(owner, weight)
        if tensor.start is None and home.is_own:
            return
        wanted = self._wanted(home)
        if tensor.start is wanted:
            return
        if tensor.start is None or bind(wanted, tensor.start) is None:
            text = "as PyTorch has it" if tensor.start is None else f"by {spell(tensor.start)}"
            raise WrongFold(f"{weight.name} starts {text} in the text, and should by {spell(wanted)}")

    def _wanted(self, home: Home) -> Symbol:
        if id(home) not in self._begun:
            self._begun[id(home)] = _started(home.cls, home.tensor, home.weight)
        return self._begun[id(home)]


def _started(cls: str, tensor: str, weight: Weight) -> Symbol:
    """The change that the statements for one weight make."""
    module = HeldLayer(cls, groups=weight.groups)
    text = "\n".join("    " * indent + line for line, indent in start(weight, f"module.{tensor}", "module"))
    own = {name: starter(name) for name in ("bilinear_", "gates_", "given_", *ADDING)}
    exec(_code(text), {"nn": NN, "module": module, **own})  # noqa: S102 - our own
    found = module.tensors.at(tensor).start
    assert found is not None
    return found


class Way(NamedTuple):
    """One way to run a single layer: a function, the orders that it takes, and what it gives.

    `place` is the number of the value among several that it gives, `dims` are the dimensions in the order of the text;
    without `takes` and `dims`, these orders are canonical.
    """

    function: Callable[..., Any]
    takes: tuple[Order, ...] | None
    place: int | None
    dims: tuple[int, ...] | None

    def run(self, inputs: Sequence[AxesValue]) -> Any:
        if self.takes is not None:
            inputs = [each.ordered(order) for each, order in zip(inputs, self.takes, strict=True)]
        made = self.function(*inputs)
        if self.place is not None:
            made = made[self.place]
        return made if self.dims is None else turned(made, self.dims)


def _functions(lowered: Lowered, inputs: int) -> Iterator[Callable[..., Any]]:
    """The functions that a layer can be written as: plain, with its padding apart, or on a list of its inputs."""
    arguments = [f"x{number}" for number in range(inputs)]
    names: dict[Name, Part] = {variable(number): name for number, name in enumerate(arguments)}
    names[OWN] = "module"
    names[ALL] = f"[{', '.join(arguments)}]"
    for way in {id(each): each for each in (lowered, lowered.apart) if each is not None}.values():
        here = names if way.border is None else {**names, PADDED: way.border.inline(variable(0))}
        for result in (way.result, way.gathered):
            if result is not None:
                statements = [text_of(each, here) for each in (*way.before, seq("return ", result))]
                lines = [line for each in statements for line in each.split("\n")]
                text = "\n ".join([f"def run({', '.join(arguments)}):", *lines])
                module = None if way.module is None else _by_itself(way.module)
                space: dict[str, Any] = {"torch": TORCH, "F": F, "math": math, "module": module}
                exec(_code(text), space)  # noqa: S102 - our own text
                run: Callable[..., Any] = space["run"]
                yield run


def _by_itself(call: Call) -> LayerObject:
    """The layer that a lowering constructs, with every optional argument."""
    slots = [(each.keyword, each.value) for each in call.arguments]
    assert all(isinstance(slot, Slot) for _, slot in slots)
    given = [(keyword, slot) for keyword, slot in slots if isinstance(slot, Slot)]
    return _Alone(
        call.function,
        tuple(slot.value for keyword, slot in given if not keyword),
        {keyword: slot.value for keyword, slot in given if keyword},
        {keyword: slot.default for keyword, slot in given if keyword and slot.default is not None},
    )


@lru_cache(maxsize=1024)
def _code(text: str) -> CodeType:
    return compile(text, "<a lowering>", "exec")


def _below(module: NnModule, path: str, found: dict[str, NnModule]) -> dict[str, NnModule]:
    """The modules in a module, at any depth, by path, added to those found."""
    for name, each in module.children():
        place = f"{path}.{name}" if path else name
        found[place] = each
        _below(each, place, found)
    return found
