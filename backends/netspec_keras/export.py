"""A trained network for use without netspec: a `.keras` file, and the text that loads its weights."""

from __future__ import annotations

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from netspec.backend import Export
from netspec.graph import Graph
from netspec.types import Type
from netspec_keras.framework import keras
from netspec_keras.runtime import build
from netspec_keras.source import function_name

if TYPE_CHECKING:
    from netspec.backend import Arrays
    from netspec.types import Float

FILE = "model.keras"


def export(graph: Graph, weights: Arrays, dtype: Float) -> Export:
    """The model in the file is whole; the text makes it from the source, so that no class need be known to Keras."""
    model = build(graph, weights, dtype)
    with TemporaryDirectory() as folder:
        path = Path(folder) / FILE
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Keras calls NumPy in an old way
            model.save(path)
        content = path.read_bytes()
    imports = ("import keras", f"from network import {function_name(graph)}")
    return Export(
        FILE, content, imports, _loading(graph, dtype), "int32", ("keras", keras.backend.backend(), "numpy")
    )


def _loading(graph: Graph, dtype: Float) -> str:
    inputs = [
        (each.name, _inward(f'inputs["{each.name}"]', each.type, each.vocabulary)) for each in graph.inputs
    ]
    given = (
        inputs[0][1] if len(inputs) == 1 else "{" + ", ".join(f'"{name}": {x}' for name, x in inputs) + "}"
    )
    outputs = [(each.name, graph.types[each.value]) for each in graph.outputs]
    lines = []
    if len(outputs) == 1:
        name, type_ = outputs[0]
        lines.append(f'    return {{"{name}": {_outward("result", type_)}}}')
    else:
        lines.append("    return {")
        lines += [f'        "{name}": {_outward(f"""result["{name}"]""", type_)},' for name, type_ in outputs]
        lines.append("    }")
    doubled = ['    keras.config.set_floatx("float64")', '    keras.config.set_dtype_policy("float64")']
    return "\n".join(
        [
            "def load():",
            '    """The network with its trained weights."""',
            *(doubled if dtype == "float64" else []),
            f"    model = {function_name(graph)}()",
            f'    model.load_weights(HERE / "{FILE}")',
            "    return model",
            "",
            "",
            "def outputs(model, inputs):",
            '    """The outputs by name of a batch, as arrays with channels first. Keras has them last."""',
            f"    result = model.predict_on_batch({given})",
            *lines,
        ]
    )


def _inward(text: str, type_: Type, vocabulary: int | None) -> str:
    if vocabulary is not None:
        return text
    return f"np.moveaxis({text}, 1, -1)" if type_.channels and type_.spatial else text


def _outward(text: str, type_: Type) -> str:
    return f"np.moveaxis({text}, -1, 1)" if type_.channels and type_.spatial else text
