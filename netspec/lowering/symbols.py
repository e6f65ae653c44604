"""Symbols: values that are not computed but record how they were made, so that two texts can be compared."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from netspec.lowering.parts import literal
from netspec.lowering.tree import same


class Undecided(TypeError):
    """Generated text needs a property of a value that depends on its numbers, which a symbol does not have."""


def _binary(sign: str) -> Callable[[Symbol, Any], Symbol]:
    return lambda left, right: Symbol(sign, left, right)


def _reflected(sign: str) -> Callable[[Symbol, Any], Symbol]:
    return lambda right, left: Symbol(sign, left, right)


class Symbol:
    """The value of an expression: the operator or function, and its operands."""

    __slots__ = ("term",)
    term: tuple[Any, ...]

    def __init__(self, *term: Any) -> None:
        self.term = term

    def __getattr__(self, name: str) -> Symbol:
        if name.startswith("__"):
            raise AttributeError(name)
        return Symbol(".", self, name)

    def __call__(self, *arguments: Any, **keywords: Any) -> Symbol:
        return Symbol("()", self, arguments, keywords)

    def __getitem__(self, key: Any) -> Symbol:
        return Symbol("[]", self, key)

    def __neg__(self) -> Symbol:
        return Symbol("-", 0, self)

    def __bool__(self) -> bool:
        raise Undecided(f"whether {spell(self)} is true is not known")

    def __iter__(self) -> Iterator[Any]:
        raise Undecided(f"{spell(self)} is one value, and not several")

    __add__, __radd__ = _binary("+"), _reflected("+")
    __sub__, __rsub__ = _binary("-"), _reflected("-")
    __mul__, __rmul__ = _binary("*"), _reflected("*")
    __truediv__, __rtruediv__ = _binary("/"), _reflected("/")
    __floordiv__, __rfloordiv__ = _binary("//"), _reflected("//")
    __pow__, __rpow__ = _binary("**"), _reflected("**")


class NamedValue(Symbol):
    """A value with a name: an input, or the output of a layer. `shape` is set if the text may use it."""

    __slots__ = ("name", "shape")

    def __init__(self, name: str, shape: tuple[int | None, ...] | None = None) -> None:
        super().__init__("value", name)
        self.name = name
        if shape is not None:
            self.shape = shape

    def among(self, inputs: Sequence[Any]) -> NamedValue:
        """The value that it stands for in a layer with these inputs: itself."""
        return self


class InputPlace(NamedValue):
    """The place of an input in an expression that many layers have, each with its own inputs."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        super().__init__(f"input {number}")
        self.number = number

    def among(self, inputs: Sequence[Any]) -> NamedValue:
        value: NamedValue = inputs[self.number]
        return value


class LayerObject:
    """An object of a framework or of a helper class, as it was constructed.

    `defaults` are the keyword arguments that can be left out, with their defaults. `apart` are keyword arguments that
    do not change what it computes.
    """

    def __init__(
        self,
        cls: str,
        arguments: tuple[Any, ...] = (),
        keywords: Mapping[str, Any] | None = None,
        defaults: Mapping[str, Any] | None = None,
        apart: Collection[str] = (),
    ) -> None:
        self.cls, self.arguments = cls, arguments
        self.keywords = dict(keywords or {})
        self.defaults: Mapping[str, Any] = dict(defaults or {})
        self.apart = apart

    @cached_property
    def complete(self) -> dict[str, Any]:
        """The keyword arguments that change what it computes, with those that are left out."""
        whole = {**self.defaults, **self.keywords}
        for name in self.apart:
            whole.pop(name, None)
        return whole

    def __call__(self, *inputs: Any, **keywords: Any) -> Symbol:
        return Symbol("run", self, inputs, *keywords.items())


class Bound(dict[LayerObject, LayerObject]):
    """For each layer of a lowering, the layer of the text that corresponds to it; `inputs` are those of its node."""

    inputs: Sequence[Any] = ()


def bind(wanted: Any, found: Any, inputs: Sequence[Any] = ()) -> Bound | None:
    """For each layer in `wanted`, the layer in `found`, if both expressions are equal; else None.

    Each `InputPlace` in `wanted` stands for one of the inputs.
    """
    bound = Bound()
    bound.inputs = inputs
    return bound if _alike(wanted, found, bound) else None


Comparison = Callable[[Any, Any, Bound], bool]


def _alike(wanted: Any, found: Any, bound: Bound) -> bool:
    return _COMPARISONS[type(wanted)](wanted, found, bound)


def _layers_alike(wanted: Any, found: Any, bound: Bound) -> bool:
    if wanted not in bound and issubclass(type(found), LayerObject) and _constructed_alike(wanted, found):
        bound[wanted] = found
    return bound.get(wanted) is found


def _values_alike(wanted: Any, found: Any, bound: Bound) -> bool:
    return wanted.among(bound.inputs) is found


def _symbols_alike(wanted: Any, found: Any, bound: Bound) -> bool:
    return type(wanted) is type(found) and _all_alike(wanted.term, found.term, bound)


def _plain_alike(wanted: Any, found: Any, bound: Bound) -> bool:
    return type(wanted) is type(found) and bool(wanted == found)


def _rows_alike(wanted: Any, found: Any, bound: Bound) -> bool:
    return type(wanted) is type(found) and _all_alike(wanted, found, bound)


def _slices_alike(wanted: Any, found: Any, bound: Bound) -> bool:
    if type(wanted) is not type(found):
        return False
    mine, theirs = ((each.start, each.stop, each.step) for each in (wanted, found))
    return _all_alike(mine, theirs, bound)


def _mappings_alike(wanted: Any, found: Any, bound: Bound) -> bool:
    return type(wanted) is type(found) and _named_alike(wanted, found, bound)


def _others_alike(wanted: Any, found: Any, bound: Bound) -> bool:
    return same(wanted, found)  # −0.0 is not 0.0


_WAYS: tuple[tuple[type, Comparison], ...] = (
    (LayerObject, _layers_alike),
    (NamedValue, _values_alike),
    (Symbol, _symbols_alike),
    (object, _others_alike),
)


class _Comparisons(dict[type, Comparison]):
    """The comparison for each type, decided once: one runs for every argument of every layer."""

    def __missing__(self, kind: type) -> Comparison:
        self[kind] = next(way for base, way in _WAYS if issubclass(kind, base))
        return self[kind]


_PLAIN: dict[type, Comparison] = {
    **dict.fromkeys((str, int, bool), _plain_alike),
    **dict.fromkeys((tuple, list), _rows_alike),
    dict: _mappings_alike,
    slice: _slices_alike,
}
_COMPARISONS = _Comparisons(_PLAIN)


def _all_alike(wanted: Sequence[Any], found: Sequence[Any], bound: Bound) -> bool:
    if len(wanted) != len(found):
        return False
    for mine, theirs in zip(wanted, found, strict=True):
        if mine is not theirs and not _COMPARISONS[type(mine)](mine, theirs, bound):
            return False
    return True


def _named_alike(wanted: Mapping[str, Any], found: Mapping[str, Any], bound: Bound) -> bool:
    if wanted.keys() != found.keys():
        return False
    for name, mine in wanted.items():
        theirs = found[name]
        if mine is not theirs and not _alike(mine, theirs, bound):
            return False
    return True


def _constructed_alike(wanted: LayerObject, found: LayerObject) -> bool:
    if wanted.cls != found.cls or not _all_alike(wanted.arguments, found.arguments, Bound()):
        return False
    complete, given = wanted.complete, found.keywords
    for name in given:
        if name not in complete and name not in wanted.apart:
            return False
    for name, mine in complete.items():
        theirs = given[name] if name in given else wanted.defaults.get(name, _MISSING)
        if theirs is not mine and not _COMPARISONS[type(mine)](mine, theirs, Bound()):
            return False
    return True


_MISSING = object()


def spell(value: Any) -> str:
    """The expression of a symbol, for messages."""
    match value:
        case LayerObject():
            given = [*map(spell, value.arguments), *(f"{k}={spell(v)}" for k, v in value.keywords.items())]
            return f"{value.cls}({', '.join(given)})"
        case NamedValue():
            return value.name
        case Symbol():
            return _spelled(*value.term)
        case tuple() | list():
            return f"[{', '.join(map(spell, value))}]"
        case bool() | int() | float() | str():
            return literal(value)
        case slice():
            return ":".join("" if each is None else spell(each) for each in (value.start, value.stop))
    return repr(value)


def _spelled(operator: str, *operands: Any) -> str:
    match operator, operands:
        case "name", [name]:
            return str(name)
        case ".", [owner, name]:
            return f"{spell(owner)}.{name}"
        case "()", [function, arguments, keywords]:
            given = [*map(spell, arguments), *(f"{name}={spell(each)}" for name, each in keywords.items())]
            return f"{spell(function)}({', '.join(given)})"
        case "[]", [owner, key]:
            inner = ", ".join(map(spell, key)) if isinstance(key, tuple) else spell(key)
            return f"{spell(owner)}[{inner}]"
        case "run", [layer, inputs, *keywords]:
            given = [*map(spell, inputs), *(f"{name}={spell(each)}" for name, each in keywords)]
            return f"{spell(layer)}({', '.join(given)})"
    return f"({spell(operands[0])} {operator} {spell(operands[1])})"
