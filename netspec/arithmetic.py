"""Convolution arithmetic as small pure functions; all sizes are computed here.

The numbered relationships are those of V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep
learning" (arXiv 1603.07285). All functions are for one axis, because axes are independent: i is the size of the input
(i' that of a transposed convolution), k the kernel size, s the stride, p the zeros added at each end, d the dilation, a
the output padding. Callers guarantee k, s, d >= 1 and p, a >= 0; the functions do not check this.
"""

from __future__ import annotations

from collections.abc import Callable
from math import gcd

from netspec.dataclass import dataclass, replace

Pair = tuple[int, int]
"""The padding before the first and after the last element of an axis: (lo, hi)."""


# The relationships of the guide, one function per relationship.


def conv_unit(i: int, k: int) -> int:
    """Relationship 1: s = 1, p = 0."""
    return (i - k) + 1


def conv_unit_padded(i: int, k: int, p: int) -> int:
    """Relationship 2: s = 1, any p."""
    return (i - k) + 2 * p + 1


def conv_unit_half(i: int, k: int) -> int:
    """Relationship 3: s = 1, k odd, p = ⌊k/2⌋; o = i. ValueError for an even k."""
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
    """Relationship 12: the transpose of any s, p = 0, where i − k is a multiple of s."""
    return s * (i - 1) + k


def transpose_strided_padded(i: int, k: int, s: int, p: int) -> int:
    """Relationship 13: the transpose of any s and p, where i + 2p − k is a multiple of s."""
    return s * (i - 1) + k - 2 * p


def transpose_output_padded(i: int, k: int, s: int, p: int, a: int) -> int:
    """Relationship 14: the transpose of any convolution; a = (i + 2p − k) mod s of the direct one."""
    return s * (i - 1) + a + k - 2 * p


def conv_dilated(i: int, k: int, s: int, p: int, d: int) -> int:
    """Relationship 15: any s, p and dilation d."""
    return (i + 2 * p - k - (k - 1) * (d - 1)) // s + 1


def _require_odd(k: int) -> None:
    if k % 2 == 0:
        raise ValueError(f"half padding keeps the size only for an odd kernel, not for {k}")


# Any case: pads that can differ at the two ends, dilation, rounding up.


def dilated(kernel: int, dilation: int = 1) -> int:
    """The size of a dilated kernel: k + (k − 1)(d − 1)."""
    return kernel + (kernel - 1) * (dilation - 1)


def conv_size(size: int, kernel: int, stride: int = 1, pads: Pair = (0, 0), dilation: int = 1) -> int:
    """The output size of a convolution; zero or negative if the kernel does not fit."""
    return (size + sum(pads) - dilated(kernel, dilation)) // stride + 1


def pool_size(
    size: int, kernel: int, stride: int, pads: Pair = (0, 0), dilation: int = 1, ceil: bool = False
) -> int:
    """The output size of a pool; zero or negative if the window does not fit.

    With `ceil`, an incomplete window after the last complete one counts, if it starts inside the input or the padding
    before it (PyTorch's rule: a window must not start in the padding at the end).
    """
    whole = conv_size(size, kernel, stride, pads, dilation)
    left_over = (size + sum(pads) - dilated(kernel, dilation)) % stride
    starts_inside = whole * stride < size + pads[0]
    return whole + 1 if ceil and left_over and starts_inside else whole


def ceil_overhang(size: int, kernel: int, stride: int, pads: Pair = (0, 0), dilation: int = 1) -> int:
    """The padding at the end with which rounding down gives the same size as rounding up.

    An average that counts its padding must not count these elements: an incomplete window is divided by the number of
    elements that it covers of the input and of the requested padding.
    """
    padded = size + sum(pads)
    rounded_up = pool_size(size, kernel, stride, pads, dilation, ceil=True)
    return max((rounded_up - 1) * stride + dilated(kernel, dilation) - padded, 0)


def overlap(count: int, kernel: int, stride: int, dilation: int = 1) -> int | None:
    """The smallest distance of two of `count` windows that share a position; None if no two do."""
    # Tap t of window p is at p·s + t·d, so windows m apart share a position if m·s = t·d for some t below the kernel.
    step = gcd(stride, dilation)
    taps, apart = stride // step, dilation // step
    return apart if taps < kernel and apart < count else None


def empty_window(size: int, kernel: int, stride: int, pads: Pair = (0, 0), dilation: int = 1) -> int | None:
    """The index of the first pool window that covers only padding; None if each window covers an input element.

    It does not enumerate windows or taps, because there can be too many of them.
    """
    count = conv_size(size, kernel, stride, pads, dilation)
    lo = pads[0]
    # Window p starts at p·s − lo. The first one extends furthest to the left.
    if count < 1 or lo - (kernel - 1) * dilation > 0:
        return None if count < 1 else 0
    # For a window that starts before the input and extends into it, the first tap inside is at (p·s − lo) mod d.
    jump = _first_residue(stride, -lo % dilation, dilation, size, dilation - 1)
    if jump is not None and jump < min(count, -(-lo // stride)):
        return jump
    beyond = -(-(size + lo) // stride)
    return beyond if beyond < count else None


def _first_residue(step: int, start: int, modulus: int, low: int, high: int) -> int | None:
    """The smallest x ≥ 0 with low ≤ (step·x + start) mod modulus ≤ high, or None. 0 ≤ low, high < modulus.

    Like Euclid's algorithm: in each round the step becomes the modulus and a remainder becomes the step, so the number
    of rounds is proportional to the number of digits.
    """
    if low > high:
        return None
    if low <= start % modulus <= high:
        return 0
    # step·x mod modulus from low − start to high − start; this interval does not contain 0.
    return _least_multiple(step % modulus, modulus, (low - start) % modulus, (high - start) % modulus)


def _least_multiple(step: int, modulus: int, low: int, high: int) -> int | None:
    """The smallest x ≥ 0 with low ≤ step·x mod modulus ≤ high, or None. 0 < low ≤ high < modulus, 0 ≤ step."""
    turns: list[tuple[int, int, int]] = []
    while True:
        if step == 0:
            return None
        x = -(-low // step)
        if step * x <= high:
            break
        # No multiple of the step is in the interval: find y, the number of times that the modulus is subtracted.
        turns.append((step, modulus, low))
        step, modulus, low, high = -modulus % step, step, low % step, high % step
    for step, modulus, low in reversed(turns):
        x = -(-(low + modulus * x) // step)
    return x


def transpose_size(
    size: int, kernel: int, stride: int = 1, pads: Pair = (0, 0), dilation: int = 1, output_padding: int = 0
) -> int:
    """The output size of a transposed convolution whose direct convolution has these pads; can be zero or negative."""
    return stride * (size - 1) + output_padding + dilated(kernel, dilation) - sum(pads)


# The padding words in numbers.


def same_pads(size: int, kernel: int, stride: int = 1, dilation: int = 1) -> Pair:
    """TensorFlow's `same`: the output is ⌈i/s⌉, and an odd number of zeros has one more at the end."""
    outputs = -(-size // stride)
    total = max((outputs - 1) * stride + dilated(kernel, dilation) - size, 0)
    return total // 2, total - total // 2


def half_pads(kernel: int, dilation: int = 1) -> Pair:
    """Pads of ⌊k/2⌋ at both ends, for the dilated kernel."""
    half = dilated(kernel, dilation) // 2
    return half, half


def full_pads(kernel: int, dilation: int = 1) -> Pair:
    """Pads of k − 1 at both ends, for the dilated kernel."""
    full = dilated(kernel, dilation) - 1
    return full, full


def causal_pads(kernel: int, dilation: int = 1) -> Pair:
    """Pads of k − 1 at the beginning, for the dilated kernel: no output depends on a later input."""
    return dilated(kernel, dilation) - 1, 0


def same_transpose_pads(kernel: int, stride: int, dilation: int = 1) -> tuple[Pair, int]:
    """Pads and output padding with which a transposed convolution multiplies any size by its stride.

    The direct convolution that it transposes is `same` on the larger size.
    """
    surplus = dilated(kernel, dilation) - stride
    total = max(surplus, 0)
    return (total // 2, total - total // 2), max(-surplus, 0)


# The inverse questions.


def input_sizes(
    output: int, kernel: int, stride: int = 1, pads: Pair = (0, 0), dilation: int = 1, ceil: bool = False
) -> range:
    """All input sizes for which a convolution, or a pool (with `ceil`), gives `output`; can be empty."""
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
    """All input sizes for which a convolution or pool with `same` gives `output`."""
    return range((output - 1) * stride + 1, output * stride + 1) if output >= 1 else range(0)


def transpose_input_sizes(
    output: int, kernel: int, stride: int = 1, pads: Pair = (0, 0), dilation: int = 1, output_padding: int = 0
) -> range:
    """The only input size for which a transposed convolution gives `output`, or an empty range."""
    steps = output - output_padding - dilated(kernel, dilation) + sum(pads)
    if output < 1 or steps < 0 or steps % stride:
        return range(0)
    return range(steps // stride + 1, steps // stride + 2)


def output_padding_for(
    size: int, kernel: int, stride: int = 1, pads: Pair = (0, 0), dilation: int = 1
) -> int:
    """The a of relationship 14: with it, the transpose of the convolution of `size` restores `size`."""
    return (size + sum(pads) - dilated(kernel, dilation)) % stride


@dataclass(frozen=True, slots=True)
class Direct:
    """The direct convolution that equals a transposed one, with the kernel flipped.

    Its input is the original one with s − 1 zeros between neighbours (of size `stretched`), `output_padding` zeros at
    the end, and `pads`, which are k − 1 − p, at both ends; a negative pad removes elements.
    """

    kernel: int
    dilation: int
    stride: int
    pads: Pair
    stretched: int
    output_padding: int

    @property
    def size(self) -> int:
        """The output size, which is that of the transposed convolution."""
        lo, hi = self.pads
        return conv_size(
            self.stretched, self.kernel, self.stride, (lo, hi + self.output_padding), self.dilation
        )


def transposed_equivalent(
    size: int, kernel: int, stride: int = 1, pads: Pair = (0, 0), dilation: int = 1, output_padding: int = 0
) -> Direct:
    """The direct convolution (k', s', p', stretched input, a) that equals a transposed one: 8 to 14."""
    reach = dilated(kernel, dilation) - 1
    return Direct(
        kernel=kernel,
        dilation=dilation,
        stride=1,
        pads=(reach - pads[0], reach - pads[1]),
        stretched=stride * (size - 1) + 1,
        output_padding=output_padding,
    )


# Explanations of sizes, which a person can check.


@dataclass(frozen=True, slots=True)
class Relationship:
    """A relationship of the guide: its number, its condition, its formula as a template, and its function."""

    number: int
    holds: str
    template: str
    function: Callable[..., int]


RELATIONSHIPS: dict[int, Relationship] = {
    relationship.number: relationship
    for relationship in (
        Relationship(1, "s = 1, p = 0", "({i} − {k}) + 1", conv_unit),
        Relationship(2, "s = 1", "({i} − {k}) + {pads} + 1", conv_unit_padded),
        Relationship(3, "s = 1, k odd, p = ⌊k/2⌋", "{i} + 2·⌊{k}/2⌋ − ({k} − 1)", conv_unit_half),
        Relationship(4, "s = 1, p = k − 1", "{i} + 2·({k} − 1) − ({k} − 1)", conv_unit_full),
        Relationship(5, "p = 0", "⌊({i} − {k})/{s}⌋ + 1", conv_strided),
        Relationship(6, "any s and p", "⌊({i} + {pads} − {k})/{s}⌋ + 1", conv_strided_padded),
        Relationship(7, "p = 0", "⌊({i} − {k})/{s}⌋ + 1", pool_unpadded),
        Relationship(8, "s = 1, p = 0", "{i} + ({k} − 1)", transpose_unit),
        Relationship(9, "s = 1", "{i} + ({k} − 1) − {cut}", transpose_unit_padded),
        Relationship(10, "s = 1, k odd, p = ⌊k/2⌋", "{i} + ({k} − 1) − 2·⌊{k}/2⌋", transpose_unit_half),
        Relationship(11, "s = 1, p = k − 1", "{i} + ({k} − 1) − 2·({k} − 1)", transpose_unit_full),
        Relationship(12, "p = 0, a = 0", "{s}·({i} − 1) + {k}", transpose_strided),
        Relationship(13, "a = 0", "{s}·({i} − 1) + {k} − {cut}", transpose_strided_padded),
        Relationship(14, "any s, p and a", "{s}·({i} − 1) + {a} + {k} − {cut}", transpose_output_padded),
        Relationship(
            15, "any s, p and d", "⌊({i} + {pads} − {k} − ({k} − 1)·({d} − 1))/{s}⌋ + 1", conv_dilated
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A size, the relationship that gives it, and its formula with symbols and with numbers."""

    size: int
    relationship: int
    formula: str
    numbers: str
    remark: str = ""

    def __str__(self) -> str:
        remark = f", {self.remark}" if self.remark else ""
        return f"{self.numbers}   [relationship {self.relationship}{remark}]"


def explain_conv(
    size: int, kernel: int, stride: int = 1, pads: Pair = (0, 0), dilation: int = 1
) -> Explanation:
    """Explain the output size of a convolution with the most specific relationship that applies.

    If the kernel does not fit, it is the general relationship, because it contains every value that can be changed.
    """
    output = conv_size(size, kernel, stride, pads, dilation)
    special = 1 + _unit_stride_case(kernel, pads) if stride == 1 else 6 if any(pads) else 5
    number = 15 if dilation > 1 else special if output > 0 else 6
    values = {"i": size, "k": kernel, "s": stride, "d": dilation}
    return _explanation("o", RELATIONSHIPS[number], values, pads, output)


def explain_pool(
    size: int, kernel: int, stride: int, pads: Pair = (0, 0), dilation: int = 1, ceil: bool = False
) -> Explanation:
    """Explain the output size of a pool. Relationship 7 covers neither padding nor dilation; they use 6 and 15."""
    output = pool_size(size, kernel, stride, pads, dilation, ceil)
    relationship = RELATIONSHIPS[15 if dilation > 1 else 6 if any(pads) else 7]
    values = {"i": size, "k": kernel, "s": stride, "d": dilation}
    if not ceil:
        return _explanation("o", relationship, values, pads, output)
    left_over = output_padding_for(size, kernel, stride, pads, dilation) > 0
    dropped = left_over and output == conv_size(size, kernel, stride, pads, dilation)
    template = relationship.template.replace("⌊", "⌈").replace("⌋", "⌉") + (" − 1" if dropped else "")
    remark = "rounded up" + (", minus a window that would start after the input" if dropped else "")
    return _explanation("o", replace(relationship, template=template), values, pads, output, remark)


def explain_transpose(
    size: int, kernel: int, stride: int = 1, pads: Pair = (0, 0), dilation: int = 1, output_padding: int = 0
) -> Explanation:
    """Explain the output size of a transposed convolution; with the general relationship if there is no output.

    The guide does not transpose dilated convolutions: for them, k_d, the size of the dilated kernel, replaces k.
    """
    output = transpose_size(size, kernel, stride, pads, dilation, output_padding)
    reach = dilated(kernel, dilation)
    special = 8 + _unit_stride_case(reach, pads) if stride == 1 else 13 if any(pads) else 12
    relationship = RELATIONSHIPS[special if output > 0 and output_padding == 0 else 14]
    values = {"i'": size, "k": kernel, "s": stride, "a": output_padding}
    if dilation == 1:
        return _explanation("o'", relationship, values, pads, output)
    values = {"i'": size, "k_d": reach, "s": stride, "a": output_padding}
    plain = _explanation("o'", relationship, values, pads, output)
    return replace(
        plain,
        formula=f"{plain.formula}, k_d = k + (k − 1)·(d − 1)",
        numbers=f"{plain.numbers}, k_d = {kernel} + ({kernel} − 1)·({dilation} − 1) = {reach}",
    )


def _unit_stride_case(kernel: int, pads: Pair) -> int:
    """0: no padding, 1: any padding, 2: half of an odd kernel, 3: full; in the order of the guide."""
    if not any(pads):
        return 0
    if kernel % 2 and pads == half_pads(kernel):
        return 2
    return 3 if pads == full_pads(kernel) else 1


def _explanation(
    target: str, relationship: Relationship, values: dict[str, int], pads: Pair, output: int, remark: str = ""
) -> Explanation:
    lo, hi = pads
    symbols = {"pads": "2p", "cut": "2p"} if lo == hi else {"pads": "p_lo + p_hi", "cut": "(p_lo + p_hi)"}
    zeros = (
        {"pads": f"2·{lo}", "cut": f"2·{lo}"}
        if lo == hi
        else {"pads": f"{lo} + {hi}", "cut": f"({lo} + {hi})"}
    )
    formula = relationship.template.format(**symbols, **{name[0]: name for name in values})
    numbers = relationship.template.format(**zeros, **{name[0]: value for name, value in values.items()})
    result = str(output).replace("-", "−")
    return Explanation(
        output, relationship.number, f"{target} = {formula}", f"{target} = {numbers} = {result}", remark
    )
