"""Keras' side of a comparison: every layer's output, every gradient, steps of an optimiser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from netspec.backend import Incapable
from netspec.graph import Graph
from netspec.lowering.outline import outline
from netspec.lowering.taps import HOOK, Recorder, instrument, order
from netspec.recipe.optimizers import Optimizer
from netspec_keras.framework import keras, ops
from netspec_keras.optimizers import native
from netspec_keras.precision import full_precision
from netspec_keras.runtime import execute, homes, inward, outward, placed, read, write
from netspec_keras.source import source

if TYPE_CHECKING:
    from netspec.backend import Array, Arrays
    from netspec.types import Float

Tensors = Sequence[Any]


class KerasTrial:
    """The generated text with its taps set: models of every node's value, and of the network's outputs."""

    def __init__(
        self,
        graph: Graph,
        weights: Arrays,
        dtype: Float = "float64",
        inject: tuple[str, float] | None = None,
        device: str = "cpu",
    ) -> None:
        engine = ENGINES[keras.backend.backend()]
        engine.prepare(dtype)
        self.graph, self.start, self.dtype, self.device = graph, weights, dtype, device
        recorder = Recorder(order(outline(graph)), inject)
        self.model = execute(instrument(source(graph)), graph, dtype, device, given={HOOK: recorder})
        self.values: dict[str, Any] = recorder.seen
        made = {**{each.name: each for each in self.model.inputs}, **self.values}
        with placed(device):
            self.network = keras.Model(self.model.inputs, [made[each.value] for each in graph.outputs])
        self.homes = list(homes(graph))
        self.learnt = [home for home in self.homes if home.learns]
        self.variables = [home.variable(self.model) for home in self.learnt]
        self.engine = engine(self.network, self.variables)

    def forward(self, inputs: Arrays) -> dict[str, Array]:
        with placed(self.device), full_precision():
            write(self.model, self.graph, self.start)
            probe = keras.Model(self.model.inputs, list(self.values.values()))
            arrays = [*map(ops.convert_to_numpy, _listed(probe(self._batch(inputs), training=True)))]
        types = self.graph.types
        return {name: outward(array, types[name]) for name, array in zip(self.values, arrays, strict=True)}

    def gradients(self, inputs: Arrays, targets: Arrays) -> dict[str, Array]:
        with placed(self.device), full_precision():
            write(self.model, self.graph, self.start)
            found = self.engine.gradients(self._batch(inputs), self._targets(targets))
        return {
            home.name: home.place.outward(ops.convert_to_numpy(each), home.shape)
            for home, each in zip(self.learnt, found, strict=True)
        }

    def steps(self, inputs: Arrays, targets: Arrays, optimizer: Optimizer, count: int) -> dict[str, Array]:
        with placed(self.device), full_precision():
            write(self.model, self.graph, self.start)
            batch, wanted, stepper = self._batch(inputs), self._targets(targets), native(optimizer)
            for _ in range(count):
                stepper.apply(self.engine.gradients(batch, wanted), self.variables)
            return read(self.model, self.graph)

    def _batch(self, inputs: Arrays) -> Tensors:
        types = self.graph.types
        return [
            ops.convert_to_tensor(inward(inputs[each.name], types[each.name]), dtype=each.dtype)
            for each in self.model.inputs
        ]

    def _targets(self, targets: Arrays) -> Tensors:
        types = self.graph.types
        return [
            ops.convert_to_tensor(inward(targets[each.name], types[each.value]), dtype=self.dtype)
            for each in self.graph.outputs
        ]


def _loss(outputs: Any, targets: Tensors) -> Any:
    """Half the squared distance, summed, over the batch size."""
    pairs = zip(_listed(outputs), targets, strict=True)
    distances = [ops.sum(ops.square(output - target)) for output, target in pairs]
    return sum(distances[1:], distances[0]) * (0.5 / targets[0].shape[0])


def _listed(outputs: Any) -> Tensors:
    """What a model gives as a list; a list of one it gives without the list."""
    return outputs if isinstance(outputs, list | tuple) else [outputs]


class TensorFlow:
    """Gradients on TensorFlow: one graph of its own, forward and backward."""

    def __init__(self, network: Any, variables: Tensors) -> None:
        import tensorflow as tf

        def gradients(inputs: Tensors, targets: Tensors) -> Tensors:
            with tf.GradientTape() as tape:
                loss = _loss(network(list(inputs), training=True), targets)
            sources = [variable.value for variable in variables]
            found: Tensors = tape.gradient(loss, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            return found

        # Without autograph: it reads the source of what it is given, for nothing.
        self.function = tf.function(gradients, autograph=False)

    def gradients(self, inputs: Tensors, targets: Tensors) -> Tensors:
        """By each variable, in order; the statistics of batch norm move on."""
        # Called as it is, a function that many trials make anew would be warned of as one that never rests.
        found: Tensors = self.function.get_concrete_function(inputs, targets)(inputs, targets)
        return found

    @staticmethod
    def prepare(dtype: Float) -> None:
        """TensorFlow needs nothing for either precision."""


class Jax:
    """Gradients on JAX, where a model is a function of its variables."""

    def __init__(self, network: Any, variables: Tensors) -> None:
        import jax

        self.network = network
        trained = network.trainable_variables
        self.order = [
            next(at for at, each in enumerate(trained) if each is variable) for variable in variables
        ]

        def loss(learnt: Tensors, kept: Tensors, inputs: Tensors, targets: Tensors) -> tuple[Any, Tensors]:
            outputs, kept = network.stateless_call(learnt, kept, list(inputs), training=True)
            return _loss(outputs, targets), kept

        self.function = jax.jit(jax.value_and_grad(loss, has_aux=True))

    def gradients(self, inputs: Tensors, targets: Tensors) -> Tensors:
        """As on TensorFlow; what the call did to the statistics is put back by hand."""
        learnt = [variable.value for variable in self.network.trainable_variables]
        kept = [variable.value for variable in self.network.non_trainable_variables]
        (_, changed), found = self.function(learnt, kept, inputs, targets)
        for variable, value in zip(self.network.non_trainable_variables, changed, strict=True):
            variable.assign(value)
        return [found[at] for at in self.order]

    @staticmethod
    def prepare(dtype: Float) -> None:
        """Single precision alone: given float64, Keras calculates here and there in float32 on JAX.

        Raises:
            Incapable: something else was asked for.
        """
        if dtype != "float32":
            raise Incapable(
                "keras on JAX keeps some results in float32; compare in float32, or on TensorFlow"
            )


ENGINES: dict[str, Any] = {"tensorflow": TensorFlow, "jax": Jax}
