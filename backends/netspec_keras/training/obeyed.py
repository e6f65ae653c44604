"""The settings of a recipe that Keras does not obey. Imports no framework."""

from __future__ import annotations

from collections.abc import Sequence

from netspec.backend import Unobeyed

UNOBEYED: Sequence[Unobeyed] = (
    Unobeyed(
        "capture", True, "Keras has no CUDA graphs; `steps_per_call` takes many steps in one compiled call"
    ),
    Unobeyed("sharded", True, "Keras keeps a copy of the weights on every device"),
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
    "torch": "Keras has no distribution on PyTorch; set KERAS_BACKEND=jax, or train with --backend torch",
}
"""Why several devices are refused, by the engine that Keras runs on."""

APART = (
    "on TensorFlow, each device calculates the outputs of its samples, and {layers} would take the statistics of those "
    "only, where a step of netspec takes those of the whole batch; set KERAS_BACKEND=jax"
)
"""Why several devices of TensorFlow do not train a network with batch normalisation."""

UNCOMPILED = (
    "`compile: true` makes one program of a step by XLA, and on TensorFlow such a program runs on one device; leave "
    "`compile` out, or set KERAS_BACKEND=jax"
)
"""Why several devices of TensorFlow do not compile."""

ONE_PROCESS = "netspec trains Keras in one process: start it without torchrun, with --devices N"
"""Also MultiWorkerMirroredStrategy, and JAX with several processes, need a program that each of them starts with."""
