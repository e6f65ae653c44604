"""`dataclass`, as in the standard library, in a fraction of its time for a plain class.

The standard library generates and compiles up to eight methods per class. `netspec check` loads some fifty such
classes, and making them took as long as checking a spec. Here only `__init__` is generated, when a class is first
used; the other methods are written once. A class that is not plain goes to the standard library: one that changes a
field of its base, one that defines what is generated, or one with options that are not listed here. `fields`, `replace`
and `asdict` of the standard library work for both; `replace` below does without what they need.
"""

from __future__ import annotations

import dataclasses
from abc import ABCMeta
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

__all__ = ["dataclass", "replace"]

if TYPE_CHECKING:
    from dataclasses import dataclass, replace
else:

    def dataclass(cls=None, /, *, frozen=False, slots=False, eq=True):
        """Make a class of its annotated fields, as `dataclasses.dataclass` does with the same options."""
        if cls is None:
            return lambda cls: dataclass(cls, frozen=frozen, slots=slots, eq=eq)
        options = {"frozen": frozen, "slots": slots, "eq": eq}
        if _is_plain(cls, options):
            return _made(cls, **options)
        return dataclasses.dataclass(cls, frozen=frozen, slots=slots, eq=eq)

    def replace(value, /, **changes):
        """A copy of the value with other contents of these fields."""
        kept = {name: getattr(value, name) for name in value.__match_args__ if name not in changes}
        return type(value)(**kept, **changes)


_GENERATED = frozenset(
    {
        *("__init__", "__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__"),
        *("__getstate__", "__setstate__", "__match_args__", "__slots__"),
    }
)
_PSEUDO_FIELDS = ("ClassVar", "InitVar", "KW_ONLY")
_FIELDS, _OPTIONS = "__dataclass_fields__", "__dataclass_params__"


_MADE: WeakKeyDictionary[type, tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, bool]]] = (
    WeakKeyDictionary()
)
"""The annotations, the defaults and the options of each class that `_made` made, those of its base included."""


def _is_plain(cls: type, options: Mapping[str, bool]) -> bool:
    """Whether `_made` can make the class."""
    own, annotations = cls.__dict__, cls.__annotations__
    known, _, alike = _MADE.get(cls.__base__, ({}, {}, options))  # type: ignore[arg-type]
    defaults = [own[name] for name in annotations if name in own]
    types = " ".join(map(str, annotations.values()))
    return (
        type(cls) in (type, ABCMeta)
        and "self" not in annotations
        and _GENERATED.isdisjoint(own)
        and not any(_FIELDS in each.__dict__ and not (known and each in _MADE) for each in cls.__mro__[1:])
        and not any(hasattr(base, "__post_init__") for base in cls.__bases__)
        and (not known or (alike == options and len(cls.__bases__) == 1 and known.keys().isdisjoint(own)))
        and known.keys().isdisjoint(annotations)
        and not any(word in types for word in _PSEUDO_FIELDS)
        and all(map(_is_plain_default, defaults))
        and not any(isinstance(own[name], dataclasses.Field) for name in own.keys() - annotations.keys())
        and (len(defaults) < len(annotations) or any(map(_compared, defaults)))
    )


def _is_plain_default(value: object) -> bool:
    """Whether a default, or what `field()` gives, needs nothing but its value."""
    if isinstance(value, dataclasses.Field):
        return value.init and value.hash is None and value.kw_only is dataclasses.MISSING
    return type(value).__hash__ is not None  # the standard library refuses a list that all would share


def _default(value: Any) -> Any:
    return value.default if isinstance(value, dataclasses.Field) else value


def _compared(value: object) -> bool:
    return value.compare if isinstance(value, dataclasses.Field) else True


def _shown(value: object) -> bool:
    return value.repr if isinstance(value, dataclasses.Field) else True


def _made(cls: type, frozen: bool, slots: bool, eq: bool) -> type:
    above, inherited, _ = _MADE.get(cls.__base__, ({}, {}, {}))  # type: ignore[arg-type]
    annotations = {**above, **cls.__annotations__}
    names = tuple(annotations)
    own = {name: cls.__dict__[name] for name in cls.__annotations__ if name in cls.__dict__}
    defaults = {**inherited, **own}
    compared = [name for name in names if _compared(defaults.get(name))]
    shown = [name for name in names if _shown(defaults.get(name))]
    namespace: dict[str, Any] = {
        "__match_args__": names,
        "__repr__": _repr(shown),
        **(_equality(compared, frozen) if eq else {}),
        **({"__setattr__": _refuse_set, "__delattr__": _refuse_delete} if frozen else {}),
    }
    if slots:
        cls = _with_slots(cls, tuple(cls.__annotations__), namespace)
    else:
        for name, value in namespace.items():
            setattr(cls, name, value)
    if frozen and slots:
        _add_state(cls, names)
    _set_defaults(cls, own, slots)
    cls.__init__ = _Init(cls, annotations, defaults, frozen, slots)  # type: ignore[misc]
    options = {"frozen": frozen, "slots": slots, "eq": eq}
    _MADE[cls] = annotations, defaults, options
    for attribute in (_FIELDS, _OPTIONS):
        setattr(cls, attribute, _Like(attribute, annotations, defaults, options))
    return cls


def _with_slots(cls: type, names: tuple[str, ...], namespace: Mapping[str, Any]) -> type:
    """The class made again: slots cannot be added to one that is there."""
    taken = {*names, "__dict__", "__weakref__"}
    own = {name: value for name, value in cls.__dict__.items() if name not in taken}
    made = type(cls)(cls.__name__, cls.__bases__, {**own, **namespace, "__slots__": names})
    made.__qualname__ = cls.__qualname__
    return made


def _set_defaults(cls: type, defaults: Mapping[str, Any], slots: bool) -> None:
    """Leave a default on the class as its value, and what has none, or a factory, off it."""
    if slots:
        return
    for name, value in defaults.items():
        if isinstance(value, dataclasses.Field):
            if value.default is dataclasses.MISSING:
                delattr(cls, name)
            else:
                setattr(cls, name, value.default)


def _init(
    cls: type, annotations: Mapping[str, Any], defaults: Mapping[str, Any], frozen: bool, slots: bool
) -> Callable[..., None]:
    """`__init__` of the class: an argument per field."""
    known: dict[str, Any] = {"_unset": _UNSET, "_setattr": object.__setattr__}
    arguments, lines = [], []
    for name in annotations:
        default, value = defaults.get(name, dataclasses.MISSING), name
        if isinstance(default, dataclasses.Field) and callable(default.default_factory):
            known[f"_factory_{name}"] = default.default_factory
            arguments.append(f"{name}=_unset")
            value = f"_factory_{name}() if {name} is _unset else {name}"
        elif (default := _default(default)) is not dataclasses.MISSING:
            known[f"_default_{name}"] = default
            arguments.append(f"{name}=_default_{name}")
        else:
            arguments.append(name)
        if frozen and slots:
            known[f"_set_{name}"] = getattr(cls, name).__set__
            lines.append(f"_set_{name}(self, {value})")
        else:
            lines.append(f"_setattr(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    text = f"def __init__(self, {', '.join(arguments)}):\n " + "\n ".join(lines)
    exec(text, known)  # noqa: S102 - names of fields, which Python has read already
    init: Callable[..., None] = known["__init__"]
    init.__module__ = cls.__module__
    init.__annotations__ = {**annotations, "return": None}
    return init


class _Init:
    """`__init__` of a class until it is first used: a command imports many classes of which it makes no object."""

    def __init__(self, cls: type, *data: Any) -> None:
        self.cls, self.name, self.data = cls, f"{cls.__qualname__}.__init__", data

    def __get__(self, instance: object, cls: type) -> Any:
        init = _init(self.cls, *self.data)
        init.__qualname__ = self.name
        self.cls.__init__ = init  # type: ignore[misc]
        return init if instance is None else init.__get__(instance, cls)


class _Unset:
    def __repr__(self) -> str:
        return "<factory>"


_UNSET = _Unset()


def _repr(names: Sequence[str]) -> Callable[[object], str]:
    @recursive_repr()
    def shown(self: object) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    return shown


def _equality(names: Sequence[str], frozen: bool) -> dict[str, Any]:
    """`__eq__` by the values of the fields, and `__hash__`, which only a frozen class has."""
    one = attrgetter(*names)
    values: Callable[[object], Any] = one if len(names) > 1 else lambda self: (one(self),)

    def equal(self: object, other: object) -> Any:
        if self is other:
            return True  # as the tuples of the values are
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: object) -> int:
        return hash(values(self))

    return {"__eq__": equal, "__hash__": hashed if frozen else None}


def _refuse_set(self: object, name: str, value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(self: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _add_state(cls: Any, names: Sequence[str]) -> None:
    """Let instances be copied and pickled, which assigns to fields otherwise."""

    def state(self: object) -> list[Any]:
        return [getattr(self, name) for name in names]

    def restore(self: object, state: Sequence[Any]) -> None:
        for name, value in zip(names, state, strict=True):
            object.__setattr__(self, name, value)

    cls.__getstate__, cls.__setstate__ = state, restore


class _Like:
    """The data that `dataclasses` has for a class, computed when `fields`, `replace` or `asdict` needs it."""

    def __init__(
        self,
        attribute: str,
        annotations: Mapping[str, Any],
        defaults: Mapping[str, Any],
        options: Mapping[str, bool],
    ) -> None:
        self.attribute, self.annotations = attribute, annotations
        self.defaults, self.options = defaults, options

    def __get__(self, instance: object, cls: type) -> Any:
        owner = next(each for each in cls.__mro__ if each.__dict__.get(self.attribute) is self)
        copied: dict[str, Any] = {"__module__": owner.__module__, "__doc__": owner.__doc__}
        copied |= {"__annotations__": dict(self.annotations), **self.defaults}
        plain = type(owner.__name__, (), copied)
        value = getattr(dataclasses.dataclass(plain, **self.options), self.attribute)
        setattr(owner, self.attribute, value)
        return value
