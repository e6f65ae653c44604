"""A trained network for use without netspec: its state dict, and the text that loads it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import torch

from netspec.backend import Export
from netspec.graph import Graph
from netspec_torch.runtime import build
from netspec_torch.source import class_name

if TYPE_CHECKING:
    from netspec.backend import Arrays
    from netspec.types import Float

FILE = "weights.pt"


def export(graph: Graph, weights: Arrays, dtype: Float) -> Export:
    """The file is read with `weights_only`, so that it cannot run code."""
    stream = io.BytesIO()
    torch.save(build(graph, weights, dtype, "cpu").state_dict(), stream)
    return Export(
        FILE,
        stream.getvalue(),
        ("import torch", f"from network import {class_name(graph)}"),
        _loading(graph, dtype),
        "int64",
        ("torch", "numpy"),
    )


def _loading(graph: Graph, dtype: Float) -> str:
    names = [each.name for each in graph.outputs]
    given = ", ".join(f'torch.from_numpy(inputs["{each.name}"])' for each in graph.inputs)
    single = [f'    return {{"{names[0]}": result.numpy()}}']
    several = ["    return {name: value.numpy() for name, value in result.items()}"]
    doubled = ["    torch.set_default_dtype(torch.float64)"] if dtype == "float64" else []
    return "\n".join(
        [
            "def load():",
            '    """The network with its trained weights, for inference."""',
            *doubled,
            f"    model = {class_name(graph)}()",
            f'    model.load_state_dict(torch.load(HERE / "{FILE}", weights_only=True))',
            "    return model.eval()",
            "",
            "",
            "def outputs(model, inputs):",
            '    """The outputs by name of a batch, as arrays with channels first."""',
            "    with torch.inference_mode():",
            f"        result = model({given})",
            *(single if len(names) == 1 else several),
        ]
    )
