"""The arithmetic against PyTorch's meta device, over thousands of random windows."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from netspec import arithmetic as ar
from tests.arithmetic_cases import DIMENSIONS, Window, check, draw

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
F = torch.nn.functional


def meta(*shape: int) -> Any:
    return torch.empty(shape, device="meta")


@pytest.mark.parametrize("n", DIMENSIONS)
def test_torch_conv(n: int) -> None:
    convolve = getattr(F, f"conv{n}d")

    def theirs(case: Window) -> Any:
        padded = F.pad(meta(1, 1, *case.sizes), case.flat_pads)
        return convolve(padded, meta(1, 1, *case.kernel), stride=case.stride, dilation=case.dilation).shape[
            2:
        ]

    cases = list(draw("torch conv", n, 2000))
    sized = [check(case, case.each(ar.conv_size), partial(theirs, case)) for case in cases]
    assert 0.2 < sum(sized) / len(sized) < 1, "too few configurations fit, or none does not"


@pytest.mark.parametrize("n", DIMENSIONS)
def test_torch_max_pool(n: int) -> None:
    pool = getattr(F, f"max_pool{n}d")
    for index, case in enumerate(draw("torch max pool", n, 2000, pad="half")):
        ceil = bool(index % 2)

        def theirs(case: Window = case, ceil: bool = ceil) -> Any:
            window = (case.kernel, case.stride, case.symmetric, case.dilation)
            return pool(meta(1, 1, *case.sizes), *window, ceil_mode=ceil).shape[2:]

        check(case, case.each(ar.pool_size, ceil=ceil), theirs)


@pytest.mark.parametrize("n", DIMENSIONS)
def test_torch_average_pool(n: int) -> None:
    pool = getattr(F, f"avg_pool{n}d")
    for index, case in enumerate(draw("torch average pool", n, 2000, pad="half", dilate=False)):
        ceil = bool(index % 2)

        def theirs(case: Window = case, ceil: bool = ceil) -> Any:
            window = (case.kernel, case.stride, case.symmetric)
            return pool(meta(1, 1, *case.sizes), *window, ceil_mode=ceil).shape[2:]

        if n == 3 and any(size < kernel for size, kernel in zip(case.sizes, case.kernel, strict=True)):
            with pytest.raises(
                RuntimeError, match="smaller than kernel size"
            ):  # even where padding makes up for it
                theirs()
        else:
            check(case, case.each(ar.pool_size, ceil=ceil), theirs)


@pytest.mark.parametrize("n", DIMENSIONS)
def test_torch_pool_with_the_overhang_made_explicit(n: int) -> None:
    pool = getattr(F, f"max_pool{n}d")
    for case in draw("torch overhang", n, 1000, pad="half"):
        ours = case.each(ar.pool_size, ceil=True)
        if min(ours) < 1:
            continue
        extra = case.each(ar.ceil_overhang)
        pads = tuple((lo, hi + more) for (lo, hi), more in zip(case.pads, extra, strict=True))
        explicit = Window(case.sizes, case.kernel, case.stride, pads, case.dilation)
        padded = F.pad(meta(1, 1, *case.sizes), explicit.flat_pads)
        assert ours == tuple(pool(padded, case.kernel, case.stride, 0, case.dilation).shape[2:]), case


@pytest.mark.parametrize("n", DIMENSIONS)
def test_torch_conv_transpose(n: int) -> None:
    transpose = getattr(F, f"conv_transpose{n}d")

    def theirs(case: Window) -> Any:
        options = {
            "padding": case.symmetric,
            "dilation": case.dilation,
            "output_padding": case.output_padding,
        }
        given, kernel = meta(1, 1, *case.sizes), meta(1, 1, *case.kernel)
        return transpose(given, kernel, stride=case.stride, **options).shape[2:]

    for case in draw("torch conv transpose", n, 2000, pad="symmetric", transposed=True):
        ours = case.each(ar.transpose_size)
        if n > 1 and min(ours) == 0:  # the meta device lets an empty output pass, as netspec does not
            assert ours == tuple(theirs(case)), case
        else:
            check(case, ours, partial(theirs, case))


@pytest.mark.parametrize("n", DIMENSIONS)
def test_torch_transpose_gives_back_the_input_of_a_convolution(n: int) -> None:
    transpose = getattr(F, f"conv_transpose{n}d")
    for case in draw("torch there and back", n, 1000, pad="symmetric"):
        outputs = case.each(ar.conv_size)
        if min(outputs) < 1:
            continue
        a = case.each(ar.output_padding_for)
        options = {"padding": case.symmetric, "dilation": case.dilation, "output_padding": a}
        back = transpose(meta(1, 1, *outputs), meta(1, 1, *case.kernel), stride=case.stride, **options)
        assert tuple(back.shape[2:]) == case.sizes, case
