"""Native models as a user has them: what they hold and what they give, in netspec's names and layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from netspec.backend import Builds, capable
from netspec.graph import Graph
from netspec.types import Float

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.generic]
    Arrays = Mapping[str, Array]


class Native(Protocol):
    """A built model. Arrays are channels first, with the batch."""

    def outputs(self, inputs: Arrays) -> dict[str, Array]:
        """What it gives in inference, by the name of the output."""
        ...

    def held(self) -> tuple[int, int]:
        """How many numbers its parameters hold, and how many of them learn; each parameter once."""
        ...

    def weights(self) -> dict[str, Array]:
        """Its weights, read back."""
        ...


class Torch:
    """A PyTorch module."""

    def __init__(self, graph: Graph, weights: Arrays, dtype: Float = "float64") -> None:
        self.graph = graph
        self.model: Any = capable("torch", Builds).build(graph, weights, dtype, "cpu")

    def outputs(self, inputs: Arrays) -> dict[str, Array]:
        """See `Native`."""
        import torch

        given = [torch.as_tensor(inputs[each.name]) for each in self.graph.inputs]
        with torch.no_grad():
            result = self.model(*given)
        return {name: value.detach().numpy() for name, value in _named(result, self.graph).items()}

    def held(self) -> tuple[int, int]:
        """See `Native`. The second bias of PyTorch's LSTM and RNN, which is 0 and does not learn, does not count."""
        from torch import nn

        second = {
            id(weight)
            for module in self.model.modules()
            if isinstance(module, nn.LSTM | nn.RNN)
            for name, weight in module.named_parameters()
            if name.startswith("bias_hh") and not weight.requires_grad and not weight.any()
        }
        parameters = [each for each in self.model.parameters() if id(each) not in second]
        return sum(p.numel() for p in parameters), sum(p.numel() for p in parameters if p.requires_grad)

    def weights(self) -> dict[str, Array]:
        """See `Native`."""
        return capable("torch", Builds).weights(self.model, self.graph)


class Keras:
    """A Keras model."""

    def __init__(self, graph: Graph, weights: Arrays, dtype: Float = "float64") -> None:
        self.graph = graph
        self.model: Any = capable("keras", Builds).build(graph, weights, dtype, "cpu")

    def outputs(self, inputs: Arrays) -> dict[str, Array]:
        """See `Native`."""
        import keras

        from netspec_keras.runtime import inward, outward

        types = self.graph.types
        given = {
            each.name: keras.ops.convert_to_tensor(inward(inputs[each.name], each.type))
            for each in self.graph.inputs
        }
        result = _named(
            self.model(given if len(given) > 1 else next(iter(given.values())), training=False), self.graph
        )
        return {
            each.name: outward(keras.ops.convert_to_numpy(result[each.name]), types[each.value])
            for each in self.graph.outputs
        }

    def held(self) -> tuple[int, int]:
        """See `Native`."""
        statistics = sum(weight.statistic * _size(weight.shape) for weight in self.graph.weights)
        every = sum(_size(variable.shape) for variable in self.model.weights)
        return every - statistics, sum(_size(variable.shape) for variable in self.model.trainable_weights)

    def weights(self) -> dict[str, Array]:
        """See `Native`."""
        return capable("keras", Builds).weights(self.model, self.graph)


def eager_gradients(trial: Any, inputs: Arrays, targets: Arrays) -> dict[str, Array]:
    """The gradients of a trial of the backend `keras` without compiling anything, as a loop of one's own takes them.

    `trial.gradients` compiles a graph for every size of batch, which costs ten times as much.
    """
    import keras
    import tensorflow as tf

    from netspec_keras.runtime import inward, write

    def given(arrays: Arrays, types: Mapping[str, Any]) -> list[Any]:
        return [keras.ops.convert_to_tensor(inward(arrays[name], type_)) for name, type_ in types.items()]

    graph: Graph = trial.graph
    write(trial.model, graph, trial.start)
    takes = {each.name: graph.types[each.name] for each in trial.model.inputs}
    wanted = given(targets, {each.name: graph.types[each.value] for each in graph.outputs})
    with tf.GradientTape() as tape:
        outputs = trial.network(given(inputs, takes), training=True)
        pairs = zip(outputs if isinstance(outputs, list | tuple) else [outputs], wanted, strict=True)
        loss = sum(tf.reduce_sum(tf.square(output - target)) for output, target in pairs) * (
            0.5 / len(wanted[0])
        )
    sources = [variable.value for variable in trial.variables]
    found = tape.gradient(loss, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return {
        home.name: home.holder.outward(tf.convert_to_tensor(found[place]).numpy(), home.shape)
        for home, place in zip(trial.learnt, trial.places, strict=True)
    }


def _named(result: Any, graph: Graph) -> dict[str, Any]:
    return dict(result) if isinstance(result, Mapping) else {graph.outputs[0].name: result}


def _size(shape: Any) -> int:
    from math import prod

    return prod(shape)


EAGER: Mapping[str, Callable[[Any, Arrays, Arrays], dict[str, Array]]] = {"keras": eager_gradients}
"""Of backends whose trials compile a graph for every size of batch, the gradients without that."""

NATIVE: dict[str, type[Torch] | type[Keras]] = {"torch": Torch, "keras": Keras}
"""What is known of the models of each backend."""
