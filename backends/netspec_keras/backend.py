"""The backend `keras`. It imports Keras only when something runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from netspec.backend import (
    Backend,
    Export,
    Limit,
    Source,
    Status,
    Unobeyed,
    Unsupported,
    require,
    require_obeyed,
    usable,
)
from netspec.graph import Graph

if TYPE_CHECKING:
    from netspec.backend import Array, Arrays, LearningTrial, Workload
    from netspec.fit import Task, Trainer
    from netspec.ops.base import Op
    from netspec.types import Float
    from netspec.weights.held import Held, Place
    from netspec_keras.arguments import Lowering


class KerasBackend:
    """Keras on TensorFlow, JAX or PyTorch, channels last."""

    name = "keras"
    frameworks: Sequence[str] = ("keras", "tensorflow", "jax", "torch")
    learns: Literal[True] = True
    suffixes: Mapping[str, str] = {
        ".weights.h5": "the weights of a Keras model",
        ".keras": "a Keras model",
        ".h5": "a Keras model, or its weights",
        ".hdf5": "a Keras model, or its weights",
    }
    writes: Sequence[str] = (".weights.h5", ".keras")
    layouts_are_ours: bool = False
    words: Sequence[str] = (
        "kernel",
        "recurrent_kernel",
        "gamma",
        "beta",
        "moving_mean",
        "moving_variance",
        "embeddings",
    )
    counters: Sequence[str] = ()
    joint: str = "/"

    @property
    def lowerings(self) -> Mapping[type[Op], Lowering]:
        from netspec_keras.lowering import LOWERINGS

        return LOWERINGS

    @property
    def refusals(self) -> Mapping[type[Op], str]:
        from netspec_keras.lowering import REFUSALS

        return REFUSALS

    @property
    def limits(self) -> Sequence[Limit]:
        from netspec_keras import engine_limits, sharing

        return (*sharing.LIMITS, *engine_limits.LIMITS)

    @property
    def unobeyed(self) -> Sequence[Unobeyed]:
        from netspec_keras.engine import chosen
        from netspec_keras.training.obeyed import ON, UNOBEYED

        return (*UNOBEYED, *ON.get(chosen(), ()))

    def status(self) -> Status:
        from netspec_keras.engine import status

        return status()

    def fragile(self, graph: Graph, dtype: str) -> tuple[list[str], str]:
        """The layers that can crash TensorFlow, and how to compute them without oneDNN."""
        from netspec_keras.engine import ONEDNN, fragile

        return fragile(graph, dtype), f"set {ONEDNN}=0"

    def source(self, graph: Graph) -> Source:
        from netspec_keras.source import source

        require(self, graph)
        return source(graph)

    def build(self, graph: Graph, weights: Arrays, dtype: Float = "float32", device: str = "auto") -> Any:
        from netspec_keras.engine import steady

        require(self, graph)
        steady(graph, dtype)
        from netspec_keras.runtime import build

        return build(graph, weights, dtype, device)

    def weights(self, model: Any, graph: Graph) -> dict[str, Array]:
        from netspec_keras.runtime import read

        return read(model, graph)

    def held(self, path: Path, key: str | None = None) -> Held:
        """The tensors of a file of Keras. It needs h5py, but not Keras."""
        from netspec.weights.containers import unreadable
        from netspec_keras.exchange import held

        if key is not None:
            raise unreadable(path, "a file of Keras has one collection of tensors, without a key")
        return held(path)

    def split(self, name: str) -> tuple[str, str]:
        from netspec_keras.exchange import split

        return split(name)

    def places(self, graph: Graph) -> tuple[Place, ...]:
        from netspec_keras.exchange import places

        require(self, graph)
        return tuple(places(graph))

    def unpacked(self, path: Path, graph: Graph) -> dict[str, Array]:
        """The weights in a file of the generated model. Keras builds the model and reads the file."""
        from netspec.weights import initialise

        found = self.held(path)  # checks the sizes, and everything that Keras would open
        usable([self.name], Backend)
        dtype: Float = "float64" if "float64" in found.kinds.values() else "float32"
        model = self.build(graph, initialise(graph), dtype, "cpu")
        from netspec_keras.saving import read

        read(model, path)
        return self.weights(model, graph)

    def packed(self, graph: Graph, weights: Arrays, suffix: str, dtype: Float = "float32") -> bytes:
        """The generated model with these weights, saved by Keras."""
        usable([self.name], Backend)
        model = self.build(graph, weights, dtype, "cpu")
        from netspec_keras.saving import saved

        return saved(model, suffix)

    def packed_alone(self, arrays: Arrays, suffix: str) -> bytes:
        from netspec.weights import WeightsError

        raise WeightsError(f"{suffix} is the file of a Keras model: name the network with --spec SPEC")

    def trial(
        self,
        graph: Graph,
        weights: Arrays,
        dtype: Float = "float64",
        inject: tuple[str, float] | None = None,
        device: str = "cpu",
    ) -> LearningTrial:
        from netspec_keras.engine import steady

        require(self, graph, dtype)
        steady(graph, dtype)
        from netspec_keras.trial import KerasTrial

        return KerasTrial(graph, weights, dtype, inject, device)

    def trainer(self, task: Task) -> Trainer:
        from netspec_keras.engine import chosen, steady
        from netspec_keras.training.obeyed import ONE_PROCESS

        dtype: Float = "float64" if task.precision == "float64" else "float32"
        require(self, task.graph, dtype)
        steady(task.graph, dtype)
        from netspec_keras.runtime import kind_of
        from netspec_keras.training.trainer import KerasTrainer

        require_obeyed(self, task, kind_of(task.device))
        if task.world.size > 1:
            raise Unsupported(f"several processes on Keras: {ONE_PROCESS}")
        if task.devices > 1 and (why := _not_divided(task, chosen())):
            raise Unsupported(f"several devices on Keras: {why}")
        return KerasTrainer(task)

    def shortage(self, error: BaseException) -> str | None:
        """What an error of Keras' engine says of memory that ran out."""
        from netspec_keras.memory import shortage

        return shortage(error)

    def export(self, graph: Graph, weights: Arrays, dtype: Float = "float32") -> Export:
        """A `.keras` file, and the text that loads its weights."""
        from netspec_keras.engine import steady

        require(self, graph)
        steady(graph, dtype)
        from netspec_keras.export import export

        return export(graph, weights, dtype)

    def workload(
        self, graph: Graph, weights: Arrays, inputs: Arrays, targets: Arrays, device: str = "auto"
    ) -> Workload:
        """The network to time."""
        from netspec_keras.engine import steady

        require(self, graph)
        steady(graph, "float32")
        from netspec_keras.bench import KerasWorkload

        return KerasWorkload(graph, weights, inputs, targets, device)


def _not_divided(task: Task, engine: str) -> str | None:
    """Why an engine does not train on several devices; None if it does."""
    from netspec_keras.training.obeyed import APART, ONE_DEVICE, UNCOMPILED

    if engine != "tensorflow":
        return ONE_DEVICE.get(engine)
    measuring = [
        f"`{node.name}`"
        for node in task.graph.nodes
        if node.trainable and any(weight.statistic for weight in node.weights)
    ]
    if measuring:
        more = f" and {len(measuring) - 3} more" if len(measuring) > 3 else ""
        return APART.format(layers=", ".join(measuring[:3]) + more)
    return UNCOMPILED if task.compile else None
