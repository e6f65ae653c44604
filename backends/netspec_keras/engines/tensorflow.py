"""Keras on TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from netspec.backend import NoDevice
from netspec_keras.engines.interface import (
    AsOne,
    Forward,
    Gradients,
    Loss,
    Outputs,
    Program,
    Spread,
    Tensors,
    Value,
    listed,
)
from netspec_keras.framework import keras

if TYPE_CHECKING:
    from netspec.backend import Array
    from netspec.types import Float


class TensorFlow:
    """Computes outputs and gradients in compiled graphs."""

    title = "TensorFlow"
    keeps_float64 = True

    def devices(self, kind: str) -> list[str]:
        return list(map(str, keras.distribution.list_devices(kind)))

    def exact(self, dtype: Float) -> AbstractContextManager[object]:
        return _products(rounded=False)

    def rounded(self) -> AbstractContextManager[object]:
        return _products(rounded=True)

    def forward(self, model: Any) -> Forward:
        return lambda inputs: listed(model(list(inputs), training=True))

    def gradients(self, network: Any, variables: Tensors, loss: Loss) -> Gradients:
        def gradients(inputs: Tensors, targets: Tensors) -> Tensors:
            with tf.GradientTape() as tape:
                value = loss(network(list(inputs), training=True), targets)
            sources = [variable.value for variable in variables]
            found: Tensors = tape.gradient(value, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            # As whole tensors: the gradient of an embedding comes as rows.
            return [*map(tf.convert_to_tensor, found)]

        # Without autograph: it reads the source of what it is given, for nothing.
        function = tf.function(gradients, autograph=False)

        def call(inputs: Tensors, targets: Tensors) -> Tensors:
            # Without this, TensorFlow would warn that a function that many trials define again is retraced.
            found: Tensors = function.get_concrete_function(inputs, targets)(inputs, targets)
            return found

        return call

    def program(
        self, function: Callable[..., Any], variables: Tensors, compile: bool, deterministic: bool
    ) -> Program:
        return TensorFlowProgram(function, compile)

    def deterministic(self, wanted: bool) -> AbstractContextManager[object]:
        # Kernels of a CPU always give the same bits. TensorFlow would refuse some of them nevertheless.
        if wanted and self.devices("gpu"):
            tf.config.experimental.enable_op_determinism()
        return nullcontext()

    def spread(self, kind: str, count: int) -> Spread:
        if count == 1:
            return AsOne(self)
        known = self.devices(kind)
        if len(known) < count:
            raise NoDevice.counted(f"{kind}:{count - 1}", len(known))
        return TensorFlowDevices(self, known[:count])

    def descend(
        self, value: Callable[[], tuple[Any, Any]], learnt: Tensors, others: Tensors
    ) -> tuple[Any, Tensors]:
        sources = [variable.value for variable in learnt]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for source in sources:
                tape.watch(source)
            loss, found = value()
        slopes = tape.gradient(loss, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        # TensorFlow's optimiser of graphs can drop the order of a read and a later update of a variable, if no gradient
        # is calculated from what was read. With this, everything is calculated before the first update.
        with tf.control_dependencies([loss, *tf.nest.flatten(found)]):
            # As whole tensors: the gradient of an embedding comes as rows.
            return found, [tf.identity(tf.convert_to_tensor(slope)) for slope in slopes]

    def after(self, before: Any, tensors: Any) -> Any:
        with tf.control_dependencies(tf.nest.flatten(before)):
            return tf.nest.map_structure(tf.identity, tensors)

    def array(self, value: Any) -> Array:
        # NumPy warns of the way in which a variable turns into an array; the method of TensorFlow does not.
        found: Array = value.numpy().copy()
        return found

    def peak_bytes(self) -> int | None:
        return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])


@contextmanager
def _products(rounded: bool) -> Iterator[None]:
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(rounded)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)


class TensorFlowDevices(AsOne):
    """See `netspec_keras.engines.interface.Spread`: each device calculates the outputs of its samples.

    The variables are on the first device, which copies them to the others in every step, and calculates the loss of the
    whole batch from all outputs. The gradient of the loss with respect to the outputs goes back to the devices, which
    calculate the rest. So nothing of a loss, a metric or an optimiser is divided.
    """

    def __init__(self, engine: TensorFlow, devices: list[str]) -> None:
        super().__init__(engine)
        self._devices = devices

    def variables(self) -> AbstractContextManager[object]:
        first: AbstractContextManager[object] = tf.device(self._devices[0])
        return first

    def outputs(self, run: Outputs, inputs: Tensors) -> Mapping[str, Any]:
        parts = []
        for device, share in self._shares(inputs):
            with tf.device(device):
                parts.append(dict(run(share)))
        return self._joined(parts)

    def descend(
        self, run: Outputs, inputs: Tensors, value: Value, learnt: Tensors, others: Tensors
    ) -> tuple[Any, Tensors]:
        sources = [variable.value for variable in learnt]
        parts, tapes = [], []
        for device, share in self._shares(inputs):
            with tf.device(device), tf.GradientTape(watch_accessed_variables=False) as tape:
                for source in sources:
                    tape.watch(source)
                parts.append(dict(run(share)))
            tapes.append((device, tape))
        with tf.device(self._devices[0]), tf.GradientTape() as last:
            for part in parts:
                last.watch(list(part.values()))
            loss, found = value(self._joined(parts))
        backs = last.gradient(loss, parts, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        slopes = []
        for (device, tape), part, back in zip(tapes, parts, backs, strict=True):
            names = list(part)
            with tf.device(device):
                own = tape.gradient(
                    [part[name] for name in names],
                    sources,
                    output_gradients=[back[name] for name in names],
                    unconnected_gradients=tf.UnconnectedGradients.ZERO,
                )
                # As whole tensors: the gradient of an embedding comes as rows.
                slopes.append([tf.convert_to_tensor(each) for each in own])
        # As in `TensorFlow.descend`: everything is calculated before the first update.
        with (
            tf.device(self._devices[0]),
            tf.control_dependencies([loss, *tf.nest.flatten(found), *tf.nest.flatten(slopes)]),
        ):
            return found, [tf.add_n(each) for each in zip(*slopes, strict=True)]

    def _shares(self, inputs: Tensors) -> Iterator[tuple[str, Tensors]]:
        """Each device with its part of a batch; of few samples, some devices have none."""
        samples, size = int(inputs[0].shape[0]), len(self._devices)
        for rank, device in enumerate(self._devices):
            start, end = samples * rank // size, samples * (rank + 1) // size
            if end > start:
                yield device, [each[start:end] for each in inputs]

    def _joined(self, parts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        with tf.device(self._devices[0]):
            return {name: tf.concat([part[name] for part in parts], 0) for name in parts[0]}


class TensorFlowProgram:
    """See `netspec_keras.engines.interface.Program`. Variables always have their values."""

    def __init__(self, function: Callable[..., Any], compile: bool) -> None:
        # Without autograph: it reads the source of what it is given, for nothing.
        self._function = tf.function(function, autograph=False, jit_compile=compile or None)
        self._looped = tf.function(self._loop, autograph=False, jit_compile=compile or None)
        self._traced: dict[tuple[Any, ...], Any] = {}
        self._loops: dict[tuple[Any, ...], Any] = {}

    def __call__(self, *tensors: Any) -> Any:
        key = tuple((each.shape, each.dtype) for each in tf.nest.flatten(tensors))
        found = self._traced.get(key)
        if found is None:
            # TensorFlow would warn that the function of another training is traced again.
            found = self._traced[key] = self._function.get_concrete_function(*tensors)
        return found(*tensors)

    def each(self, *stacked: Any) -> Any:
        """The results of several calls, in a loop of the graph."""
        key = tuple((each.shape, each.dtype) for each in tf.nest.flatten(stacked))
        found = self._loops.get(key)
        if found is None:
            found = self._loops[key] = self._looped.get_concrete_function(*stacked)
        return found(*stacked)

    def _loop(self, *stacked: Any) -> Any:
        one = tf.nest.map_structure(lambda x: tf.TensorSpec(x.shape[1:], x.dtype), stacked)
        results = self._function.get_concrete_function(*one).structured_outputs
        types = tf.nest.map_structure(lambda x: tf.TensorSpec(x.shape, x.dtype), results)
        # One after the other: each reads what the one before has assigned.
        return tf.map_fn(
            lambda tensors: self._function(*tensors),
            stacked,
            fn_output_signature=types,
            parallel_iterations=1,
        )

    def settle(self) -> None:
        """Do nothing."""
