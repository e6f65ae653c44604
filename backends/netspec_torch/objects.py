"""The objects that the names in generated PyTorch stand for when it is read without PyTorch; they compute nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cache, partial
from types import MappingProxyType
from typing import Any

from netspec.lowering.symbols import LayerObject, Symbol
from netspec.lowering.template import WrongFold
from netspec_torch.attention_helpers import MATRICES
from netspec_torch.helpers import HELD
from netspec_torch.starts import UNBIASED


class _Torch(Symbol):
    """The module `torch`; some of its functions return several values."""

    __slots__ = ()

    def chunk(self, x: Any, count: int, **keywords: Any) -> tuple[Symbol, ...]:
        whole = Symbol(".", self, "chunk")(x, count, **keywords)
        return tuple(whole[number] for number in range(count))

    def split(self, x: Any, sizes: Sequence[int], **keywords: Any) -> tuple[Symbol, ...]:
        whole = Symbol(".", self, "split")(x, sizes, **keywords)
        return tuple(whole[number] for number in range(len(sizes)))


class _Functions(Symbol):
    """The module `torch.nn.functional`; an argument with the value that PyTorch itself takes is as one left out.

    The class of a block has it as a parameter if another call of the block has another value.
    """

    __slots__ = ()

    def local_response_norm(self, x: Any, size: Any, **keywords: Any) -> Symbol:
        own = {"alpha": 1e-4, "beta": 0.75, "k": 1.0}
        given = {
            name: value
            for name, value in keywords.items()
            if not isinstance(value, float) or value != own[name]
        }
        return Symbol(".", self, "local_response_norm")(x, size, **given)


TORCH, F = _Torch("name", "torch"), _Functions("name", "F")


class NnModule:
    """`nn.Module`, with the methods that generated text uses."""

    def __call__(self, *inputs: Any) -> Any:
        return self.forward(*inputs)

    def forward(self, *inputs: Any) -> Any:
        raise NotImplementedError

    def children(self) -> Iterator[tuple[str, NnModule]]:
        """Its submodules, by attribute."""
        return ((name, each) for name, each in vars(self).items() if isinstance(each, NnModule))

    def requires_grad_(self, learns: bool) -> NnModule:
        for _, each in self.children():
            each.requires_grad_(learns)
        return self

    def parts(self) -> Iterator[NnModule]:
        """Its submodules, as `apply` visits them."""
        return (each for _, each in self.children())

    def _apply(self, fn: object, recurse: bool = True) -> NnModule:
        """Move everything in it, like `to` and `cuda`."""
        for each in self.parts():
            each._apply(fn, recurse)
        return self

    def apply(self, function: Callable[[NnModule], None]) -> NnModule:
        for each in self.parts():
            each.apply(function)
        function(self)
        return self


class NnModuleList(NnModule):
    """`nn.ModuleList`."""

    def __init__(self, items: Iterable[NnModule]) -> None:
        self.items = list(items)

    def children(self) -> Iterator[tuple[str, NnModule]]:
        return ((str(number), each) for number, each in enumerate(self.items))

    def __getitem__(self, number: int) -> NnModule:
        return self.items[number]

    def __setitem__(self, number: int, item: NnModule) -> None:
        self.items[number] = item

    def __iter__(self) -> Iterator[NnModule]:
        return iter(self.items)


class NnSequential(NnModuleList):
    """`nn.Sequential`."""

    def __init__(self, *items: NnModule) -> None:
        super().__init__(items)

    def forward(self, *inputs: Any) -> Any:
        for item in self.items:
            inputs = (item(*inputs),)
        (result,) = inputs
        return result


class NnPad(NnModule):
    """`nn.ZeroPad…d` and `nn.ConstantPad…d`, which compute `F.pad`; without widths it is `nn.Identity`."""

    def __init__(self, rank: int, widths: Any = 0, *value: Any) -> None:
        # One number applies to both ends of every axis.
        self.widths = widths if isinstance(widths, tuple) or not widths else (widths,) * (2 * rank)
        self.more = {"value": value[0]} if value else {}

    def forward(self, *inputs: Any) -> Any:
        (x,) = inputs
        return F.pad(x, self.widths, **self.more) if self.widths else x


class LayerTensor:
    """A parameter or buffer of a layer, or a sublayer with such tensors; each is created at its first use.

    `start` is the last change of its values.
    """

    def __init__(self, learns: bool, name: str = "") -> None:
        self.learns, self.name = learns, name
        self.start: Symbol | None = None

    def __getattr__(self, name: str) -> LayerTensor:
        if name.startswith("__"):
            raise AttributeError(name)
        made = LayerTensor(self.learns, name)
        setattr(self, name, made)
        return made

    def learn(self, learns: bool) -> None:
        """Make it, and everything in it, trainable or frozen."""
        self.learns = learns
        for each in vars(self).values():
            if isinstance(each, LayerTensor):
                each.learn(learns)

    def at(self, path: str) -> LayerTensor:
        """The tensor with this dotted name in it."""
        if "." not in path:
            return getattr(self, path)  # type: ignore[no-any-return]
        tensor = self
        for name in path.split("."):
            tensor = getattr(tensor, name)
        return tensor

    # The attributes that a text uses to initialise it.

    def numel(self) -> Symbol:
        return Symbol("name", f"{self.name}.numel()")

    @property
    def data(self) -> TensorView:
        return TensorView(self)


class TensorView:
    """A tensor without gradient: whole, group by group, as a column, or one row."""

    def __init__(self, tensor: LayerTensor, seen: str = "", is_part: bool = False) -> None:
        self.tensor, self.seen, self.is_part = tensor, seen, is_part

    def chunk(self, groups: int) -> list[TensorView]:
        return [TensorView(self.tensor, f"in {groups} groups" if groups > 1 else "")]

    def __getitem__(self, key: object) -> TensorView:
        if isinstance(key, int):
            return TensorView(self.tensor, f"row {key}", is_part=True)
        if key != (slice(None), None):
            raise WrongFold(f"a tensor starts as {key!r}")
        return TensorView(self.tensor, "as a column")


ADDING = frozenset({"lift_gates_"})
"""Functions that change the values that a tensor starts with."""


@cache
def starter(name: str) -> Callable[..., None]:
    """A function that initialises a tensor."""
    # One object for all calls without arguments, of which there are many: it equals itself at once.
    plain = Symbol("()", Symbol("name", name), ("",), {})

    def begin(given: LayerTensor | TensorView, *arguments: Any, **keywords: Any) -> None:
        view = given if isinstance(given, TensorView) else TensorView(given)
        done = plain
        if view.seen or arguments or keywords:
            done = Symbol("()", Symbol("name", name), (view.seen, *arguments), keywords)
        # An operation on one row, or one that adds, comes after the operation on the whole.
        is_later = view.is_part or name in ADDING
        view.tensor.start = Symbol("then", view.tensor.start, done) if is_later else done

    return begin


class HeldLayer(LayerObject, NnModule):
    """A layer of PyTorch or of a helper class; its attributes are its weights."""

    tensors: LayerTensor
    within: tuple[tuple[str, HeldLayer], ...] = ()
    defaults: Mapping[str, Any] = MappingProxyType({})
    apart = ()

    def __init__(self, cls: str, *arguments: Any, **keywords: Any) -> None:
        # As the base does, without `__setattr__` below: a network has thousands of layers.
        own = vars(self)
        own["cls"], own["arguments"], own["keywords"] = cls, arguments, keywords
        own["tensors"] = LayerTensor(learns=True)
        if cls in HELD:
            own["within"] = tuple(_parts(self))

    def __call__(self, *inputs: Any, **keywords: Any) -> Any:
        return outcome(self, inputs, keywords)

    def __getattr__(self, name: str) -> Any:
        if name in FACTS:
            return FACTS[name](self)
        if name == "bias" and self.cls in UNBIASED:
            raise AttributeError(f"{self.cls} has no {name}")
        if name == "bias" and self.keywords.get("bias") is False:
            return None
        return next((each for part, each in self.within if part == name), None) or getattr(self.tensors, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, LayerTensor) and name != "tensors":
            setattr(self.tensors, name, value)
        else:
            object.__setattr__(self, name, value)

    def requires_grad_(self, learns: bool) -> NnModule:
        self.tensors.learn(learns)
        return self

    def parts(self) -> Iterator[NnModule]:
        return (each for _, each in self.within)

    def _apply(self, fn: object, recurse: bool = True) -> NnModule:
        for name in vars(self.tensors).keys() & STATISTICS:
            setattr(self.tensors, name, copy(getattr(self.tensors, name)))
        return self


STATISTICS = {"running_mean", "running_var"}
"""Buffers: each layer has its own after the network is moved. Parameters are not copied."""

FACTS: Mapping[str, Callable[[HeldLayer], Any]] = {
    "groups": lambda held: held.keywords.get("groups", 1),
    "fans": lambda held: (Symbol("name", "fan_in"), Symbol("name", "fan_out")),
}
"""The attributes of a layer that a text uses, besides its weights."""


def _parts(held: HeldLayer) -> Iterator[tuple[str, HeldLayer]]:
    """The modules in a helper class, with their tensors."""
    settings = {"depthwise": {"groups": held.arguments[0], "bias": False}, "pointwise": dict(held.keywords)}
    if held.cls in MATRICES:
        names = (*MATRICES[held.cls], *(("output",) if held.keywords.get("output", True) else ()))
        settings = {name: {"bias": held.keywords.get("bias", True)} for name in names}
    for name, keywords in settings.items():
        part = constructor(HELD[held.cls])(**keywords)
        part.tensors = held.tensors.at(name)
        yield name, part


@cache
def constructor(cls: str) -> type[HeldLayer]:
    """The class of the layers that a name constructs."""

    def construct(self: HeldLayer, *arguments: Any, **keywords: Any) -> None:
        HeldLayer.__init__(self, cls, *arguments, **keywords)

    return type(cls, (HeldLayer,), {"__init__": construct})


def outcome(layer: LayerObject, inputs: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
    """The output of a layer; a pool that returns indices has two outputs, a recurrent layer those that it names."""
    given = Symbol("run", layer, inputs, *keywords.items())
    named = layer.keywords.get("gives", ())
    if len(named) > 1:
        return tuple(given[number] for number in range(len(named)))
    return (given[0], given[1]) if layer.keywords.get("return_indices") else given


class _Starters:
    """`nn.init`."""

    def __getattr__(self, name: str) -> Any:
        return starter(f"nn.init.{name}")


class _Namespace:
    """The module `nn`: the names with a meaning here, and constructors of layers for all other names."""

    meanings: Mapping[str, Any] = {
        "Module": NnModule,
        "ModuleList": NnModuleList,
        "Sequential": NnSequential,
        "Identity": partial(NnPad, 0),
        "init": _Starters(),
    }

    def __getattr__(self, name: str) -> Any:
        if border := re.fullmatch(r"(?:Zero|Constant)Pad(\d)d", name):
            meaning: Any = partial(NnPad, int(border[1]))
        else:
            meaning = self.meanings.get(name) or constructor(f"nn.{name}")
        # Kept as an attribute, so that this method runs once per name.
        setattr(self, name, meaning)
        return meaning


NN = _Namespace()
