"""netspec: write a network once, in YAML; check it, infer its shapes, compile it, prove it.

>>> import netspec
>>> graph = netspec.load("zoo:lenet5")
>>> graph.shapes().totals.params
61706
>>> source = netspec.compile(graph, "torch")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netspec._version import __version__

if TYPE_CHECKING:
    from netspec.api import build, compare, compile, train
    from netspec.diagnostics import Diagnostic, SpecError
    from netspec.graph import Graph
    from netspec.loading import load

_HOMES = {
    "Diagnostic": "netspec.diagnostics",
    "Graph": "netspec.graph",
    "SpecError": "netspec.diagnostics",
    "build": "netspec.api",
    "compare": "netspec.api",
    "compile": "netspec.api",
    "load": "netspec.loading",
    "train": "netspec.api",
}

__all__ = [
    "Diagnostic",
    "Graph",
    "SpecError",
    "__version__",
    "build",
    "compare",
    "compile",
    "load",
    "train",
]


def __getattr__(name: str) -> Any:
    """Load a name when it is first used, so that `import netspec` is fast."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'netspec' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
