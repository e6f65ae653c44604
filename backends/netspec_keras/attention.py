"""Attention in Keras: helper layers, whose softmax keeps the precision of the network."""

from __future__ import annotations

from netspec.ops.attention import KEYS, QUERIES, SCORE_BIAS, VALUES, Attention
from netspec.ops.roles import LENGTHS, Role, assigned
from netspec_keras.arguments import Arguments, Types, first, option
from netspec_keras.layer import Holder, LayerText, Lowered

CLASSES = {1: "SelfAttention", 2: "CrossAttention", 3: "KeyedAttention"}
"""The class for each number of inputs that are projected."""


def attention(op: Attention, types: Types) -> Lowered:
    """A helper with the projections; without them, their common base."""
    roles = [role for role, _ in assigned(op.inputs, types)]
    cls = "DotProductAttention"
    if op.project:
        count = sum(role in (QUERIES, KEYS, VALUES) for role in roles)
        cls = "BlockAttention" if op.blocks is not None else CLASSES[count]
    layer = LayerText(cls, _arguments(op, types), parts=_parts(op, types, roles))
    return Lowered((layer,), dict(_holder(weight.name) for weight in op.weights(types)))


def _holder(name: str) -> tuple[str, Holder]:
    """The variable of a weight."""
    matrix, _, leaf = name.partition(".")
    place = {"output": "out"}.get(matrix, matrix)  # a layer of Keras has an `output`
    holder = Holder(f"{place}.kernel", "OI", "IO") if leaf == "weight" else Holder(f"{place}.bias", "O", "O")
    return name, holder


def _arguments(op: Attention, types: Types) -> Arguments:
    channels = types[0].channels or 0
    blocks: Arguments = ()
    if op.blocks is not None:
        blocks = (first(op.blocks, "blocks"), option("shift", op.shift, (0,) * len(op.blocks)))
    projected: Arguments = ()
    if op.project:
        units = op.output if isinstance(op.output, int) and op.output != channels else 0
        projected = (
            option("head_size", 0 if op.inner == channels else op.head_size or 0, 0),
            option("units", units, 0),
            option("projects", op.output != "none", True),
            option("use_bias", op.bias, True, "bias"),
        )
    how = None if op.rotary is None else op.rotary.turning(op.head_size or 0)
    return (
        first(op.heads, "heads"),
        *blocks,
        option("kv_heads", 0 if op.kv_heads == op.heads else op.kv_heads or 0, 0),
        option("causal", op.causal, False),
        option("window", op.window or 0, 0),
        option("scale", op.scale or 0.0, 0.0),
        option("dropout", op.dropout, 0.0),
        option("rotary", 0.0 if how is None else how.base, 0.0),
        option("turned", 0 if how is None or how.turned == how.size else how.turned, 0),
        option("start", 0 if how is None else how.start, 0),
        option("neighbours", how is not None and how.pairs == "neighbours", False),
        *projected,
    )


def _parts(op: Attention, types: Types, roles: list[Role]) -> frozenset[str]:
    """The parts of the helper that the layer needs."""
    channels = types[0].channels
    how = None if op.rotary is None else op.rotary.turning(op.head_size or 0)
    needs = {
        "plain": not op.project,
        "map": len(types[0].spatial) > 1 and op.blocks is None,
        "grouped": op.kv_heads != op.heads,
        "causal": op.causal,
        "window": op.window is not None,
        "scale": op.scale is not None,
        "dropout": op.dropout > 0,
        "rotary": how is not None,
        "rotary_part": how is not None and how.turned < how.size,
        "rotary_start": how is not None and how.start > 0,
        "rotary_neighbours": how is not None and how.pairs == "neighbours",
        "score_bias": SCORE_BIAS in roles,
        "lengths": LENGTHS in roles,
        "output": op.project and op.output != "none",
        "open": op.project and op.output == "none",
        "units": isinstance(op.output, int) and op.output != channels,
        "head_size": op.project and op.inner != channels,
        "unbiased": op.project and not op.bias,
    }
    return frozenset(part for part, needed in needs.items() if needed)
