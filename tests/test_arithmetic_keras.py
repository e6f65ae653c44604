"""The arithmetic against Keras' shape inference, over thousands of random windows.

Keras knows `valid`, `same` and `causal` only, and refuses a stride with a dilation.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import Any

import pytest

from netspec import arithmetic as ar
from tests.arithmetic_cases import DIMENSIONS, Window, check, draw

keras = pytest.importorskip("keras", reason="Keras is not installed")


def shape_of(layer: Any, case: Window) -> tuple[int, ...]:
    return tuple(layer.compute_output_shape((None, *case.sizes, 1))[1:-1])


def with_same_pads(case: Window) -> Window:
    pads = tuple(map(ar.same_pads, case.sizes, case.kernel, case.stride, case.dilation))
    return Window(case.sizes, case.kernel, case.stride, pads, case.dilation)


def keras_cases(test: str, n: int, **limits: Any) -> Iterator[Window]:
    return chain(
        draw(test, n, 400, dilate=False, **limits),
        (
            Window(
                case.sizes, case.kernel, (1,) * n, case.pads, case.dilation, (0,) * len(case.output_padding)
            )
            for case in draw(f"{test} dilated", n, 200, **limits)
        ),
    )


@pytest.mark.parametrize("n", DIMENSIONS)
def test_keras_conv(n: int) -> None:
    convolution = getattr(keras.layers, f"Conv{n}D")
    for case in keras_cases("keras conv", n, pad="none"):
        window = {"strides": case.stride, "dilation_rate": case.dilation}
        valid = convolution(1, case.kernel, **window)
        check(case, case.each(ar.conv_size), partial(shape_of, valid, case))
        same = convolution(1, case.kernel, padding="same", **window)
        assert with_same_pads(case).each(ar.conv_size) == shape_of(same, case), case


@pytest.mark.parametrize("n", DIMENSIONS)
def test_keras_conv_on_padded_input(n: int) -> None:
    convolution, padding = getattr(keras.layers, f"Conv{n}D"), getattr(keras.layers, f"ZeroPadding{n}D")
    for case in draw("keras padded", n, 300, dilate=False):
        pads = case.pads[0] if n == 1 else case.pads
        padded = padding(pads).compute_output_shape((None, *case.sizes, 1))
        layer = convolution(1, case.kernel, strides=case.stride)
        inner = Window(tuple(padded[1:-1]), case.kernel, case.stride, case.pads, case.dilation)
        check(case, case.each(ar.conv_size), partial(shape_of, layer, inner))


def test_keras_causal_conv() -> None:
    for case in keras_cases("keras causal", 1, pad="none"):
        window = {"strides": case.stride, "dilation_rate": case.dilation}
        pads = tuple(map(ar.causal_pads, case.kernel, case.dilation))
        causal = Window(case.sizes, case.kernel, case.stride, pads, case.dilation)
        layer = keras.layers.Conv1D(1, case.kernel, padding="causal", **window)
        assert causal.each(ar.conv_size) == shape_of(layer, case), case


@pytest.mark.parametrize("n", DIMENSIONS)
@pytest.mark.parametrize("kind", ["Max", "Average"])
def test_keras_pool(kind: str, n: int) -> None:
    pooling = getattr(keras.layers, f"{kind}Pooling{n}D")
    for case in draw(f"keras {kind} pool", n, 300, pad="none", dilate=False):
        valid = pooling(case.kernel, case.stride)
        check(case, case.each(ar.pool_size), partial(shape_of, valid, case))
        same = pooling(case.kernel, case.stride, padding="same")
        assert with_same_pads(case).each(ar.pool_size) == shape_of(same, case), case


@pytest.mark.parametrize("n", DIMENSIONS)
def test_keras_conv_transpose(n: int) -> None:
    transpose = getattr(keras.layers, f"Conv{n}DTranspose")
    for case in keras_cases("keras conv transpose", n, pad="none", transposed=True):
        window = {"strides": case.stride, "dilation_rate": case.dilation}
        valid = transpose(1, case.kernel, output_padding=case.output_padding, **window)
        assert case.each(ar.transpose_size) == shape_of(valid, case), case
        words = tuple(map(ar.same_transpose_pads, case.kernel, case.stride, case.dilation))
        pads, a = tuple(pads for pads, _ in words), tuple(a for _, a in words)
        ours = Window(case.sizes, case.kernel, case.stride, pads, case.dilation, a).each(ar.transpose_size)
        same = transpose(1, case.kernel, padding="same", **window)
        assert ours == shape_of(same, case), case
