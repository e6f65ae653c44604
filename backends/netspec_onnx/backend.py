"""The backend `onnx`. It imports its packages only when it writes or runs a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import TYPE_CHECKING

from netspec.backend import Limit, Status, require
from netspec.installation import install
from netspec_onnx.lowering import LIMITS, LOWERINGS, REFUSALS

if TYPE_CHECKING:
    from netspec.backend import Arrays
    from netspec.graph import Graph
    from netspec.ops.base import Op
    from netspec.types import Float
    from netspec_onnx.site import Lowering
    from netspec_onnx.trial import OnnxTrial


class OnnxBackend:
    """ONNX files for inference, channels first, run by onnxruntime. It gives no gradients."""

    name = "onnx"
    frameworks: Sequence[str] = ("onnx", "onnxruntime")
    suffix = ".onnx"
    lowerings: Mapping[type[Op], Lowering] = LOWERINGS
    refusals: Mapping[type[Op], str] = REFUSALS
    limits: Sequence[Limit] = LIMITS

    def status(self) -> Status:
        """Whether both packages are installed and can be imported."""
        from netspec.stops import undisturbed

        missing = [package for package in self.frameworks if find_spec(package) is None]
        if missing:
            are = "is" if len(missing) == 1 else "are"
            return Status("missing", f"{' and '.join(missing)} {are} not installed", install("onnx"))
        for package in self.frameworks:
            try:
                with undisturbed():
                    import_module(package)
            except Exception as error:  # a damaged installation can raise any exception
                why = f"{package} fails to import: {type(error).__name__}: {error}"
                return Status("broken", why, install("onnx"))
        found = ", ".join(f"{package} {_version(package)}" for package in self.frameworks)
        return Status("ok", f"{found}, forward only")

    def file(self, graph: Graph, weights: Arrays, dtype: Float = "float32") -> bytes:
        """The content of an ONNX file for inference, including the weights."""
        from netspec_onnx.model import model

        require(self, graph)
        content: bytes = model(graph, weights, dtype).SerializeToString(deterministic=True)
        return content

    def trial(
        self,
        graph: Graph,
        weights: Arrays,
        dtype: Float = "float64",
        inject: tuple[str, float] | None = None,
        device: str = "cpu",
    ) -> OnnxTrial:
        """The trial of this backend in a comparison."""
        from netspec_onnx.trial import OnnxTrial, chosen

        provider = chosen(device)  # a wrong command is reported before a refused network
        require(self, graph, dtype)
        return OnnxTrial(graph, weights, dtype, inject, provider)


def _version(package: str) -> str:
    """The version of a package; onnxruntime has separate distributions for other devices."""
    for distribution in (package, f"{package}-gpu"):
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return "of unknown version"
