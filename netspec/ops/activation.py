"""Activations: elementwise functions and softmax, as layers or as the `activation` of another layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from netspec.model import BeforeValidator, Field, Invalid, RefusedValue
from netspec.ops.base import Inputs, Meaning, Moves, Op, Weight
from netspec.ops.fields import AuthorForm, behind_key, refusal, unknown_word
from netspec.ops.function import TOTAL
from netspec.ops.initializers import Init, Initializer
from netspec.ops.pointwise import Activation, Pointwise
from netspec.ops.reach import Reach
from netspec.types import Size, Type

QUARTER = Initializer.model_construct(kind="constant", settings=(("value", 0.25),))


class Relu(Activation):
    """max(x, 0) (Nair and Hinton 2010)."""

    keyword = "relu"


class LeakyRelu(Activation):
    """x where x > 0, slope · x elsewhere (Maas et al. 2013)."""

    keyword = "leaky_relu"
    main = "slope"

    slope: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.01
    """The factor for negative values."""


class Relu6(Activation):
    """min(max(x, 0), 6) (Krizhevsky 2010)."""

    keyword = "relu6"


class Elu(Activation):
    """x where x > 0, alpha · (eˣ − 1) elsewhere (Clevert et al. 2015)."""

    keyword = "elu"
    main = "alpha"

    alpha: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    """The negative limit of the output: far below 0 the output is −alpha."""


class Selu(Activation):
    """1.0507 · x where x > 0, 1.0507 · 1.6733 · (eˣ − 1) elsewhere (Klambauer et al. 2017)."""

    keyword = "selu"


class Silu(Activation):
    """x · sigmoid(x) (Ramachandran et al. 2017 call it swish)."""

    keyword = "silu"
    aliases = ("swish",)


class Mish(Activation):
    """x · tanh(ln(1 + eˣ)) (Misra 2019)."""

    keyword = "mish"


class Gelu(Activation):
    """x · Φ(x) with the normal distribution Φ, or with its tanh approximation (Hendrycks and Gimpel 2016)."""

    keyword = "gelu"
    main = "approximate"

    approximate: Literal["none", "tanh"] = "none"
    """Whether Φ is exact (`none`) or approximated by ½ (1 + tanh(√(2/π) (x + 0.044715 x³))) (`tanh`)."""


class HardSigmoid(Activation):
    """min(max(x + 3, 0), 6) / 6."""

    keyword = "hard_sigmoid"
    gives = Meaning.INDEPENDENT


class HardSwish(Activation):
    """x · min(max(x + 3, 0), 6) / 6 (Howard et al. 2019)."""

    keyword = "hard_swish"


class Softplus(Activation):
    """ln(1 + e^(beta · x)) / beta (Dugas et al. 2001). The larger `beta` is, the nearer it is to `relu`."""

    keyword = "softplus"
    main = "beta"

    beta: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """The factor of the input, by which the result is divided."""


class Sigmoid(Activation):
    """1 / (1 + e⁻ˣ)."""

    keyword = "sigmoid"
    gives = Meaning.INDEPENDENT
    squashes: ClassVar[Moves | None] = "values"


class Tanh(Activation):
    """The hyperbolic tangent."""

    keyword = "tanh"


class Softmax(Activation):
    """eᶻ / Σ eᶻ over the channels, with z = x / temperature."""

    keyword = "softmax"
    main = "temperature"
    gives = Meaning.PROBABILITIES
    squashes: ClassVar[Moves | None] = "positions"

    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """The divisor of the input. A value above 1 flattens the distribution, a value below 1 sharpens it."""

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach.each(len(inputs[0].spatial), mixes=True)


class LogSoftmax(Activation):
    """z − ln Σ eᶻ over the channels, with z = x / temperature: the logarithm of `softmax`, without its rounding.

    The output are logits: a softmax of them is the softmax of z.
    """

    keyword = "log_softmax"
    main = "temperature"
    gives = Meaning.LOGARITHMS

    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """The divisor of the input. A value above 1 flattens the distribution, a value below 1 sharpens it."""

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach.each(len(inputs[0].spatial), mixes=True)


def _activation(value: object) -> object:
    """The activation of a layer."""
    return _read(value, ACTIVATIONS)


def _any_activation(value: object) -> object:
    """An activation that is a layer of its own, so it can have weights."""
    return _read(value, LAYERS)


def _read(value: object, known: Mapping[str, type[Pointwise]]) -> object:
    """Read `relu`, `leaky_relu: 0.1` or `leaky_relu: {slope: 0.1}`; `none` means no activation."""
    if value is None or value == "none" or isinstance(value, Pointwise):
        return None if value == "none" else value
    keyword: object = value
    written: object = None
    if isinstance(value, Mapping) and (
        wrong := behind_key("activation", "activation", value, [*known, "none"], "ACTIVATIONS")
    ):
        raise wrong
    if isinstance(value, Mapping) and len(value) == 1:
        ((keyword, written),) = value.items()
    if not isinstance(keyword, str):
        raise refusal(
            "activation",
            "an activation is a name or one `name: fields`",
            "write one name here, such as `relu`",
        )
    cls = known.get(keyword)
    if cls is None:
        at = () if keyword is value else (keyword,)
        raise unknown_word("activation", "activation", keyword, [*known, "none"], "ACTIVATIONS", at)
    # Unknown fields are reported one by one: each can lead to another activation.
    if written is not None and not cls.model_fields and not (isinstance(written, Mapping) and written):
        raise refusal("activation", f"`{keyword}` has no fields", f"write only `{keyword}`")
    fields = {} if written is None else written if isinstance(written, Mapping) else {str(cls.main): written}
    try:
        return cls.model_validate(dict(fields))
    except Invalid as error:
        if keyword is value:
            first = error.details[0]
            raise refusal("own", f"`{keyword}`: {first['msg']}", first.get("ctx", {}).get("help")) from None
        inner = {"text": str(error), "op": cls, "errors": error.details}
        raise RefusedValue("fields", "{text}", inner) from None


def _schema() -> dict[str, Any]:
    return _described(ACTIVATIONS)


def _schema_of_layers() -> dict[str, Any]:
    return _described(LAYERS)


def _described(known: Mapping[str, type[Pointwise]]) -> dict[str, Any]:
    properties: dict[str, Any] = {keyword: {} for keyword, cls in known.items() if cls.model_fields}
    one = {"type": "object", "properties": properties, "additionalProperties": False}
    return {
        "description": f"an activation: {', '.join(f'`{keyword}`' for keyword in known)} or `none`; "
        "its fields follow its name: `leaky_relu: 0.1`",
        "anyOf": [
            {"enum": [*filter(lambda each: _is_whole(known[each]), known), "none"]},
            {**one, "minProperties": 1, "maxProperties": 1},
        ],
    }


def _is_whole(cls: type[Pointwise]) -> bool:
    """Whether the name of an activation is enough."""
    try:
        cls.model_validate({})
    except Invalid:
        return False
    return True


ActivationField = Annotated[Activation | None, BeforeValidator(_activation), AuthorForm(_schema)]
LayerField = Annotated[Pointwise | None, BeforeValidator(_any_activation), AuthorForm(_schema_of_layers)]


class Activated(Op):
    """An op that can end in an activation."""

    activation: ActivationField = None
    """The activation that is applied to the result."""

    def means(self, inputs: Sequence[Meaning]) -> Meaning:
        bare = super().means(inputs)
        return bare if self.activation is None else self.activation.means((bare,))

    def resolve_activation(self, spatial: tuple[Size, ...]) -> Activation | None:
        """The activation, resolved for a map with these sizes; it does not depend on the channels."""
        return None if self.activation is None else self.activation.resolve((Type(1, spatial),))


class Prelu(Pointwise):
    """x where x > 0, slope · x elsewhere, with one trainable slope per channel (He et al. 2015)."""

    keyword = "prelu"

    init: Init = QUARTER
    """The initialiser of the slopes."""

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return (Weight("weight", (inputs[0].channels or 0,), "C", self.init),)


_OWN = [cls for cls in Activation.__subclasses__() if cls.__module__ == __name__]

ACTIVATIONS: dict[str, type[Activation]] = {
    word: cls for cls in (*_OWN, *TOTAL) for word in (cls.keyword, *cls.aliases)
}

LAYERS: dict[str, type[Pointwise]] = {**ACTIVATIONS, Prelu.keyword: Prelu}


class AnyActivation(Op):
    """The activation that its value names, which can be a parameter: `activation: $act`.

    The layer is that activation; with `none` it is the identity.
    """

    keyword = "activation"
    main = "function"
    whole = True
    stands_in = True

    function: LayerField
    """The activation."""

    def resolve(self, inputs: Inputs) -> Any:
        if self.function is not None:
            return self.function.resolve(inputs)
        from netspec.ops.reshape import Identity

        return Identity().resolve(inputs)

    @classmethod
    def sample(cls, type_: Type) -> dict[str, object]:
        return {"function": "relu"}
