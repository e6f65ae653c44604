"""Attention: each position takes a weighted mean of other positions, by how well its query fits their keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import Annotated, ClassVar, Literal, Self

from netspec.diagnostics.codes import shapes
from netspec.model import Field
from netspec.ops.base import Inputs, Meaning, Misfit, Op, Weight
from netspec.ops.fields import Counts, PerAxis, Positive
from netspec.ops.heads import check_divides, check_key_lengths, check_sequence
from netspec.ops.initializers import GLOROT_UNIFORM, ZEROS, Init
from netspec.ops.reach import EACH, WHOLE, Reach, Taps, Tiles, Window
from netspec.ops.roles import LENGTHS, Role, assigned
from netspec.ops.rotary import TurnField, check_turning
from netspec.ops.window import broadcast
from netspec.types import Type

QUERIES = Role(
    "queries", "The positions that attend: a sequence, or a map, whose positions are taken row by row."
)
KEYS = Role(
    "keys",
    "The sequence whose positions are attended to, and whose values are taken. Without it, that is the first input.",
    least=0,
    axes=1,
)
VALUES = Role("values", "A sequence whose values are taken in place of those of the keys.", least=0, axes=1)
SCORE_BIAS = Role(
    "score_bias",
    "What is added to the score of each query and key: `heads@Q×K`, or `1@Q×K` for all heads.",
    least=0,
    axes=2,
)


class Attention(Op):
    """Attention of several heads (Vaswani et al. 2017): softmax(Q Kᵀ · scale) V for each head, by query.

    One input attends to itself; `from: [x, memory]` attends to a memory, and `from: [x, keys, values]` takes the
    values of a third one. A further input with two axes is added to the scores, and `lengths` say how many keys of
    each sample count. Queries, keys and values are projections of the inputs, of `head_size` channels for each head;
    with fewer `kv_heads`, several heads of queries share keys and values (Ainslie et al. 2023). The heads then stand
    one after the other in the channels, and `output` projects them. A query that sees no key, because its sample has
    none or they are beyond its window, gets zeros from all heads.
    Projections of one input are one matrix with the rows of the queries, the keys, the values: `qkv`, or `query` and
    `key_value`, or `query`, `key` and `value`. So one product computes them; the fans count all its rows, as with the
    gates of an `lstm`.
    With `blocks`, a map is divided, and each position sees those in its block (Liu et al. 2021). With a `shift`, the
    first block starts at `shift` − `blocks`, so the map's edges cut the first and the last one.
    """

    keyword = "attention"
    main = "heads"
    inputs = (QUERIES, KEYS, VALUES, SCORE_BIAS, LENGTHS)
    gives = Meaning.SCORES
    quiet: ClassVar[Mapping[str, object]] = {"dropout": 0.0}
    idle: ClassVar[Mapping[str, tuple[str, object]]] = {
        "bias": ("project", False),
        "init": ("project", False),
        "bias_init": ("bias", False),
    }

    heads: Positive
    """The number of heads, which attend separately."""
    kv_heads: Positive | None = None
    """The number of heads of keys and values, each for equally many heads of queries. The default is `heads`."""
    head_size: Positive | None = None
    """The number of channels of a head. The default is the channels of the queries divided by `heads`."""
    causal: bool = False
    """Whether a position sees only itself and the positions before it."""
    window: Positive | None = None
    """A position sees only positions that are less than this number of steps away."""
    blocks: PerAxis | None = None
    """The size of the blocks into which the map is divided; a position sees those in its block."""
    shift: Counts = (0,)
    """By how many positions the blocks are shifted."""
    rotary: TurnField = None
    """Whether queries and keys are turned by their positions, as with the op `rotary`, and its fields."""
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """The factor of the scores. The default is 1 / √`head_size`."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """In training, the probability with which the weight of a query and a key is set to 0."""
    project: bool = True
    """Whether queries, keys and values are projected, or are the inputs as they are."""
    output: Annotated[Positive | Literal["same", "none"], Field(union_mode="left_to_right")] = "same"
    """The number of channels of the output projection: as many as the queries have, or a number; `none` without one."""
    bias: bool = True
    """Whether the projections have a bias."""
    init: Init = GLOROT_UNIFORM
    """The initialiser of the matrices."""
    bias_init: Init = ZEROS
    """The initialiser of the biases."""

    # Checks

    def _resolve(self, inputs: Inputs) -> Self:
        queries = inputs[0]
        if not queries.spatial:
            raise Misfit(
                shapes.RANK,
                f"`attention` is between positions; the `{QUERIES.name}` are a vector, {queries}",
                help="put it before the layer that makes the vector, or make a sequence: `reshape: [CHANNELS, -1]`",
            )
        for role, type_ in assigned(self.inputs, inputs):
            if role in (KEYS, VALUES):
                check_sequence(role.name, type_)
        given = self.given(inputs)
        op = self._with_sizes(given)
        op._check_lengths(given)
        op._check_sight(given)
        op = op._with_blocks(inputs)
        op._check_turning(given)
        op._check_bias(inputs)
        return op

    def given(self, inputs: Inputs) -> dict[str, Type]:
        """The inputs by their roles; keys and values are always there."""
        found = {role.name: type_ for role, type_ in assigned(self.inputs, inputs)}
        found.setdefault(KEYS.name, found[QUERIES.name])
        found.setdefault(VALUES.name, found[KEYS.name])
        return found

    def takes_memory(self, inputs: Inputs) -> bool:
        """Whether the keys are of another input than the queries."""
        return any(role is KEYS for role, _ in assigned(self.inputs, inputs))

    def _with_sizes(self, given: Mapping[str, Type]) -> Self:
        """The op with the numbers of heads, and the channels of each."""
        channels, kv_heads = given[QUERIES.name].channels or 0, self.kv_heads or self.heads
        check_divides("kv_heads", self.heads, "heads of queries", kv_heads)
        if not self.project:
            return self._unprojected(given, kv_heads)
        if self.head_size is None:
            check_divides("heads", channels, "channels", self.heads, "or give the `head_size`")
        output = channels if self.output == "same" else self.output
        return self.replace(
            kv_heads=kv_heads, head_size=self.head_size or channels // self.heads, output=output
        )

    def _unprojected(self, given: Mapping[str, Type], kv_heads: int) -> Self:
        for name, heads in ((QUERIES.name, self.heads), (KEYS.name, kv_heads), (VALUES.name, kv_heads)):
            field = "heads" if name == QUERIES.name or self.kv_heads in (None, self.heads) else "kv_heads"
            check_divides(field, given[name].channels or 0, f"channels of the `{name}`", heads)
        size, of_keys = (
            (given[each].channels or 0) // n
            for each, n in ((QUERIES.name, self.heads), (KEYS.name, kv_heads))
        )
        if size != of_keys:
            raise Misfit(
                shapes.ATTENTION,
                f"a query has {size} channels in each head, and a key {of_keys}; their product is the score",
                notes=(
                    f"the `{QUERIES.name}` are {given[QUERIES.name]}, the `{KEYS.name}` {given[KEYS.name]}",
                ),
                help=f"give the `{KEYS.name}` {size * kv_heads} channels, or leave `project: false` out",
            )
        if self.head_size not in (None, size):
            raise Misfit(
                shapes.ATTENTION,
                f"with `project: false`, a head has its part of the {given[QUERIES.name].channels} channels: {size}",
                "head_size",
                help="leave `head_size` out",
            )
        if isinstance(self.output, int):
            raise Misfit(
                shapes.ATTENTION,
                "with `project: false` nothing is projected, so `output` has no effect",
                "output",
                help=f"leave `output` out, and write `- dense: {self.output}` behind it",
            )
        return self.replace(kv_heads=kv_heads, head_size=size, output="none")

    def _check_lengths(self, given: Mapping[str, Type]) -> None:
        """Refuse keys and values of different lengths, and lengths that do not fit."""
        keys, values = given[KEYS.name], given[VALUES.name]
        if prod(keys.sizes) != prod(values.sizes):
            raise Misfit(
                shapes.ATTENTION,
                f"each key has one value; the `{KEYS.name}` are {keys}, and the `{VALUES.name}` {values}",
                help=f"`from` names {QUERIES.name}, {KEYS.name}, {VALUES.name}: give the last two equal lengths",
            )
        if LENGTHS.name in given:
            check_key_lengths(given[LENGTHS.name], keys)

    def _check_sight(self, given: Mapping[str, Type]) -> None:
        """Refuse what needs one axis on a map, and an order of positions between two sequences."""
        queries, keys = given[QUERIES.name], given[KEYS.name]
        for name in ("causal", "window"):
            if not getattr(self, name):
                continue
            if len(queries.spatial) > 1:
                raise Misfit(
                    shapes.RANK,
                    f"`{name}` counts positions along one axis; the input {queries} has {len(queries.spatial)}",
                    name,
                    help="leave it out, use `blocks`, or make a sequence of the map: `reshape: [CHANNELS, -1]`",
                )
            if queries.sizes != keys.sizes:
                raise Misfit(
                    shapes.ATTENTION,
                    f"`{name}` compares the positions of queries and keys, which must be equally many: "
                    f"{prod(queries.sizes)} queries, {prod(keys.sizes)} keys",
                    name,
                    help=f"leave `{name}` out: all of another sequence may be seen",
                )

    def _check_turning(self, given: Mapping[str, Type]) -> None:
        """Refuse a rotation where there is not one order of positions, and heads without pairs of channels."""
        if self.rotary is None:
            return
        if self.blocks is not None or len(given[QUERIES.name].spatial) > 1:
            what = "`blocks`" if self.blocks is not None else f"a map, {given[QUERIES.name]},"
            raise Misfit(
                shapes.ATTENTION,
                f"`rotary` counts positions along a sequence, and with {what} there is none",
                "rotary",
                help="leave it out, and give the positions before, with `positions: learned`",
            )
        check_turning(self.rotary.turning(self.head_size or 0), "rotary", "rotary: {{fraction: {}}}")

    def _with_blocks(self, inputs: Inputs) -> Self:
        queries, rank = inputs[0], len(inputs[0].spatial)
        if self.blocks is None:
            if any(self.shift):
                raise Misfit(
                    shapes.ATTENTION,
                    "`shift` moves the blocks, and there are none",
                    "shift",
                    help="write `blocks: …`, or leave `shift` out",
                )
            return self.replace(shift=(0,) * rank)
        self._check_alone(inputs)
        blocks, shift = broadcast("blocks", self.blocks, rank), broadcast("shift", self.shift, rank)
        if any(size % block for size, block in zip(queries.sizes, blocks, strict=True)):
            more = [-size % block for size, block in zip(queries.sizes, blocks, strict=True)]
            pads = ", ".join(f"[0, {each}]" for each in more)
            raise Misfit(
                shapes.ATTENTION,
                f"the map {queries} cannot be divided into blocks of {'×'.join(map(str, blocks))}",
                "blocks",
                help=f"write `- pad: [{pads}]` before it and `crop` behind it, or use sizes that divide the map",
            )
        if any(by >= block for by, block in zip(shift, blocks, strict=True)):
            raise Misfit(
                shapes.ATTENTION,
                f"blocks of {'×'.join(map(str, blocks))} are shifted by less than their size, not by "
                f"{'×'.join(map(str, shift))}",
                "shift",
                help=f"use half of the size: `shift: {[block // 2 for block in blocks]}`",
            )
        return self.replace(blocks=blocks, shift=shift)

    def _check_alone(self, inputs: Inputs) -> None:
        """Refuse blocks together with what compares positions in another way."""
        others = [name for name in ("causal", "window") if getattr(self, name)]
        if others:
            raise Misfit(
                shapes.ATTENTION,
                f"with `blocks`, a position sees its block; `{others[0]}` would need another order of positions",
                others[0],
                help=f"leave `{others[0]}` or `blocks` out",
            )
        if not self.project:
            raise Misfit(
                shapes.ATTENTION,
                "with `blocks` and `project: false`, queries, keys and values would be one tensor",
                "blocks",
                help="leave `project` out",
            )
        if any(role in (KEYS, LENGTHS) for role, _ in assigned(self.inputs, inputs)):
            raise Misfit(
                shapes.ATTENTION,
                "with `blocks`, the positions of a map attend to each other: there is no memory, and all count",
                "blocks",
                help="leave `blocks` out, or the further input",
            )

    def pairs(self, inputs: Inputs) -> tuple[int, int]:
        """How many queries and keys stand before each other: all, or those of a block. The op must be resolved."""
        given = self.given(inputs)
        if self.blocks is not None:
            return prod(self.blocks), prod(self.blocks)
        return prod(given[QUERIES.name].sizes), prod(given[KEYS.name].sizes)

    def _check_bias(self, inputs: Inputs) -> None:
        bias = self.given(inputs).get(SCORE_BIAS.name)
        if bias is None:
            return
        sizes = self.pairs(inputs)
        if bias.sizes != sizes or bias.channels not in (1, self.heads):
            wanted, one = Type(self.heads, sizes), Type(1, sizes)
            either = str(wanted) if self.heads == 1 else f"{wanted} or {one}"
            raise Misfit(
                shapes.ATTENTION,
                f"the `{SCORE_BIAS.name}` is added to the scores, so it must be {either}; it is {bias}",
                notes=(f"the scores of each head are {sizes[0]} queries × {sizes[1]} keys",),
                help=f"give it the shape {list(wanted.shape)}; a memory has one axis: `reshape: [CHANNELS, -1]`",
                wanted={SCORE_BIAS.name: wanted},
            )

    # Outputs

    @property
    def inner(self) -> int:
        """The number of channels of all heads of queries. The op must be resolved."""
        return self.heads * (self.head_size or 0)

    @property
    def kv_inner(self) -> int:
        """The number of channels of all heads of keys. The op must be resolved."""
        return (self.kv_heads or 0) * (self.head_size or 0)

    def _joined(self, inputs: Inputs) -> int:
        """The number of channels of all heads, behind each other."""
        if self.project:
            return self.inner
        return (self.given(inputs)[VALUES.name].channels or 0) // (self.kv_heads or 1) * self.heads

    def outputs(self, inputs: Inputs) -> tuple[Type, ...]:
        channels = self.output if isinstance(self.output, int) else self._joined(inputs)
        return (Type(channels, inputs[0].spatial),)

    def extents(self, inputs: Inputs) -> Iterable[tuple[str, int]]:
        yield "the scores of all heads", self.heads * prod(inputs[0].sizes) * self.pairs(inputs)[1]

    def means(self, inputs: Sequence[Meaning]) -> Meaning:
        return Meaning.SCORES

    # Reach

    def reaches(self, inputs: Inputs) -> Sequence[Reach | None]:
        rank, mixes = len(inputs[0].spatial), self.project

        def reach(role: Role) -> Reach | None:
            if role is QUERIES:
                own = self._sight(inputs) if not self.takes_memory(inputs) else (EACH,) * rank
                return Reach(own, mixes=mixes)
            if role is LENGTHS:
                return Reach(())
            if role is SCORE_BIAS:
                return (
                    Reach((EACH, WHOLE), (0, 0))
                    if rank == 1 and self.blocks is None
                    else Reach((None, None), (0, 0))
                )
            return Reach(self._sight(inputs) if rank == 1 else (WHOLE,), (0,), mixes=mixes)

        return [reach(role) for role, _ in assigned(self.inputs, inputs)]

    def _sight(self, inputs: Inputs) -> tuple[Taps | Literal["whole"], ...]:
        """What a position sees along each axis, far from the ends."""
        sizes = inputs[0].sizes
        if self.blocks is not None:
            rows = zip(sizes, self.blocks, self.shift, strict=True)
            return tuple(WHOLE if size == block and not by else Tiles(block, by) for size, block, by in rows)
        if self.window is not None:
            before = self.window - 1
            return (Window(self.window if self.causal else 2 * before + 1, before=before),)
        return (WHOLE,) * len(sizes)

    # Weights

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        if not self.project:
            return ()
        given = self.given(inputs)
        channels, of_keys, of_values = (given[role.name].channels or 0 for role in (QUERIES, KEYS, VALUES))
        inner, kv_inner, count = (
            self.inner,
            self.kv_inner,
            sum(role in (KEYS, VALUES) for role, _ in assigned(self.inputs, inputs)),
        )
        rows: tuple[tuple[str, int, int], ...] = (("qkv", inner + 2 * kv_inner, channels),)
        if count == 1:
            rows = (("query", inner, channels), ("key_value", 2 * kv_inner, of_keys))
        elif count == 2:
            rows = (("query", inner, channels), ("key", kv_inner, of_keys), ("value", kv_inner, of_values))
        if isinstance(self.output, int):
            rows += (("output", self.output, inner),)
        return tuple(weight for row in rows for weight in self._matrix(*row))

    def _matrix(self, name: str, units: int, channels: int) -> tuple[Weight, ...]:
        matrix = Weight(f"{name}.weight", (units, channels), "OI", self.init)
        return (matrix, Weight(f"{name}.bias", (units,), "O", self.bias_init)) if self.bias else (matrix,)

    def macs(self, inputs: Inputs) -> int | None:
        given = self.given(inputs)
        positions = {
            "query": QUERIES,
            "qkv": QUERIES,
            "output": QUERIES,
            "key": KEYS,
            "key_value": KEYS,
            "value": VALUES,
        }
        projected = sum(
            prod(each.shape) * prod(given[positions[each.name.partition(".")[0]].name].sizes)
            for each in self.weights(inputs)
            if each.name.endswith(".weight")
        )
        # For each query and key: their product, and that of the weight with the value.
        seen = prod(inputs[0].sizes) * self.pairs(inputs)[1]
        return projected + seen * (self.inner + self._joined(inputs))

    @classmethod
    def sample(cls, type_: Type) -> dict[str, object]:
        return {"heads": 1}
