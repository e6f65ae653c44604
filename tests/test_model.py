"""A model accepts nothing by itself that pydantic does not accept, and gives the same."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

import pydantic
import pytest

from netspec.language.document.recipe_file import RecipeSkeleton
from netspec.language.document.skeleton import BlockSkeleton, HeadSkeleton, InputSkeleton, Skeleton
from netspec.model import (
    BeforeValidator,
    Field,
    Info,
    Invalid,
    Model,
    PrivateAttr,
    RefusedValue,
    field_validator,
)
from netspec.model.fields import FieldInfo, FieldMark
from netspec.model.full import definition, full
from netspec.ops import OPS
from netspec.ops.activation import ACTIVATIONS, Relu
from netspec.ops.initializers import ZEROS, Initializer
from netspec.recipe import CheckpointInterval, EarlyStop, Group, Normalise, Recipe
from netspec.recipe.augmentation import AUGMENTATIONS
from netspec.recipe.clipping import CLIPS
from netspec.recipe.data import BitsData, Data, TableData, TextData
from netspec.recipe.losses import LOSSES
from netspec.recipe.metrics import METRICS
from netspec.recipe.optimizers import OPTIMIZERS
from netspec.recipe.schedules import SCHEDULES
from netspec.recipe.whitening import WHITENINGS

FAMILIES: list[Mapping[str, type[Model]]] = [OPTIMIZERS, LOSSES, SCHEDULES, METRICS, CLIPS]
FAMILIES += [AUGMENTATIONS, WHITENINGS]
RECIPES: list[type[Model]] = [
    *(Recipe, Normalise, Group, EarlyStop, CheckpointInterval, Data, TableData, TextData, BitsData),
    *(each for family in FAMILIES for each in family.values()),
]


class Word(StrEnum):
    relu = "relu"


VALUES: list[Any] = [
    *(None, True, False, -1, 0, 1, 2, 3, 2**31, 2**53, 2**53 + 1, 2**70, -0.0, 0.1, 0.5, 1.0, 3.0, -1.5),
    *(math.nan, math.inf, -math.inf, 1e300, 1e-300, "", "a", "same", "half", "causal", "relu", "prelu", "none"),
    *("first", "characters", CheckpointInterval(epochs=1)),
    *("he_normal", "sgd", "height", "NaN", "1", Word.relu, b"a", {}, {"a": 1}, {"a": 1, "b": 2}, {"a": 0, "b": True}),
    *({"constant": 0.5}, {"normal": {"std": -1}}, {"leaky_relu": 0.1}, {"leaky_relu": {"slope": -1}}, {"elu": None}),
    *([], (), [1], (1,), [0], [1, 2], (1, 2), [1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4, 5], [1.0], [True], ["a"], [None]),
    *([[0, 1]], [(0, 1)], ((0, 1),), [[0, 1], 2], [[0, 1, 2]], [[0.5, 1]], ["a", "b"], [["a", 1]], (("a", 1),)),
    *(ZEROS, Relu(), OPTIMIZERS["sgd"](), Normalise(mean=(0.5,), std=(1.0,)), {1}, ...),
]  # fmt: skip
"""Right values of some fields, and values that are nearly right."""


def _listed(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _converted(value: object) -> object:
    return (value,)


class Every(Model):
    """Fields of the kinds that no op has."""

    number: float
    whole: int = 3
    either: float | int = 0
    mixed: Annotated[int | str, Field(ge=0)] = 0
    maybe: Annotated[float, Field(gt=0, lt=2)] | None = None
    listed: Annotated[tuple[float, ...], BeforeValidator(_listed), Field(max_length=2)] = ()
    nested: tuple[tuple[int, str], ...] = ()
    some: tuple[int, ...] | Literal["some", 1] | None = "some"
    converted: Annotated[tuple[int, ...], BeforeValidator(_converted)] | Literal[3] = 3
    text: Annotated[str, Field(min_length=1)] = "a"


MODELS: dict[str, type[Model]] = {
    **{each.keyword: each for each in (*OPS.values(), *ACTIVATIONS.values())},
    **{each.__name__: each for each in [*RECIPES, Every]},
    Initializer.__name__: Initializer,
    **{
        each.__name__: each for each in (Skeleton, BlockSkeleton, HeadSkeleton, InputSkeleton, RecipeSkeleton)
    },
}
FIELDS: dict[str, FieldInfo] = {
    f"{info.hint} {info.own if isinstance(info.own, FieldMark) else None} {info.alias}": info
    for model in MODELS.values()
    for info in model.model_fields.values()
}
"""One field of each kind."""


def words(hint: Any) -> Iterator[Any]:
    """The values of the literals in an annotation."""
    for part in get_args(hint):
        yield from get_args(hint) if get_origin(hint) is Literal else words(part)


def lone(info: FieldInfo) -> Any:
    """A class of pydantic with this field, which is as in the model."""
    hint, default = definition(info)
    config = pydantic.ConfigDict(strict=True, extra="forbid")
    return pydantic.create_model("Lone", __config__=config, field=(hint, default))


def test_a_plain_value_is_one_that_pydantic_takes() -> None:
    taken = dict.fromkeys(FIELDS, 0)
    for kind, info in FIELDS.items():
        by_pydantic, key = lone(info), info.alias or "field"
        for value in [*VALUES, *dict.fromkeys(words(info.hint))]:
            try:
                plain = info.check(copy.copy(value))
            except (ValueError, AssertionError):
                continue
            taken[kind] += 1
            full_value = by_pydantic.model_validate({key: copy.copy(value)}).field
            assert (type(plain), repr(plain)) == (type(full_value), repr(full_value)), f"{kind}: {value!r}"
    never = [kind for kind, count in taken.items() if not count]
    # A union whose first member converts: pydantic decides.
    assert len(never) == 1, never


class Base(Model):
    """A base class."""

    kind: ClassVar[str] = "base"
    width: Annotated[int, Field(ge=1)]
    depth: int = 2
    _seen: bool = PrivateAttr(default=False)


class Box(Base):
    """A box."""

    __annotations__["return"] = Annotated[str, Field(default="all")]
    depth: int = 3
    from_: Annotated[str | None, Field(alias="from", description="a name")] = None
    names: dict[str, int] = Field(default_factory=dict)
    height: int = 1

    @field_validator("height")
    @classmethod
    def _is_not_higher_than_wide(cls, height: int, info: Info) -> int:
        if height > info.data.get("width", height):
            raise RefusedValue(
                "height", "{text}", {"text": f"a {cls.kind} is not higher than wide", "help": "turn it"}
            )
        return height


def test_fields_come_from_the_class_and_its_bases() -> None:
    assert [*Box.model_fields] == ["width", "depth", "return", "from_", "names", "height"]
    assert [name for name, info in Box.model_fields.items() if info.is_required()] == ["width"]
    assert (Box.model_fields["from_"].alias, Box.model_fields["from_"].description) == ("from", "a name")
    box = Box.model_validate({"width": 2, "from": "a"})
    assert repr(box) == "Box(width=2, depth=3, return='all', from_='a', names={}, height=1)"
    assert box.model_fields_set == {"width", "from_"}
    assert box.names is not Box.model_validate({"width": 2}).names


def test_pydantic_says_what_is_wrong() -> None:
    with pytest.raises(Invalid) as refused:
        Box.model_validate({"width": 0, "depth": True, "from_": "a"})
    assert [(each["type"], each["loc"]) for each in refused.value.details] == [
        ("greater_than_equal", ("width",)),
        ("int_type", ("depth",)),
        ("extra_forbidden", ("from_",)),
    ]
    with pytest.raises(Invalid) as refused:
        Box(width=2, height=3)
    (detail,) = refused.value.details
    assert (detail["type"], detail["msg"], detail["ctx"]["help"]) == (
        "height", "a base is not higher than wide", "turn it",
    )  # fmt: skip
    with pytest.raises(Invalid, match="Field required"):
        Box.model_validate({"height": 1})
    with pytest.raises(Invalid, match="valid dictionary"):
        Box.model_validate([])


def test_what_pydantic_accepts_is_a_model_of_ours() -> None:
    every = Every.model_validate({"number": 1, "either": 2.5, "converted": 4})
    assert every == Every.model_construct(number=1.0, either=2.5, converted=(4,))
    assert type(every) is Every
    assert every.model_fields_set == {"number", "either", "converted"}
    assert full(Every) is full(Every)


def test_a_model_does_not_change_but_for_its_private_attributes() -> None:
    box = Box(width=2)
    with pytest.raises(AttributeError, match="width"):
        box.width = 3
    with pytest.raises(AttributeError, match="width"):
        del box.width
    other = box.model_copy()
    assert (other, hash(Relu()), other._seen) == (box, hash(Relu()), False)
    other._seen = True
    assert other != box
    assert other.model_copy()._seen
    assert box != Base(width=2)
    assert Base(width=2) == Base(width=2)
    assert hash(Base(width=2)) == hash(Base(width=2))
    assert box.model_copy(update={"depth": 5}).model_dump() == {**box.model_dump(), "depth": 5}


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))]
)
def test_a_model_can_be_copied(copied: Any) -> None:
    made = InputSkeleton(shape=3)
    assert copied(made) == made
    assert copied(made).model_fields_set == {"shape"}
