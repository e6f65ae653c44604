"""The augmentation of a recipe, for the arrays of its data."""

from __future__ import annotations

from collections.abc import Sequence

from netspec.data.augmentation import Augmentation
from netspec.data.bounds import DataError
from netspec.data.parts import Parts
from netspec.diagnostics import Problems
from netspec.diagnostics.codes import training as codes
from netspec.graph import Graph
from netspec.recipe import Recipe
from netspec.training.heads import Head, place

BOXES = ("box", "boxes")
"""The names of arrays that are boxes."""


def augmentation(
    graph: Graph, recipe: Recipe, heads: Sequence[Head], parts: Parts, problems: Problems
) -> Augmentation | None:
    """What changes training samples; None if the recipe has none, or it does not fit (`problems` says why)."""
    if not recipe.augment:
        return None
    where = place(graph, recipe, ["augment"])
    pictures = [key for key in parts.inputs if len(parts.shape(key)) > 1]
    if len(pictures) != 1:
        found = f"{len(pictures)} arrays of images" if pictures else "no images"
        problems.error(codes.DATA_MISFIT, f"`augment` changes images, but {parts.name} has {found}", where)
        return None
    (image,) = pictures
    sizes = parts.shape(image)[1:]
    fields = parts.train.fields
    others = [key for key in fields if key != image]
    masks = [
        key for key in others if parts.shape(key) == sizes and fields[key].dtype.startswith(("int", "uint"))
    ]
    boxes = [key for key in others if key in BOXES and parts.shape(key) == (4,)]
    ignored = [
        each.ignored for key, each in parts.classes.items() if key in masks and each.ignored is not None
    ]
    stated = [ignore for head in heads if (ignore := getattr(head.loss, "ignore", None)) is not None]
    outside = next(iter((*stated, *ignored)), 0)
    found_ = Augmentation(recipe.augment, recipe.seed, image, masks, boxes, outside)
    try:
        found_.shape(parts.shape(image))
    except DataError as error:
        problems.error(codes.DATA_MISFIT, str(error), where, help=error.help or None)
        return None
    return found_
