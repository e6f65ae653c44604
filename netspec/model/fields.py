"""What a class says about the values of its fields, and the check of values that are plainly right."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from math import isfinite
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

UNSET: Any = type("Unset", (), {"__repr__": lambda self: "unset"})()
"""The default of a field that a value must have."""

Check = Callable[[Any], Any]
"""Returns a value as the field has it. Raises `ValueError` if the value is not plainly right."""


class RefusedValue(ValueError):
    """Why a `BeforeValidator` or a `field_validator` refuses a value: pydantic's custom error."""

    def __init__(self, kind: str, template: str, context: Mapping[str, Any] | None = None) -> None:
        super().__init__(template)
        self.kind, self.template, self.context = kind, template, context


class Invalid(ValueError):
    """Values that a model does not take. `details` has pydantic's description of each error."""

    def __init__(self, message: str, details: list[ErrorDetails]) -> None:
        super().__init__(message)
        self.details = details


class FieldMark:
    """What `Field` says: a default, words, limits."""

    def __init__(self, **settings: Any) -> None:
        self.settings = {name: value for name, value in settings.items() if value is not UNSET}

    def __repr__(self) -> str:
        return f"Field({', '.join(f'{name}={value!r}' for name, value in self.settings.items())})"


def Field(  # noqa: N802 - as in pydantic
    default: Any = UNSET,
    *,
    default_factory: Any = UNSET,
    alias: Any = UNSET,
    description: Any = UNSET,
    gt: Any = UNSET,
    ge: Any = UNSET,
    lt: Any = UNSET,
    le: Any = UNSET,
    min_length: Any = UNSET,
    max_length: Any = UNSET,
    pattern: Any = UNSET,
    allow_inf_nan: Any = UNSET,
    union_mode: Any = UNSET,
    validate_default: Any = UNSET,
) -> Any:
    """What a field says about its values, in an annotation or as its default. The words are pydantic's."""
    return FieldMark(**locals())


class BeforeValidator:
    """A function that gets the value of a field before all other checks, and returns what they get."""

    def __init__(self, func: Check) -> None:
        self.func = func

    def __repr__(self) -> str:
        return f"BeforeValidator({self.func.__qualname__})"


class PrivateMark:
    """What `PrivateAttr` says."""

    def __init__(self, default: Any) -> None:
        self.default = default


def PrivateAttr(default: Any = None) -> Any:  # noqa: N802 - as in pydantic
    """The default of an attribute beside the fields: its name starts with an underscore, and it can be assigned."""
    return PrivateMark(default)


class field_validator:  # noqa: N801 - as in pydantic
    """Decorates a class method that gets a checked value of the field and the fields before it, and returns it."""

    def __init__(self, field: str) -> None:
        self.field = field

    def __call__(self, method: Any) -> Any:
        self.method: Callable[[type, Any, Any], Any] = method.__func__
        return self


class Info(NamedTuple):
    """What a `field_validator` gets beside the value: the fields before this one."""

    data: Mapping[str, Any]


class FieldInfo:
    """A field of a model. Its annotation is evaluated when it is needed."""

    def __init__(self, name: str, annotation: Any, own: Any, module: str) -> None:
        self.name, self.own = name, own
        self._annotation, self._module = annotation, module

    @cached_property
    def hint(self) -> Any:
        """The annotation as a type."""
        if isinstance(self._annotation, str):
            return eval(self._annotation, vars(sys.modules[self._module]))  # noqa: S307 - the text of our own class
        return self._annotation

    @property
    def annotation(self) -> Any:
        """The type, without what is said about it."""
        return get_args(self.hint)[0] if get_origin(self.hint) is Annotated else self.hint

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What the annotation and the default say; the default comes last."""
        marks = [*get_args(self.hint)[1:]] if get_origin(self.hint) is Annotated else []
        if isinstance(self.own, FieldMark):
            marks.append(self.own)
        found = {
            key: value
            for mark in marks
            if isinstance(mark, FieldMark)
            for key, value in mark.settings.items()
        }
        if self.own is not UNSET and not isinstance(self.own, FieldMark):
            found["default"] = self.own
        return found

    @property
    def alias(self) -> str | None:
        """The key of the field in a mapping, if it is not its name."""
        return self.settings.get("alias")

    @property
    def description(self) -> str | None:
        """The values that it takes, in words."""
        return self.settings.get("description")

    def is_required(self) -> bool:
        """Whether it has no default."""
        return "default" not in self.settings and "default_factory" not in self.settings

    @property
    def default(self) -> Any:
        """The default; `UNSET` without one."""
        return self.settings.get("default", UNSET)

    def get_default(self) -> Any:
        """The default, of a factory too."""
        factory = self.settings.get("default_factory")
        return self.default if factory is None else factory()

    @cached_property
    def check(self) -> Check:
        """The check of a value."""
        inner = check_of(self.hint)
        return _marked(inner, (self.own,)) if isinstance(self.own, FieldMark) else inner


class Unsure(ValueError):
    """A value is not plainly right: pydantic decides."""


def check_of(hint: Any, is_exact: bool = False) -> Check:
    """The check of values of a type: of exactly this type, as pydantic takes them in strict mode.

    A whole number is a float, too, unless the check `is_exact`.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return lambda value: value
    if hint is float:
        return _exactly(float) if is_exact else _number
    if hint is None or hint in (int, str, bool, NoneType):
        return _exactly(NoneType if hint is None else hint)
    if origin is Annotated:
        return _marked(check_of(arguments[0], is_exact), arguments[1:])
    if origin is Literal:
        return _one_of(arguments)
    if origin in (Union, UnionType):
        return _any_of(arguments, is_exact)
    if origin is tuple and arguments:
        return _tuple_of(arguments, is_exact)
    if origin is dict and arguments:
        return _dict_of(*(check_of(each, is_exact) for each in arguments))
    if isinstance(hint, type) and hasattr(hint, "model_fields"):
        return _instance_of(hint)
    return _unsure


def _unsure(value: Any) -> Any:
    raise Unsure


def _exactly(type_: type) -> Check:
    def check(value: Any) -> Any:
        if type(value) is type_:
            return value
        raise Unsure

    return check


def _number(value: Any) -> Any:
    """A float, or a whole number that is one."""
    if type(value) is float:
        return value
    if type(value) is int and abs(value) <= 2**53:
        return float(value)
    raise Unsure


def _one_of(options: tuple[Any, ...]) -> Check:
    def check(value: Any) -> Any:
        for option in options:
            if type(value) is type(option) and value == option:
                return option
        raise Unsure

    return check


def _instance_of(model: type) -> Check:
    def check(value: Any) -> Any:
        if isinstance(value, model):
            return value
        raise Unsure

    return check


def _tuple_of(arguments: tuple[Any, ...], is_exact: bool) -> Check:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        item = check_of(arguments[0], is_exact)

        def check(value: Any) -> Any:
            if type(value) is tuple:
                return tuple([item(each) for each in value])
            raise Unsure

        return check
    items = [check_of(each, is_exact) for each in arguments]

    def check_each(value: Any) -> Any:
        if type(value) is tuple and len(value) == len(items):
            return tuple([check(each) for check, each in zip(items, value, strict=True)])
        raise Unsure

    return check_each


def _dict_of(key: Check, item: Check) -> Check:
    def check(value: Any) -> Any:
        if type(value) is dict:
            return {key(name): item(each) for name, each in value.items()}
        raise Unsure

    return check


def _any_of(members: tuple[Any, ...], is_exact: bool) -> Check:
    """The check of a union, for a value of exactly the type of one member; a member that converts values is not sure.

    None comes before all others.
    """
    others = [member for member in members if member is not NoneType]
    # Of several members, pydantic takes the first one of exactly the value's type.
    checks = [check_of(member, is_exact or len(others) > 1) for member in others]
    converts = [_holds(member, _converts) for member in others]
    if len(others) > 1 and any(converts):
        checks[converts.index(True) :] = [_unsure]
    if len(others) < len(members):
        checks.insert(0, _exactly(NoneType))
    *first, last = checks

    def check(value: Any) -> Any:
        for each in first:
            try:
                return each(value)
            except Unsure:
                continue
        return last(value)

    return check


def _converts(part: Any) -> bool:
    return isinstance(part, BeforeValidator)


def _holds(hint: Any, wanted: Callable[[Any], bool]) -> bool:
    """Whether a part of a type is a wanted one."""
    parts = () if get_origin(hint) is Literal else get_args(hint)
    return wanted(hint) or any(_holds(part, wanted) for part in parts)


def _marked(inner: Check, marks: tuple[Any, ...]) -> Check:
    """The check with what an annotation says: first the functions, the last of them first, then limits."""
    before = [mark.func for mark in reversed(marks) if isinstance(mark, BeforeValidator)]
    limits = [
        (_LIMITS[name], value)
        for mark in marks
        if isinstance(mark, FieldMark)
        for name, value in mark.settings.items()
        if name in _LIMITS
    ]
    if any(hasattr(mark, "__get_pydantic_core_schema__") for mark in marks):
        return _unsure
    if not before and not limits:
        return inner

    def check(value: Any) -> Any:
        for function in before:
            value = function(value)
        value = inner(value)
        for is_within, limit in limits:
            if not is_within(value, limit):
                raise Unsure
        return value

    return check


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _has_length(value: Any) -> bool:
    return type(value) in (str, tuple)


_LIMITS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda value, limit: _is_number(value) and value > limit,
    "ge": lambda value, limit: _is_number(value) and value >= limit,
    "lt": lambda value, limit: _is_number(value) and value < limit,
    "le": lambda value, limit: _is_number(value) and value <= limit,
    "min_length": lambda value, limit: _has_length(value) and len(value) >= limit,
    "max_length": lambda value, limit: _has_length(value) and len(value) <= limit,
    "pattern": lambda value, limit: type(value) is str and re.search(limit, value) is not None,
    "allow_inf_nan": lambda value, limit: _is_number(value) and (limit or isfinite(value)),
}
