"""Convolution arithmetic as small pure functions, so that every size has one place that decides it.

The numbered relationships are those of V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep
learning" (arXiv 1603.07285). Everything is per axis, because axes do not interact: i is the size of the input
(i' that of a transposed convolution), k of the kernel, s the stride, p the zeros added at each end, d the
dilation, a the output padding. Callers guarantee k, s, d >= 1 and p, a >= 0; nothing here checks it again.
"""

from __future__ import annotations

from collections.abc import Callable
from math import gcd

from netspec.dataclass import dataclass, replace

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

    With `ceil`, what is left over after the last whole window gets a window of its own, provided that it
    starts inside the input or the padding before it (PyTorch's rule: no window hangs over for padding alone).
    """
    whole = conv_size(size, kernel, stride, pads, dilation)
    left_over = (size + sum(pads) - dilated(kernel, dilation)) % stride
    starts_inside = whole * stride < size + pads[0]
    return whole + 1 if ceil and left_over and starts_inside else whole


def ceil_overhang(size: int, kernel: int, stride: int, pads: Pair = (0, 0), dilation: int = 1) -> int:
    """The padding to add at the end so that rounding down gives the size that rounding up does.

    An average that counts its padding must still leave these elements out: a window that hangs over is
    divided by what it covers of the input and of the padding asked for.
    """
    padded = size + sum(pads)
    rounded_up = pool_size(size, kernel, stride, pads, dilation, ceil=True)
    return max((rounded_up - 1) * stride + dilated(kernel, dilation) - padded, 0)


def overlap(count: int, kernel: int, stride: int, dilation: int = 1) -> int | None:
    """How far apart the nearest two of `count` windows are that share a position; None if no two do."""
    # Tap t of window p is at p·s + t·d, so windows m apart share a position where m·s = t·d for a t below the kernel.
    step = gcd(stride, dilation)
    taps, apart = stride // step, dilation // step
    return apart if taps < kernel and apart < count else None


def empty_window(size: int, kernel: int, stride: int, pads: Pair = (0, 0), dilation: int = 1) -> int | None:
    """The first window of a pool that covers padding only; None when each covers an element of the input.

    It looks at no window and no tap one by one: both may be more than can be counted.
    """
    count = conv_size(size, kernel, stride, pads, dilation)
    lo = pads[0]
    # Window p starts at p·s − lo. The first one reaches furthest to the left.
    if count < 1 or lo - (kernel - 1) * dilation > 0:
        return None if count < 1 else 0
    # Of one that starts before the input and reaches it, the first tap inside is at (p·s − lo) mod d.
    jump = _first_residue(stride, -lo % dilation, dilation, size, dilation - 1)
    if jump is not None and jump < min(count, -(-lo // stride)):
        return jump
    beyond = -(-(size + lo) // stride)
    return beyond if beyond < count else None


def _first_residue(step: int, start: int, modulus: int, low: int, high: int) -> int | None:
    """The least x ≥ 0 for which low ≤ (step·x + start) mod modulus ≤ high, or None. 0 ≤ low, high < modulus.

    As Euclid's algorithm: each turn makes the modulus the step and the step a remainder, so that the turns are
    as many as the numbers have digits.
    """
    if low > high:
        return None
    if low <= start % modulus <= high:
        return 0
    # step·x mod modulus from low − start to high − start, which no longer holds 0.
    return _least_multiple(step % modulus, modulus, (low - start) % modulus, (high - start) % modulus)


def _least_multiple(step: int, modulus: int, low: int, high: int) -> int | None:
    """The least x ≥ 0 with low ≤ step·x mod modulus ≤ high, or None. 0 < low ≤ high < modulus, 0 ≤ step."""
    turns: list[tuple[int, int, int]] = []
    while True:
        if step == 0:
            return None
        x = -(-low // step)
        if step * x <= high:
            break
        # No multiple of the step lies between: how often the modulus is taken away, y, is the next question.
        turns.append((step, modulus, low))
        step, modulus, low, high = -modulus % step, step, low % step, high % step
    for step, modulus, low in reversed(turns):
        x = -(-(low + modulus * x) // step)
    return x


def transpose_size(
    size: int, kernel: int, stride: int = 1, pads: Pair = (0, 0), dilation: int = 1, output_padding: int = 0
) -> int:
    """The output size of a transposed convolution, the direct one having these pads; may be zero or less."""
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
    """All but one of the dilated kernel, k − 1, at both ends."""
    full = dilated(kernel, dilation) - 1
    return full, full


def causal_pads(kernel: int, dilation: int = 1) -> Pair:
    """All but one of the dilated kernel, k − 1, at the beginning: no output sees a later input."""
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
    """Every input size of which a convolution, or a pool (with `ceil`), makes `output`; empty when none."""
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


def output_padding_for(
    size: int, kernel: int, stride: int = 1, pads: Pair = (0, 0), dilation: int = 1
) -> int:
    """The a of relationship 14: with it, the transpose of the convolution of `size` gives back `size`."""
    return (size + sum(pads) - dilated(kernel, dilation)) % stride


@dataclass(frozen=True, slots=True)
class Direct:
    """A direct convolution that computes what a transposed one does, with the kernel turned around.

    Its input is the given one with s − 1 zeros put between neighbours (of size `stretched`), `output_padding`
    zeros added at the end, and `pads`, which are k − 1 − p, at both; a negative pad takes away instead.
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


# Why a size is what it is, in words that a person can check.


@dataclass(frozen=True, slots=True)
class Relationship:
    """A relationship of the guide: its number, when it holds, its formula with gaps to fill, its function."""

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
    """A size, the relationship that gives it, and its formula in symbols and with the numbers put in."""

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
    """Why a convolution's output has its size, by the most special relationship that holds.

    When the kernel does not fit it is the general one, because that shows everything that could be changed.
    """
    output = conv_size(size, kernel, stride, pads, dilation)
    special = 1 + _unit_stride_case(kernel, pads) if stride == 1 else 6 if any(pads) else 5
    number = 15 if dilation > 1 else special if output > 0 else 6
    values = {"i": size, "k": kernel, "s": stride, "d": dilation}
    return _explanation("o", RELATIONSHIPS[number], values, pads, output)


def explain_pool(
    size: int, kernel: int, stride: int, pads: Pair = (0, 0), dilation: int = 1, ceil: bool = False
) -> Explanation:
    """Why a pool's output has its size; 6 if padded and 15 if dilated, as the guide's 7 knows neither."""
    output = pool_size(size, kernel, stride, pads, dilation, ceil)
    relationship = RELATIONSHIPS[15 if dilation > 1 else 6 if any(pads) else 7]
    values = {"i": size, "k": kernel, "s": stride, "d": dilation}
    if not ceil:
        return _explanation("o", relationship, values, pads, output)
    left_over = output_padding_for(size, kernel, stride, pads, dilation) > 0
    dropped = left_over and output == conv_size(size, kernel, stride, pads, dilation)
    template = relationship.template.replace("⌊", "⌈").replace("⌋", "⌉") + (" − 1" if dropped else "")
    remark = "rounded up" + (", less a window that would start beyond the input" if dropped else "")
    return _explanation("o", replace(relationship, template=template), values, pads, output, remark)


def explain_transpose(
    size: int, kernel: int, stride: int = 1, pads: Pair = (0, 0), dilation: int = 1, output_padding: int = 0
) -> Explanation:
    """Why a transposed convolution's output has its size; by the general relationship when nothing is left.

    The guide transposes no dilated convolution: k_d, how far the dilated kernel reaches, stands for k then.
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
    """0: no padding, 1: any, 2: half of an odd kernel, 3: full; in the order of the guide."""
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
