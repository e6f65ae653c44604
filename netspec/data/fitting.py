"""Whether augmentations suit images of a shape, and the shape that they give. Imports no NumPy."""

from __future__ import annotations

from collections.abc import Sequence

from netspec.data.bounds import DataError
from netspec.recipe.augmentation import Colour, Flip, RandomCrop, Rotate, Shift
from netspec.recipe.model import Augment
from netspec.recipe.names import Shape

_ANY = 2**31
"""A size that is not known, larger than all that are."""


def shape_after(changes: Sequence[Augment], shape: Shape) -> Shape:
    """The shape of an augmented image (channels, *axes) of this shape.

    Raises:
        DataError: a change does not suit such images.
    """
    for each in changes:
        shape = (shape[0], *_sizes_after(each, shape))
    return shape


def shape_before(changes: Sequence[Augment], wanted: Shape) -> Shape:
    """The shape of the images that become `wanted`, as far as it is known: a crop takes them of any size."""
    crops = any(isinstance(each, RandomCrop) and each.size is not None for each in changes)
    return (wanted[0], *(_ANY for _ in wanted[1:])) if crops else wanted


def crop_sizes(spec: RandomCrop, sizes: Shape) -> Shape:
    """The sizes that a crop gives."""
    if spec.size is None:
        return sizes
    return spec.size * len(sizes) if len(spec.size) == 1 else spec.size


def _sizes_after(spec: Augment, shape: Shape) -> Shape:
    """The sizes after a change of an image of this shape.

    Raises:
        DataError: the change does not suit such images.
    """
    channels, *axes = shape
    sizes = tuple(axes)
    if not sizes:
        raise DataError(
            f"`{spec.kind}` changes images, but a sample is a vector of {channels}",
            "remove it from `augment`",
        )
    if isinstance(spec, Flip) and not -len(sizes) <= spec.axis < len(sizes):
        raise DataError(f"`flip` has axis {spec.axis}, but a sample has {_axes(sizes)}", "name one of them")
    if isinstance(spec, Shift) and spec.by >= min(sizes):
        has = "×".join(map(str, sizes))
        raise DataError(f"`shift` moves by {spec.by} pixels, out of {has}", "move by fewer pixels")
    if isinstance(spec, Rotate) and len(sizes) != 2:
        raise DataError(f"`rotate` turns images, but a sample has {_axes(sizes)}", "remove it from `augment`")
    if isinstance(spec, Colour) and channels != 3:
        raise DataError(
            f"`colour` takes three channels, but a sample has {channels}", "remove it from `augment`"
        )
    if isinstance(spec, RandomCrop) and spec.size is not None:
        if len(spec.size) not in (1, len(sizes)):
            raise DataError(
                f"`crop` has {len(spec.size)} sizes, but a sample has {_axes(sizes)}", "give one per axis"
            )
        wanted = crop_sizes(spec, sizes)
        room = tuple(size + 2 * spec.pad for size in sizes)
        if any(size > most for size, most in zip(wanted, sizes, strict=True)):
            large, has = "×".join(map(str, wanted)), "×".join(map(str, sizes))
            raise DataError(
                f"`crop` cuts {large} out of {has}"
                + (f" ({'×'.join(map(str, room))} with `pad`)" if spec.pad else ""),
                "make it smaller: parts that are not augmented are cut at the centre, without `pad`",
            )
        return wanted
    return sizes


def _axes(sizes: Shape) -> str:
    return "1 spatial axis" if len(sizes) == 1 else f"{len(sizes)} spatial axes"
