"""What a backend can do, one small Protocol a capability; installed backends are found through entry points.

A command asks for a capability and never for a name: `usable(names, Trains)` gives backends that train, or says in
one line which does not and which do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, runtime_checkable

from netspec.graph import Graph
from netspec.ops.base import Op
from netspec.types import Float

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from netspec.fit import Fit
    from netspec.recipe.optimizers import Optimizer

    Array = NDArray[np.generic]
    Arrays = Mapping[str, Array]

GROUP = "netspec.backends"

T = TypeVar("T", bound="Backend")


@dataclass(frozen=True, slots=True)
class Tap:
    """Where generated source makes the output of a layer.

    After line `line` (from 1) the name `variable` holds the output of the node called `node` within the
    class or function in which the line stands; without a name, the line returns that output. When the line stands
    in a loop over the repetitions of a repeat, `node` holds `{}` where their number goes: it counts up, from the
    first that the loop runs, which is not 0 where others stand before it.
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


@dataclass(frozen=True, slots=True)
class Limit:
    """What a backend refuses of the ops that it lowers: by where a layer stands, or by precision.

    `what` is one sentence for the documentation. `found` gives the nodes of a graph to which the limit applies, by
    name, each with the sentence that says why. With a `dtype` the limit holds in that precision only.
    """

    what: str
    found: Callable[[Graph], Iterable[tuple[str, str]]]
    dtype: Float | None = None


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

    Every call starts from the weights that the trial was given. Products of float32 are calculated in full
    precision, whatever the framework does by default on that device.
    """

    def forward(self, inputs: Arrays) -> dict[str, Array]:
        """The output of every node, by its canonical name, in training mode."""
        ...


class LearningTrial(Trial, Protocol):
    """A trial that also learns, in training mode.

    The loss is half the squared distance from the outputs to their targets, summed, over the batch size.
    """

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
class Fragile(Protocol):
    """A backend whose framework has kernels that end the process; one need not have any."""

    def fragile(self, graph: Graph, dtype: str) -> tuple[list[str], str]:
        """The layers whose kernels these are, and what to do about them."""
        ...


@runtime_checkable
class Backend(Protocol):
    """What every backend has: a name, a table op → lowering, and what it refuses and why.

    What a lowering is, is the backend's own; `refusals` has the ops that it never lowers, each with its reason in
    one sentence, `limits` what it refuses of the others.
    """

    name: str
    frameworks: Sequence[str]
    """The packages, besides NumPy, that it imports when something is to run; no other part of netspec does."""

    @property
    def lowerings(self) -> Mapping[type[Op], object]: ...

    @property
    def refusals(self) -> Mapping[type[Op], str]: ...

    @property
    def limits(self) -> Sequence[Limit]: ...

    def status(self) -> Status:
        """What there is of it here. Imports the framework only to tell versions of an installed one."""
        ...


@runtime_checkable
class Writes(Backend, Protocol):
    """A backend that writes source."""

    def source(self, graph: Graph) -> Source:
        """Readable source text that runs without netspec. Imports no framework.

        Raises:
            Unsupported: it refuses the graph.
        """
        ...


@runtime_checkable
class Files(Backend, Protocol):
    """A backend that writes a file, weights inside."""

    suffix: str
    """How the name of such a file ends, with the dot."""

    def file(self, graph: Graph, weights: Arrays, dtype: Float = "float32") -> bytes:
        """The content of the file. It has the line `netspec.marks.BLANK`, so that netspec knows it again.

        Raises:
            Unsupported: it refuses the graph.
        """
        ...


@runtime_checkable
class Builds(Backend, Protocol):
    """A backend that builds a native model and reads the weights of one."""

    def build(self, graph: Graph, weights: Arrays, dtype: Float = "float32", device: str = "auto") -> Any:
        """Execute exactly the generated source, and put the weights in: a native model."""
        ...

    def weights(self, model: Any, graph: Graph) -> dict[str, Array]:
        """The weights of a native model that `build` made, canonical names and layout."""
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
        """Its side of a comparison. `inject` adds a number to one layer's output, wherever it is used.

        Raises:
            NoDevice: the device is not here.
            Unsupported: it refuses the graph in this precision.
        """
        ...


@runtime_checkable
class Learns(Runs, Protocol):
    """A backend that gives gradients and takes steps: its trials are learning ones."""

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
    """An oracle: it calculates from the definitions, on the CPU, and takes part in every comparison."""

    judges: Literal[True]


@runtime_checkable
class Trains(Backend, Protocol):
    """A backend that trains."""

    def fit(self, fit: Fit) -> None:
        """Train natively, telling `fit.report` of every step and epoch."""
        ...


@runtime_checkable
class Timed(Backend, Protocol):
    """A backend that can be timed."""

    def workload(
        self, graph: Graph, weights: Arrays, inputs: Arrays, targets: Arrays, device: str = "auto"
    ) -> Workload:
        """The network as it is timed, in float32; arrays are channels first, with the batch."""
        ...


@runtime_checkable
class Keyed(Backend, Protocol):
    """A backend whose models name their weights themselves, as PyTorch's state dict does."""

    def keys(self, graph: Graph) -> Mapping[str, str | None]:
        """The canonical name of the weight behind each key; None if it is no weight. Imports no framework."""
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
}
"""The word for each capability, and what a backend with it can do."""


class Broken:
    """A backend whose own package fails to import; it says so instead of seeming unknown."""

    frameworks: Sequence[str] = ()
    lowerings: Mapping[type[Op], object] = {}
    refusals: Mapping[type[Op], str] = {}
    limits: Sequence[Limit] = ()

    def __init__(self, name: str, error: BaseException, package: Distribution | None = None) -> None:
        self.name = name
        self._package = package
        self._reason = f"its package fails to import: {type(error).__name__}: {error}"

    def status(self) -> Status:
        from netspec.installation import reinstall

        return Status("broken", self._reason, reinstall(self._package))


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
    except Exception as error:  # whatever a third party's package does, it is reported and not hidden
        return Broken(point.name, error, point.dist)


def backends() -> Iterator[Backend]:
    """All registered backends, broken ones included."""
    for name in names():
        yield backend(name)


def capabilities(backend: Backend) -> list[str]:
    """The words for what a backend can do."""
    return [word for capability, (word, _) in CAPABILITIES.items() if isinstance(backend, capability)]


def capable(name: str, capability: type[T]) -> T:
    """The backend of that name, which need not be installed.

    Raises:
        Unavailable: no backend has that name, or its package is broken.
        Incapable: it does not have the capability. The message names backends that do.
    """
    found = backend(name)
    if isinstance(found, Broken):
        _require_ready([found])
    if isinstance(found, capability):
        return found
    what = CAPABILITIES[capability][1]
    raise Incapable(f"{name} cannot {what}; {_others(capability)}")


def _others(capability: type[Backend]) -> str:
    having = [each for each in backends() if isinstance(each, capability)]
    ready = [each.name for each in having if each.status().state == "ok"]
    if ready:
        return f"{' and '.join(ready)} can"
    return (
        f"{' or '.join(each.name for each in having) or 'no registered backend'} could, but is not installed"
    )


def usable(wanted: Sequence[str], capability: type[T]) -> list[T]:
    """These backends, each one with the capability and ready to run.

    Raises:
        Unavailable: one is unknown, missing or broken.
        Incapable: one does not have the capability.
    """
    for name in wanted:
        backend(name)  # an unknown name comes first: it may be a slip
    found = [capable(name, capability) for name in wanted]
    _require_ready(found)
    return found


def _require_ready(found: Sequence[Backend]) -> None:
    lacking = [(each.name, status) for each in found if (status := each.status()).state != "ok"]
    if lacking:
        raise Unavailable(
            "; ".join(f"the backend {name} is {status.state}: {status.detail}" for name, status in lacking),
            "; ".join(dict.fromkeys(status.fix for _, status in lacking if status.fix)),
        )


def installed(capability: type[Backend]) -> list[str]:
    """The names of the installed backends that have a capability.

    Raises:
        Unavailable: there is none.
    """
    having = [each for each in backends() if isinstance(each, capability)]
    ready = [each.name for each in having if each.status().state == "ok"]
    if not ready:
        fixes = dict.fromkeys(status.fix for each in having if (status := each.status()).fix)
        raise Unavailable(f"no installed backend can {CAPABILITIES[capability][1]}", "; or ".join(fixes))
    return ready


def oracles() -> dict[str, Status]:
    """The registered oracles by name, and what there is of each here."""
    return {each.name: each.status() for each in backends() if isinstance(each, Judges)}


def refused(backend: Backend, graph: Graph, dtype: Float | None = None) -> list[tuple[str, str]]:
    """Why a backend refuses a graph: for each reason the first layer concerned, and a sentence that names them.

    Without a `dtype` the limits of one precision do not count.
    """
    reasons: dict[str, list[str]] = {}
    for name, reason in _reasons(backend, graph, dtype):
        reasons.setdefault(reason, []).append(name)
    return [(layers[0], _with_layers(reason, layers)) for reason, layers in reasons.items()]


def _reasons(backend: Backend, graph: Graph, dtype: Float | None) -> Iterator[tuple[str, str]]:
    lacking = [node for node in graph.nodes if type(node.op) not in backend.lowerings]
    for node in lacking:
        unknown = f"{backend.name} has no lowering of {node.op.keyword}"
        yield node.name, backend.refusals.get(type(node.op), unknown)
    if not lacking:  # a limit may look at how nodes are lowered
        for limit in backend.limits:
            if limit.dtype in (None, dtype):
                yield from limit.found(graph)


def _with_layers(reason: str, layers: Sequence[str]) -> str:
    if f"`{layers[0]}`" in reason:
        return reason
    more = f" and {len(layers) - 1} more" if len(layers) > 1 else ""
    return f"{reason.rstrip('.')} (`{layers[0]}`{more})"


def require(backend: Backend, graph: Graph, dtype: Float | None = None) -> None:
    """Make sure that a backend does not refuse a graph.

    Raises:
        Unsupported: it does; the message has all reasons.
    """
    if reasons := refused(backend, graph, dtype):
        raise Unsupported("\n".join(reason for _, reason in reasons), reasons[0][0])


def native_names(graph: Graph) -> dict[str, str | None]:
    """The names that models of any registered backend give to the weights of a graph; see `Keyed.keys`.

    A key that means one weight to one backend and another weight to another is left out: it names none for certain.
    """
    meanings: dict[str, set[str | None]] = {}
    for each in backends():
        if isinstance(each, Keyed):
            for key, name in each.keys(graph).items():
                meanings.setdefault(key, set()).add(name)
    return {key: names.pop() for key, names in meanings.items() if len(names) == 1}
