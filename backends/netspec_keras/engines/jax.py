"""Keras on JAX, where a model is a function of its variables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from netspec.backend import NoDevice
from netspec_keras.engines import float64
from netspec_keras.engines.interface import (
    AsOne,
    Forward,
    Gradients,
    Loss,
    Program,
    Spread,
    Tensors,
    listed,
)
from netspec_keras.framework import keras

if TYPE_CHECKING:
    from netspec.backend import Array
    from netspec.types import Float


class Jax:
    """Compiles outputs and gradients as a whole, because otherwise JAX compiles each operation separately."""

    title = "JAX"
    keeps_float64 = False

    def devices(self, kind: str) -> list[str]:
        try:
            return list(map(str, keras.distribution.list_devices(kind)))
        except RuntimeError:  # JAX does not have this kind
            return []

    @contextmanager
    def exact(self, dtype: Float) -> Iterator[None]:
        with ExitStack() as settings:
            settings.enter_context(jax.default_matmul_precision("highest"))
            if dtype == "float64":
                # before JAX 0.8 it is experimental
                wide = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64
                settings.enter_context(wide(True))
                settings.enter_context(float64.kept(self.title))
            yield

    def rounded(self) -> AbstractContextManager[object]:
        return jax.default_matmul_precision("tensorfloat32")  # type: ignore[no-any-return]

    def forward(self, model: Any) -> Forward:
        def outputs(learnt: Tensors, kept: Tensors, inputs: Tensors) -> Tensors:
            found, _ = model.stateless_call(learnt, kept, list(inputs), training=True)
            return listed(found)

        function = jax.jit(outputs)

        def call(inputs: Tensors) -> Tensors:
            found: Tensors = function(*_values(model), list(inputs))
            return found

        return call

    def gradients(self, network: Any, variables: Tensors, loss: Loss) -> Gradients:
        places = {id(each): at for at, each in enumerate(network.trainable_variables)}
        order = [places[id(variable)] for variable in variables]

        def value(learnt: Tensors, kept: Tensors, inputs: Tensors, targets: Tensors) -> tuple[Any, Tensors]:
            outputs, kept = network.stateless_call(learnt, kept, list(inputs), training=True)
            return loss(outputs, targets), kept

        function = jax.jit(jax.grad(value, has_aux=True))

        def call(inputs: Tensors, targets: Tensors) -> Tensors:
            found, changed = function(*_values(network), inputs, targets)
            for variable, new in zip(network.non_trainable_variables, changed, strict=True):
                variable.assign(new)
            return [found[at] for at in order]

        return call

    def program(
        self, function: Callable[..., Any], variables: Tensors, compile: bool, deterministic: bool
    ) -> Program:
        on_gpu = deterministic and jax.default_backend() == "gpu"
        return JaxProgram(function, variables, {"xla_gpu_deterministic_ops": True} if on_gpu else None)

    def deterministic(self, wanted: bool) -> AbstractContextManager[object]:
        return nullcontext()  # each program says it to its compiler

    def spread(self, kind: str, count: int) -> Spread:
        if count == 1:
            return AsOne(self)
        known = self.devices(kind)
        if len(known) < count:
            raise NoDevice.counted(f"{kind}:{count - 1}", len(known))
        return JaxDevices(self, known[:count])

    def descend(
        self, value: Callable[[], tuple[Any, Any]], learnt: Tensors, others: Tensors
    ) -> tuple[Any, Tensors]:
        kept = [(each, each.value) for each in others]

        def loss(values: Tensors) -> tuple[Any, tuple[Any, Tensors]]:
            given = [*zip(learnt, values, strict=True), *kept]
            with keras.StatelessScope(state_mapping=given) as scope:
                found, further = value()
                return found, (further, [_current(scope, *each) for each in kept])

        slopes, (further, changed) = jax.grad(loss, has_aux=True)([each.value for each in learnt])
        for (variable, _), new in zip(kept, changed, strict=True):
            variable.assign(new)
        return further, slopes

    def after(self, before: Any, tensors: Any) -> Any:
        return jax.lax.optimization_barrier((before, tensors))[1]

    def array(self, value: Any) -> Array:
        return np.array(value)

    def peak_bytes(self) -> int | None:
        found = jax.local_devices()[0].memory_stats() or {}
        return int(found["peak_bytes_in_use"]) if "peak_bytes_in_use" in found else None


def _values(model: Any) -> tuple[Tensors, Tensors]:
    """The values of a model's variables: trainable ones, and others."""
    learnt, kept = model.trainable_variables, model.non_trainable_variables
    return [each.value for each in learnt], [each.value for each in kept]


def _current(scope: Any, variable: Any, before: Any) -> Any:
    """The value of a variable in a scope."""
    found = scope.get_current_value(variable)
    return before if found is None else found


class JaxDevices(AsOne):
    """See `netspec_keras.engines.interface.Spread`: JAX divides every calculation as its inputs are divided."""

    def __init__(self, engine: Jax, devices: list[str]) -> None:
        super().__init__(engine)
        self._count = len(devices)
        self._distribution = keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False)
        self._mesh = self._distribution.device_mesh

    def variables(self) -> AbstractContextManager[object]:
        found: AbstractContextManager[object] = self._distribution.scope()
        return found

    def batch(self, array: Any, axis: int) -> Any:
        axes: list[str | None] = [None] * array.ndim
        # Each device calculates the whole of a batch that they cannot divide.
        if array.ndim > axis and array.shape[axis] % self._count == 0:
            axes[axis] = self._mesh.axis_names[0]
        layout = keras.distribution.TensorLayout(axes, self._mesh)
        return keras.distribution.distribute_tensor(jax.numpy.asarray(array), layout)


class JaxProgram:
    """See `netspec_keras.engines.interface.Program`. The values stay outside of the variables between two calls."""

    def __init__(
        self, function: Callable[..., Any], variables: Tensors, options: dict[str, Any] | None
    ) -> None:
        self._variables = variables
        self._values: Tensors | None = None

        def pure(values: Tensors, tensors: tuple[Any, ...]) -> tuple[Any, Tensors]:
            given = [*zip(variables, values, strict=True)]
            with keras.StatelessScope(state_mapping=given) as scope:
                found = function(*tensors)
            return found, [_current(scope, *each) for each in given]

        def several(values: Tensors, stacked: tuple[Any, ...]) -> tuple[Any, Tensors]:
            def one(values: Tensors, tensors: tuple[Any, ...]) -> tuple[Tensors, Any]:
                found, values = pure(values, tensors)
                return values, found

            values, found = jax.lax.scan(one, values, stacked)
            return found, values

        self._function = jax.jit(pure, donate_argnums=0, compiler_options=options)
        self._several = jax.jit(several, donate_argnums=0, compiler_options=options)

    def __call__(self, *tensors: Any) -> Any:
        found, self._values = self._function(self._taken(), tensors)
        return found

    def each(self, *stacked: Any) -> Any:
        """The results of several calls."""
        found, self._values = self._several(self._taken(), stacked)
        return found

    def _taken(self) -> Tensors:
        """The values for a call, which takes their memory: after one that fails, nothing is left to settle."""
        values, self._values = self._values, None
        return [jax.numpy.array(each.value) for each in self._variables] if values is None else values

    def settle(self) -> None:
        """Give the variables their values, and take them from there in the next call."""
        if self._values is not None:
            for variable, value in zip(self._variables, self._values, strict=True):
                variable.assign(value)
            self._values = None
