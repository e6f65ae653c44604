"""The settings of a recipe that PyTorch does not obey. Imports no framework."""

from __future__ import annotations

from collections.abc import Sequence

from netspec.backend import Unobeyed

UNOBEYED: Sequence[Unobeyed] = (
    Unobeyed("capture", True, "only GPUs have CUDA graphs", "cpu"),
    Unobeyed("precision", "tf32", "TF32 is a format of GPUs; a CPU would calculate in float32", "cpu"),
    Unobeyed(
        "steps_per_call", 2, "PyTorch takes every step by itself; it compiles no loop of them", above=True
    ),
    Unobeyed(
        "sharded",
        True,
        "the scaling of losses sees the gradients of one process",
        beside=("precision", "fp16"),
    ),
    Unobeyed("precision", "fp16", "its losses are scaled for GPUs; on a CPU take bf16", "cpu"),
)
