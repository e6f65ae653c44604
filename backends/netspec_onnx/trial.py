"""The trial of ONNX in a comparison: the emitted model with every layer as an output, run by onnxruntime."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from netspec.backend import NoDevice, Unsupported
from netspec.graph import Graph
from netspec_onnx.model import model

if TYPE_CHECKING:
    from netspec.backend import Array, Arrays
    from netspec.types import Float

Provider = tuple[str, Mapping[str, str]]
PROVIDERS: Mapping[str, Provider] = {
    "cpu": ("CPUExecutionProvider", {}),
    "cuda": ("CUDAExecutionProvider", {"use_tf32": "0"}),  # full precision
}
"""For each device, the provider of onnxruntime that computes on it."""


class OnnxTrial:
    """See `netspec.backend.Trial`. Batch norms take the statistics of the batch, as in training."""

    def __init__(
        self,
        graph: Graph,
        weights: Arrays,
        dtype: Float,
        inject: tuple[str, float] | None,
        provider: Provider,
    ) -> None:
        self._graph, self._dtype = graph, dtype
        made = model(graph, weights, dtype, training=True, every_layer=True, inject=inject)
        self._session = session(made.SerializeToString(), dtype, provider)

    def forward(self, inputs: Arrays) -> dict[str, Array]:
        """The output of every node, by its canonical name."""
        kinds = {"float": self._dtype, "int": "int64"}
        given = {
            each.name: np.ascontiguousarray(inputs[each.name], kinds[each.type.dtype])
            for each in self._graph.inputs
        }
        found = [each.name for each in self._session.get_outputs()]
        values = dict(zip(found, map(np.asarray, self._session.run(found, given)), strict=True))
        # A layer with the name of another layer's output has another name in the file.
        names = {node.name: f"{node.name}/layer" for node in self._graph.nodes}
        return {name: values[other if other in values else name] for name, other in names.items()}


def chosen(device: str) -> Provider:
    """The provider for a device; `auto` is a GPU if onnxruntime can use one.

    Raises:
        NoDevice: the device does not exist, or is not a valid name.
    """
    kind, colon, number = device.lower().partition(":")
    there = onnxruntime.get_available_providers()
    if device == "auto":
        kind = "cuda" if PROVIDERS["cuda"][0] in there else "cpu"
    if kind not in PROVIDERS or (colon and not number.isdecimal()):
        raise NoDevice(
            f"onnxruntime does not have a device called `{device}`",
            "name auto, cpu, cuda, or one GPU as cuda:0",
        )
    provider, settings = PROVIDERS[kind]
    if provider not in there or (kind == "cpu" and int(number or 0)):
        fix = "name auto, or cpu" if kind == "cpu" else "name cpu, or install onnxruntime-gpu"
        raise NoDevice(f"the device `{device}` is not here: this onnxruntime has no {provider} for it", fix)
    return provider, {**settings, **({"device_id": number} if kind == "cuda" and number else {})}


def session(
    content: bytes, dtype: Float = "float32", provider: Provider = PROVIDERS["cpu"]
) -> onnxruntime.InferenceSession:
    """A session that is ready to run a model.

    Raises:
        NoDevice: onnxruntime cannot use the device, and would use the CPU.
        Unsupported: onnxruntime has no kernel for an operator in this precision.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        made = onnxruntime.InferenceSession(content, options, providers=[provider])
    except onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented as error:
        found = re.search(r"implementation for (\w+)\(\d+\) node with name '([^']*)'", str(error))
        what = f"{found[1]} (`{found[2].partition('/')[0]}`)" if found else "an operator"
        raise Unsupported(f"this onnxruntime does not compute {what} in {dtype}") from None
    if provider[0] not in made.get_providers():
        raise NoDevice(f"onnxruntime cannot use {provider[0]}", "name cpu")
    return made
