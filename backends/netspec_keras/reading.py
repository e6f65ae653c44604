"""Reads generated Keras without Keras: layers are constructed and called, and nothing is computed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from typing import Any

from netspec.graph import Graph, Node
from netspec.lowering.parts import Argument, Call, Slot
from netspec.lowering.symbols import Bound, LayerObject, NamedValue, Symbol
from netspec.lowering.template import WrongFold
from netspec.lowering.witness import Reading
from netspec.types import Type
from netspec_keras.helpers import HELPERS, STARTERS
from netspec_keras.layer import LayerText, title

NAME = "name"

Layers = tuple[LayerText, ...]

Given = tuple[tuple[Any, ...], dict[str, Any], dict[str, Any]]
"""Positional arguments, keyword arguments, and the defaults of the latter."""


class KerasReading(Reading):
    """Reads generated Keras as layers. `ways` has, for each value, the layers that may make it.

    `gives` has, for each node, the outputs of a layer that gives several.
    """

    helpers = frozenset(HELPERS)

    def __init__(
        self,
        graph: Graph,
        function: str,
        ways: Mapping[str, Collection[Layers]],
        gives: Mapping[str, Sequence[str]],
    ) -> None:
        self.graph, self.function, self.ways, self.gives = graph, function, ways, gives
        self.inputs: dict[str, NamedValue] = {}
        self.made: dict[LayerObject, None] = {}
        self.users: dict[LayerObject, Node] = {}
        self.holders: dict[str, LayerObject] = {}
        self.holding: set[LayerObject] = set()
        """The layers that hold weights."""
        self._read: dict[int, tuple[Given, dict[str, Any]]] = {}
        self.types = {name: channels_last(type_) for name, type_ in graph.types.items()}

    def names(self) -> Mapping[str, Any]:
        starters = _Namespace(otherwise=lambda name: _starter(f"keras.initializers.{name}"))
        keras = _Namespace({"Input": self._input, "Model": _model, "initializers": starters})
        layers = _Namespace(otherwise=lambda name: self._constructor(f"layers.{name}"))
        own = {name: _starter(name) if name in STARTERS else self._constructor(name) for name in HELPERS}
        return {"keras": keras, "layers": layers, "ops": Symbol("name", "ops"), **own}

    def _constructor(self, cls: str) -> Callable[..., LayerObject]:
        def construct(*arguments: Any, **keywords: Any) -> LayerObject:
            several = len(keywords.get("gives", ())) > 1
            made = _Several(cls, arguments, keywords) if several else LayerObject(cls, arguments, keywords)
            for inner in arguments:
                if isinstance(inner, LayerObject):  # what a wrapper is given is part of the wrapper
                    self.made.pop(inner, None)
            self.made[made] = None
            return made

        return construct

    def _input(self, shape: Any, name: str, dtype: str = "") -> NamedValue:
        wanted = next(each for each in self.graph.inputs if each.name == name)
        if (None, *shape) != self.types[name] or (dtype == "int32") != (wanted.vocabulary is not None):
            raise WrongFold(f"{self.graph.name}: the text takes {name} as {shape} {dtype}")
        return self.inputs[name]

    def value(self, name: str) -> NamedValue:
        return NamedValue(name, self.types[name])

    def run(self, space: Mapping[str, Any], inputs: Mapping[str, NamedValue]) -> Mapping[str, Any]:
        self.inputs = dict(inputs)
        takes, gives, _ = space[self.function]()
        if _by_name(takes, self.graph.inputs[0].name) != self.inputs:
            raise WrongFold(f"{self.graph.name}: the text takes other inputs")
        return _by_name(gives, self.graph.outputs[0].name)

    def kind(self, node: Node, value: str) -> Hashable:
        name = node.name
        takes, is_frozen = (node.op.merges, len(node.inputs)), bool(node.weights) and not node.trainable
        return (value[len(name) :], self.gives[name], takes, is_frozen, *map(id, self.ways[value]))

    def own(self, node: Node, value: str, inputs: Sequence[NamedValue]) -> Iterator[Any]:
        takes: Any = list(inputs) if node.op.merges or len(inputs) > 1 else inputs[0]
        made = (self._applied(layers, node, takes) for layers in self.ways[value])
        port = value.removeprefix(f"{node.name}.") if value != node.name else ""
        return (each[self.gives[node.name].index(port)] if isinstance(each, tuple) else each for each in made)

    def _applied(self, layers: Layers, node: Node, x: Any) -> Any:
        for layer in layers:
            if id(layer) not in self._read:  # equal nodes have the same layer, which `ways` keeps
                self._read[id(layer)] = (_given(layer.arguments), _given(layer.given)[1])
            given, called = self._read[id(layer)]
            x = _constructed(layer, given, node)(_after(layer, x), **called)
        return x

    def hold(self, node: Node, bound: Bound) -> None:
        owner = node.shares or node.name
        for wanted, found in bound.items():
            suffix = wanted.keywords[NAME]
            holds = bool(node.weights) and not suffix
            if found not in self.users:
                path = title(".".join(filter(None, (owner if holds else node.name, suffix))))
                if found.keywords[NAME] != path:
                    raise WrongFold(f"{node.name} runs {found.keywords[NAME]}, and should run {path}")
                self.users[found] = node
            if holds and self.holders.setdefault(owner, found) is not found:
                raise WrongFold(f"{node.name} does not use the weights of {owner}")
            self.holding |= {found} if holds else set()
            if holds != (found in self.holding):
                raise WrongFold(f"{node.name} runs a layer that holds the weights of another")

    def close(self) -> None:
        names = [layer.keywords[NAME] for layer in self.made]
        if unused := [layer.keywords[NAME] for layer in self.made if layer not in self.users]:
            raise WrongFold(f"{self.graph.name}: the text makes {unused[0]}, which no layer runs")
        if len(set(names)) < len(names):
            raise WrongFold(f"{self.graph.name}: two layers of the text have one name")


class _Several(LayerObject):
    """A layer with several outputs, which it names."""

    def __call__(self, *inputs: Any, **called: Any) -> Any:
        given = super().__call__(*inputs, **called)
        return tuple(given[number] for number in range(len(self.keywords["gives"])))


def _starter(name: str) -> Callable[..., LayerObject]:
    """The constructor of an initialiser."""
    return lambda *arguments, **keywords: LayerObject(name, arguments, keywords)


class _Namespace:
    """A module of Keras."""

    def __init__(self, known: Mapping[str, Any] | None = None, otherwise: Callable[[str], Any] | None = None):
        self.known, self.otherwise = known or {}, otherwise

    def __getattr__(self, name: str) -> Any:
        if name in self.known:
            return self.known[name]
        if self.otherwise is None or name.startswith("__"):
            raise AttributeError(name)
        return self.otherwise(name)


def _model(inputs: Any, outputs: Any, name: str) -> tuple[Any, Any, str]:
    return inputs, outputs, name


def channels_last(type_: Type) -> tuple[int | None, ...]:
    """The shape of a batch of this type in Keras."""
    return (None, *type_.sizes, *(() if type_.channels is None else (type_.channels,)))


def _by_name(given: Any, only: str) -> dict[str, Any]:
    return given if isinstance(given, dict) else {only: given}


def _after(layer: LayerText, x: Any) -> Any:
    """The argument of a layer's call: its input, or its input divided by a number."""
    match layer.after:
        case ():
            return x
        case (" / ", Slot(value=number)):
            return x / number
    raise TypeError(f"no input: {layer.after!r}")


def _constructed(layer: LayerText, given: Given, node: Node) -> LayerObject:
    """The layer with every optional argument; its name is the suffix to the node's name."""
    frozen = bool(node.weights) and not layer.suffix and not node.trainable
    arguments, keywords, defaults = given
    made = _Several if len(keywords.get("gives", ())) > 1 else LayerObject
    return made(
        layer.cls,
        arguments,
        {**keywords, "trainable": not frozen, NAME: layer.suffix},
        {**defaults, "trainable": True},
        apart=(NAME,),
    )


def _given(arguments: Sequence[Argument]) -> Given:
    """The positional arguments, the keyword arguments, and the defaults of the latter."""
    values = [(each.keyword, _argument(each)) for each in arguments]
    slots = {each.keyword: each.value for each in arguments if isinstance(each.value, Slot)}
    return (
        tuple(value for keyword, value in values if not keyword),
        {keyword: value for keyword, value in values if keyword},
        {name: slot.default for name, slot in slots.items() if name and slot.default is not None},
    )


def _argument(argument: Argument) -> Any:
    match argument.value:
        case Slot(value=value):
            return value
        case Call(function, arguments):
            return LayerObject(function, *_given(arguments))
    raise TypeError(f"no argument: {argument!r}")
