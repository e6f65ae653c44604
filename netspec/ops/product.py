"""Products of tensors: as matrices, and by the names of their axes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod
from typing import Self

from netspec.dataclass import dataclass
from netspec.diagnostics.codes import shapes
from netspec.ops.base import Inputs, Meaning, Misfit
from netspec.ops.merge import Merge, Ordered
from netspec.ops.reach import EACH, WHOLE, Reach
from netspec.types import Type

LETTERS = "abcdefghijklmnopqrstuvwxyz"
MOST_AXES = 4
"""The most axes of a tensor, without the batch."""
FORM = "`a b, a c -> b c`: the names of the axes of each input, and those of the output"


@dataclass(frozen=True, slots=True)
class AxisNames:
    """The names of the axes of all inputs and of the output, the channels first, without the batch."""

    inputs: tuple[tuple[str, ...], ...]
    output: tuple[str, ...]

    def letters(self) -> str:
        """The text for an `einsum`: one letter for each name, and one for the batch."""
        found: dict[str, str] = {}
        names = list(dict.fromkeys(name for row in self.inputs for name in row))
        # Names of one letter stay; a longer one has its first letter if no other name has it.
        for name in sorted(names, key=len):
            free = (each for each in (name[0].lower(), *LETTERS) if each not in found.values())
            found[name] = next(free)
        batch = next(each for each in ("b", "n", *LETTERS) if each not in found.values())
        rows = [batch + "".join(map(found.__getitem__, row)) for row in (*self.inputs, self.output)]
        return f"{','.join(rows[:-1])}->{rows[-1]}"

    def channels_last(self) -> AxisNames:
        """The same for tensors with their channels last."""
        return AxisNames(tuple((*row[1:], row[0]) for row in self.inputs), (*self.output[1:], self.output[0]))


class Product(Merge):
    """The sum, over all axes that the output does not have, of the products of the inputs."""

    any_channels = True

    def names(self, inputs: Inputs) -> AxisNames:
        """The names of all axes. The op must be resolved."""
        raise NotImplementedError

    def sizes(self, inputs: Inputs) -> dict[str, int]:
        """The size of each axis by its name."""
        rows = zip(self.names(inputs).inputs, inputs, strict=True)
        return {name: size for row, type_ in rows for name, size in zip(row, type_.shape, strict=True)}

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        sizes = self.sizes(inputs)
        channels, *spatial = (sizes[name] for name in self.names(inputs).output)
        return (Type(channels, tuple(spatial)),)

    def macs(self, inputs: Inputs) -> int | None:
        """Each product of two tensors counts the sizes of all their axes, from the left as they are written."""
        named, sizes, total = self.names(inputs), self.sizes(inputs), 0
        kept = set(named.inputs[0])
        for number, row in enumerate(named.inputs[1:], start=1):
            both = kept | set(row)
            total += prod(sizes[name] for name in both)
            later = {name for each in (*named.inputs[number + 1 :], named.output) for name in each}
            kept = both & later
        return total

    def means(self, inputs: Sequence[Meaning]) -> Meaning:
        # Products with probabilities, as those of an attention, are scores again.
        scores = {Meaning.SCORES, Meaning.LOGARITHMS} & set(inputs)
        gated = scores and not {Meaning.NEARNESS, Meaning.DISTANCES} & set(inputs)
        return Meaning.SCORES if gated else super().means(inputs)

    def reaches(self, inputs: Inputs) -> Sequence[Reach | None]:
        named = self.names(inputs)
        channels, *spatial = named.output
        return [
            _reach(row, type_, channels, spatial) for row, type_ in zip(named.inputs, inputs, strict=True)
        ]


def _reach(row: tuple[str, ...], type_: Type, channels: str, spatial: list[str]) -> Reach:
    """What a position of the output depends on, of one input with these names of axes."""
    own, *axes = row
    gathers = tuple(
        number for number, name in enumerate(axes) if name == channels and type_.sizes[number] > 1
    )
    return Reach(
        tuple(EACH if name in spatial else WHOLE for name in axes),
        along=tuple(spatial.index(name) if name in spatial else 0 for name in axes),
        mixes=own != channels and own not in spatial,
        gathers=gathers,
        splits=own in spatial and type_.channels != 1,
    )


class Matmul(Product, Ordered):
    """The product of two tensors as matrices: of n@k and k@m it is n@m.

    The last two axes are rows and columns; a tensor has its channels first. Tensors with more axes are stacks of
    matrices, whose other axes are equal: of c@n×k and c@k×m it is c@n×m. `contract` also sums along other axes.
    """

    keyword = "matmul"
    instead = "multiply two first"

    def _resolve(self, inputs: Inputs) -> Self:
        first, second = inputs
        for type_ in inputs:
            if not type_.spatial:
                raise Misfit(
                    shapes.RANK,
                    f"`matmul` takes matrices, with two axes or more; {type_} is a vector",
                    help="write `contract: a, a b -> b` for the product of a vector and a matrix, or `dense` for one "
                    "with weights",
                )
        if first.rank != second.rank:
            raise Misfit(
                shapes.PRODUCT,
                f"`matmul` takes tensors with as many axes; {first} has {first.rank}, and {second} has {second.rank}",
                help="`contract` names the axes, and multiplies tensors with different numbers of them",
            )
        if first.shape[:-2] != second.shape[:-2]:
            raise Misfit(
                shapes.PRODUCT,
                f"`matmul` multiplies matrix by matrix, but {first} and {second} do not have as many of them",
                help="make all axes but the last two equal, or name the axes with `contract`",
            )
        if first.shape[-1] != second.shape[-2]:
            raise Misfit(
                shapes.PRODUCT,
                f"the rows of {first} have {first.shape[-1]} values, and the columns of {second} have "
                f"{second.shape[-2]}",
                help="`permute` changes the order of axes, or `contract` names the axis that both share",
            )
        return self

    def names(self, inputs: Inputs) -> AxisNames:
        stack = ("c", "d")[: inputs[0].rank - 2]
        return AxisNames(((*stack, "i", "k"), (*stack, "k", "j")), (*stack, "i", "j"))


class Contract(Product):
    """Multiplies tensors along the axes whose names they share, and sums over the names that the output lacks.

    `contract: "channels time, channels keys -> time keys"` are all scalar products of the positions of two sequences.
    The names are words or letters with spaces between them. Those of an input stand in the order of its shape: the
    first is that of its channels. The first one of the output becomes its channels. The batch has no name. So every
    name can be read beside the types, and a text of single letters, `c t, c k -> t k`, is an einsum.
    """

    keyword = "contract"
    main = "axes"

    axes: str
    """The names of the axes of each input, separated by commas, an arrow, and the names of the axes of the output."""

    def _resolve(self, inputs: Inputs) -> Self:
        _check(self.axes, inputs)
        return self

    def names(self, inputs: Inputs) -> AxisNames:
        given, _, made = self.axes.partition("->")
        return AxisNames(tuple(tuple(row.split()) for row in given.split(",")), tuple(made.split()))

    @classmethod
    def sample(cls, type_: Type) -> dict[str, object]:
        names = LETTERS[: type_.rank]
        return {"axes": f"{' '.join(names)}, {' '.join(names)} -> {names[0]}"}


def _misfit(message: str, help: str, start: int, end: int) -> Misfit:
    return Misfit(shapes.PRODUCT, message, "axes", help=help, part=(start, end))


def _check(text: str, inputs: Inputs) -> None:
    """Refuse a text that is not a contraction of these inputs, at the part of it that is wrong.

    Raises:
        Misfit: it does not fit.
    """
    arrow = text.find("->")
    if arrow < 0 or "->" in text[arrow + 2 :] or "," in text[arrow:]:
        raise _misfit(f"`{text}` is not a contraction", f"write it like {FORM}", 0, len(text))
    rows, place = [], 0
    for part in text[:arrow].split(","):
        rows.append(_words(part, place, text))
        place += len(part) + 1
    made = _words(text[arrow + 2 :], arrow + 2, text)
    if len(rows) != len(inputs):
        raise _misfit(
            f"it names the axes of {len(rows)} inputs, and has {len(inputs)}",
            "write the names of each input, with commas between them",
            0,
            arrow,
        )
    sizes: dict[str, tuple[int, int]] = {}
    for number, (row, type_) in enumerate(zip(rows, inputs, strict=True), start=1):
        _check_count(row, type_, number)
        _check_once(
            row, f"input {number}", "each axis of a tensor has a name of its own; write another one here"
        )
        for word, size in zip(row, type_.shape, strict=True):
            known, where = sizes.setdefault(word.group(), (size, number))
            if known != size:
                raise _misfit(
                    f"`{word.group()}` is {known} in input {where}, and {size} in input {number}, which is {type_}",
                    "axes with one name are equally long; give this one another name, or change its size",
                    *word.span(),
                )
    _check_once(made, "the output", "write each axis of the output once")
    for word in made:
        if word.group() not in sizes:
            raise _misfit(
                f"no input has an axis `{word.group()}`",
                f"the names are {', '.join(f'`{name}`' for name in sizes)}",
                *word.span(),
            )
    if len(made) > MOST_AXES:
        raise _misfit(
            f"the output would have {len(made)} axes",
            "a tensor has channels and up to 3 spatial axes",
            made[MOST_AXES].start(),
            len(text),
        )


def _words(part: str, start: int, text: str) -> list[re.Match[str]]:
    """The names in a part of the text, with their places in it."""
    found = list(re.compile(r"\S+").finditer(text, start, start + len(part)))
    if not found:
        raise _misfit(
            "a tensor without a name of an axis", f"write it like {FORM}", max(start - 1, 0), start + 1
        )
    for word in found:
        if not re.fullmatch(r"[A-Za-z]\w*", word.group(), re.ASCII):
            raise _misfit(
                f"`{word.group()}` is not the name of an axis",
                "a name has letters, digits and `_`; spaces stand between names",
                *word.span(),
            )
    return found


def _check_count(row: list[re.Match[str]], type_: Type, number: int) -> None:
    if len(row) == type_.rank:
        return
    axes = ", ".join(f"`{name}`" for name in ("channels", *type_.axes))
    help_ = f"write {type_.rank} names, for {axes}; the batch has none"
    word = row[0].group()
    if len(row) == 1 and len(word) in (type_.rank, type_.rank + 1):
        help_ = f"put spaces between the names: `{' '.join(word[-type_.rank :])}`; the batch has none"
    raise _misfit(
        f"input {number} is {type_}, which has {type_.rank} axes; here {len(row)} have a name",
        help_,
        row[0].start(),
        row[-1].end(),
    )


def _check_once(row: list[re.Match[str]], owner: str, help: str) -> None:
    seen: set[str] = set()
    for word in row:
        if word.group() in seen:
            raise _misfit(f"{owner} has the axis `{word.group()}` twice", help, *word.span())
        seen.add(word.group())
