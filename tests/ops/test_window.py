"""The common part of ops with a window: what it says of a wrong list, a kernel that does not fit, and its extent."""

from __future__ import annotations

import re

import pytest

from netspec.ops import OPS
from netspec.ops.base import Misfit, Op
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
