"""Finds the installed versions of Keras and its engine without importing them."""

from __future__ import annotations

import os
from pathlib import Path

from netspec import files
from netspec.backend import Status
from netspec.graph import Graph
from netspec.ops.window import Windowed

ENGINES = {
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tf-nightly"),
    "jax": ("jax",),
    "torch": ("torch",),
}
"""The engines on which generated text is proven, and the distributions of each."""

OLDEST = (3, 10)


def how_to_install() -> str:
    """The commands that install Keras and TensorFlow beside netspec."""
    from netspec.installation import install

    return f"{install('keras-cpu')}, or {install('keras').removeprefix('pip install ')} for a GPU"


def chosen() -> str:
    """The engine that Keras will use: KERAS_BACKEND, else its configuration file, else TensorFlow."""
    if name := os.environ.get("KERAS_BACKEND"):
        return name
    try:
        text = files.read(_settings())
    except (OSError, ValueError):
        return "tensorflow"
    import json  # needed only where there is such a file

    try:
        told = json.loads(text).get("backend")
    except (ValueError, AttributeError):
        return "tensorflow"
    return told if isinstance(told, str) else "tensorflow"


def _settings() -> Path:
    """The configuration file of Keras: in KERAS_HOME, else in the home folder or, if that is read-only, in /tmp."""
    base = os.path.expanduser("~")  # noqa: PTH111 (it does not fail where the user has no home)
    base = base if os.access(base, os.W_OK) else "/tmp"
    return Path(os.environ.get("KERAS_HOME", f"{base}/.keras"), "keras.json")


ONEDNN = "TF_ENABLE_ONEDNN_OPTS"


def fragile(graph: Graph, dtype: str) -> list[str]:
    """The layers whose kernel gradient crashes TensorFlow: in float32, a 1×1 kernel with a stride on a map.

    Measured with TensorFlow 2.21 on a CPU with two cores: `Conv2DBackpropFilter` of oneDNN writes outside its memory
    for such kernels with any stride, on more than one thread. Larger kernels, stride 1, one thread, float64, three
    dimensions and depthwise kernels are not affected.
    """
    if chosen() != "tensorflow" or dtype != "float32":
        return []
    return [node.name for node in graph.nodes if isinstance(node.op, Windowed) and _is_fragile(node.op)]


def _is_fragile(op: Windowed) -> bool:
    is_full = op.keyword in ("conv", "conv_transpose")
    return is_full and len(op.kernel) == 2 and set(op.kernel) == {1} and max(op.strides) > 1


def steady(graph: Graph, dtype: str) -> None:
    """Before TensorFlow is loaded, switch oneDNN off for such a network. Other networks keep it: it is faster."""
    if fragile(graph, dtype):
        os.environ.setdefault(ONEDNN, "0")


def status() -> Status:
    """The state of Keras on this machine, found without importing it."""
    from importlib.util import find_spec

    if find_spec("keras") is None:
        return Status("missing", "Keras is not installed", how_to_install())
    keras = _version("keras")
    if keras is None:
        return Status("broken", "Keras is there, but not as an installed package", how_to_install())
    if tuple(map(int, keras.split(".")[:2])) < OLDEST:
        return Status("broken", f"Keras {keras} is older than 3.10", "pip install --upgrade 'keras>=3.10'")
    engine = chosen()
    if engine not in ENGINES:
        known = ", ".join(ENGINES)
        return Status(
            "broken",
            f"Keras would run on {engine}; netspec supports {known}",
            "set KERAS_BACKEND=tensorflow",
        )
    if find_spec(engine) is None:
        from netspec.installation import install

        return Status(
            "broken",
            f"Keras {keras} is installed, but {engine}, on which it would run, is not",
            how_to_install()
            if engine == "tensorflow"
            else f"{install(engine)}, or set KERAS_BACKEND=tensorflow",
        )
    found = next(filter(None, map(_version, ENGINES[engine])), "of unknown version")
    return Status("ok", f"keras {keras} on {engine} {found}")


def _version(distribution: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version  # which takes longer than writing a text

    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
