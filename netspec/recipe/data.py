"""The data of a recipe as data: sources, parts, and how files are read."""

from __future__ import annotations

from typing import Annotated, Literal

from netspec.model import BeforeValidator, Field, Info, RefusedValue, field_validator
from netspec.recipe.model import Count, Flag, Settings, Whole, Word, listed

Text = Annotated[str, Field(min_length=1)]
Part = Annotated[
    Annotated[float, Field(gt=0, lt=1)] | Count | Text | None,
    Field(description="a path, a fraction between 0 and 1, or a whole number of samples from 1"),
]
Names = Annotated[
    tuple[Word, ...], BeforeValidator(listed), Field(min_length=1, description="a name, or a list of names")
]


def _sequence(value: object) -> object:
    """A list as a tuple; nothing else is changed."""
    return tuple(value) if isinstance(value, list) else value


class TextData(Settings):
    """Text as samples of `length` symbols; the targets are the next symbols.

    A symbol is a character; with `unit: tokens`, a word between spaces. `vocabulary` is a file with a symbol a line;
    without it, the symbols of the training part, sorted by code point.
    """

    length: Annotated[Count, Field(description="a whole number of symbols from 1")] = 100
    unit: Annotated[str, Field(pattern="^(characters|tokens)$", description="`characters` or `tokens`")] = (
        "characters"
    )
    vocabulary: Annotated[Text | None, Field(description="the path of a file")] = None


class BitsData(Settings):
    """Random bits from the seed of the recipe: the targets are the bits of a sample, read `delay` steps later.

    A sample has `length` bits. Its first `delay` steps have nothing to remember, so its target has the first
    `length` − `delay` bits.
    """

    length: Annotated[Count, Field(description="a whole number of bits from 1")] = 24
    delay: Annotated[Whole, Field(description="a whole number of steps from 0", validate_default=True)] = 4
    samples: Count = 10_000

    @field_validator("delay")
    @classmethod
    def _leaves_a_target(cls, delay: int, info: Info) -> int:
        length = info.data.get("length", delay + 1)
        if delay >= length:
            raise RefusedValue(
                "order",
                f"`delay` must be below `length`, but {delay} is not below {length}",
                {"help": f"write `delay: {length - 1}` at most, or a larger `length`"},
            )
        return delay


class TableData(Settings):
    """A CSV table: a row is a sample, or with `length` a step of a series, cut into windows.

    `inputs` and `targets` name columns; by default, the inputs are all columns but the targets. Without a header,
    columns are named by their number from 0. A target column of words is a class, and one of whole numbers may be.
    With `length`, a sample has that many rows, and the target is the value of the target columns `ahead` rows after
    the last.
    """

    targets: Names
    inputs: Annotated[Names | None, Field(description="a name, or a list of names")] = None
    header: Flag = True
    length: Annotated[Count | None, Field(description="a whole number of rows from 1")] = None
    ahead: Annotated[Count, Field(description="a whole number of rows from 1")] = 1
    separator: Annotated[str, Field(min_length=1, max_length=1, description="one character")] = ","


class Data(Settings):
    """Where samples come from. Paths are relative to the folder of the spec or recipe.

    `train` is the name of a set, or a path. If it has parts of its own, its training part is meant, and its validation
    and test parts are used unless the recipe names others. A fraction or a count of `validation` and `test` is taken
    from the training part, chosen by the seed.
    """

    train: Annotated[str, Field(min_length=1, description="the name of a data set, or a path")]
    validation: Part = None
    test: Part = None
    layout: Annotated[
        str, Field(pattern="^(first|last)$", description="`first` or `last`: where the channels are")
    ] = "first"
    inputs: dict[str, str] = Field(
        default_factory=dict, description="for each input of the network, a key of the data"
    )
    targets: dict[str, str] = Field(default_factory=dict, description="for each target, a key of the data")
    classes: Annotated[
        Count | Annotated[tuple[Word, ...], Field(min_length=1)] | None,
        BeforeValidator(_sequence),
        Field(description="a whole number from 1, or the list of their names"),
    ] = None
    ignore: Annotated[
        Whole | None, Field(description="a class index: that of pixels or steps that do not count")
    ] = None
    size: Annotated[
        Annotated[tuple[Count, ...], Field(min_length=1, max_length=2)] | None,
        BeforeValidator(lambda v: v if v is None else listed(v)),
        Field(description="pixels: [height, width], or one number for both"),
    ] = None
    channels: Annotated[Literal[1, 3] | None, Field(description="1 (grey) or 3 (colour)")] = None
    masks: Annotated[Text | None, Field(description="the path of the folder with a mask for each image")] = (
        None
    )
    boxes: Annotated[
        Text | None, Field(description="the path of a CSV file: file, left, top, right, bottom")
    ] = None
    shape: Annotated[
        Annotated[tuple[Count, ...], Field(min_length=1)] | None,
        BeforeValidator(_sequence),
        Field(
            description="a list of whole numbers: the input as the network takes it, of the same numbers in order"
        ),
    ] = None
    table: TableData | None = None
    text: TextData | None = None
    bits: BitsData | None = None


PARTS: dict[str, type[Settings]] = {"table": TableData, "text": TextData, "bits": BitsData}
"""The settings of data that are a mapping of settings."""
