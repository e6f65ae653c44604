"""What a backend is, and how installed ones are found: through entry points, never from a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from netspec.graph import Graph
from netspec.ops.base import Op

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from netspec.training.fit import Fit
    from netspec.training.optimizers import Optimizer

    Array = NDArray[np.generic]
    Arrays = Mapping[str, Array]

GROUP = "netspec.backends"

Float = Literal["float32", "float64"]


@dataclass(frozen=True, slots=True)
class Tap:
    """Where generated source makes the output of a layer.

    After line `line` (from 1) the name `variable` holds the output of the node called `node` within the
    class or function in which the line stands. When the line stands in a loop over the repetitions of a
    repeat, `node` holds `{}` where their number goes: it counts up, from the first that the loop runs, which
    is not 0 where others stand before it.
    """

    line: int
    variable: str
    node: str


@dataclass(frozen=True, slots=True)
class Source:
    """Generated source, and where each layer's output stands in it."""

    text: str
    taps: tuple[Tap, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """What there is of a backend on this machine.

    `state` is "ok", "missing" (the framework is not installed) or "broken" (it is, and fails).
    `detail` has the versions, or the reason; `fix` the command that fixes it.
    """

    state: Literal["ok", "missing", "broken"]
    detail: str
    fix: str = ""


class Unavailable(Exception):
    """A backend cannot be used here. `str()` says why, `fix` how to change that."""

    def __init__(self, reason: str, fix: str = "") -> None:
        super().__init__(reason)
        self.fix = fix


class Incapable(Unavailable):
    """A backend never does what was asked of it, whatever the network: the command named the wrong one."""


class NoDevice(Unavailable):
    """The device that was named is not here, or is none."""


class Unsupported(Exception):
    """A backend refuses a network, with its one-sentence reason, and the name of the layer that it is about."""

    def __init__(self, reason: str, layer: str | None = None) -> None:
        super().__init__(reason)
        self.layer = layer


class Trial(Protocol):
    """One backend's side of a comparison. Arrays go in and come out channels first, with the batch.

    Every call starts from the weights that the trial was given, in training mode. The loss is half the
    squared distance from the outputs to their targets, summed, over the batch size.
    """

    def forward(self, inputs: Arrays) -> dict[str, Array]:
        """The output of every node, by its canonical name."""
        ...

    def gradients(self, inputs: Arrays, targets: Arrays) -> dict[str, Array]:
        """The gradient of the loss by every trainable weight, canonical name and layout."""
        ...

    def steps(self, inputs: Arrays, targets: Arrays, optimizer: Optimizer, count: int) -> dict[str, Array]:
        """Every weight, statistics included, after `count` steps on the same batch."""
        ...


class Workload(Protocol):
    """A network to be timed. When there is one, its framework is loaded; a call returns when its work is done."""

    device: str

    def prepare(self) -> None:
        """Build the model, and put the data where it has to be."""
        ...

    def forward(self) -> None:
        """Predict a batch, as one does when nothing is learnt."""
        ...

    def train(self) -> None:
        """One step of SGD with momentum on the mean squared error, as one would take it natively."""
        ...

    def peak_bytes(self) -> int | None:
        """The most that the device's own memory held so far. None: not known, or it has none of its own."""
        ...


@runtime_checkable
class Timed(Protocol):
    """A backend that can be timed; one need not."""

    def workload(
        self, graph: Graph, weights: Arrays, inputs: Arrays, targets: Arrays, device: str = "auto"
    ) -> Workload:
        """The network as it is timed, in float32; arrays are channels first, with the batch."""
        ...


@runtime_checkable
class Keyed(Protocol):
    """A backend whose models name their weights themselves, as PyTorch's state dict does; one need not."""

    def keys(self, graph: Graph) -> Mapping[str, str | None]:
        """The canonical name of the weight behind each key; None if it is no weight. Imports no framework."""
        ...


@runtime_checkable
class Backend(Protocol):
    """A table op → lowering, a table of refusals op → why, and what follows from them."""

    name: str
    lowerings: Mapping[type[Op], Any]
    refusals: Mapping[type[Op], str]

    def status(self) -> Status:
        """What there is of it here. Imports the framework only to tell versions of an installed one."""
        ...

    def source(self, graph: Graph) -> Source:
        """Readable source text that runs without netspec. Imports no framework.

        Raises:
            Unsupported: an op has no lowering.
        """
        ...

    def build(self, graph: Graph, weights: Arrays, dtype: Float = "float32", device: str = "auto") -> Any:
        """Execute exactly the generated source, and put the weights in: a native model."""
        ...

    def weights(self, model: Any, graph: Graph) -> dict[str, Array]:
        """The weights of a native model that `build` made, canonical names and layout."""
        ...

    def trial(
        self,
        graph: Graph,
        weights: Arrays,
        dtype: Float = "float64",
        inject: tuple[str, float] | None = None,
    ) -> Trial:
        """Its side of a comparison. `inject` adds a number to one layer's output, wherever it is used."""
        ...

    def fit(self, fit: Fit) -> None:
        """Train natively, telling `fit.report` of every step and epoch."""
        ...


class Broken:
    """A backend whose own package fails to import; it says so instead of seeming unknown."""

    lowerings: Mapping[type[Op], Any] = {}
    refusals: Mapping[type[Op], str] = {}

    def __init__(self, name: str, error: BaseException, package: Distribution | None = None) -> None:
        self.name = name
        self._package = package
        self._reason = f"its package fails to import: {type(error).__name__}: {error}"

    def status(self) -> Status:
        from netspec.installation import reinstall

        return Status("broken", self._reason, reinstall(self._package))

    def __getattr__(self, attribute: str) -> Any:
        raise Unavailable(f"the backend {self.name} is broken: {self._reason}")


def names() -> tuple[str, ...]:
    """The names of all registered backends, sorted."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


def backend(name: str) -> Backend:
    """The backend of that name. Importing it imports no framework.

    Raises:
        Unavailable: no backend has that name.
    """
    found = {point.name: point for point in entry_points(group=GROUP)}
    if name not in found:
        from netspec.ops.nearest import did_you_mean

        known = ", ".join(sorted(found)) or "none"
        raise Unavailable(f"no backend is called {name!r}{did_you_mean(name, found)} (registered: {known})")
    return _load(found[name])


def _load(point: EntryPoint) -> Backend:
    try:
        loaded: Callable[[], Backend] = point.load()
        return loaded()
    except Exception as error:  # whatever a third party's package does, it is told and not hidden
        return Broken(point.name, error, point.dist)


def backends() -> Iterator[Backend]:
    """All registered backends, broken ones included."""
    for name in names():
        yield backend(name)


def usable(wanted: Sequence[str]) -> list[Backend]:
    """These backends, each one ready to run.

    Raises:
        Unavailable: one is unknown, missing or broken.
    """
    found = [(each := backend(name), each.status()) for name in wanted]
    lacking = [(each.name, status) for each, status in found if status.state != "ok"]
    if lacking:
        raise Unavailable(
            "; ".join(f"the backend {name} is {status.state}: {status.detail}" for name, status in lacking),
            "; ".join(dict.fromkeys(status.fix for _, status in lacking if status.fix)),
        )
    return [each for each, _ in found]


def native_names(graph: Graph) -> dict[str, str | None]:
    """The names that models of any registered backend give to the weights of a graph; see `Keyed.keys`."""
    found: dict[str, str | None] = {}
    for each in backends():
        if not isinstance(each, Broken) and isinstance(each, Keyed):
            found.update(each.keys(graph))
    return found
