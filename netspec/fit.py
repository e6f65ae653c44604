"""The protocol between the loop of a training and a backend: the loop decides, a backend calculates.

The loop (`netspec.training.loop`) knows the rate of every step, when to validate, what is best and when to stop. A
backend makes a `Trainer` for a `Task`; it takes steps on batches, measures, and gives and takes its state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from netspec.graph import Graph
from netspec.recipe.metrics import Measured
from netspec.recipe.optimizers import Optimizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.generic]
    Numbers: TypeAlias = NDArray[np.float64]

LOSS = "loss"
"""The name of the tally that every trainer keeps: for each term the sum of weight · loss, and of weight."""

Precision = Literal["float32", "tf32", "bf16", "fp16", "float64"]


@dataclass(frozen=True, slots=True)
class Term:
    """One loss of one output of the graph. In the whole loss it counts `weight` times.

    The loss of a batch is Σ w · l / Σ w over its elements. `target` is the name of a target of a batch; None if the
    loss takes none. `lengths` is the name of the input with the lengths of sequences.
    """

    output: str
    target: str | None
    loss: Any
    weight: float = 1.0
    lengths: str | None = None


@dataclass(frozen=True, slots=True)
class WeightGroup:
    """Weights with settings of their own: a factor of the learning rate, a weight decay, λ of λ Σ w² in the loss.

    `decay` None is that of the optimiser.
    """

    weights: frozenset[str]
    rate: float = 1.0
    decay: float | None = None
    l2: float = 0.0


@dataclass(frozen=True, slots=True)
class GradientLimit:
    """A limit of gradients: of the `norm` of all together, of `each` one's norm, or of every `value`."""

    kind: Literal["norm", "each", "value"]
    limit: float


@dataclass(frozen=True, eq=False)
class Whitening:
    """x ← (x − mean) · matrix, over the n numbers of a sample, channels first: (n,) and (n, n), float32."""

    mean: Array
    matrix: Array


@dataclass(frozen=True, slots=True)
class Conversion:
    """How an input becomes floats, on the device: x / unit, `pad` zeros around, then (x − mean) / std by channel.

    With `sample`, the mean and the deviation are those of all numbers of each sample, without its padding. A `whiten`
    comes then, and the padding after it.
    """

    unit: float = 1.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    pad: int = 0
    sample: bool = False
    whiten: Whitening | None = None

    CONSTANT = 1e-6
    """A sample whose deviation is below this is constant: its deviation counts as 1."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples: inputs and targets by name, channels first, in the types in which the data are stored.

    Of a part that the trainer holds, a batch has only the `rows`: the indices of its samples. With several processes,
    each has its share of a batch, and `whole` is the number of samples of all. A process without a share has one
    sample that does not count: then `samples` is 0.
    """

    inputs: Mapping[str, Array]
    targets: Mapping[str, Array]
    samples: int
    part: str | None = None
    rows: Array | None = None
    whole: int | None = None


Step: TypeAlias = Sequence[Batch]
"""The batches of one update of the weights; more than one with `accumulate`."""

Tallies: TypeAlias = "Mapping[str, Array]"
"""Sums over samples, by name: those of two parts of an epoch add up to those of both."""

Done: TypeAlias = "Callable[[Numbers], None]"
"""Takes the losses of the next steps, before their updates: a row per step, the whole loss and then each term."""


@dataclass(frozen=True, slots=True)
class World:
    """Which of how many processes this is."""

    rank: int = 0
    size: int = 1


@dataclass(frozen=True)
class Task:
    """What a trainer is made for.

    `graph` ends in logits where a loss wants them. `conversions` has the inputs that are not fed as they are stored,
    `target_conversions` the targets.
    `average` is the decay of the exponential moving average of the weights. `seed` is that of dropout. With `sharded`,
    the weights and all that belongs to them are divided among the processes. `devices` is the number of devices of a
    process. A compiled call takes `steps_per_call` steps; `capture` makes a CUDA graph of
    a step.
    """

    graph: Graph
    weights: Mapping[str, Array]
    terms: tuple[Term, ...]
    optimizer: Optimizer
    metrics: tuple[Measured, ...] = ()
    conversions: Mapping[str, Conversion] = field(default_factory=dict)
    target_conversions: Mapping[str, Conversion] = field(default_factory=dict)
    groups: tuple[WeightGroup, ...] = ()
    clip: GradientLimit | None = None
    average: float | None = None
    precision: Precision = "float32"
    compile: bool = False
    deterministic: bool = True
    seed: int = 0
    device: str = "auto"
    world: World = World()
    sharded: bool = False
    devices: int = 1
    steps_per_call: int = 1
    capture: bool = False


class Trainer(Protocol):
    """A network in training on a backend. An exception of what it calls ends a method, which does not catch it.

    Of several processes, each has a trainer, and all of them call every method together.
    """

    def hold(self, part: str, inputs: Mapping[str, Array], targets: Mapping[str, Array]) -> bool:
        """Keep all samples of a part on the device, if that is faster and they fit; whether they are kept."""
        ...

    def run(self, steps: Iterator[Step], rates: Iterator[float], done: Done, before: Tallies) -> Tallies:
        """Take all these steps, a part of an epoch, each with the next rate; `done` gets every loss, in blocks.

        The result adds to `before`, in the order of the steps: it does not depend on how an epoch is divided.
        """
        ...

    def warm_up(self) -> int:
        """The number of the first step of a new trainer that is calculated as all later ones."""
        ...

    def evaluate(self, batches: Iterator[Batch]) -> Tallies:
        """The tallies of these batches in inference mode, with the averaged weights if there are any."""
        ...

    def predict(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """The outputs of the graph for a batch as it is stored, in inference mode, channels first."""
        ...

    def state(self) -> Mapping[str, Array]:
        """All that a resumed training needs: weights, statistics, slots of the optimiser, average, generators."""
        ...

    def restore(self, state: Mapping[str, Array]) -> None:
        """Continue from such a state, to the same bits.

        Raises:
            ValueError: it is the state of another network or optimiser.
        """
        ...

    def weights(self) -> Mapping[str, Array]:
        """The weights by their canonical names: the averaged ones, if there are any."""
        ...

    def load(self, weights: Mapping[str, Array]) -> None:
        """Set the weights, for an evaluation. Of several processes, those of the first one count."""
        ...

    def freeze(self, names: frozenset[str]) -> None:
        """Do not change these weights from now on, and all others again."""
        ...

    def agree(self, number: int) -> int:
        """The largest of the numbers of all processes: what they decide together."""
        ...

    def remarks(self) -> Sequence[str]:
        """What the user should know about the way in which the steps were calculated, at the end."""
        ...

    def diagnose(self, step: Step) -> str:
        """What is not finite first in this step, such as "the output of `conv1`"; empty if all is finite."""
        ...
