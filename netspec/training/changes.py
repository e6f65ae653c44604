"""The augmentation of a recipe: checked against the network, then made for the arrays of its data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netspec.data.bounds import DataError
from netspec.diagnostics import Problems
from netspec.diagnostics.codes import training as codes
from netspec.graph import Graph
from netspec.recipe import Recipe
from netspec.recipe.names import Shape, padded
from netspec.training.heads import LossOutput, place
from netspec.training.suits import images

if TYPE_CHECKING:
    from netspec.data.augmentation import Augmentation
    from netspec.data.parts import Parts

BOXES = ("box", "boxes")
"""The names of arrays that are boxes."""


def check_augmentation(graph: Graph, recipe: Recipe, problems: Problems, given: Shape | None = None) -> None:
    """Report changes that do not suit the images of the network, whose stored shape may be `given`."""
    if not recipe.augment:
        return
    from netspec.data.fitting import shape_after, shape_before

    found = images(graph)
    if len(found) != 1:
        count = f"{len(found)} inputs of images" if found else "no input of images"
        message = f"`augment` changes images, but `{graph.name}` has {count}"
        problems.error(codes.DATA_MISFIT, message, place(graph, recipe, ["augment"]), help="remove `augment`")
        return
    (image,) = found
    wanted = padded(image.type.shape, -recipe.pad)
    after, fits = given or shape_before(recipe.augment, wanted), True
    for at, each in enumerate(recipe.augment):
        try:
            after = shape_after([each], after)
        except DataError as error:
            where, fits = place(graph, recipe, ["augment", str(at)]), False
            problems.error(codes.DATA_MISFIT, str(error), where, help=error.help or None)
    cropped = any(getattr(each, "size", None) is not None for each in recipe.augment if each.kind == "crop")
    if fits and cropped and after != wanted:
        around = f", padded by {recipe.pad}" if recipe.pad else ""
        problems.error(
            codes.DATA_MISFIT,
            f"`augment` gives {_sizes(after)}{around}, but the input `{image.name}` takes {image.type}",
            place(graph, recipe, ["augment"]),
            help=f"crop to {list(wanted[1:])}",
        )


def augmentation(
    graph: Graph, recipe: Recipe, heads: Sequence[LossOutput], key: str, parts: Parts, problems: Problems
) -> Augmentation | None:
    """What changes training samples, whose images are the array `key`; None if something does not suit them."""
    from netspec.data.augmentation import Augmentation

    check_augmentation(graph, recipe, problems, parts.shape(key) if key else None)
    if problems.errors:
        return None
    _check_fills(graph, recipe, key, parts, problems)
    if problems.errors:
        return None
    sizes, fields = parts.shape(key)[1:], parts.train.fields
    others = [each for each in fields if each != key]
    masks = [
        each
        for each in others
        if parts.shape(each) == sizes and fields[each].dtype.startswith(("int", "uint"))
    ]
    boxes = [each for each in others if each in BOXES and parts.shape(each) == (4,)]
    ignored = [
        each.ignored for name, each in parts.classes.items() if name in masks and each.ignored is not None
    ]
    stated = [ignore for head in heads if (ignore := getattr(head.loss, "ignore", None)) is not None]
    outside = next(iter((*stated, *ignored)), 0)
    return Augmentation(recipe.augment, recipe.seed, key, masks, boxes, outside)


def _check_fills(graph: Graph, recipe: Recipe, key: str, parts: Parts, problems: Problems) -> None:
    """Report a `fill` that images of whole numbers cannot have."""
    import numpy as np

    dtype = np.dtype(parts.train.fields[key].dtype)
    if dtype.kind not in "iub":
        return
    least, most = (0, 1) if dtype.kind == "b" else (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
    for at, each in enumerate(recipe.augment):
        fill = getattr(each, "fill", 0.0)
        if not (least <= fill <= most and fill == int(fill)):
            problems.error(
                codes.DATA_MISFIT,
                f"`{each.kind}` fills with {fill:g}, but `{key}` of {parts.name} holds {dtype}",
                place(graph, recipe, ["augment", str(at), each.kind, "fill"]),
                help=f"give a whole number from {least} to {most}: images are changed as they are stored",
            )


def _sizes(shape: Shape) -> str:
    return f"{shape[0]}@{'×'.join(map(str, shape[1:]))}"
