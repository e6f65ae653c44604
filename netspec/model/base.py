"""The base class of models."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, dataclass_transform, get_origin

from netspec.model.fields import (
    UNSET,
    Check,
    Field,
    FieldInfo,
    Info,
    PrivateAttr,
    PrivateMark,
    field_validator,
)


class Making(NamedTuple):
    """How values become a model of one class."""

    checks: Mapping[str, tuple[str, Check]]
    """By its key, each field and the check of its values."""
    required: frozenset[str]
    defaults: Mapping[str, Any]
    """The defaults, of the private attributes too."""
    depends: bool
    """Whether a field depends on others, or its default is checked."""
    content: Callable[[Model], Any]
    """The values of the fields."""
    made: Sequence[FieldInfo]
    """The fields with a default factory, which is called for each model."""


@dataclass_transform(kw_only_default=True, field_specifiers=(Field, PrivateAttr))
class Model:
    """Named fields that do not change. Equal models have the same class and equal fields."""

    __slots__ = ("__dict__", "__weakref__", "_given")

    _given: frozenset[str]

    model_fields: ClassVar[dict[str, FieldInfo]] = {}
    """The fields by name; those of a base class come first."""
    _privates: ClassVar[dict[str, Any]] = {}
    """The attributes beside the fields, with their defaults."""
    model_validators: ClassVar[dict[str, list[field_validator]]] = {}
    """The validators of fields, by field."""
    _made: ClassVar[Making | None] = None

    def __init_subclass__(cls, **settings: Any) -> None:
        super().__init_subclass__(**settings)
        bases = [base for base in reversed(cls.__mro__[1:]) if issubclass(base, Model)]
        cls.model_fields = {
            name: base.model_fields[name]
            for base in bases
            for name in base.__annotations__
            if name in base.model_fields
        }
        cls._privates = {name: value for base in bases for name, value in base._privates.items()}
        cls._made = None
        for name, annotation in cls.__annotations__.items():
            if _is_of_the_class(annotation):
                continue
            own = cls.__dict__.get(name, UNSET)
            if name in cls.__dict__:
                delattr(cls, name)
            if name.startswith("_"):
                cls._privates[name] = own.default if isinstance(own, PrivateMark) else own
            else:
                cls.model_fields[name] = FieldInfo(name, annotation, own, cls.__module__)
        cls.model_validators = {}
        for value in [value for base in [*bases, cls] for value in base.__dict__.values()]:
            if isinstance(value, field_validator):
                cls.model_validators.setdefault(value.field, []).append(value)

    if not TYPE_CHECKING:  # a type checker knows the fields

        def __init__(self, **values):
            made = type(self).model_validate(values)
            self.__dict__.update(made.__dict__)
            object.__setattr__(self, "_given", made._given)

    @classmethod
    def model_validate(cls, values: object, later: Collection[str] = ()) -> Self:
        """The model with these values, by the names of the fields, or by their aliases.

        Args:
            later: fields that get their values later: the validators of other fields do not see a default instead.

        Raises:
            Invalid: a field is unknown or missing, or does not take its value.
        """
        found = cls.plainly(values, later)
        if found is not None and not cls.missing(found):
            return cls.model_construct(**found)
        from netspec.model.full import validated

        return cls.model_construct(**validated(cls, values, later))

    @classmethod
    def plainly(cls, values: object, later: Collection[str] = ()) -> dict[str, Any] | None:
        """The fields that the values set, if each is plainly right; None if pydantic has to decide.

        Fields without a value may be missing; those of `later` get one later.
        """
        if type(values) is not dict:
            return None
        plan, found = cls._plan(), {}
        try:
            for key, value in values.items():
                if key not in plan.checks:
                    return None
                name, check = plan.checks[key]
                found[name] = check(value)
            return cls._confirmed(found, later) if plan.depends else found
        except (ValueError, AssertionError):  # of which pydantic makes an error of the field
            return None

    @classmethod
    def _confirmed(cls, found: dict[str, Any], later: Collection[str]) -> dict[str, Any]:
        """The fields as their validators return them, in the order of the class."""
        data: dict[str, Any] = {}
        for name, info in cls.model_fields.items():
            is_given = name in found
            if name in later and not is_given:
                continue
            if is_given or not info.is_required():
                data[name] = found[name] if is_given else info.get_default()
            if is_given or (name in data and info.settings.get("validate_default")):
                value = data.pop(name) if is_given else info.check(data.pop(name))
                for validator in cls.model_validators.get(name, ()):
                    value = validator.method(cls, value, Info(data))
                data[name] = value
            if is_given:
                found[name] = data[name]
        return found

    @classmethod
    def _plan(cls) -> Making:
        """How values become a model of this class; made for the first one."""
        made = cls._made
        if made is None:
            fields = cls.model_fields.values()
            made = Making(
                {info.alias or info.name: (info.name, info.check) for info in fields},
                frozenset({info.name for info in fields if info.is_required()}),
                {info.name: info.default for info in fields if info.default is not UNSET} | cls._privates,
                bool(cls.model_validators) or any(info.settings.get("validate_default") for info in fields),
                attrgetter(*cls.model_fields) if cls.model_fields else bool,
                [info for info in fields if info.default is UNSET and not info.is_required()],
            )
            cls._made = made
        return made

    @classmethod
    def missing(cls, names: Collection[str]) -> frozenset[str]:
        """The fields that must have a value, and are not among these."""
        return cls._plan().required.difference(names)

    @classmethod
    def model_construct(cls, **values: Any) -> Self:
        """The model with these fields and the defaults of the others, without a check."""
        plan, made = cls._plan(), cls.__new__(cls)
        made.__dict__.update(plan.defaults, **values)
        for info in plan.made:
            if info.name not in values:
                made.__dict__[info.name] = info.get_default()
        object.__setattr__(made, "_given", frozenset(values))
        return made

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self:
        """A copy with other values of these fields, without a check."""
        update = update or {}
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__, **update)
        object.__setattr__(made, "_given", self._given | update.keys())
        return made

    def model_dump(self) -> dict[str, Any]:
        """The fields by name; those of a model in a field, too."""
        values = {name: getattr(self, name) for name in self.model_fields}
        return {
            name: value.model_dump() if isinstance(value, Model) else value for name, value in values.items()
        }

    @property
    def model_fields_set(self) -> frozenset[str]:
        """The fields that were given a value."""
        return self._given

    @classmethod
    def model_json_schema(cls) -> dict[str, Any]:
        """The JSON schema, by the aliases of the fields."""
        from netspec.model.full import json_schema

        return json_schema(cls)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: Any) -> Any:
        """Inside another model: an instance."""
        from netspec.model.full import instance

        return instance(cls, handler)

    def __setattr__(self, name: str, value: object) -> None:
        if name not in self._privates and name != "_given":
            raise AttributeError(f"cannot assign to field {name!r}")
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), self._plan().content(self)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.model_fields)})"


def _is_of_the_class(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return annotation.startswith("ClassVar")
    return annotation is ClassVar or get_origin(annotation) is ClassVar
