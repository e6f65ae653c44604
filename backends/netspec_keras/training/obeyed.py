"""The settings of a recipe that Keras does not obey. Imports no framework."""

from __future__ import annotations

from collections.abc import Sequence

from netspec.backend import Unobeyed

ONE_PRECISION = "a model that netspec builds for Keras has one precision for weights and results"
UNOBEYED: Sequence[Unobeyed] = (
    Unobeyed("sharded", True, "Keras keeps a copy of the weights on every device"),
    Unobeyed("precision", "bf16", ONE_PRECISION),
    Unobeyed("precision", "fp16", f"{ONE_PRECISION}, and no scaling of losses"),
    Unobeyed("precision", "tf32", "TF32 is a format of GPUs; a CPU would calculate in float32", "cpu"),
)
ON: dict[str, Sequence[Unobeyed]] = {
    "torch": (Unobeyed("compile", True, "Keras compiles no training steps of ours on PyTorch"),),
}
"""More of them, by the engine that Keras runs on."""
