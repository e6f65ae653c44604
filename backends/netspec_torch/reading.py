"""How generated PyTorch is read without PyTorch: what its classes do with values that are not computed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from types import CodeType
from typing import Any

from netspec.graph import Graph, Node
from netspec.lowering.parts import Call, Name, Part, Slot, seq
from netspec.lowering.symbols import Bound, Layer, Symbol, Value, bind, spell
from netspec.lowering.template import WrongFold
from netspec.lowering.witness import Reading
from netspec.lowering.writing import text_of
from netspec.ops.base import Weight
from netspec_torch.attributes import Attributes
from netspec_torch.helpers import HELD
from netspec_torch.site import ALL, OWN, PADDED, Lowered, variable
from netspec_torch.starts import UNBIASED, Home, kind, split, start


class _Torch(Symbol):
    """`torch`: some of its functions give several values."""

    __slots__ = ()

    def chunk(self, x: Any, count: int, **keywords: Any) -> tuple[Symbol, ...]:
        whole = Symbol(".", self, "chunk")(x, count, **keywords)
        return tuple(whole[number] for number in range(count))

    def split(self, x: Any, sizes: Sequence[int], **keywords: Any) -> tuple[Symbol, ...]:
        whole = Symbol(".", self, "split")(x, sizes, **keywords)
        return tuple(whole[number] for number in range(len(sizes)))


TORCH, F = _Torch("name", "torch"), Symbol("name", "F")
RESULT = "result"
"""The variable that a lowering's statements, by themselves, leave its value in."""


class Module:
    """`nn.Module`, as far as generated text uses it."""

    def __call__(self, *inputs: Any) -> Any:
        return self.forward(*inputs)

    def forward(self, *inputs: Any) -> Any:
        raise NotImplementedError

    def children(self) -> Iterator[tuple[str, Module]]:
        """The modules that it holds, by their attributes."""
        return ((name, each) for name, each in vars(self).items() if isinstance(each, Module))

    def requires_grad_(self, learns: bool) -> Module:
        for _, each in self.children():
            each.requires_grad_(learns)
        return self

    def parts(self) -> Iterator[Module]:
        """What `apply` finds in it."""
        return (each for _, each in self.children())

    def _apply(self, fn: object, recurse: bool = True) -> Module:
        """Move all that is in it, as `to` and `cuda` do."""
        for each in self.parts():
            each._apply(fn, recurse)
        return self

    def apply(self, function: Callable[[Module], None]) -> Module:
        for each in self.parts():
            each.apply(function)
        function(self)
        return self


class Items(Module):
    """`nn.ModuleList`."""

    def __init__(self, items: Iterable[Module]) -> None:
        self.items = list(items)

    def children(self) -> Iterator[tuple[str, Module]]:
        return ((str(number), each) for number, each in enumerate(self.items))

    def __getitem__(self, number: int) -> Module:
        return self.items[number]

    def __setitem__(self, number: int, item: Module) -> None:
        self.items[number] = item

    def __iter__(self) -> Iterator[Module]:
        return iter(self.items)


class Sequential(Items):
    """`nn.Sequential`."""

    def __init__(self, *items: Module) -> None:
        super().__init__(items)

    def forward(self, *inputs: Any) -> Any:
        for item in self.items:
            inputs = (item(*inputs),)
        (result,) = inputs
        return result


class Border(Module):
    """`nn.ZeroPad…d` and `nn.ConstantPad…d`, which say what `F.pad` says; no widths are `nn.Identity`."""

    def __init__(self, rank: int, widths: Any = 0, *value: Any) -> None:
        # One number is meant for both ends of every axis.
        self.widths = widths if isinstance(widths, tuple) or not widths else (widths,) * (2 * rank)
        self.more = {"value": value[0]} if value else {}

    def forward(self, *inputs: Any) -> Any:
        (x,) = inputs
        return F.pad(x, self.widths, **self.more) if self.widths else x


class Tensor:
    """A parameter or a buffer of a layer, or a layer within it that has some: they come to be when asked for.

    `start` is what was last done to its values.
    """

    def __init__(self, learns: bool, name: str = "") -> None:
        self.learns, self.name = learns, name
        self.start: Symbol | None = None

    def __getattr__(self, name: str) -> Tensor:
        if name.startswith("__"):
            raise AttributeError(name)
        made = Tensor(self.learns, name)
        setattr(self, name, made)
        return made

    def learn(self, learns: bool) -> None:
        """Let it, and all in it, learn or not."""
        self.learns = learns
        for each in vars(self).values():
            if isinstance(each, Tensor):
                each.learn(learns)

    def at(self, path: str) -> Tensor:
        """What is below it by this dotted name."""
        tensor = self
        for name in path.split("."):
            tensor = getattr(tensor, name)
        return tensor

    # What a text asks of it to start it.

    def numel(self) -> Symbol:
        return Symbol("name", f"{self.name}.numel()")

    @property
    def data(self) -> View:
        return View(self)


class View:
    """A tensor without its gradient, seen group by group, as a column, or one row of it."""

    def __init__(self, tensor: Tensor, seen: str = "", is_part: bool = False) -> None:
        self.tensor, self.seen, self.is_part = tensor, seen, is_part

    def chunk(self, groups: int) -> list[View]:
        return [View(self.tensor, f"in {groups} groups" if groups > 1 else "")]

    def __getitem__(self, key: object) -> View:
        if isinstance(key, int):
            return View(self.tensor, f"row {key}", is_part=True)
        if key != (slice(None), None):
            raise WrongFold(f"a tensor starts as {key!r}")
        return View(self.tensor, "as a column")


def starter(name: str) -> Callable[..., None]:
    """A function that gives a tensor its first values."""

    def begin(given: Tensor | View, *arguments: Any, **keywords: Any) -> None:
        view = given if isinstance(given, View) else View(given)
        done = Symbol("()", Symbol("name", name), (view.seen, *arguments), keywords)
        # What is done to one row comes on top of what was done to all.
        view.tensor.start = Symbol("then", view.tensor.start, done) if view.is_part else done

    return begin


class Held(Layer, Module):
    """A layer of PyTorch's, or of a helper class; attributes asked of it are its weights."""

    def __init__(self, cls: str, *arguments: Any, **keywords: Any) -> None:
        Layer.__init__(self, cls, arguments, keywords)
        self.tensors = Tensor(learns=True)
        self.within = tuple(_parts(self))

    def __call__(self, *inputs: Any, **keywords: Any) -> Any:
        return _run(self, inputs, keywords)

    def __getattr__(self, name: str) -> Any:
        if name in FACTS:
            return FACTS[name](self)
        if name == "bias" and self.cls in UNBIASED:
            raise AttributeError(f"{self.cls} has no {name}")
        if name == "bias" and self.keywords.get("bias") is False:
            return None
        return next((each for part, each in self.within if part == name), None) or getattr(self.tensors, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Tensor) and name != "tensors":
            setattr(self.tensors, name, value)
        else:
            object.__setattr__(self, name, value)

    def requires_grad_(self, learns: bool) -> Module:
        self.tensors.learn(learns)
        return self

    def parts(self) -> Iterator[Module]:
        return (each for _, each in self.within)

    def _apply(self, fn: object, recurse: bool = True) -> Module:
        for name in vars(self.tensors).keys() & STATISTICS:
            setattr(self.tensors, name, copy(getattr(self.tensors, name)))
        return self


STATISTICS = {"running_mean", "running_var"}
"""Buffers, of which each layer gets its own where a network is moved; parameters stay what they are."""

FACTS: Mapping[str, Callable[[Held], Any]] = {
    "groups": lambda held: held.keywords.get("groups", 1),
    "fans": lambda held: (Symbol("name", "fan_in"), Symbol("name", "fan_out")),
}
"""What a text asks of a layer besides its weights."""


def _parts(held: Held) -> Iterator[tuple[str, Held]]:
    """The modules that a helper class holds, with the tensors that it has below their names."""
    if held.cls not in HELD:
        return
    settings = {"depthwise": {"groups": held.arguments[0], "bias": False}, "pointwise": dict(held.keywords)}
    for name, keywords in settings.items():
        part = constructor(HELD[held.cls])(**keywords)
        part.tensors = held.tensors.at(name)
        yield name, part


@cache
def constructor(cls: str) -> type[Held]:
    """The class of the layers that a name constructs."""

    def construct(self: Held, *arguments: Any, **keywords: Any) -> None:
        Held.__init__(self, cls, *arguments, **keywords)

    return type(cls, (Held,), {"__init__": construct})


class _Alone(Layer):
    """The layer of a lowering by itself."""

    def __call__(self, *inputs: Any, **keywords: Any) -> Any:
        return _run(self, inputs, keywords)


def _run(layer: Layer, inputs: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
    """What a layer gives; a pool that returns indices gives two values."""
    given = Symbol("run", layer, inputs, *keywords.items())
    return (given[0], given[1]) if layer.keywords.get("return_indices") else given


class _Starters:
    """`nn.init`."""

    def __getattr__(self, name: str) -> Any:
        return starter(f"nn.init.{name}")


class _Namespace:
    """`nn`: what has a meaning here, and constructors of layers for all other names."""

    meanings: Mapping[str, Any] = {
        "Module": Module,
        "ModuleList": Items,
        "Sequential": Sequential,
        "Identity": partial(Border, 0),
        "init": _Starters(),
    }

    def __getattr__(self, name: str) -> Any:
        if border := re.fullmatch(r"(?:Zero|Constant)Pad(\d)d", name):
            meaning: Any = partial(Border, int(border[1]))
        else:
            meaning = self.meanings.get(name) or constructor(f"nn.{name}")
        # An attribute of its own: it is asked for once only.
        setattr(self, name, meaning)
        return meaning


NN = _Namespace()


class TorchReading(Reading):
    """Generated PyTorch as the classes, layers and functions that it names."""

    def __init__(
        self,
        graph: Graph,
        lowered: Mapping[str, Lowered],
        attributes: Attributes,
        class_name: str,
        helpers: Iterable[str],
    ) -> None:
        self.graph, self.lowered, self.attributes, self.class_name = graph, lowered, attributes, class_name
        self.helpers = frozenset(helpers)
        self.model: Any = None
        self.ran: dict[str, Held] = {}
        self._own: dict[int, list[Way]] = {}
        self._begun: dict[tuple[object, ...], Symbol] = {}

    def names(self) -> Mapping[str, Any]:
        own = {name: (constructor if name[0].isupper() else starter)(name) for name in self.helpers}
        return {"torch": TORCH, "F": F, "nn": NN, "math": math, **own}

    def value(self, name: str) -> Value:
        return Value(name)

    def run(self, space: Mapping[str, Any], inputs: Mapping[str, Value]) -> Mapping[str, Any]:
        self.model = space[self.class_name]()
        found = self.model(*inputs.values())
        return found if isinstance(found, dict) else {self.graph.outputs[0].name: found}

    def own(self, node: Node, value: str, inputs: Sequence[Value]) -> Iterator[Any]:
        lowered = self.lowered[node.name]
        if id(lowered) not in self._own:
            self._own[id(lowered)] = list(_ways(lowered, len(inputs)))
        given = (way.run(inputs) for way in self._own[id(lowered)])
        if not node.ports:
            return given
        port = value.removeprefix(node.name).removeprefix(".")
        place = lowered.outputs(node.ports).index(port)
        return (each[place] for each in given)

    def hold(self, node: Node, bound: Bound) -> None:
        for found in bound.values():
            assert isinstance(found, Held)
            self.ran[node.name] = found

    def close(self) -> None:
        self._weights_have_their_places(self.graph.nodes)
        self.model._apply(None)
        self._weights_have_their_places(
            [
                node
                for node in self.graph.nodes
                if node.shares and any(each.statistic for each in node.weights)
            ]
        )
        ran = {id(each) for each in self.ran.values()}
        for path, module in _below(self.model, ""):
            if isinstance(module, Held) and id(module) not in ran:
                raise WrongFold(f"{self.graph.name}: the text constructs {path}, which no layer runs")

    def _weights_have_their_places(self, nodes: Iterable[Node]) -> None:
        """Every weight is where the state dict has it, its own, and that of all layers that use it."""
        tensors: dict[int, str] = {}
        for node in nodes:
            owner = self.graph.by_name[node.shares or node.name]
            for weight in node.weights:
                held = self.ran[node.name].tensors.at(node.local(weight))
                if held is not _find(self.model, self.attributes.key(owner, weight)):
                    raise WrongFold(f"{node.name} does not use {weight.name}")
                if tensors.setdefault(id(held), weight.name) != weight.name:
                    raise WrongFold(f"{weight.name} and {tensors[id(held)]} are one tensor")
                self._starts_as_it_should(owner, weight, held)
                if held.learns != owner.trainable:
                    raise WrongFold(f"{weight.name} {'learns' if held.learns else 'is frozen'} in the text")

    def _starts_as_it_should(self, owner: Node, weight: Weight, tensor: Tensor) -> None:
        home = Home(*split(self.ran[owner.name].cls, owner.local(weight)), weight)
        if tensor.start is None and home.is_own:
            return
        wanted = self._wanted(home)
        if tensor.start is None or bind(wanted, tensor.start) is None:
            text = "as PyTorch has it" if tensor.start is None else f"by {spell(tensor.start)}"
            raise WrongFold(f"{weight.name} starts {text} in the text, and should by {spell(wanted)}")

    def _wanted(self, home: Home) -> Symbol:
        key = (home.cls, home.tensor, kind(home.weight), home.weight.groups)
        if key not in self._begun:
            self._begun[key] = _started(home.cls, home.tensor, home.weight)
        return self._begun[key]


def _started(cls: str, tensor: str, weight: Weight) -> Symbol:
    """What the statements for one weight do, by themselves."""
    module = Held(cls, groups=weight.groups)
    text = "\n".join("    " * indent + line for line, indent in start(weight, f"module.{tensor}", "module"))
    exec(_code(text), {"nn": NN, "bilinear_": starter("bilinear_"), "module": module})  # noqa: S102 - our own
    found = module.tensors.at(tensor).start
    assert found is not None
    return found


@dataclass(frozen=True)
class Way:
    """One way to run a layer by itself."""

    code: CodeType
    module: Layer | None

    def run(self, inputs: Sequence[Value]) -> Any:
        space: dict[str, Any] = {f"x{number}": each for number, each in enumerate(inputs)}
        exec(self.code, {"torch": TORCH, "F": F, "math": math, "module": self.module}, space)  # noqa: S102 - our own text
        return space[RESULT]


def _ways(lowered: Lowered, inputs: int) -> Iterator[Way]:
    """What a layer is by itself, and the same with its padding apart, or of a list of its inputs."""
    names: dict[Name, Part] = {variable(number): f"x{number}" for number in range(inputs)}
    names[OWN] = "module"
    names[ALL] = f"[{', '.join(f'x{number}' for number in range(inputs))}]"
    for way in {id(each): each for each in (lowered, lowered.apart) if each is not None}.values():
        here = names if way.border is None else {**names, PADDED: way.border.inline(variable(0))}
        for result in (way.result, way.gathered):
            if result is not None:
                statements = [text_of(each, here) for each in (*way.before, seq(f"{RESULT} = ", result))]
                module = None if way.module is None else _by_itself(way.module)
                yield Way(_code("\n".join(statements)), module)


def _by_itself(call: Call) -> Layer:
    """The layer that a lowering constructs, with every argument that it may leave out."""
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


def _below(module: Module, path: str) -> Iterator[tuple[str, Module]]:
    for name, each in module.children():
        place = f"{path}.{name}" if path else name
        yield place, each
        yield from _below(each, place)


def _find(model: Module, key: str) -> Any:
    """What stands in a model at a key of its state dict."""
    found: Any = model
    names = key.split(".")
    while names and not isinstance(found, Held):
        name = names.pop(0)
        found = found[int(name)] if isinstance(found, Items) else getattr(found, name)
    return found.tensors.at(".".join(names))
