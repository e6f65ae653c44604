"""The classes and functions that PyTorch does not have; generated code defines the ones that it uses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from typing import Any

from netspec.lowering.cutting import Parts
from netspec_torch import attention_helpers, cells, conv_cells, rotary_helpers

RANKS = (1, 2, 3)
BASES = (
    *(f"{kind}Norm{rank}d" for kind in ("Batch", "Instance") for rank in RANKS),
    "LayerNorm",
    "GroupNorm",
)
_CALLED = re.compile(r"(?<![\w.])([A-Z]\w*|bilinear_|gates_|given_|lift_gates_)\(")
_BASES_OF = {**cells.BASES, **conv_cells.BASES, **attention_helpers.BASES}


def helpers(code: Iterable[str], parts: Parts = ()) -> dict[str, str]:
    """The helpers that lines of code call, by their names, in the order of the names; bases stand before them.

    `parts` are the parts of the helpers that the network needs.
    """
    called = {name for line in code for name in _CALLED.findall(line)}
    needed = dict.fromkeys(each for name in sorted(called) for each in (*_BASES_OF.get(name, ()), name))
    return {name: HELPERS[name](parts) for name in needed if name in HELPERS}


def _norms() -> Iterator[tuple[str, Callable[[Parts], str]]]:
    for base in BASES:
        for frozen, unscaled, uncentred in product((True, False), repeat=3):
            name = f"{'Frozen' * frozen}{'Unscaled' * unscaled}{'Uncentred' * uncentred}{base}"
            if name != base:
                yield name, _later(_norm, name, frozen, unscaled, uncentred, base)


def _later(write: Callable[..., str], *about: Any) -> Callable[[Parts], str]:
    """Writes a helper when a network needs it; a network needs few of the many."""
    return lambda parts: write(*about)


def _norm(name: str, frozen: bool, unscaled: bool, uncentred: bool, base: str) -> str:
    """A normalisation of PyTorch without scale, without shift, or frozen."""
    lacks = [word for word, missing in (("scale", unscaled), ("shift", uncentred)) if missing]
    what = f"{base} without a {' and a '.join(lacks)}" if lacks else f"{base} that does not learn"
    lines = [f"class {name}(nn.{base}):"]
    doc = f"{what}; it uses its running statistics in training, too." if frozen else f"{what}."
    lines += [f'    """{doc}"""', ""]
    if lacks:
        lines += [
            "    def __init__(self, *sizes, **settings):",
            "        super().__init__(*sizes, **settings)",
        ]
        lines += ['        self.register_parameter("weight", None)'] * unscaled
        lines += ['        self.register_parameter("bias", None)'] * uncentred
        lines += [""] * frozen
    if base == "GroupNorm" and unscaled and not uncentred:
        # F.group_norm has no backward pass with only a shift.
        normal = "F.group_norm(x, self.num_groups, eps=self.eps)"
        lines += ["", "    def forward(self, x):", "        shape = (-1, *(1,) * (x.dim() - 2))"]
        lines += [f"        return {normal} + self.bias.reshape(shape)"]
    if frozen:
        arguments = "x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps"
        lines += ["    def forward(self, x):", "        return F.batch_norm("]
        lines += [f"            {arguments}", "        )"]
    return "\n".join(lines)


def _separable_conv(rank: int) -> str:
    return f'''\
class SeparableConv{rank}d(nn.Sequential):
    """A depthwise convolution, then a 1×1 convolution that mixes the channels."""

    def __init__(self, in_channels, filters, kernel, multiplier=1, bias=True, **window):
        super().__init__()
        between = in_channels * multiplier
        self.depthwise = nn.Conv{rank}d(
            in_channels, between, kernel, groups=in_channels, bias=False, **window
        )
        self.pointwise = nn.Conv{rank}d(between, filters, 1, bias=bias)'''


def _padded_max_pool(rank: int) -> str:
    return f'''\
class PaddedMaxPool{rank}d(nn.MaxPool{rank}d):
    """Pads with minus infinity as `F.pad` does; its indices do not count the padding."""

    def __init__(self, kernel, pads, **window):
        super().__init__(kernel, **window)
        self.pads = pads

    def forward(self, x):
        padded = F.pad(x, self.pads, value=-torch.inf)
        values, places = super().forward(padded)
        indices, below = torch.zeros_like(places), 1
        # From the last axis to the first, as `pads` has them.
        for axis in range({rank}):
            size = padded.shape[-1 - axis]
            indices = indices + (places % size - self.pads[2 * axis]) * below
            places, below = places // size, below * x.shape[-1 - axis]
        return values, indices'''


def _table_conv(rank: int) -> str:
    return f'''\
class TableConv{rank}d(nn.Module):
    """A convolution whose filters see the input channels that a table lists for each."""

    def __init__(self, in_channels, filters, kernel, table, bias=True, **window):
        super().__init__()
        kernel = kernel if isinstance(kernel, tuple) else (kernel,) * {rank}
        self.shape, self.window = (filters, in_channels, *kernel), window
        self.rows = [row for row, sees in enumerate(table) for _ in sees]
        self.channels = [channel for sees in table for channel in sees]
        self.weight = nn.Parameter(torch.empty(len(self.rows), *kernel))
        self.fans = self.weight.numel() / filters, self.weight.numel() / in_channels
        bound = (6 / sum(self.fans)) ** 0.5
        nn.init.uniform_(self.weight, -bound, bound)
        self.bias = nn.Parameter(torch.zeros(filters)) if bias else None

    def forward(self, x):
        kernel = self.weight.new_zeros(self.shape)
        kernel[self.rows, self.channels] = self.weight
        return F.conv{rank}d(x, kernel, self.bias, **self.window)'''


def _local_contrast_norm(rank: int) -> str:
    return f'''\
class LocalContrastNorm{rank}d(nn.Module):
    """Subtracts the mean of a Gaussian window over all channels, divides by its deviation."""

    def __init__(self, kernel, spread=0.25, divide=True, eps=1e-4):
        super().__init__()
        window = torch.ones(())
        for size in kernel if isinstance(kernel, tuple) else (kernel,) * {rank}:
            steps = (torch.arange(size) - size // 2) / (spread * size)
            window = window[..., None] * torch.exp(-steps.square() / 2)
        self.register_buffer("window", window[None, None], persistent=False)
        self.divide, self.eps = divide, eps

    def around(self, x):
        """The mean of the window around each position; positions outside the map do not count."""
        x = x.mean(dim=1, keepdim=True)
        pads = [size // 2 for size in self.window.shape[2:]]
        inside = F.conv{rank}d(torch.ones_like(x[:1]), self.window, padding=pads)
        return F.conv{rank}d(x, self.window, padding=pads) / inside

    def forward(self, x):
        x = x - self.around(x)
        if not self.divide:
            return x
        deviation = self.around(x.square()).clamp(min=self.eps**2).sqrt()
        least = deviation.mean(dim={tuple(range(2, 2 + rank))}, keepdim=True)
        return x / torch.maximum(deviation, least)'''


_TEXTS = {
    "bilinear_": '''\
def bilinear_(weight, groups=1):
    """Linear interpolation of each channel: a triangle along each axis."""
    first, second, *sizes = weight.shape
    kernel = torch.ones(())
    for size in sizes:
        factor = (size + 1) // 2
        middle = factor - 1 if size % 2 else factor - 0.5
        kernel = kernel[..., None] * (1 - (torch.arange(size) - middle).abs() / factor)
    own = torch.arange(first) % (first // groups) % second
    nn.init.zeros_(weight)
    weight.data[torch.arange(first), own] = kernel''',
    "given_": '''\
@torch.no_grad()
def given_(tensor, values):
    """Start a tensor with these values."""
    tensor.copy_(torch.tensor(values))''',
    "gates_": '''\
def gates_(bias, *values):
    """Start the bias of each gate at a value of its own."""
    for part, value in zip(bias.data.chunk(len(values)), values, strict=True):
        part.fill_(value)''',
    "lift_gates_": '''\
def lift_gates_(bias, *values):
    """Add a number to the start of the bias of each gate."""
    for part, value in zip(bias.data.chunk(len(values)), values, strict=True):
        part.add_(value)''',
    "DropPath": '''\
class DropPath(nn.Module):
    """In training sets whole samples to 0 with this probability, and scales up the others."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, x):
        ones = x.new_ones(x.shape[0], *(1,) * (x.dim() - 1))
        return x * F.dropout(ones, self.rate) if self.training and self.rate else x''',
    "GaussianNoise": '''\
class GaussianNoise(nn.Module):
    """In training adds normal noise of this standard deviation."""

    def __init__(self, std):
        super().__init__()
        self.std = std

    def forward(self, x):
        return x + self.std * torch.randn_like(x) if self.training and self.std else x''',
    "MaskInput": '''\
class MaskInput(nn.Module):
    """In training sets values to 0 with this probability, and leaves the others as they are."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, x):
        return x * (torch.rand_like(x) >= self.rate) if self.training and self.rate else x''',
    "Fixed": '''\
class Fixed(nn.Module):
    """Numbers, the same for every sample."""

    def __init__(self, values):
        super().__init__()
        self.register_buffer("values", torch.tensor(values), persistent=False)

    def forward(self, x):
        return self.values.expand(x.shape[0], *self.values.shape)''',
    "Filled": '''\
class Filled(nn.Module):
    """One number everywhere, the same for every sample."""

    def __init__(self, shape, value):
        super().__init__()
        self.shape = shape
        self.register_buffer("value", torch.tensor(value), persistent=False)

    def forward(self, x):
        return self.value.expand(x.shape[0], *self.shape)''',
    "LastStep": '''\
class LastStep(nn.Module):
    """The last step of each sequence that counts; zeros where none does."""

    def forward(self, x, lengths):
        is_last = torch.arange(x.shape[2], device=x.device) == lengths[:, None] - 1
        return torch.where(is_last[:, None], x, 0).sum(dim=2)''',
    "Learned": '''\
class Learned(nn.Module):
    """A trainable tensor, the same for every sample."""

    def __init__(self, shape):
        super().__init__()
        self.weight = nn.Parameter(0.02 * torch.randn(shape))

    def forward(self, x):
        return self.weight.expand(x.shape[0], *self.weight.shape)''',
    "Sinusoid": '''\
class Sinusoid(nn.Module):
    """Sines and cosines of the number of each position (Vaswani et al. 2017)."""

    def __init__(self, channels, length, base=10000.0):
        super().__init__()
        rates = base ** (-torch.arange(0, channels, 2) / channels)
        angles = rates[:, None] * torch.arange(length)
        waves = torch.stack([angles.sin(), angles.cos()], dim=1).flatten(0, 1)
        self.register_buffer("waves", waves[:channels], persistent=False)

    def forward(self, x):
        return self.waves.expand(x.shape[0], *self.waves.shape)''',
    "SinusoidPositions": '''\
class SinusoidPositions(nn.Module):
    """Adds sines and cosines of its number to each position (Vaswani et al. 2017)."""

    def __init__(self, base=10000.0):
        super().__init__()
        self.base = base

    def forward(self, x):
        channels, length = x.shape[1:]
        # In half precision, far positions are equal.
        kind = {"dtype": torch.promote_types(x.dtype, torch.float32), "device": x.device}
        rates = self.base ** (-torch.arange(0, channels, 2, **kind) / channels)
        angles = rates[:, None] * torch.arange(length, **kind)
        waves = torch.stack([angles.sin(), angles.cos()], dim=1).flatten(0, 1)
        return x + waves[:channels].to(x.dtype)''',
    "OneHot": '''\
class OneHot(nn.Module):
    """A channel for each index of a vocabulary, last: 1 where the index is, 0 elsewhere."""

    def __init__(self, vocabulary):
        super().__init__()
        self.vocabulary = vocabulary
        self.register_buffer("one", torch.ones(()), persistent=False)

    def forward(self, x):
        return F.one_hot(x, self.vocabulary).to(self.one)''',
    "CenterCrop": '''\
class CenterCrop(nn.Module):
    """The middle of a map, in a size or in that of a second map."""

    def __init__(self, size=None):
        super().__init__()
        self.size = size

    def forward(self, x, like=None):
        for dim, size in enumerate(self.size or like.shape[2:], start=2):
            x = x.narrow(dim, (x.shape[dim] - size) // 2, size)
        return x''',
    "CenterPad": '''\
class CenterPad(nn.Module):
    """A border that brings a map to a size, or to that of a second map."""

    def __init__(self, size=None, **border):
        super().__init__()
        self.size, self.border = size, border

    def forward(self, x, like=None):
        sizes, pads = self.size or like.shape[2:], []
        for dim in range(x.dim() - 1, 1, -1):
            more = sizes[dim - 2] - x.shape[dim]
            pads += [more // 2, more - more // 2]
        return F.pad(x, pads, **self.border)''',
    "NearestUpsample": '''\
class NearestUpsample(nn.Module):
    """Repeats values up to a size, or to that of a second map; PyTorch rounds their places."""

    def __init__(self, size=None):
        super().__init__()
        self.size = size

    def forward(self, x, like=None):
        for dim, size in enumerate(self.size or like.shape[2:], start=2):
            places = torch.arange(size, device=x.device) * x.shape[dim] // size
            x = x.index_select(dim, places)
        return x''',
    "DarknetReorg": '''\
class DarknetReorg(nn.Module):
    """Blocks become channels in the order of Darknet, which reads the input as a larger map."""

    def __init__(self, block):
        super().__init__()
        self.block = block

    def forward(self, x):
        batch, channels, height, width = x.shape
        block = self.block
        x = x.reshape(batch, channels // block**2, height, block, width, block)
        x = x.permute(0, 3, 5, 1, 2, 4)
        return x.reshape(batch, channels * block**2, height // block, width // block)''',
    "NearestExact": '''\
class NearestExact(nn.Module):
    """The values in the middle of equal portions; PyTorch rounds their places."""

    def __init__(self, size=None):
        super().__init__()
        self.size = size

    def forward(self, x, like=None):
        for dim, size in enumerate(self.size or like.shape[2:], start=2):
            places = (2 * torch.arange(size, device=x.device) + 1) * x.shape[dim] // (2 * size)
            x = x.index_select(dim, places)
        return x''',
    "FilteredResize": '''\
class FilteredResize(nn.Module):
    """Interpolates axis by axis, linearly or cubically; PyTorch has these for images only."""

    def __init__(self, size=None, factor=None, cubic=False, align_corners=False, antialias=False):
        super().__init__()
        self.size, self.factor, self.cubic = size, factor, cubic
        self.align_corners, self.antialias = align_corners, antialias

    def forward(self, x, like=None):
        sizes = self.size
        if self.factor:
            pairs = zip(x.shape[2:], self.factor, strict=True)
            sizes = [length * factor for length, factor in pairs]
        for dim, size in enumerate(sizes or like.shape[2:], start=2):
            shares = self.shares(x, x.shape[dim], size).to(x)
            x = torch.tensordot(x, shares, dims=([dim], [1])).movedim(-1, dim)
        return x

    def shares(self, x, length, size):
        """How much of each position of the input is in each of the output."""
        how = {"device": x.device, "dtype": torch.promote_types(x.dtype, torch.float32)}
        places = torch.arange(size, **how)
        if self.align_corners:
            places = places * (length - 1) / max(size - 1, 1)
        else:
            places = (places + 0.5) * length / size - 0.5
        if self.antialias:
            distances = torch.arange(length, **how) - places[:, None]
            shares = self.kernel(distances / max(length / size, 1), -0.5)
            return shares / shares.sum(dim=1, keepdim=True)
        taps = places.floor()[:, None] + torch.arange(-1, 3, **how)
        weights = self.kernel(taps - places[:, None], -0.75)
        nothing = torch.zeros(size, length, **how)
        return nothing.scatter_add(1, taps.clamp(0, length - 1).long(), weights)

    def kernel(self, distances, a):
        x = distances.abs()
        if not self.cubic:
            return (1 - x).clamp(min=0)
        near = ((a + 2) * x - (a + 3)) * x**2 + 1
        far = (((x - 5) * x + 8) * x - 4) * a
        return torch.where(x < 1, near, torch.where(x < 2, far, 0))''',
    "L2Norm": '''\
class L2Norm(nn.Module):
    """Scales the channels of each position to length 1, then each channel by a trainable factor."""

    def __init__(self, in_channels, eps=1e-12):
        super().__init__()
        self.weight = nn.Parameter(torch.full((in_channels,), 20.0))
        self.eps = eps

    def forward(self, x):
        scale = self.weight.reshape(-1, *(1,) * (x.dim() - 2))
        return scale * x / (x.square().sum(dim=1, keepdim=True) + self.eps).sqrt()''',
    "Rbf": '''\
class Rbf(nn.Module):
    """The squared distance from the channels to each unit's weights."""

    def __init__(self, in_channels, units):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(units, in_channels))

    def forward(self, x):
        weight = self.weight.reshape(*self.weight.shape, *(1,) * (x.dim() - 2))
        return (x[:, None] - weight).square().sum(dim=2)''',
    "Scale": '''\
class Scale(nn.Module):
    """Multiplies each channel by a trainable factor and adds a bias."""

    def __init__(self, in_channels, bias=True):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(in_channels))
        self.bias = nn.Parameter(torch.zeros(in_channels)) if bias else None

    def forward(self, x):
        shape = (-1, *(1,) * (x.dim() - 2))
        x = x * self.weight.reshape(shape)
        return x if self.bias is None else x + self.bias.reshape(shape)''',
}

_BY_RANK: Mapping[str, Callable[[int], str]] = {
    "SeparableConv": _separable_conv,
    "PaddedMaxPool": _padded_max_pool,
    "TableConv": _table_conv,
    "LocalContrastNorm": _local_contrast_norm,
}


def _whole(text: str) -> Callable[[Parts], str]:
    """What writes a helper that has no parts."""
    return lambda parts: text


HELPERS: Mapping[str, Callable[[Parts], str]] = {
    **{name: _whole(text) for name, text in _TEXTS.items()},
    **cells.CELLS,
    **conv_cells.CELLS,
    **attention_helpers.HELPERS,
    **rotary_helpers.HELPERS,
    **{f"{name}{rank}d": _later(write, rank) for name, write in _BY_RANK.items() for rank in RANKS},
    **dict(_norms()),
}
"""For every helper, the function that writes it with the parts that a network needs."""

NAMES = frozenset({*HELPERS, *BASES})
"""Names that no class of a block may have."""

HELD: Mapping[str, str] = {
    **{f"SeparableConv{rank}d": f"nn.Conv{rank}d" for rank in RANKS},
    **dict.fromkeys(attention_helpers.MATRICES, "nn.Linear"),
}
"""The class of the modules that a helper class holds."""
