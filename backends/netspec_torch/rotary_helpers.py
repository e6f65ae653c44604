"""The helper classes for rotations by position in generated code, on (N, positions, channels)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from netspec.lowering.cutting import Parts, cut

ROTARY = '''\
class $name(nn.Module):
    """Turns pairs of channels of each head, by more at later positions (Su et al. 2021)."""  #: !neighbours
    """Turns pairs of neighbours in each head, by more at later positions (Su et al. 2021)."""  #: neighbours

    def __init__(self, $fields):
        super().__init__()
        self.heads = heads
        self.base = base
        self.turned = turned  #: turned
        self.start = start  #: start

    def forward(self, x):
        x = x.unflatten(-1, (self.heads, -1))
        size = self.turned or x.shape[-1]  #: turned
        x, rest = x[..., :size], x[..., size:]  #: turned
        size = x.shape[-1]  #: !turned
        # In half precision, far positions are equal.
        kind = {"dtype": torch.promote_types(x.dtype, torch.float32), "device": x.device}
        rates = self.base ** (-torch.arange(0, size, 2, **kind) / size)
        places = torch.arange(x.shape[1], **kind)  #: !start
        places = self.start + torch.arange(x.shape[1], **kind)  #: start
        angles = (places[:, None] * rates)[:, None]
        cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
        a, b = x.chunk(2, dim=-1)  #: !neighbours
        a, b = x[..., ::2], x[..., 1::2]  #: neighbours
        y = [a * cos - b * sin, a * sin + b * cos]
        return torch.cat([*y, rest], dim=-1).flatten(-2)  #: !neighbours turned
        return torch.cat(y, dim=-1).flatten(-2)  #: !neighbours !turned
        y = torch.stack(y, dim=-1).flatten(-2)  #: neighbours
        return torch.cat([y, rest], dim=-1).flatten(-2)  #: neighbours turned
        return y.flatten(-2)  #: neighbours !turned'''


FIELDS = {"turned": "turned=0", "start": "start=0"}
"""For a part, the parameter of the class."""


def _rotary(name: str, parts: Parts) -> str:
    fields = ["heads", "base=10000.0", *(field for part, field in FIELDS.items() if part in parts)]
    neighbours = ("neighbours",) if name == NEIGHBOURS else ()
    return cut(ROTARY, {*parts, *neighbours}, name=name, fields=", ".join(fields))


HALVES, NEIGHBOURS = "Rotary", "NeighbourRotary"
HELPERS: Mapping[str, Callable[[Parts], str]] = {
    name: partial(_rotary, name) for name in (HALVES, NEIGHBOURS)
}
"""The class for each kind of pairs: those of both halves of a head, and those of neighbours."""
