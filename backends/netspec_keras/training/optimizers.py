"""Optimisers for Keras with the mathematics of PyTorch, which is canonical. Also clipping, L2, sums and the average."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

from netspec.dataclass import dataclass
from netspec.recipe.optimizers import Adadelta, Adagrad, Adam, AdamW, Optimizer, RMSprop, Sgd
from netspec_keras.engines import running
from netspec_keras.framework import keras, ops

if TYPE_CHECKING:
    from netspec.backend import Array
    from netspec.fit import GradientLimit, WeightGroup

Grouped: TypeAlias = "Sequence[tuple[WeightGroup, Sequence[Any]]]"
"""Groups, each with its variables."""


def native(spec: Optimizer, groups: Grouped = (), clip: GradientLimit | None = None) -> Canonical:
    """A `keras.optimizers.Optimizer` for a recipe.

    Keras' own optimisers differ: they keep constants in float32, include the learning rate in the velocity, decouple
    every weight decay, and add Adam's epsilon before the bias correction.
    """
    return CLASSES[type(spec)](spec, groups, clip)


@dataclass(frozen=True, slots=True)
class Own:
    """The settings of one variable."""

    rate: float
    decay: float
    l2: float


class Canonical(keras.optimizers.Optimizer):  # type: ignore[misc]
    """Keeps tensors per variable, and computes in the variable's precision.

    The gradient of L2 is added first, then the whole is clipped, then each variable takes its step, in which a coupled
    weight decay is part of the gradient. A variable without a gradient does not change, nor does what is kept of it.

    `rate` is a variable with the learning rate, in the precision of the weights: Keras' own is float32. `finite` is
    whether a step changes anything, if that depends on its gradients.
    """

    kinds: ClassVar[tuple[str, ...]] = ()
    """The slots: what is kept of each variable."""
    couples: ClassVar[bool] = True

    def __init__(self, spec: Any, groups: Grouped = (), clip: GradientLimit | None = None) -> None:
        super().__init__(learning_rate=spec.learning_rate, name=spec.kind)
        self.spec, self.clip = spec, clip
        self.finite: Any = None
        self._plain = Own(1.0, spec.weight_decay, 0.0)
        self._special = {
            id(variable): Own(group.rate, spec.weight_decay if group.decay is None else group.decay, group.l2)
            for group, variables in groups
            for variable in variables
        }

    def build(self, variables: list[Any]) -> None:
        """Create the rate, and the slots of each variable."""
        if self.built:
            return
        super().build(variables)
        dtype = variables[0].dtype if variables else "float32"
        self.rate = self.add_variable((), _filled(self.spec.learning_rate), dtype, name="rate")
        self.kept = {slot: [self._slot(slot, each) for each in variables] for slot in self.keeps()}
        self.paths = [each.path for each in variables]
        self._owns: list[Own] = [self._special.get(id(each), self._plain) for each in variables]

    def keeps(self) -> tuple[str, ...]:
        """The slots that the settings need."""
        return self.kinds

    def first(self, slot: str) -> float:
        """The value with which a slot begins."""
        return 0.0

    def _slot(self, slot: str, variable: Any) -> Any:
        if slot == STEPS:
            return self.add_variable((), "zeros", variable.dtype, name=f"{variable.name}_{slot}")
        return self.add_variable_from_reference(variable, name=slot, initializer=_filled(self.first(slot)))

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """Take a step with these gradients, each of its variable; None for a variable that does not learn now."""
        variables = self._trainable_variables if trainable_variables is None else list(trainable_variables)
        if not self.built:
            self.build(variables)
        learning = [(grad, each) for grad, each in zip(grads, variables, strict=True) if grad is not None]
        if not learning:
            return
        # As whole tensors: the gradient of an embedding comes as rows, some of them twice.
        gradients = [self._regularised(ops.convert_to_tensor(grad), each) for grad, each in learning]
        if self.clip is not None:
            gradients = CLIPS[self.clip.kind](gradients, self.clip.limit)
        super().apply(gradients, [each for _, each in learning])

    def assign(self, variable: Any, value: Any) -> None:
        """Set a variable, if the step changes anything."""
        if self.finite is not None:
            value = ops.where(self.finite, value, ops.convert_to_tensor(variable))
        super().assign(variable, value)

    def assign_sub(self, variable: Any, value: Any) -> None:
        """Subtract from a variable, if the step changes anything."""
        if self.finite is not None:
            value = ops.where(self.finite, value, ops.zeros_like(value))
        super().assign_sub(variable, value)

    def _regularised(self, gradient: Any, variable: Any) -> Any:
        l2 = self.own(variable).l2
        return gradient + variable * (2 * l2) if l2 else gradient

    def own(self, variable: Any) -> Own:
        """The settings of a variable."""
        index: int = self._get_variable_index(variable)
        return self._owns[index]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One step of one variable."""
        # By its index: on TensorFlow this is the variable inside of Keras' variable.
        index = self._get_variable_index(variable)
        own = self._owns[index]
        rate = ops.cast(self.rate, variable.dtype) * own.rate
        if own.decay and self.couples:
            gradient = gradient + variable * own.decay
        change = self.change({slot: kept[index] for slot, kept in self.kept.items()}, gradient, rate)
        if own.decay and not self.couples:
            self.assign(variable, variable * (1 - rate * own.decay) - change)
        else:
            self.assign_sub(variable, change)

    def change(self, kept: Mapping[str, Any], gradient: Any, rate: Any) -> Any:
        """What the variable loses in a step; updates what is kept of it."""
        raise NotImplementedError

    def slots(self) -> dict[str, Any]:
        """What is kept of each variable, `path/slot`: the variables themselves."""
        return {
            f"{path}/{slot}": each
            for slot, kept in self.kept.items()
            for path, each in zip(self.paths, kept, strict=True)
        }

    def restore(self, slots: Mapping[str, Array]) -> None:
        """Take over the slots of another optimiser of the same kind.

        Raises:
            ValueError: these are not the slots of this optimiser.
        """
        known = self.slots()
        if different := sorted(known.keys() ^ slots.keys()):
            raise ValueError(f"{self.spec.kind} does not keep {', '.join(different[:3])}")
        for name, variable in known.items():
            if tuple(variable.shape) != slots[name].shape:
                raise ValueError(f"{name} is {slots[name].shape}, but must be {tuple(variable.shape)}")
            variable.assign(slots[name])

    def get_config(self) -> dict[str, Any]:
        """The settings of the recipe."""
        config: dict[str, Any] = self.spec.model_dump()
        return config


STEPS = "steps"


def _filled(value: float) -> Callable[..., Any]:
    """An initialiser that does not round to float32."""
    return lambda shape, dtype: ops.convert_to_tensor(np.full(shape, value, dtype), dtype=dtype)


class CanonicalSgd(Canonical):
    """v ← momentum · v + g; w ← w − rate · v, or w ← w − rate · (g + momentum · v)."""

    def keeps(self) -> tuple[str, ...]:
        """A velocity, if there is a momentum."""
        return ("velocity",) if self.spec.momentum else ()

    def change(self, kept: Mapping[str, Any], gradient: Any, rate: Any) -> Any:
        """See the class."""
        momentum = self.spec.momentum
        if momentum:
            velocity = kept["velocity"] * momentum + gradient
            self.assign(kept["velocity"], velocity)
            gradient = gradient + velocity * momentum if self.spec.nesterov else velocity
        return gradient * rate


class CanonicalAdam(Canonical):
    """Kingma and Ba 2015, algorithm 1: epsilon is added to the bias-corrected root."""

    kinds = ("mean", "square", STEPS)

    def change(self, kept: Mapping[str, Any], gradient: Any, rate: Any) -> Any:
        """See the class."""
        spec = self.spec
        steps = kept[STEPS] + 1
        mean = kept["mean"] * spec.beta1 + gradient * (1 - spec.beta1)
        square = kept["square"] * spec.beta2 + ops.square(gradient) * (1 - spec.beta2)
        for slot, value in (("mean", mean), ("square", square), (STEPS, steps)):
            self.assign(kept[slot], value)
        root = ops.sqrt(square) / ops.sqrt(_correction(spec.beta2, steps)) + spec.epsilon
        return mean * (rate / _correction(spec.beta1, steps)) / root


class CanonicalAdamW(CanonicalAdam):
    """Loshchilov and Hutter 2019, algorithm 2: the weight decay is not part of the gradient."""

    couples = False


def _correction(beta: float, step: Any) -> Any:
    """1 − betaᵗ, in a form that is exact in float32."""
    return -ops.expm1(step * math.log(beta)) if beta else ops.ones_like(step)


class CanonicalRMSprop(Canonical):
    """s ← rho · s + (1 − rho) · g²; w ← w − rate · g / (√s + epsilon), centred and with momentum if wanted."""

    def keeps(self) -> tuple[str, ...]:
        """A mean if it is centred, a velocity if there is a momentum."""
        spec = self.spec
        return ("square", *(["mean"] if spec.centered else []), *(["velocity"] if spec.momentum else []))

    def change(self, kept: Mapping[str, Any], gradient: Any, rate: Any) -> Any:
        """See the class."""
        spec = self.spec
        square = kept["square"] * spec.rho + ops.square(gradient) * (1 - spec.rho)
        self.assign(kept["square"], square)
        if spec.centered:
            mean = kept["mean"] * spec.rho + gradient * (1 - spec.rho)
            self.assign(kept["mean"], mean)
            square = square - ops.square(mean)
        step = gradient / (ops.sqrt(square) + spec.epsilon)
        if spec.momentum:
            step = kept["velocity"] * spec.momentum + step
            self.assign(kept["velocity"], step)
        return step * rate


class CanonicalAdagrad(Canonical):
    """a ← a + g²; w ← w − rate · g / (√a + epsilon)."""

    kinds = ("sum",)

    def first(self, slot: str) -> float:
        """The sum begins with a number of the recipe."""
        return float(self.spec.initial)

    def change(self, kept: Mapping[str, Any], gradient: Any, rate: Any) -> Any:
        """See the class."""
        total = kept["sum"] + ops.square(gradient)
        self.assign(kept["sum"], total)
        return gradient / (ops.sqrt(total) + self.spec.epsilon) * rate


class CanonicalAdadelta(Canonical):
    """Zeiler 2012, algorithm 1, with a learning rate."""

    kinds = ("square", "change")

    def change(self, kept: Mapping[str, Any], gradient: Any, rate: Any) -> Any:
        """See the class."""
        spec = self.spec
        square = kept["square"] * spec.rho + ops.square(gradient) * (1 - spec.rho)
        step = ops.sqrt(kept["change"] + spec.epsilon) / ops.sqrt(square + spec.epsilon) * gradient
        self.assign(kept["square"], square)
        self.assign(kept["change"], kept["change"] * spec.rho + ops.square(step) * (1 - spec.rho))
        return step * rate


CLASSES: Mapping[type[Optimizer], type[Canonical]] = {
    Sgd: CanonicalSgd,
    Adam: CanonicalAdam,
    AdamW: CanonicalAdamW,
    RMSprop: CanonicalRMSprop,
    Adagrad: CanonicalAdagrad,
    Adadelta: CanonicalAdadelta,
}
REFUSALS: Mapping[type[Optimizer], str] = {}
"""The optimisers that Keras does not have, each with the reason."""


def _clip_norm(gradients: list[Any], limit: float) -> list[Any]:
    squares = [ops.sum(ops.square(each)) for each in gradients]
    norm = ops.sqrt(sum(squares[1:], squares[0]))
    return [each * _shrinking(limit, norm) for each in gradients]


def _clip_each(gradients: list[Any], limit: float) -> list[Any]:
    return [each * _shrinking(limit, ops.sqrt(ops.sum(ops.square(each)))) for each in gradients]


def _clip_value(gradients: list[Any], limit: float) -> list[Any]:
    return [ops.clip(each, -limit, limit) for each in gradients]


def _shrinking(limit: float, norm: Any) -> Any:
    """The factor that brings a norm to the limit, at most 1; also for a norm of 0."""
    return ops.minimum(ops.ones_like(norm), limit / norm)


CLIPS: Mapping[str, Callable[[list[Any], float], list[Any]]] = {
    "norm": _clip_norm,
    "each": _clip_each,
    "value": _clip_value,
}


class Kept:
    """A variable beside each of some variables."""

    def __init__(self, beside: Sequence[Any], name: str) -> None:
        self.beside = list(beside)
        self.variables = [
            keras.Variable(_zeros, shape=each.shape, dtype=each.dtype, trainable=False, name=name)
            for each in self.beside
        ]

    def pairs(self) -> Iterator[tuple[Any, Any]]:
        """Each variable with the one that is kept beside it."""
        return zip(self.beside, self.variables, strict=True)


def _zeros(shape: Any, dtype: Any) -> Any:
    return ops.zeros(shape, dtype=dtype)


class MovingAverage(Kept):
    """The exponential moving average of variables: a ← decay · a + (1 − decay) · w, from their values at the start."""

    def __init__(self, decay: float, variables: Sequence[Any]) -> None:
        super().__init__([each for each in variables if "float" in each.dtype], "average")
        self.decay = decay
        for variable, average in self.pairs():
            average.assign(variable.value)

    def update(self) -> None:
        """Take the variables into account as they are now."""
        for variable, average in self.pairs():
            average.assign_add((variable - average) * (1 - self.decay))


class Accumulator(Kept):
    """Sums of gradients over the parts of a batch."""

    def __init__(self, variables: Sequence[Any]) -> None:
        super().__init__(variables, "gradients")

    def add(self, gradients: Sequence[Any]) -> None:
        """Add the gradients of a part; None adds nothing."""
        for gradient, kept in zip(gradients, self.variables, strict=True):
            if gradient is not None:
                kept.assign_add(ops.convert_to_tensor(gradient))

    def take(self) -> list[Any]:
        """The sums, and begin again at 0."""
        found = [ops.convert_to_tensor(each) + 0 for each in self.variables]
        for each in self.variables:
            each.assign(ops.zeros_like(each))
        return found


def value(variable: Any) -> Array:
    """A copy of the value of a slot."""
    return running().array(variable.value)
