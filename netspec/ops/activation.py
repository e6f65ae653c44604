"""Activations: elementwise functions, and softmax; each a layer of its own, or the `activation` of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from netspec.ops.base import Op
from netspec.ops.fields import Written
from netspec.ops.nearest import did_you_mean
from netspec.ops.pointwise import Pointwise
from netspec.types import Size, Type


class Activation(Pointwise):
    """A function that can also be the `activation` of another layer."""


class Relu(Activation):
    """max(x, 0) (Nair and Hinton 2010)."""

    keyword: ClassVar[str] = "relu"


class LeakyRelu(Activation):
    """x where x > 0, slope · x elsewhere (Maas et al. 2013)."""

    keyword: ClassVar[str] = "leaky_relu"
    main: ClassVar[str | None] = "slope"

    slope: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.01
    """What a negative value is multiplied by."""


class Sigmoid(Activation):
    """1 / (1 + e⁻ˣ)."""

    keyword: ClassVar[str] = "sigmoid"


class Tanh(Activation):
    """The hyperbolic tangent."""

    keyword: ClassVar[str] = "tanh"


class Softmax(Activation):
    """eˣ / Σ eˣ over the channels, of x / temperature."""

    keyword: ClassVar[str] = "softmax"
    main: ClassVar[str | None] = "temperature"

    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """The input is divided by it first: above 1 flattens the distribution, below 1 sharpens it."""


def _activation(value: object) -> object:
    """`relu`, `leaky_relu: 0.1` or `leaky_relu: {slope: 0.1}`; `none` is no activation."""
    if value is None or value == "none" or isinstance(value, Activation):
        return None if value == "none" else value
    keyword: object = value
    told: object = None
    if isinstance(value, Mapping) and len(value) == 1:
        ((keyword, told),) = value.items()
    if not isinstance(keyword, str):
        raise PydanticCustomError("activation", "an activation is a name or one `name: fields`")
    cls = ACTIVATIONS.get(keyword)
    if cls is None:
        hint = did_you_mean(keyword, [*ACTIVATIONS, "none"])
        raise PydanticCustomError(
            "activation", "{text}", {"text": f"no activation is called `{keyword}`{hint}"}
        )
    fields = {} if told is None else told if isinstance(told, Mapping) else {cls.main or "value": told}
    try:
        return cls.model_validate(dict(fields))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        text = f"the activation `{keyword}`: `{where}`: {first['msg'].lower()}"
        raise PydanticCustomError("activation", "{text}", {"text": text}) from None


def _schema() -> dict[str, Any]:
    told: dict[str, Any] = {keyword: {} for keyword, cls in ACTIVATIONS.items() if cls.model_fields}
    one = {"type": "object", "properties": told, "additionalProperties": False}
    return {
        "description": f"an activation: {', '.join(f'`{keyword}`' for keyword in ACTIVATIONS)} or `none`; "
        "its fields stand behind its name: `leaky_relu: 0.1`",
        "anyOf": [{"enum": [*ACTIVATIONS, "none"]}, {**one, "minProperties": 1, "maxProperties": 1}],
    }


ActivationField = Annotated[Activation | None, BeforeValidator(_activation), Written(_schema)]


class Activated(Op):
    """An op that may end in an activation."""

    activation: ActivationField = None
    """What is applied to the result."""

    def resolve_activation(self, spatial: tuple[Size, ...]) -> Activation | None:
        """The activation, resolved for what it will be given; its channels do not matter to it."""
        return None if self.activation is None else self.activation.resolve((Type(1, spatial),))


ACTIVATIONS: dict[str, type[Activation]] = {cls.keyword: cls for cls in Activation.__subclasses__()}
