"""The backend `torch`. It imports PyTorch only when something runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from netspec.backend import Backend, Export, Limit, Source, Status, Unobeyed, require, require_obeyed, usable
from netspec_torch.lowering import LOWERINGS, REFUSALS

if TYPE_CHECKING:
    from torch import nn

    from netspec.backend import Array, Arrays, Workload
    from netspec.fit import Task, Trainer, World
    from netspec.graph import Graph
    from netspec.ops.base import Op
    from netspec.types import Float
    from netspec.weights.held import Held, Place
    from netspec_torch.site import Lowering
    from netspec_torch.trial import TorchTrial


class TorchBackend:
    """PyTorch, eager, channels first."""

    name = "torch"
    frameworks: Sequence[str] = ("torch",)
    learns: Literal[True] = True
    lowerings: Mapping[type[Op], Lowering] = LOWERINGS
    refusals: Mapping[type[Op], str] = REFUSALS
    limits: Sequence[Limit] = ()
    suffixes: Mapping[str, str] = {
        ".pt": "a state dict of PyTorch",
        ".pth": "a state dict of PyTorch",
        ".bin": "a state dict of PyTorch",
        ".ckpt": "a checkpoint of PyTorch",
    }
    writes: Sequence[str] = (".pt", ".pth")
    layouts_are_ours: bool = True
    words: Sequence[str] = ("weight", "running_mean", "running_var", "weight_ih_l0", "weight_hh_l0")
    counters: Sequence[str] = ("num_batches_tracked",)
    joint: str = "."

    @property
    def unobeyed(self) -> Sequence[Unobeyed]:
        from netspec_torch.training.obeyed import UNOBEYED

        return UNOBEYED

    def status(self) -> Status:
        """Whether PyTorch is installed and imports."""
        from importlib.util import find_spec

        from netspec.installation import install
        from netspec.stops import undisturbed

        if find_spec("torch") is None:
            return Status("missing", "PyTorch is not installed", install("torch"))
        try:
            with undisturbed():
                import torch
        except Exception as error:  # a damaged installation can raise any exception
            why = f"PyTorch fails to import: {type(error).__name__}: {error}"
            return Status("broken", why, install("torch"))
        devices = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU only"
        return Status("ok", f"torch {torch.__version__}, {devices}")

    def source(self, graph: Graph) -> Source:
        """Source with one class for the network and one for each of its blocks."""
        from netspec_torch.source import source

        require(self, graph)
        return source(graph)

    def build(
        self, graph: Graph, weights: Arrays, dtype: Float = "float32", device: str = "auto"
    ) -> nn.Module:
        """An instance of the generated class, with these weights, in evaluation mode."""
        from netspec_torch.runtime import build

        require(self, graph)
        return build(graph, weights, dtype, device)

    def weights(self, model: nn.Module, graph: Graph) -> dict[str, Array]:
        """The weights of such an instance, with canonical names."""
        from netspec_torch.runtime import read

        return read(model, graph)

    def keys(self, graph: Graph) -> dict[str, str | None]:
        """The canonical name for every key of the state dict; None for a counter that is not a weight."""
        from netspec_torch.attributes import native_names

        return native_names(graph)

    def held(self, path: Path, key: str | None = None) -> Held:
        """The tensors of a state dict, or of a checkpoint that contains one."""
        from netspec_torch.exchange import held

        usable([self.name], Backend)
        return held(path, key)

    def split(self, name: str) -> tuple[str, str]:
        from netspec_torch.exchange import split

        return split(name)

    def places(self, graph: Graph) -> tuple[Place, ...]:
        from netspec_torch.exchange import places

        return tuple(places(graph))

    def unpacked(self, path: Path, graph: Graph) -> dict[str, Array]:
        """Refuses the file: one of the generated class has the names of `places`."""
        from netspec.weights import WeightsError

        raise WeightsError(f"{path} does not have the names of the model of {graph.name} that netspec writes")

    def packed(self, graph: Graph, weights: Arrays, suffix: str, dtype: Float = "float32") -> bytes:
        """The state dict of an instance of the generated class."""
        from netspec_torch.exchange import packed

        usable([self.name], Backend)
        return packed(self.build(graph, weights, dtype, "cpu").state_dict())

    def packed_alone(self, arrays: Arrays, suffix: str) -> bytes:
        from netspec_torch.exchange import packed

        usable([self.name], Backend)
        return packed(arrays)

    def trial(
        self,
        graph: Graph,
        weights: Arrays,
        dtype: Float = "float64",
        inject: tuple[str, float] | None = None,
        device: str = "cpu",
    ) -> TorchTrial:
        """The trial of this backend in a comparison."""
        from netspec_torch.trial import TorchTrial

        require(self, graph, dtype)
        return TorchTrial(graph, weights, dtype, inject, device)

    def trainer(self, task: Task) -> Trainer:
        """The network in training."""
        from netspec_torch.runtime import choose
        from netspec_torch.training.trainer import TorchTrainer

        require(self, task.graph, "float64" if task.precision == "float64" else "float32")
        require_obeyed(self, task, choose(task.device).type)
        return TorchTrainer(task)

    def shortage(self, error: BaseException) -> str | None:
        """What an error of PyTorch says of memory that ran out."""
        from netspec_torch.memory import shortage

        return shortage(error)

    def launch(self, count: int, arguments: Sequence[str]) -> tuple[int, str]:
        """Run a command of netspec in so many processes, by torchrun."""
        from netspec_torch.training.launch import launch

        return launch(count, arguments)

    def agreed(self, choice: bool, world: World, device: str) -> bool:
        """The choice of the first process, in every process."""
        from netspec_torch.training.processes import device_of, processes

        return bool(processes(world, device_of(device, world)).first(choice))

    def export(self, graph: Graph, weights: Arrays, dtype: Float = "float32") -> Export:
        """A state dict, and the text that loads it."""
        from netspec_torch.export import export

        require(self, graph)
        return export(graph, weights, dtype)

    def workload(
        self, graph: Graph, weights: Arrays, inputs: Arrays, targets: Arrays, device: str = "auto"
    ) -> Workload:
        """The network to time."""
        from netspec_torch.bench import TorchWorkload

        require(self, graph)
        return TorchWorkload(graph, weights, inputs, targets, device)
