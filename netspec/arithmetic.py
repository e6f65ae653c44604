"""Convolution arithmetic as small pure functions, so that every size in netspec has one place that decides it.

The numbers of the relationships are those of V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep
learning" (arXiv 1603.07285). Everything is per axis, because axes do not interact: i is the size of the input, k of the
kernel, s the stride, p the zeros added at each end, d the dilation, a the output padding; i' is the input of a
transposed convolution. Callers guarantee whole numbers with k, s, d >= 1 and p, a >= 0; nothing here checks it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Pair = tuple[int, int]
"""What is added before the first and after the last element of an axis: (lo, hi)."""


# The relationships of the guide, one function each.


def conv_unit(i: int, k: int) -> int:
    """Relationship 1: s = 1, p = 0."""
    return (i - k) + 1


def conv_unit_padded(i: int, k: int, p: int) -> int:
    """Relationship 2: s = 1, any p."""
    return (i - k) + 2 * p + 1


def conv_unit_half(i: int, k: int) -> int:
    """Relationship 3: s = 1, k odd, p = ⌊k/2⌋; the output is as large as the input. ValueError for an even k."""
    _require_odd(k)
    return i + 2 * (k // 2) - (k - 1)


def conv_unit_full(i: int, k: int) -> int:
    """Relationship 4: s = 1, p = k − 1; every partial overlap of kernel and input counts."""
    return i + 2 * (k - 1) - (k - 1)


def conv_strided(i: int, k: int, s: int) -> int:
    """Relationship 5: any s, p = 0."""
    return (i - k) // s + 1


def conv_strided_padded(i: int, k: int, s: int, p: int) -> int:
    """Relationship 6: any s, any p."""
    return (i + 2 * p - k) // s + 1


def pool_unpadded(i: int, k: int, s: int) -> int:
    """Relationship 7: pooling of any kind; p = 0."""
    return (i - k) // s + 1


def transpose_unit(i: int, k: int) -> int:
    """Relationship 8: the transpose of s = 1, p = 0."""
    return i + (k - 1)


def transpose_unit_padded(i: int, k: int, p: int) -> int:
    """Relationship 9: the transpose of s = 1, any p."""
    return i + (k - 1) - 2 * p


def transpose_unit_half(i: int, k: int) -> int:
    """Relationship 10: the transpose of s = 1, k odd, p = ⌊k/2⌋. ValueError for an even k."""
    _require_odd(k)
    return i + (k - 1) - 2 * (k // 2)


def transpose_unit_full(i: int, k: int) -> int:
    """Relationship 11: the transpose of s = 1, p = k − 1."""
    return i + (k - 1) - 2 * (k - 1)


def transpose_strided(i: int, k: int, s: int) -> int:
    """Relationship 12: the transpose of any s, p = 0, where i − k of the direct one is a multiple of s."""
    return s * (i - 1) + k


def transpose_strided_padded(i: int, k: int, s: int, p: int) -> int:
    """Relationship 13: the transpose of any s and p, where i + 2p − k of the direct one is a multiple of s."""
    return s * (i - 1) + k - 2 * p


def transpose_output_padded(i: int, k: int, s: int, p: int, a: int) -> int:
    """Relationship 14: the transpose of any convolution; a = (i + 2p − k) mod s of the direct one."""
    return s * (i - 1) + a + k - 2 * p


def conv_dilated(i: int, k: int, s: int, p: int, d: int) -> int:
    """Relationship 15: any s, p and dilation d."""
    return (i + 2 * p - k - (k - 1) * (d - 1)) // s + 1


def _require_odd(k: int) -> None:
    if k % 2 == 0:
        raise ValueError(f"half padding keeps the size for an odd kernel only, not for {k}")


# Any case: pads that may differ at the two ends, dilation, rounding up.


def dilated(kernel: int, dilation: int = 1) -> int:
    """How far a dilated kernel reaches: k + (k − 1)(d − 1)."""
    return kernel + (kernel - 1) * (dilation - 1)


def conv_size(size: int, kernel: int, stride: int = 1, pads: Pair = (0, 0), dilation: int = 1) -> int:
    """The output size of a convolution; zero or less when the kernel does not fit."""
    return (size + sum(pads) - dilated(kernel, dilation)) // stride + 1


def pool_size(
    size: int, kernel: int, stride: int, pads: Pair = (0, 0), dilation: int = 1, ceil: bool = False
) -> int:
    """The output size of a pool; zero or less when the window does not fit.

    With `ceil`, what is left over after the last whole window gets a window of its own, provided that it starts
    inside the input or the padding before it (PyTorch's rule, so no window sees padding alone).
    """
    whole = conv_size(size, kernel, stride, pads, dilation)
    left_over = (size + sum(pads) - dilated(kernel, dilation)) % stride
    starts_inside = whole * stride < size + pads[0]
    return whole + 1 if ceil and left_over and starts_inside else whole


def ceil_overhang(size: int, kernel: int, stride: int, pads: Pair = (0, 0), dilation: int = 1) -> int:
    """The padding to add at the end so that rounding down gives the size that rounding up does.

    An average that counts its padding must still leave these elements out: a window that hangs over is divided by
    what it covers of the input and the padding asked for.
    """
    padded = size + sum(pads)
    rounded_up = pool_size(size, kernel, stride, pads, dilation, ceil=True)
    return max((rounded_up - 1) * stride + dilated(kernel, dilation) - padded, 0)


def transpose_size(
    size: int, kernel: int, stride: int = 1, pads: Pair = (0, 0), dilation: int = 1, output_padding: int = 0
) -> int:
    """The output size of a transposed convolution, `pads` being those of the direct one; may be zero or less."""
    return stride * (size - 1) + output_padding + dilated(kernel, dilation) - sum(pads)


# What the words for padding mean in numbers.


def same_pads(size: int, kernel: int, stride: int = 1, dilation: int = 1) -> Pair:
    """TensorFlow's `same`: the output is ⌈i/s⌉, and an odd zero goes to the end."""
    outputs = -(-size // stride)
    total = max((outputs - 1) * stride + dilated(kernel, dilation) - size, 0)
    return total // 2, total - total // 2


def half_pads(kernel: int, dilation: int = 1) -> Pair:
    """⌊k/2⌋ at both ends, of the dilated kernel."""
    half = dilated(kernel, dilation) // 2
    return half, half


def full_pads(kernel: int, dilation: int = 1) -> Pair:
    """k − 1 at both ends, of the dilated kernel."""
    full = dilated(kernel, dilation) - 1
    return full, full


def causal_pads(kernel: int, dilation: int = 1) -> Pair:
    """k − 1 before the first element, of the dilated kernel: no output sees a later input."""
    return dilated(kernel, dilation) - 1, 0


def same_transpose_pads(kernel: int, stride: int, dilation: int = 1) -> tuple[Pair, int]:
    """Pads and output padding that make a transposed convolution multiply any size by its stride, exactly.

    The direct convolution that it transposes is `same` on that larger size.
    """
    surplus = dilated(kernel, dilation) - stride
    total = max(surplus, 0)
    return (total // 2, total - total // 2), max(-surplus, 0)


# The inverse questions.


def input_sizes(
    output: int, kernel: int, stride: int = 1, pads: Pair = (0, 0), dilation: int = 1, ceil: bool = False
) -> range:
    """Every input size, from 1, of which a convolution or (with `ceil`) a pool makes `output`; empty when none."""
    if output < 1:
        return range(0)

    def smallest(outputs: int) -> int:
        whole = (outputs - 1) * stride + dilated(kernel, dilation) - sum(pads)
        if not ceil:
            return whole
        one_left_over = whole - stride + 1
        last_starts_inside = (outputs - 1) * stride - pads[0] + 1
        return min(whole, max(one_left_over, last_starts_inside))

    return range(max(smallest(output), 1), max(smallest(output + 1), 1))


def same_input_sizes(output: int, stride: int = 1) -> range:
    """Every input size of which a convolution or pool padded `same` makes `output`."""
    return range((output - 1) * stride + 1, output * stride + 1) if output >= 1 else range(0)


def transpose_input_sizes(
    output: int, kernel: int, stride: int = 1, pads: Pair = (0, 0), dilation: int = 1, output_padding: int = 0
) -> range:
    """The one input size of which a transposed convolution makes `output`, or an empty range."""
    steps = output - output_padding - dilated(kernel, dilation) + sum(pads)
    if output < 1 or steps < 0 or steps % stride:
        return range(0)
    return range(steps // stride + 1, steps // stride + 2)


def output_padding_for(size: int, kernel: int, stride: int = 1, pads: Pair = (0, 0), dilation: int = 1) -> int:
    """The a of relationship 14: with it, the transpose of the convolution of `size` gives back `size`."""
    return (size + sum(pads) - dilated(kernel, dilation)) % stride


@dataclass(frozen=True, slots=True)
class Direct:
    """A direct convolution that computes what a transposed one does, with the kernel turned around.

    Its input is the given one with s − 1 zeros put between neighbours (`stretched`), then `output_padding` zeros added
    at the end, then `pads`, which are k − 1 − p; a negative pad takes away instead.
    """

    kernel: int
    dilation: int
    stride: int
    pads: Pair
    stretched: int
    output_padding: int

    @property
    def size(self) -> int:
        """Its output size, that of the transposed convolution."""
        return conv_size(self.stretched + self.output_padding, self.kernel, self.stride, self.pads, self.dilation)


def transposed_equivalent(
    size: int, kernel: int, stride: int = 1, pads: Pair = (0, 0), dilation: int = 1, output_padding: int = 0
) -> Direct:
    """The direct convolution (k', s', p', stretched input, a) equivalent to a transposed one; relationships 8–14."""
    reach = dilated(kernel, dilation) - 1
    return Direct(
        kernel=kernel,
        dilation=dilation,
        stride=1,
        pads=(reach - pads[0], reach - pads[1]),
        stretched=stride * (size - 1) + 1,
        output_padding=output_padding,
    )


# Why a size is what it is, in words that a person can check.


@dataclass(frozen=True, slots=True)
class Relationship:
    """A numbered relationship of the guide: when it holds, its formula (with places for the numbers), its function."""

    number: int
    holds: str
    template: str
    function: Callable[..., int]


RELATIONSHIPS: dict[int, Relationship] = {
    number: Relationship(number, holds, template, function)
    for number, (holds, template, function) in enumerate(
        (
            ("s = 1, p = 0", "({i} − {k}) + 1", conv_unit),
            ("s = 1", "({i} − {k}) + {pads} + 1", conv_unit_padded),
            ("s = 1, k odd, p = ⌊k/2⌋", "{i} + 2·⌊{k}/2⌋ − ({k} − 1)", conv_unit_half),
            ("s = 1, p = k − 1", "{i} + 2·({k} − 1) − ({k} − 1)", conv_unit_full),
            ("p = 0", "⌊({i} − {k})/{s}⌋ + 1", conv_strided),
            ("any s and p", "⌊({i} + {pads} − {k})/{s}⌋ + 1", conv_strided_padded),
            ("pooling, p = 0", "⌊({i} − {k})/{s}⌋ + 1", pool_unpadded),
            ("transposed, s = 1, p = 0", "{i} + ({k} − 1)", transpose_unit),
            ("transposed, s = 1", "{i} + ({k} − 1) − {cut}", transpose_unit_padded),
            ("transposed, s = 1, k odd, p = ⌊k/2⌋", "{i} + ({k} − 1) − 2·⌊{k}/2⌋", transpose_unit_half),
            ("transposed, s = 1, p = k − 1", "{i} + ({k} − 1) − 2·({k} − 1)", transpose_unit_full),
            ("transposed, p = 0, a = 0", "{s}·({i} − 1) + {k}", transpose_strided),
            ("transposed, a = 0", "{s}·({i} − 1) + {k} − {cut}", transpose_strided_padded),
            ("transposed, any s, p and a", "{s}·({i} − 1) + {a} + {k} − {cut}", transpose_output_padded),
            ("dilated", "⌊({i} + {pads} − {k} − ({k} − 1)·({d} − 1))/{s}⌋ + 1", conv_dilated),
        ),
        start=1,
    )
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A size, the relationship that gives it, and its formula in symbols and with the numbers put in."""

    size: int
    relationship: int
    formula: str
    numbers: str
    remark: str = ""

    def __str__(self) -> str:
        remark = f", {self.remark}" if self.remark else ""
        return f"{self.numbers}   [relationship {self.relationship}{remark}]"


def explain_conv(size: int, kernel: int, stride: int = 1, pads: Pair = (0, 0), dilation: int = 1) -> Explanation:
    """Why a convolution's output has its size.

    The most special relationship is named, unless the kernel does not fit: then the general one, because it shows
    everything that could be changed.
    """
    output = conv_size(size, kernel, stride, pads, dilation)
    number = 15 if dilation > 1 else _conv_relationship(kernel, stride, pads) if output > 0 else 6
    return _explain(number, output, size, kernel, stride, pads, dilation)


def explain_pool(
    size: int, kernel: int, stride: int, pads: Pair = (0, 0), dilation: int = 1, ceil: bool = False
) -> Explanation:
    """Why a pool's output has its size. Padded or dilated pools follow 6 and 15: the guide's 7 knows neither."""
    output = pool_size(size, kernel, stride, pads, dilation, ceil)
    number = 15 if dilation > 1 else 6 if any(pads) else 7
    if not ceil:
        return _explain(number, output, size, kernel, stride, pads, dilation)
    rounded_up = -((dilated(kernel, dilation) - size - sum(pads)) // stride) + 1
    dropped = output < rounded_up
    remark = "rounded up" + (", less a window that would start beyond the input" if dropped else "")
    template = RELATIONSHIPS[number].template.replace("⌊", "⌈").replace("⌋", "⌉") + (" − 1" if dropped else "")
    return _explain(number, output, size, kernel, stride, pads, dilation, template=template, remark=remark)


def explain_transpose(
    size: int, kernel: int, stride: int = 1, pads: Pair = (0, 0), dilation: int = 1, output_padding: int = 0
) -> Explanation:
    """Why a transposed convolution's output has its size; the general relationship when nothing is left of it."""
    output = transpose_size(size, kernel, stride, pads, dilation, output_padding)
    special = output > 0 and output_padding == 0
    number = _transpose_relationship(dilated(kernel, dilation), stride, pads) if special else 14
    return _explain(number, output, size, kernel, stride, pads, dilation, output_padding, transposed=True)


def _conv_relationship(kernel: int, stride: int, pads: Pair) -> int:
    if stride > 1:
        return 6 if any(pads) else 5
    return 1 + _unit_stride_case(kernel, pads)


def _transpose_relationship(kernel: int, stride: int, pads: Pair) -> int:
    if stride > 1:
        return 13 if any(pads) else 12
    return 8 + _unit_stride_case(kernel, pads)


def _unit_stride_case(kernel: int, pads: Pair) -> int:
    """0: no padding, 1: any, 2: half of an odd kernel, 3: full; in the order of the guide."""
    if not any(pads):
        return 0
    if kernel % 2 and pads == half_pads(kernel):
        return 2
    return 3 if pads == full_pads(kernel) else 1


def _explain(
    number: int,
    output: int,
    size: int,
    kernel: int,
    stride: int,
    pads: Pair,
    dilation: int,
    output_padding: int = 0,
    *,
    transposed: bool = False,
    template: str = "",
    remark: str = "",
) -> Explanation:
    template = template or RELATIONSHIPS[number].template
    symbol, prime = ("k_d", "'") if transposed and dilation > 1 else ("k", "'" if transposed else "")
    reach = dilated(kernel, dilation) if symbol == "k_d" else kernel
    even = pads[0] == pads[1]
    added, numbers = ("2p", f"2·{pads[0]}") if even else ("p_lo + p_hi", f"{pads[0]} + {pads[1]}")
    cut, cut_numbers = (added, numbers) if even else (f"({added})", f"({numbers})")
    formula = template.format(i=f"i{prime}", k=symbol, s="s", d="d", a="a", pads=added, cut=cut)
    filled = template.format(i=size, k=reach, s=stride, d=dilation, a=output_padding, pads=numbers, cut=cut_numbers)
    formula, filled = f"o{prime} = {formula}", f"o{prime} = {filled} = {output}"
    if symbol == "k_d":
        formula += ", k_d = k + (k − 1)·(d − 1)"
        filled += f", k_d = {kernel} + ({kernel} − 1)·({dilation} − 1) = {reach}"
    return Explanation(output, number, formula, filled, remark)
