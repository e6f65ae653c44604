"""Models as classes of pydantic, which say what is wrong with a value, and what the JSON schema is."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pydantic
from pydantic_core import PydanticCustomError, core_schema

from netspec.model.fields import BeforeValidator, Check, FieldInfo, FieldMark, Info, Invalid, RefusedValue

_CONFIG = pydantic.ConfigDict(frozen=True, extra="forbid", strict=True)


@cache
def full(model: Any) -> type[pydantic.BaseModel]:
    """The class of pydantic with the fields of a model."""
    fields: dict[str, Any] = {name: definition(info) for name, info in model.model_fields.items()}
    validators: dict[str, Any] = {
        f"{field}_{number}": pydantic.field_validator(field)(_after(model, each.method))
        for field, own in model.model_validators.items()
        for number, each in enumerate(own)
    }
    made: type[pydantic.BaseModel] = pydantic.create_model(
        model.__name__, __config__=_CONFIG, __doc__=model.__doc__, __validators__=validators, **fields
    )
    return made


def validated(model: Any, values: object, later: Collection[str] = ()) -> dict[str, Any]:
    """The fields of a model that the values set; validators do not see the fields of `later`.

    Raises:
        Invalid: a field is unknown or missing, or does not take its value.
    """
    try:
        made = full(model).model_validate(values, context=later)
    except pydantic.ValidationError as error:
        raise Invalid(str(error), error.errors(include_url=False)) from None
    return {name: getattr(made, name) for name in made.model_fields_set}


def json_schema(model: Any) -> dict[str, Any]:
    """The JSON schema of a model, by the aliases of its fields."""
    return full(model).model_json_schema(by_alias=True)


def instance(model: Any, handler: Any) -> core_schema.CoreSchema:
    """A field of pydantic's that takes an instance of a model; in JSON, the fields of the model."""
    return core_schema.json_or_python_schema(
        json_schema=handler(full(model)),
        python_schema=core_schema.is_instance_schema(model),
        serialization=core_schema.plain_serializer_function_ser_schema(lambda each: each.model_dump()),
    )


def definition(info: FieldInfo) -> tuple[Any, Any]:
    """The annotation and the default of a field in a class of pydantic."""
    hint = _hint(info.hint)
    if isinstance(info.own, FieldMark):
        return hint, pydantic.Field(**info.own.settings)
    return hint, ... if info.is_required() else info.get_default()


def _hint(hint: Any) -> Any:
    """An annotation in the words of pydantic."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is None or origin is Literal:
        return hint
    if origin is Annotated:
        return Annotated[(_hint(arguments[0]), *map(_mark, arguments[1:]))]
    parts = tuple(each if each is Ellipsis else _hint(each) for each in arguments)
    return Union[parts] if origin in (Union, UnionType) else origin[parts]  # noqa: UP007 - computed


def _mark(mark: Any) -> Any:
    if isinstance(mark, FieldMark):
        return pydantic.Field(**mark.settings)
    if isinstance(mark, BeforeValidator):
        return pydantic.BeforeValidator(_before(mark.func))
    return mark


def _before(function: Check) -> Check:
    def check(value: Any) -> Any:
        try:
            return function(value)
        except RefusedValue as refusal:
            raise _error(refusal) from None

    return check


def _after(model: Any, method: Callable[[type, Any, Any], Any]) -> Any:
    def check(cls: type, value: Any, info: pydantic.ValidationInfo) -> Any:
        seen = {name: each for name, each in info.data.items() if name not in (info.context or ())}
        return _before(lambda value: method(model, value, Info(seen)))(value)

    return classmethod(check)


def _error(refusal: RefusedValue) -> PydanticCustomError:
    kind: Any = refusal.kind
    template: Any = refusal.template
    context = None if refusal.context is None else dict(refusal.context)
    return PydanticCustomError(kind, template, context)
