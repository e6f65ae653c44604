"""The arithmetic against brute force: windows that are counted, and convolutions that are multiplied out."""

from __future__ import annotations

import inspect
import math
import random
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from netspec import arithmetic as ar
from netspec.arithmetic import Pair

SIZES, KERNELS, STRIDES, PADS, DILATIONS = range(1, 10), range(1, 5), range(1, 5), range(4), range(1, 4)
Shape = tuple[int, int, Pair, int]


def shapes() -> Iterator[Shape]:
    """Every small kernel, stride, pads and dilation."""
    for kernel, stride, lo, hi, dilation in product(KERNELS, STRIDES, PADS, PADS, DILATIONS):
        yield kernel, stride, (lo, hi), dilation


def windows(size: int, kernel: int, stride: int, pads: Pair, dilation: int, ceil: bool = False) -> list[int]:
    """Where the windows start, on the padded axis, found by trying every place."""
    padded, reach = size + sum(pads), (kernel - 1) * dilation + 1
    fit = []
    for start in range(0, padded + stride, stride):
        overhang = start + reach - padded
        whole = overhang <= 0
        left_over = ceil and 0 < overhang < stride and start < pads[0] + size
        if whole or left_over:
            fit.append(start)
    return fit


def matrix(
    size: int, weights: NDArray[np.int64], stride: int, pads: Pair, dilation: int
) -> NDArray[np.int64]:
    """The C of the guide's chapter 4: the convolution is C @ x, its transpose C.T @ y."""
    starts = windows(size, len(weights), stride, pads, dilation)
    dense = np.zeros((len(starts), size), dtype=np.int64)
    for row, start in enumerate(starts):
        for tap, weight in enumerate(weights):
            column = start + tap * dilation - pads[0]
            if 0 <= column < size:
                dense[row, column] += weight
    return dense


def test_conv_size_counts_the_windows() -> None:
    for shape in shapes():
        for size in SIZES:
            assert max(ar.conv_size(size, *shape), 0) == len(windows(size, *shape)), (size, shape)


def test_pool_size_counts_the_windows_rounding_down_and_up() -> None:
    for shape, ceil in product(shapes(), (False, True)):
        for size in SIZES:
            counted = len(windows(size, *shape, ceil))
            assert max(ar.pool_size(size, *shape, ceil), 0) == counted, (size, shape, ceil)


def test_the_nearest_windows_that_share_a_position_are_found_without_counting() -> None:
    shared = 0
    for count, kernel, stride, dilation in product(range(1, 8), range(1, 6), range(1, 7), range(1, 7)):
        taps = [{window * stride + tap * dilation for tap in range(kernel)} for window in range(count)]
        found = next((apart for apart in range(1, count) if taps[0] & taps[apart]), None)
        assert ar.overlap(count, kernel, stride, dilation) == found, (count, kernel, stride, dilation)
        shared += found is not None and found > 1
    assert shared > 100, "few windows skip their neighbour: nothing is proven of them"


DEFAULTS: dict[str, object] = {"stride": 1, "pads": (0, 0), "dilation": 1, "output_padding": 0, "ceil": False}


def test_what_is_not_given_is_the_plainest() -> None:
    functions = [
        each for each in vars(ar).values() if inspect.isfunction(each) and each.__module__ == ar.__name__
    ]
    stated = {
        (function.__name__, name): parameter.default
        for function in functions
        for name, parameter in inspect.signature(function).parameters.items()
        if name in DEFAULTS and parameter.default is not parameter.empty
    }
    assert len(stated) > 20
    assert stated == {(function, name): DEFAULTS[name] for function, name in stated}


def test_the_first_window_of_padding_alone_is_found_without_counting() -> None:
    draw = random.Random(7)
    found = 0
    for _ in range(20_000):
        size, kernel, stride, dilation = (draw.randint(1, most) for most in (12, 6, 9, 14))
        pads = (draw.randint(0, 40), draw.randint(0, 40))
        starts = [at * stride - pads[0] for at in range(ar.conv_size(size, kernel, stride, pads, dilation))]
        empty = [
            number
            for number, start in enumerate(starts)
            if not any(0 <= start + tap * dilation < size for tap in range(kernel))
        ]
        first = empty[0] if empty else None
        assert ar.empty_window(size, kernel, stride, pads, dilation) == first, (
            size,
            kernel,
            stride,
            pads,
            dilation,
        )
        found += bool(first)
    assert found > 1000, "few windows between two others are empty: nothing is proven of them"


def test_the_first_window_of_padding_alone_is_found_in_sizes_beyond_counting() -> None:
    big = 10**18
    assert ar.empty_window(32, big, 1, (big // 2, big // 2)) is None
    assert ar.empty_window(32, big, 1, (big, big)) == 0
    assert ar.empty_window(3, big, 1, (big, 5 * big), 5) == 3
    assert ar.empty_window(big, 3, 7, (2 * big, 0), big) is None
    first = ar.empty_window(big, 3, 7, (2 * big, big), big + 9)
    assert first is not None
    assert (7 * first - 2 * big) % (big + 9) >= big


def test_ceil_overhang_makes_rounding_down_give_the_same() -> None:
    for kernel, stride, (lo, hi), dilation in shapes():
        for size in SIZES:
            rounded_up = ar.pool_size(size, kernel, stride, (lo, hi), dilation, ceil=True)
            if rounded_up < 1:
                continue
            extra = ar.ceil_overhang(size, kernel, stride, (lo, hi), dilation)
            case = (size, kernel, stride, (lo, hi), dilation)
            assert ar.pool_size(size, kernel, stride, (lo, hi + extra), dilation) == rounded_up, case
            assert (
                extra == 0 or ar.pool_size(size, kernel, stride, (lo, hi + extra - 1), dilation) < rounded_up
            ), case


def test_transpose_restores_the_size_and_equals_the_transposed_matrix() -> None:
    rng = np.random.default_rng(0)
    for kernel, stride, pads, dilation in shapes():
        weights = rng.integers(1, 9, kernel)
        for size in SIZES:
            dense = matrix(size, weights, stride, pads, dilation)
            if not len(dense):
                continue
            case = (size, kernel, stride, pads, dilation)
            a = ar.output_padding_for(*case)
            assert 0 <= a < stride, case
            given = rng.integers(1, 9, len(dense))
            assert ar.transpose_size(len(given), kernel, stride, pads, dilation, a) == size, case
            direct = ar.transposed_equivalent(len(given), kernel, stride, pads, dilation, a)
            assert direct.size == size, case
            np.testing.assert_array_equal(
                run(direct, given, weights, stride), dense.T @ given, err_msg=str(case)
            )


def run(direct: ar.Direct, given: NDArray[np.int64], weights: NDArray[np.int64], stride: int) -> list[int]:
    """Convolve the stretched input with the kernel turned around; outside of it there are zeros."""
    stretched = np.zeros(direct.stretched, dtype=np.int64)
    stretched[::stride] = given
    places = [
        [start * direct.stride + tap * direct.dilation - direct.pads[0] for tap in range(direct.kernel)]
        for start in range(direct.size)
    ]
    return [
        sum(
            int(w) * int(stretched[q])
            for w, q in zip(weights[::-1], row, strict=True)
            if 0 <= q < len(stretched)
        )
        for row in places
    ]


def test_axes_do_not_interact() -> None:
    """In two dimensions C is a Kronecker product, as in the guide's figure: 16 numbers to 4, and back."""
    rows, columns = (
        matrix(4, np.ones(3, np.int64), 1, (0, 0), 1),
        matrix(5, np.ones(3, np.int64), 2, (1, 1), 1),
    )
    both = np.kron(rows, columns)
    assert both.shape == (ar.conv_size(4, 3) * ar.conv_size(5, 3, 2, (1, 1)), 4 * 5)
    assert ar.transpose_size(2, 3) * ar.transpose_size(3, 3, 2, (1, 1)) == both.T.shape[0]


# The numbered relationships, each against the windows, wherever the guide says that it holds.


def test_relationships_of_convolution_and_pooling() -> None:
    for i, k, s, p, d in product(SIZES, KERNELS, STRIDES, PADS, DILATIONS):
        count = len(windows(i, k, s, (p, p), d))
        if not count:
            continue
        claims = {15: ar.conv_dilated(i, k, s, p, d)}
        if d == 1:
            claims[6] = ar.conv_strided_padded(i, k, s, p)
        if d == 1 and p == 0:
            claims |= {5: ar.conv_strided(i, k, s), 7: ar.pool_unpadded(i, k, s)}
        if d == 1 and s == 1:
            claims[2] = ar.conv_unit_padded(i, k, p)
        if d == 1 and s == 1 and p == 0:
            claims[1] = ar.conv_unit(i, k)
        if d == 1 and s == 1 and k % 2 and p == k // 2:
            claims[3] = ar.conv_unit_half(i, k)
        if d == 1 and s == 1 and p == k - 1:
            claims[4] = ar.conv_unit_full(i, k)
        assert set(claims.values()) == {count}, (i, k, s, p, d, claims)


def test_relationships_of_transposed_convolution() -> None:
    for i, k, s, p in product(SIZES, KERNELS, STRIDES, PADS):
        outputs = len(windows(i, k, s, (p, p), 1))
        if not outputs:
            continue
        a = (i + 2 * p - k) % s
        claims = {14: ar.transpose_output_padded(outputs, k, s, p, a)}
        if a == 0:
            claims[13] = ar.transpose_strided_padded(outputs, k, s, p)
        if a == 0 and p == 0:
            claims[12] = ar.transpose_strided(outputs, k, s)
        if s == 1:
            claims[9] = ar.transpose_unit_padded(outputs, k, p)
        if s == 1 and p == 0:
            claims[8] = ar.transpose_unit(outputs, k)
        if s == 1 and k % 2 and p == k // 2:
            claims[10] = ar.transpose_unit_half(outputs, k)
        if s == 1 and p == k - 1:
            claims[11] = ar.transpose_unit_full(outputs, k)
        assert set(claims.values()) == {i}, (i, k, s, p, claims)


@pytest.mark.parametrize("half", [ar.conv_unit_half, ar.transpose_unit_half])
def test_half_padding_of_an_even_kernel_is_no_relationship(half: Any) -> None:
    with pytest.raises(ValueError, match="odd kernel, not for 4"):
        half(5, 4)


def test_relationships_are_numbered_as_in_the_guide() -> None:
    assert list(ar.RELATIONSHIPS) == list(range(1, 16))
    for number, relationship in ar.RELATIONSHIPS.items():
        assert relationship.number == number
        assert (relationship.function.__doc__ or "").startswith(f"Relationship {number}:")
    assert len({relationship.function for relationship in ar.RELATIONSHIPS.values()}) == 15


# The words for padding.


def test_same_divides_by_the_stride_with_the_least_padding() -> None:
    for kernel, stride, dilation, size in product(KERNELS, STRIDES, DILATIONS, SIZES):
        case = (size, kernel, stride, dilation)
        lo, hi = ar.same_pads(*case)
        wanted = math.ceil(size / stride)
        assert len(windows(size, kernel, stride, (lo, hi), dilation)) == wanted, case
        assert hi - lo in (0, 1), case
        less = (lo, hi - 1) if hi > lo else (lo - 1, hi)
        assert lo + hi == 0 or len(windows(size, kernel, stride, less, dilation)) < wanted, case


def test_same_with_a_published_layer() -> None:
    assert ar.same_pads(224, 7, 2) == (2, 3)
    assert ar.half_pads(7) == (3, 3)
    assert ar.conv_size(224, 7, 2, (2, 3)) == ar.conv_size(224, 7, 2, (3, 3)) == 112


def test_half_full_and_causal() -> None:
    for kernel, dilation, size in product(KERNELS, DILATIONS, SIZES):
        reach = ar.dilated(kernel, dilation)
        assert reach == 1 + max(tap * dilation for tap in range(kernel))
        assert ar.conv_size(size, kernel, 1, ar.half_pads(kernel, dilation), dilation) == size + (
            reach % 2 == 0
        )
        assert ar.conv_size(size, kernel, 1, ar.full_pads(kernel, dilation), dilation) == size + reach - 1
        causal = ar.causal_pads(kernel, dilation)
        dense = matrix(size, np.ones(kernel, np.int64), 1, causal, dilation)
        assert dense.shape == (size, size)
        assert not np.triu(dense, 1).any(), "an output sees a later input"


def test_same_transposed_multiplies_by_the_stride_and_transposes_same() -> None:
    for kernel, stride, dilation, size in product(KERNELS, STRIDES, DILATIONS, SIZES):
        case = (size, kernel, stride, dilation)
        pads, a = ar.same_transpose_pads(kernel, stride, dilation)
        assert ar.transpose_size(size, kernel, stride, pads, dilation, a) == size * stride, case
        assert pads == ar.same_pads(size * stride, kernel, stride, dilation), case
        assert a == ar.output_padding_for(size * stride, kernel, stride, pads, dilation), case


# The inverse questions.


def test_input_sizes_are_all_that_give_the_output() -> None:
    candidates = range(1, 60)
    for shape, ceil in product(shapes(), (False, True)):
        outputs = [ar.pool_size(size, *shape, ceil) for size in candidates]
        for output in range(-1, 8):
            found = [size for size, made in zip(candidates, outputs, strict=True) if made == output > 0]
            assert list(ar.input_sizes(output, *shape, ceil)) == found, (output, shape, ceil)


def test_same_input_sizes_are_all_that_give_the_output() -> None:
    for stride, output in product(STRIDES, range(-1, 8)):
        found = [size for size in range(1, 60) if math.ceil(size / stride) == output]
        assert list(ar.same_input_sizes(output, stride)) == found


def test_transpose_input_sizes_are_all_that_give_the_output() -> None:
    for shape, a, output in product(shapes(), (0, 1), range(-1, 12)):
        found = [size for size in range(1, 40) if ar.transpose_size(size, *shape, a) == output > 0]
        assert list(ar.transpose_input_sizes(output, *shape, a)) == found, (output, shape, a)


# Explanations: the text says what the number is.


def evaluate(text: str, **symbols: int) -> int:
    """Work out a formula as it is printed."""
    written = {"⌊": "floor(", "⌈": "ceil(", "⌋": ")", "⌉": ")", "·": "*", "−": "-", "'": "", "2p": "2*p"}
    for sign, python in written.items():
        text = text.replace(sign, python)
    names = {"floor": math.floor, "ceil": math.ceil, **symbols}
    return int(eval(text, {"__builtins__": {}}, names))  # noqa: S307 - text of our own, digits and brackets


def check_texts(explanation: ar.Explanation, size: int, shape: Shape, a: int = 0) -> None:
    kernel, stride, (lo, hi), dilation = shape
    _, formula, *_ = explanation.formula.replace(", k_d = ", " = ").split(" = ")
    symbols = {
        "i": size,
        "k": kernel,
        "k_d": ar.dilated(kernel, dilation),
        "s": stride,
        "d": dilation,
        "a": a,
    }
    symbols |= {"p": lo, "p_lo": lo, "p_hi": hi}
    assert evaluate(formula, **symbols) == explanation.size, (explanation, size, shape, a)
    _, numbers, result, *_ = explanation.numbers.replace(", k_d = ", " = ").split(" = ")
    assert evaluate(numbers) == evaluate(result) == explanation.size, (explanation, size, shape, a)


def test_printed_formulas_give_the_printed_sizes() -> None:
    for shape, size in product(shapes(), (1, 2, 5, 8)):
        conv, transposed = ar.explain_conv(size, *shape), ar.explain_transpose(size, *shape, 1)
        assert conv.size == ar.conv_size(size, *shape)
        assert transposed.size == ar.transpose_size(size, *shape, 1)
        check_texts(conv, size, shape)
        check_texts(transposed, size, shape, 1)
        check_texts(ar.explain_transpose(size, *shape), size, shape)
        for ceil in (False, True):
            pool = ar.explain_pool(size, *shape, ceil)
            assert pool.size == ar.pool_size(size, *shape, ceil)
            check_texts(pool, size, shape)


EXPLANATIONS = [
    (ar.explain_conv(4, 3), "o = (4 − 3) + 1 = 2   [relationship 1]"),
    (ar.explain_conv(5, 4, 1, (2, 2)), "o = (5 − 4) + 2·2 + 1 = 6   [relationship 2]"),
    (ar.explain_conv(5, 4, 1, (1, 2)), "o = (5 − 4) + 1 + 2 + 1 = 5   [relationship 2]"),
    (ar.explain_conv(5, 3, 1, (1, 1)), "o = 5 + 2·⌊3/2⌋ − (3 − 1) = 5   [relationship 3]"),
    (ar.explain_conv(5, 3, 1, (2, 2)), "o = 5 + 2·(3 − 1) − (3 − 1) = 7   [relationship 4]"),
    (ar.explain_conv(5, 3, 2), "o = ⌊(5 − 3)/2⌋ + 1 = 2   [relationship 5]"),
    (ar.explain_conv(224, 7, 2, (2, 3)), "o = ⌊(224 + 2 + 3 − 7)/2⌋ + 1 = 112   [relationship 6]"),
    (ar.explain_conv(4, 5), "o = ⌊(4 + 2·0 − 5)/1⌋ + 1 = 0   [relationship 6]"),
    (
        ar.explain_conv(7, 3, 1, (0, 0), 2),
        "o = ⌊(7 + 2·0 − 3 − (3 − 1)·(2 − 1))/1⌋ + 1 = 3   [relationship 15]",
    ),
    (ar.explain_pool(5, 3, 1), "o = ⌊(5 − 3)/1⌋ + 1 = 3   [relationship 7]"),
    (ar.explain_pool(5, 3, 2, (1, 1)), "o = ⌊(5 + 2·1 − 3)/2⌋ + 1 = 3   [relationship 6]"),
    (ar.explain_pool(6, 3, 2, ceil=True), "o = ⌈(6 − 3)/2⌉ + 1 = 3   [relationship 7, rounded up]"),
    (
        ar.explain_pool(5, 2, 4, (1, 1), ceil=True),
        "o = ⌈(5 + 2·1 − 2)/4⌉ + 1 − 1 = 2   "
        "[relationship 6, rounded up, minus a window that would start after the input]",
    ),
    (ar.explain_transpose(2, 3), "o' = 2 + (3 − 1) = 4   [relationship 8]"),
    (ar.explain_transpose(6, 4, 1, (2, 2)), "o' = 6 + (4 − 1) − 2·2 = 5   [relationship 9]"),
    (ar.explain_transpose(5, 3, 1, (1, 1)), "o' = 5 + (3 − 1) − 2·⌊3/2⌋ = 5   [relationship 10]"),
    (ar.explain_transpose(7, 3, 1, (2, 2)), "o' = 7 + (3 − 1) − 2·(3 − 1) = 5   [relationship 11]"),
    (ar.explain_transpose(2, 3, 2), "o' = 2·(2 − 1) + 3 = 5   [relationship 12]"),
    (ar.explain_transpose(3, 3, 2, (1, 1)), "o' = 2·(3 − 1) + 3 − 2·1 = 5   [relationship 13]"),
    (ar.explain_transpose(3, 4, 2, (1, 2)), "o' = 2·(3 − 1) + 4 − (1 + 2) = 5   [relationship 13]"),
    (ar.explain_transpose(3, 3, 2, (1, 1), 1, 1), "o' = 2·(3 − 1) + 1 + 3 − 2·1 = 6   [relationship 14]"),
    (ar.explain_transpose(1, 3, 1, (2, 2)), "o' = 1·(1 − 1) + 0 + 3 − 2·2 = −1   [relationship 14]"),
    (
        ar.explain_transpose(3, 3, 2, (1, 1), 2),
        "o' = 2·(3 − 1) + 5 − 2·1 = 7, k_d = 3 + (3 − 1)·(2 − 1) = 5   [relationship 13]",
    ),
]


@pytest.mark.parametrize(("explanation", "text"), EXPLANATIONS, ids=[text for _, text in EXPLANATIONS])
def test_the_most_special_relationship_is_named(explanation: ar.Explanation, text: str) -> None:
    assert str(explanation) == text


def test_the_guides_own_figures() -> None:
    """The equivalent convolutions that the captions of chapter 4 state: k', p', stretched size, a."""
    figures = [
        (ar.transposed_equivalent(2, 3), (3, 2, 2, 0)),
        (ar.transposed_equivalent(6, 4, 1, (2, 2)), (4, 1, 6, 0)),
        (ar.transposed_equivalent(5, 3, 1, (1, 1)), (3, 1, 5, 0)),
        (ar.transposed_equivalent(7, 3, 1, (2, 2)), (3, 0, 7, 0)),
        (ar.transposed_equivalent(2, 3, 2), (3, 2, 3, 0)),
        (ar.transposed_equivalent(3, 3, 2, (1, 1)), (3, 1, 5, 0)),
        (ar.transposed_equivalent(3, 3, 2, (1, 1), 1, 1), (3, 1, 5, 1)),
    ]
    for direct, (kernel, pad, stretched, a) in figures:
        assert direct == ar.Direct(kernel, 1, 1, (pad, pad), stretched, a)
