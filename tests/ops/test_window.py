"""The common part of ops with a window: what it says of a wrong list, a kernel that does not fit, and its extent."""

from __future__ import annotations

import re

import pytest

from netspec.ops import OPS
from netspec.ops.base import Misfit, Op
from netspec.ops.window import Windowed
from netspec.types import Type

IMAGE, SEQUENCE = Type(3, (4, 9)), Type(3, (9,))


def resolved(keyword: str, type_: Type = IMAGE, **fields: object) -> Op:
    return OPS[keyword].model_validate(fields).resolve((type_,))


def refused(keyword: str, type_: Type = IMAGE, **fields: object) -> Misfit:
    with pytest.raises(Misfit) as caught:
        resolved(keyword, type_, **fields).outputs((type_,))
    return caught.value


def test_the_kernel_in_an_advice_fits() -> None:
    found = re.search(r"`kernel: (\d+)`", refused("conv", filters=2, kernel=7).help or "")
    assert found is not None
    kernel = int(found[1])
    assert resolved("conv", filters=2, kernel=kernel).outputs((IMAGE,)) == (Type(2, (1, 6)),)


@pytest.mark.parametrize("field", ["kernel", "stride", "dilation"])
def test_only_padding_has_pairs(field: str) -> None:
    """Twice as many values as axes: for padding they may be meant as pairs, for other fields not."""
    fields: dict[str, object] = {"filters": 2, "kernel": 2, field: [1, 2]}
    assert refused("conv", SEQUENCE, **fields).help == "give one number for all axes, or a list of 1"
    pairs = refused("conv", filters=2, kernel=2, padding=[1, 1, 1, 1])
    assert pairs.help == (
        "give one number for all axes, or a list of 2; before and after each axis: `[[1, 1], [1, 1]]`"
    )


def test_the_extent_is_that_of_the_padded_input() -> None:
    op = resolved("conv", filters=2, kernel=2, padding=[[1, 2], [3, 5]])
    assert list(op.extents((IMAGE,))) == [
        ("the padded input", 4 + 1 + 2),
        ("the padded input", 9 + 3 + 5),
        ("the number of values of a window", 4),
    ]


def test_a_pool_keeps_its_channels_apart() -> None:
    reach = resolved("max_pool", kernel=2).reach((IMAGE,))
    assert reach is not None
    assert (reach.mixes, reach.splits) == (False, False)


def test_a_kernel_that_does_not_fit_is_compared_with_the_padded_input() -> None:
    misfit = refused("conv", filters=2, kernel=9, padding=[[1, 0], [0, 2]])
    assert misfit.message == "the kernel does not fit: 9×9 on a padded input of 5×11"
    assert "padding 1+0, 0+2" in misfit.notes[0]


def test_a_kernel_of_1_fits_everywhere() -> None:
    assert refused("conv", Type(3, (1, 9)), filters=2, kernel=3).help == "use `kernel: 1`, or `padding: same`"


def test_no_kernel_is_advised_in_place_of_a_dilated_one() -> None:
    misfit = refused("conv", filters=2, kernel=3, dilation=4)
    assert misfit.message == "the kernel does not fit: 3×3 (9×9 dilated) on a padded input of 4×9"
    assert misfit.help == "use `padding: same`, or a smaller `dilation`"


def test_one_pair_is_not_for_two_axes() -> None:
    misfit = refused("conv", filters=2, kernel=2, padding=[[1, 1]])
    assert misfit.message == "`padding` has values for 1 axis, but the input has 2 spatial axes"
    assert misfit.help == "give one number for all axes, or a list of 2"


@pytest.mark.parametrize(("padding", "by_size"), [("same", True), ("half", False), (1, False)])
def test_only_the_word_same_depends_on_the_size(padding: object, by_size: bool) -> None:
    op = resolved("conv", filters=2, kernel=3, padding=padding)
    assert isinstance(op, Windowed)
    assert op.pads_by_size is by_size
    assert not op.with_numbers().pads_by_size
    assert op.with_numbers().pads == op.pads
