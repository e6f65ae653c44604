"""Random windows: configurations of every op that slides one, and what PyTorch and Keras say of their sizes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from netspec.ops import OPS
from netspec.ops.base import Misfit, Op
from netspec.types import Type

WINDOWED = ("conv", "conv_transpose", "depthwise_conv", "separable_conv", "max_pool", "avg_pool")


@dataclass(frozen=True)
class Window:
    """One configuration, and the op that it resolves to, or why it is refused."""

    keyword: str
    fields: dict[str, Any]
    input: Type
    op: Op | None
    misfit: Misfit | None

    @property
    def output(self) -> Type:
        assert self.op is not None
        return self.op.outputs((self.input,))[0]


def window(keyword: str, seed: int) -> Window:
    """The configuration of this number. Repeat it with `window(keyword, seed)`."""
    pick = random.Random(f"{keyword} {seed}")
    rank = pick.choice((1, 2, 3))
    fields = {**_window(pick, rank), **_OWN[keyword](pick, rank)}
    channels = fields.pop("channels", pick.randint(1, 4))
    type_ = Type(channels, tuple(pick.randint(1, (24, 12, 7)[rank - 1]) for _ in range(rank)))
    try:
        op = OPS[keyword].model_validate(fields).resolve((type_,))
    except Misfit as misfit:
        return Window(keyword, fields, type_, None, misfit)
    return Window(keyword, fields, type_, op, None)


def _axes(pick: random.Random, rank: int, draw: Callable[[], int]) -> int | list[int]:
    return draw() if pick.random() < 0.5 else [draw() for _ in range(rank)]


def _window(pick: random.Random, rank: int) -> dict[str, Any]:
    words = ["valid", "same", "half", "full", *(["causal"] if rank == 1 else [])]
    pairs = [[pick.randint(0, 3), pick.randint(0, 3)] for _ in range(rank)]
    return {
        "kernel": _axes(pick, rank, lambda: pick.randint(1, 5)),
        "stride": _axes(pick, rank, lambda: pick.randint(1, 4)),
        "dilation": _axes(pick, rank, lambda: pick.choice((1, 1, 1, 2, 3))),
        "padding": pick.choice([*words, pick.randint(0, 3), pairs]),
    }


def _grouped(pick: random.Random, rank: int) -> dict[str, Any]:
    groups = pick.choice((1, 1, 2, 3))
    return {"groups": groups, "channels": groups * pick.randint(1, 2), "filters": groups * pick.randint(1, 3)}


def _transposed(pick: random.Random, rank: int) -> dict[str, Any]:
    return {**_grouped(pick, rank), "output_padding": _axes(pick, rank, lambda: pick.choice((0, 0, 1, 2)))}


_OWN: dict[str, Callable[[random.Random, int], dict[str, Any]]] = {
    "conv": _grouped,
    "conv_transpose": _transposed,
    "depthwise_conv": lambda pick, rank: {"multiplier": pick.randint(1, 3)},
    "separable_conv": lambda pick, rank: {"filters": pick.randint(1, 4), "multiplier": pick.randint(1, 2)},
    "max_pool": lambda pick, rank: {"rounding": pick.choice(("floor", "ceil"))},
    "avg_pool": lambda pick, rank: {
        "rounding": pick.choice(("floor", "ceil")),
        "count_padding": pick.random() < 0.5,
    },
}
