"""The settings of a recipe that Keras does not obey. Imports no framework."""

from __future__ import annotations

from collections.abc import Sequence

from netspec.backend import Unobeyed

ONE_PRECISION = "a model that netspec builds for Keras has one precision for weights and results"
UNOBEYED: Sequence[Unobeyed] = (
    Unobeyed(
        "capture", True, "Keras has no CUDA graphs; `steps_per_call` takes many steps in one compiled call"
    ),
    Unobeyed("sharded", True, "Keras keeps a copy of the weights on every device"),
    Unobeyed("precision", "bf16", ONE_PRECISION),
    Unobeyed("precision", "fp16", f"{ONE_PRECISION}, and no scaling of losses"),
    Unobeyed("precision", "tf32", "TF32 is a format of GPUs; a CPU would calculate in float32", "cpu"),
)
ON: dict[str, Sequence[Unobeyed]] = {
    "torch": (
        Unobeyed("compile", True, "Keras compiles no training steps of ours on PyTorch"),
        Unobeyed("steps_per_call", 2, "Keras compiles no training steps of ours on PyTorch", above=True),
    ),
}
"""More of them, by the engine that Keras runs on."""

ONE_DEVICE = {
    "tensorflow": (
        "MirroredStrategy normalises the part of a batch on each device by itself, and its replicas refuse to "
        "assign the variables that a step of netspec assigns; set KERAS_BACKEND=jax"
    ),
    "torch": "Keras has no distribution on PyTorch; set KERAS_BACKEND=jax, or train with --backend torch",
}
"""Why several devices are refused, by the engine that Keras runs on."""

ONE_PROCESS = "netspec trains Keras in one process: start it without torchrun, with --devices N"
"""Also MultiWorkerMirroredStrategy, and JAX with several processes, need a program that each of them starts with."""
