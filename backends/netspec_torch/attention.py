"""Attention in PyTorch: helper classes around `F.scaled_dot_product_attention`."""

from __future__ import annotations

from netspec.lowering.parts import Argument, Call, Part, Slot, joined, seq
from netspec.ops.attention import KEYS, QUERIES, SCORE_BIAS, VALUES, Attention
from netspec.ops.roles import LENGTHS, assigned
from netspec_torch.orders import canonical, channels_last
from netspec_torch.site import OWN, Lowered, Site

CLASSES = {1: "SelfAttention", 2: "CrossAttention", 3: "KeyedAttention"}
"""The class for each number of inputs that are projected."""


def attention(op: Attention, site: Site) -> Lowered:
    """A helper class that takes and gives the channels last; without projections, their common base."""
    roles = [role for role, _ in assigned(op.inputs, site.inputs)]
    inputs = [role for role in (QUERIES, KEYS, VALUES) if role in roles]
    given = dict(zip((role.name for role in roles), site.variables, strict=True))
    first: list[Part] = [given[role.name] for role in inputs]
    if not op.project:
        # One input is queries, keys and values at once.
        first += first[-1:] * (3 - len(first))
    others = [
        given[SCORE_BIAS.name] if SCORE_BIAS in roles else "",
        given[LENGTHS.name] if LENGTHS in roles else "",
    ]
    keyword = "lengths=" if LENGTHS in roles and SCORE_BIAS not in roles else ""
    calls = [*first, *(seq(keyword if at else "", each) for at, each in enumerate(others) if each)]
    ranks = {role.name: len(type_.shape) for role, type_ in zip(roles, site.inputs, strict=True)}
    return Lowered(
        seq(OWN, "(", joined(", ", calls), ")"),
        Call(_cls(op, len(inputs)), (*_sizes(op, site), *_settings(op, site))),
        takes=tuple(
            channels_last(ranks[role.name]) if role in inputs else canonical(ranks[role.name])
            for role in roles
        ),
        makes=(channels_last(len(site.inputs[0].shape)),),
        parts=_parts(op, site),
    )


def _cls(op: Attention, count: int) -> str:
    if not op.project:
        return "DotProductAttention"
    return "BlockAttention" if op.blocks is not None else CLASSES[count]


def _sizes(op: Attention, site: Site) -> tuple[Argument, ...]:
    """The channels of each input, and the numbers of heads."""
    given = assigned(op.inputs, site.inputs)
    channels = [type_.channels or 0 for role, type_ in given if role in (QUERIES, KEYS, VALUES)]
    hints = ("in_channels", "key_channels", "value_channels")
    sizes = [Slot(each, hint, channels=True) for each, hint in zip(channels, hints, strict=False)]
    blocks = [] if op.blocks is None else [Slot(op.blocks, "blocks")]
    return tuple(map(Argument, (*(sizes if op.project else ()), Slot(op.heads, "heads"), *blocks)))


def _settings(op: Attention, site: Site) -> tuple[Argument, ...]:
    """The settings that are not the defaults of the class."""
    found: dict[str, Slot] = {
        "kv_heads": Slot(0 if op.kv_heads == op.heads else op.kv_heads or 0, "kv_heads", default=0),
        "causal": Slot(op.causal, "causal", default=False),
        "window": Slot(op.window or 0, "window", default=0),
        "scale": Slot(op.scale or 0.0, "scale", default=0.0),
        "dropout": Slot(op.dropout, "dropout", default=0.0),
    }
    if op.rotary is not None:
        how = op.rotary.turning(op.head_size or 0)
        found |= {
            "rotary": Slot(how.base, "rotary", default=0.0),
            "turned": Slot(0 if how.turned == how.size else how.turned, "turned", default=0),
            "start": Slot(how.start, "start", default=0),
            "neighbours": Slot(how.pairs == "neighbours", "neighbours", default=False),
        }
    if op.blocks is not None:
        none = (0,) * len(op.blocks)
        found = {"shift": Slot(op.shift, "shift", default=none), **found}
    if op.project:
        is_even = op.inner == site.channels
        units = op.output if isinstance(op.output, int) and op.output != site.channels else 0
        found |= {
            "head_size": Slot(0 if is_even else op.head_size or 0, "head_size", default=0),
            "units": Slot(units, "units", default=0, channels=True),
            "output": Slot(op.output != "none", "output", default=True),
            "bias": Slot(op.bias, "bias", default=True),
        }
    return tuple(Argument(slot, name) for name, slot in found.items())


def _parts(op: Attention, site: Site) -> frozenset[str]:
    """The parts of the helper that the op needs."""
    roles = [role for role, _ in assigned(op.inputs, site.inputs)]
    how = None if op.rotary is None else op.rotary.turning(op.head_size or 0)
    needs = {
        "map": site.rank > 1 and op.blocks is None,
        "grouped": op.kv_heads != op.heads,
        "causal": op.causal,
        "window": op.window is not None,
        "scale": op.scale is not None,
        "dropout": op.dropout > 0,
        "rotary": how is not None,
        "rotary_part": how is not None and how.turned < how.size,
        "rotary_start": how is not None and how.start > 0,
        "rotary_neighbours": how is not None and how.pairs == "neighbours",
        "score_bias": SCORE_BIAS in roles or any(op.shift),
        "block_bias": op.blocks is not None and SCORE_BIAS in roles,
        "lengths": LENGTHS in roles,
        "shift": any(op.shift),
        "output": op.project and op.output != "none",
        "open": op.project and op.output == "none",
        "units": isinstance(op.output, int) and op.output != site.channels,
        "head_size": op.project and op.inner != site.channels,
        "unbiased": op.project and not op.bias,
    }
    return frozenset(part for part, needed in needs.items() if needed)
