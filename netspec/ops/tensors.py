"""Trainable tensors, constants, and encodings of positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import cos, sin
from typing import Annotated, Any, ClassVar, Literal, Self

from netspec.diagnostics.codes import shapes
from netspec.model import BeforeValidator, Field
from netspec.ops.base import Inputs, Meaning, Misfit, Op, Weight, check_no_kernel
from netspec.ops.fields import AuthorForm, Positive, listed, listed_schema, refusal
from netspec.ops.initializers import Init, Initializer
from netspec.ops.nested import Nested, nested, shape_of
from netspec.ops.pointwise import Pointwise
from netspec.ops.reach import Reach
from netspec.ops.roles import Role
from netspec.ops.window import KERNEL_AXES
from netspec.types import Type

SMALL = Initializer.model_construct(kind="normal", settings=(("std", 0.02),))


def tensor(shape: Sequence[int], init: Initializer) -> Weight:
    """A weight with the shape of a sample: one value per channel and position."""
    return Weight("weight", tuple(shape), "C" + KERNEL_AXES.get(len(shape) - 1, ""), init)


TensorShape = Annotated[
    tuple[Positive, ...],
    BeforeValidator(listed),
    Field(min_length=1, max_length=4),
    AuthorForm(
        lambda: listed_schema("a size, or a list of sizes, channels first", {"type": "integer", "minimum": 1})
    ),
]


class Fixed(Op):
    """An op whose output is the same for every sample. Its input only says how many samples there are."""

    inputs = (
        Role("batch", "Any tensor; only the number of its samples counts.", takes=("numbers", "indices")),
    )
    gives = Meaning.SCORES

    def reach(self, inputs: Inputs) -> Reach | None:
        return Reach.nothing()


class Parameter(Fixed):
    """A trainable tensor, the same for every sample: a query, a class token, the first state of a network."""

    keyword = "parameter"
    main = "shape"

    shape: TensorShape
    """The shape, channels first."""
    init: Init = SMALL
    """The initialiser."""

    def _resolve(self, inputs: Inputs) -> Self:
        check_no_kernel(self.init)
        return self

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        return (Type(self.shape[0], self.shape[1:]),)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return (tensor(self.shape, self.init),)


def _numbers(value: object) -> object:
    if value == SINUSOID:
        return value
    if isinstance(value, bool) or not isinstance(value, list | tuple | int | float):
        raise refusal(
            "numbers",
            "it must be a number, lists of numbers, channels first, or `sinusoid`",
            "write `[1, 2, 3]` for a vector, `[[…], […]]` for a sequence, or `file: name.npy`",
        )
    made = nested(value)
    if len(shape_of(made)) > 4:
        raise refusal(
            "numbers", "a tensor has channels and up to 3 spatial axes", "use at most 4 lists in each other"
        )
    return made


def _numbers_schema() -> dict[str, Any]:
    return {
        "description": "a number for all values, lists of numbers in each other, channels first, or `sinusoid`",
        "anyOf": [
            {"type": "array", "minItems": 1, "examples": [[0.5, 1.0]]},
            {"type": "number"},
            {"const": SINUSOID},
        ],
    }


SINUSOID: Literal["sinusoid"] = "sinusoid"
Numbers = Annotated[Nested | Literal["sinusoid"], BeforeValidator(_numbers), AuthorForm(_numbers_schema)]
Base = Annotated[float, Field(gt=1, allow_inf_nan=False)]
BASE = 10000.0


def waves(channels: int, length: int, base: float) -> tuple[tuple[float, ...], ...]:
    """Sines and cosines of the number of each position, for each channel (Vaswani et al. 2017)."""
    return tuple(
        tuple(
            (cos if channel % 2 else sin)(position / base ** ((channel - channel % 2) / channels))
            for position in range(length)
        )
        for channel in range(channels)
    )


class Constant(Fixed):
    """Numbers, the same for every sample: `constant: [1, 0]` is a vector of two channels.

    Lists in lists are a sequence, an image or a volume, channels first; one number needs a `shape`. `sinusoid` gives
    what `positions: sinusoid` adds. `file` takes up to 10,000 numbers from a .npy, .npz or .safetensors file, by a path
    relative to the spec: they become a part of the graph and of the generated source, which needs no file.
    """

    keyword = "constant"
    main = "values"
    reads: ClassVar[Mapping[str, tuple[str, str]]] = {"file": ("member", "values")}

    values: Numbers | None = None
    """The numbers: lists of the shape of a sample, one number for all of them, or `sinusoid`."""
    shape: TensorShape | None = None
    """The shape, channels first; only for one number and for `sinusoid`."""
    base: Base = BASE
    """For `sinusoid`: the base of the wavelengths, which grow from 2π to 2π · base."""
    file: Annotated[str | None, Field(description="the path of a file")] = None
    """A file with the numbers, in place of `values`."""
    member: Annotated[str | None, Field(description="the name of an array")] = None
    """The name of an array in the `file`, if it holds several."""

    def _resolve(self, inputs: Inputs) -> Self:
        self._check_fields()
        if isinstance(self.values, str):
            return self
        given = shape_of(self.values or 0.0)
        if not given and self.shape is None:
            raise Misfit(
                shapes.SIZE,
                "one number needs a `shape`",
                "values",
                help=f"write `constant: {{values: {self.values}, shape: […]}}`, or `scale_by` to multiply by it",
            )
        if given and self.shape not in (None, given):
            raise Misfit(
                shapes.SIZE,
                f"the numbers have the shape {list(given)}, and `shape` is {list(self.shape or ())}",
                "shape",
                help="remove `shape`: the numbers have one",
            )
        return self.replace(shape=self.shape or given)

    def _check_fields(self) -> None:
        if self.values is None:
            raise Misfit(
                shapes.SIZE,
                "`constant` needs its numbers",
                help="write `constant: [1, 0]`, `constant: {values: sinusoid, shape: […]}` or "
                "`constant: {file: name.npy}`",
            )
        if self.member is not None:
            raise Misfit(
                shapes.SIZE, "`member` is only for `file`", "member", help="remove it, or add `file: …`"
            )
        if self.values == SINUSOID and len(self.shape or ()) != 2:
            raise Misfit(
                shapes.SIZE,
                "`sinusoid` needs a `shape` of channels and a length",
                "values" if self.shape is None else "shape",
                help="write `constant: {values: sinusoid, shape: [CHANNELS, LENGTH]}`",
            )
        if self.values != SINUSOID and self.base != BASE:
            raise Misfit(
                shapes.SIZE,
                "`base` is only for `values: sinusoid`",
                "base",
                help="remove it, or write `values: sinusoid`",
            )

    @property
    def numbers(self) -> Nested:
        """The numbers, those of `sinusoid` calculated. The op must be resolved."""
        if isinstance(self.values, str):
            channels, length = self.shape or ()
            return waves(channels, length, self.base)
        return self.values or 0.0

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        channels, *sizes = self.shape or ()
        return (Type(channels, tuple(sizes)),)

    def settings(self) -> dict[str, object]:
        """The fields by name, without those that the values decide: `shape` of lists, `base` of numbers."""
        given, left = super().settings(), set()
        if isinstance(self.values, tuple):
            left.add("shape")
        if self.values != SINUSOID:
            left.add("base")
        return {name: value for name, value in given.items() if name not in left}


class Positions(Pointwise):
    """Adds to each position of a sequence a vector that is its own: trainable, or sines and cosines of its number.

    `sinusoid` (Vaswani et al. 2017): channel 2i of position p gets sin(p / baseʳ), channel 2i + 1 cos(p / baseʳ), with
    r = 2i / channels. `learned`: one trainable vector for each position; a map of several axes has one for each, too.
    """

    keyword = "positions"
    main = "kind"
    gives = Meaning.SCORES

    kind: Literal["sinusoid", "learned"] = "sinusoid"
    """Whether the vectors are calculated or trained."""
    base: Base = BASE
    """For `sinusoid`: the base of the wavelengths, which grow from 2π to 2π · base."""
    init: Init = SMALL
    """For `learned`: the initialiser of the vectors."""

    def _resolve(self, inputs: Inputs) -> Self:
        rank = len(inputs[0].spatial)
        if rank == 0 or (rank > 1 and self.kind == "sinusoid"):
            raise Misfit(
                shapes.RANK,
                f"`positions` needs a sequence; the input is {inputs[0]}"
                if not rank
                else f"`positions: sinusoid` counts along one axis; the input {inputs[0]} has {rank}",
                None if not rank else "kind",
                help="a vector has no positions: put it before the layer that makes the vector"
                if not rank
                else "use `positions: learned`, or make a sequence of the map: `reshape: [CHANNELS, -1]`",
            )
        check_no_kernel(self.init)
        for name, kind, default in (("base", "sinusoid", BASE), ("init", "learned", SMALL)):
            if self.kind != kind and getattr(self, name) != default:
                raise Misfit(
                    shapes.SIZE,
                    f"`{name}` is only for `kind: {kind}`",
                    name,
                    help=f"remove it, or write `kind: {kind}`",
                )
        return self

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return (tensor(inputs[0].shape, self.init),) if self.kind == "learned" else ()

    @classmethod
    def sample(cls, type_: Type) -> dict[str, object]:
        return {"kind": "learned"}
