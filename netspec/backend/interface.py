"""The interface of backends: one small Protocol per capability, and the data that backends give and take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, runtime_checkable

from netspec.dataclass import dataclass
from netspec.graph import Graph
from netspec.ops.base import Op
from netspec.types import Float

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from netspec.fit import Task, Trainer, World
    from netspec.recipe.optimizers import Optimizer
    from netspec.weights.held import Held, Place

    Array = NDArray[np.generic]
    Arrays = Mapping[str, Array]


LocalName = tuple[str | None, ...]
"""The name of a node inside a class or function, part by part; None is the number of a repetition in a loop."""


@dataclass(frozen=True, slots=True)
class Tap:
    """The place in generated source where the output of a layer is available.

    After line `line` (from 1), the variable `variable` has the output of the node `node`, in the class or function that
    contains the line; without a variable, the line returns this output. If the line is in a loop over the repetitions
    of a repeat, `node` has None in place of their number. The number counts up from the first repetition of the
    loop, which is not 0 if others come before it.
    """

    line: int
    variable: str
    node: LocalName


@dataclass(frozen=True, slots=True)
class Source:
    """Generated source, and the places in it where the outputs of layers are available."""

    text: str
    taps: tuple[Tap, ...] = ()
    turned: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """The values that the text holds in another order of axes: the dimensions that give each its canonical order."""


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a backend on this machine.

    `state` is "ok", "missing" (the framework is not installed) or "broken" (it is installed, but fails).
    `detail` has the versions, or the reason; `fix` has the command that fixes it.
    """

    state: Literal["ok", "missing", "broken"]
    detail: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """A restriction of a backend on ops that it lowers, by the place of a layer or by precision.

    `what` is one sentence for the documentation. `found` gives the names of the nodes of a graph to which the limit
    applies, each with a sentence that says why. With a `dtype`, the limit applies only in this precision.
    """

    what: str
    found: Callable[[Graph], Iterable[tuple[str, str]]]
    dtype: Float | None = None


@dataclass(frozen=True, slots=True)
class Unobeyed:
    """A value of a setting of recipes that a backend does not obey; `why` is a sentence.

    With a `device`, this holds on devices of this kind only (`cpu`). With `above`, nor are larger numbers. With
    `beside`, a setting and its value, this holds only where that is given, too.
    """

    setting: str
    value: Any
    why: str
    device: str | None = None
    above: bool = False
    beside: tuple[str, Any] | None = None

    def is_given(self, settings: object) -> bool:
        """Whether a recipe, or a task, has this value."""
        given = getattr(settings, self.setting)
        is_beside = self.beside is None or getattr(settings, self.beside[0]) == self.beside[1]
        return is_beside and bool(given == self.value or (self.above and given > self.value))


class Unavailable(Exception):
    """A backend cannot be used here. `str()` says why, `fix` how to fix it.

    `backend` is the name of a backend whose status is "ok", but whose framework fails when it is imported.
    """

    def __init__(self, reason: str, fix: str = "", backend: str = "") -> None:
        super().__init__(reason)
        self.fix = fix
        self.backend = backend


class Incapable(Unavailable):
    """A backend does not have the required capability, whatever the network: the command named the wrong backend."""


class LostProcess(Unavailable):
    """Another process of a training with several processes has ended."""


class NoDevice(Unavailable):
    """The device does not exist on this machine, or is not a valid name."""

    @classmethod
    def counted(cls, device: str, count: int) -> Self:
        """The number of the device is beyond the `count` devices of its kind."""
        there = "is none" if count == 0 else "is 1" if count == 1 else f"are {count}"
        return cls(f"the device `{device}` is not here: there {there} of its kind", "name auto, or cpu")


class Unsupported(Exception):
    """A backend refuses a network, with a reason in one sentence, and the name of the layer that causes it."""

    def __init__(self, reason: str, layer: str | None = None) -> None:
        super().__init__(reason)
        self.layer = layer


class Trial(Protocol):
    """One backend in a comparison. Arrays are channels first, with the batch, in inputs and outputs.

    Every call starts from the weights with which the trial was created. Products in float32 are computed in full
    precision, whatever the framework does by default on the device.
    """

    def forward(self, inputs: Arrays) -> dict[str, Array]:
        """The output of every node, by its canonical name, in training mode."""
        ...


class LearningTrial(Trial, Protocol):
    """A trial that also gives gradients and steps, in training mode.

    The loss is half the sum of squared distances from the outputs to their targets, divided by the batch size.
    """

    def gradients(self, inputs: Arrays, targets: Arrays) -> dict[str, Array]:
        """The gradient of the loss with respect to every trainable weight, with canonical names and layouts."""
        ...

    def steps(self, inputs: Arrays, targets: Arrays, optimizer: Optimizer, count: int) -> dict[str, Array]:
        """All weights, including statistics, after `count` steps on the same batch."""
        ...


class Workload(Protocol):
    """A network to time. Its framework is already loaded; a call returns when its work is done."""

    device: str

    def prepare(self) -> None:
        """Build the model, and move the data to the device."""
        ...

    def forward(self) -> None:
        """Run inference on a batch."""
        ...

    def train(self) -> None:
        """Do one step of SGD with momentum on the mean squared error, in the usual way of the framework."""
        ...

    def peak_bytes(self) -> int | None:
        """The peak use of the device's own memory. None: unknown, or the device has no memory of its own."""
        ...


@runtime_checkable
class Fragile(Protocol):
    """A backend whose framework has kernels that can crash the process; optional."""

    def fragile(self, graph: Graph, dtype: str) -> tuple[list[str], str]:
        """The layers with such kernels, and how to avoid the crash."""
        ...


@runtime_checkable
class Exhaustible(Protocol):
    """A backend whose framework has errors of its own for a lack of memory; optional."""

    def shortage(self, error: BaseException) -> str | None:
        """What an error of the framework says of memory that ran out; None if it means something else.

        Imports no framework.
        """
        ...


@runtime_checkable
class Backend(Protocol):
    """The members of every backend: a name, a table op → lowering, and its refusals with reasons.

    Each backend defines the type of its lowerings. `refusals` has the ops that it never lowers, each with a reason in
    one sentence; `limits` has the restrictions on other ops.
    """

    name: str
    frameworks: Sequence[str]
    """The packages, besides NumPy, that the backend imports to run a network; no other part of netspec imports them."""

    @property
    def lowerings(self) -> Mapping[type[Op], object]: ...

    @property
    def refusals(self) -> Mapping[type[Op], str]: ...

    @property
    def limits(self) -> Sequence[Limit]: ...

    def status(self) -> Status:
        """The state of the backend. Imports an installed framework only to get its version."""
        ...


@runtime_checkable
class Writes(Backend, Protocol):
    """A backend that writes source."""

    def source(self, graph: Graph) -> Source:
        """Readable source that runs without netspec. Imports no framework.

        Raises:
            Unsupported: the backend refuses the graph.
        """
        ...


@runtime_checkable
class Files(Backend, Protocol):
    """A backend that writes a file that includes the weights."""

    suffix: str
    """The suffix of such a file, with the dot."""

    def file(self, graph: Graph, weights: Arrays, dtype: Float = "float32") -> bytes:
        """The content of the file. It contains the line `netspec.marks.BLANK`, with which netspec marks its files.

        Raises:
            Unsupported: the backend refuses the graph.
        """
        ...


@runtime_checkable
class Builds(Backend, Protocol):
    """A backend that builds a native model and reads the weights of one."""

    def build(self, graph: Graph, weights: Arrays, dtype: Float = "float32", device: str = "auto") -> Any:
        """A native model: execute exactly the generated source, and set the weights."""
        ...

    def weights(self, model: Any, graph: Graph) -> dict[str, Array]:
        """The weights of a native model that `build` made, with canonical names and layouts."""
        ...


@runtime_checkable
class Runs(Backend, Protocol):
    """A backend that runs a network forward."""

    def trial(
        self,
        graph: Graph,
        weights: Arrays,
        dtype: Float = "float64",
        inject: tuple[str, float] | None = None,
        device: str = "cpu",
    ) -> Trial:
        """The backend's trial in a comparison. `inject` adds a number to one layer's output, for all its users.

        Raises:
            NoDevice: the device does not exist.
            Unsupported: the backend refuses the graph in this precision.
        """
        ...


@runtime_checkable
class Learns(Runs, Protocol):
    """A backend that gives gradients and steps: its trials are learning trials."""

    learns: Literal[True]

    def trial(
        self,
        graph: Graph,
        weights: Arrays,
        dtype: Float = "float64",
        inject: tuple[str, float] | None = None,
        device: str = "cpu",
    ) -> LearningTrial: ...


@runtime_checkable
class Judges(Runs, Protocol):
    """An oracle: it computes from the definitions, on the CPU, and takes part in every comparison."""

    judges: Literal[True]


@runtime_checkable
class Trains(Backend, Protocol):
    """A backend that trains."""

    @property
    def unobeyed(self) -> Sequence[Unobeyed]:
        """The values of settings of a recipe that it refuses: it obeys all others."""
        ...

    def trainer(self, task: Task) -> Trainer:
        """The network in training, ready for its first step.

        Raises:
            NoDevice: the device does not exist.
            Unsupported: the backend refuses the graph, or does not obey a setting on this device.
        """
        ...


@runtime_checkable
class Launches(Trains, Protocol):
    """A backend that trains on several devices by a process for each, not in one process."""

    def launch(self, count: int, arguments: Sequence[str]) -> tuple[int, str]:
        """Run a command of netspec in so many processes of this machine.

        The result is its exit code, and what the processes could not report themselves.
        """
        ...

    def agreed(self, choice: bool, world: World, device: str) -> bool:
        """The choice of the first process, in every process of a training on this device."""
        ...


@runtime_checkable
class Timed(Backend, Protocol):
    """A backend that can be timed."""

    def workload(
        self, graph: Graph, weights: Arrays, inputs: Arrays, targets: Arrays, device: str = "auto"
    ) -> Workload:
        """The network to time, in float32; arrays are channels first, with the batch."""
        ...


@runtime_checkable
class Keyed(Backend, Protocol):
    """A backend whose models have their own names for weights, such as those of a state dict."""

    def keys(self, graph: Graph) -> Mapping[str, str | None]:
        """The canonical name of the weight for each key; None if it is not a weight. Imports no framework."""
        ...


@runtime_checkable
class Exchanges(Builds, Protocol):
    """A backend whose framework has its own files of weights, and its own names and layouts in them."""

    suffixes: Mapping[str, str]
    """The ends of the names of its files, each with a description."""
    writes: Sequence[str]
    """The suffixes of the files that it writes."""
    layouts_are_ours: bool
    """Whether the layouts of its framework are those of netspec, channels first."""
    words: Sequence[str]
    """The names of tensors in layers, by which one sees that names are those of the framework."""
    counters: Sequence[str]
    """The names of tensors in layers that are not weights: they count."""
    joint: str
    """What stands between a layer and its tensor in the name of a tensor."""

    def held(self, path: Path, key: str | None = None) -> Held:
        """The tensors of a file of the framework. `key` names one of several collections of tensors in the file.

        Raises:
            WeightsError: the file cannot be read, or holds something else.
            Unavailable: a package is missing.
        """
        ...

    def split(self, name: str) -> tuple[str, str]:
        """The layer in the name of a tensor, and the tensor in the layer."""
        ...

    def places(self, graph: Graph) -> tuple[Place, ...]:
        """The place of each weight in a model of the framework. Imports no framework."""
        ...

    def unpacked(self, path: Path, graph: Graph) -> dict[str, Array]:
        """The weights, with canonical names, in a file of a model that `build` made.

        Raises:
            WeightsError: the file cannot be read, or is of another model.
        """
        ...

    def packed(self, graph: Graph, weights: Arrays, suffix: str, dtype: Float = "float32") -> bytes:
        """The content of a file with the weights of a model that `build` makes."""
        ...

    def packed_alone(self, arrays: Arrays, suffix: str) -> bytes:
        """The content of a file with these tensors, whose names and layouts stay.

        Raises:
            WeightsError: such a file belongs to a model.
        """
        ...


@dataclass(frozen=True, slots=True)
class Export:
    """A network for use without netspec: a file of weights, and Python text that loads it.

    `file` is the name of the weights file, `content` its bytes. `imports` are the lines of imports of `loading`, in the
    order of a formatter; `loading` defines `load()`, which returns the model, and `outputs(model, inputs)`, which maps
    arrays by the names of inputs, channels first, to arrays by the names of outputs, channels first. The text can use
    `HERE`, the folder, and `np`. The source is in `network.py` beside it. `index` is the type of indices that the model
    takes, `packages` are those to install.
    """

    file: str
    content: bytes
    imports: tuple[str, ...]
    loading: str
    index: str
    packages: tuple[str, ...]


@runtime_checkable
class Exports(Writes, Protocol):
    """A backend whose models run without netspec."""

    def export(self, graph: Graph, weights: Arrays, dtype: Float = "float32") -> Export:
        """The weights in the form of the framework, and the text that uses them.

        Raises:
            Unsupported: the backend refuses the graph.
        """
        ...


CAPABILITIES: Mapping[type[Backend], tuple[str, str]] = {
    Writes: ("source", "write source"),
    Files: ("file", "write a file"),
    Builds: ("build", "build a model"),
    Runs: ("forward", "run a network"),
    Learns: ("gradients", "give gradients"),
    Trains: ("train", "train"),
    Timed: ("bench", "be timed"),
    Judges: ("oracle", "judge the others"),
    Keyed: ("keys", "read weights by keys of its own"),
    Exchanges: ("weights", "exchange weights with models of its framework"),
    Exports: ("export", "export a trained network"),
}
"""For each capability, its word and a description."""
