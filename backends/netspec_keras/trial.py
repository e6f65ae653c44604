"""The trial of Keras in a comparison: every layer's output, every gradient, steps of the optimisers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from netspec.graph import Graph
from netspec.lowering.outline import outline
from netspec.lowering.taps import HOOK, Recorder, instrument, order
from netspec.recipe.optimizers import Optimizer
from netspec_keras.engines import running
from netspec_keras.engines.interface import Tensors, listed
from netspec_keras.framework import keras, ops
from netspec_keras.runtime import execute, homes, inward, outward, placed, read, write
from netspec_keras.source import source
from netspec_keras.training.optimizers import native

if TYPE_CHECKING:
    from netspec.backend import Array, Arrays
    from netspec.types import Float


class KerasTrial:
    """Runs the generated text with its taps: a model of all values, and a model of the network's outputs."""

    def __init__(
        self,
        graph: Graph,
        weights: Arrays,
        dtype: Float = "float64",
        inject: tuple[str, float] | None = None,
        device: str = "cpu",
    ) -> None:
        self.engine = running()
        self.graph, self.start, self.dtype, self.device = graph, weights, dtype, device
        recorder = Recorder(order(outline(graph)), inject)
        with self._set():
            text = source(graph)
            self.turned = dict(text.turned)
            self.model = execute(instrument(text), graph, dtype, device, given={HOOK: recorder})
            made = {**{each.name: each for each in self.model.inputs}, **recorder.seen}
            self.values = {node.name: made[node.name] for node in graph.nodes}
            self.network = keras.Model(self.model.inputs, self._outputs())
            probe = keras.Model(self.model.inputs, list(self.values.values()))
        self.learnt = [home for home in homes(graph) if home.learns]
        held = [home.variable(self.model) for home in self.learnt]
        # Two weights can be parts of one variable.
        self.variables = list({id(variable): variable for variable in held}.values())
        self.places = [[id(each) for each in self.variables].index(id(variable)) for variable in held]
        self.probe = self.engine.forward(probe)
        self.slope = self.engine.gradients(self.network, self.variables, _loss)

    @contextmanager
    def _set(self) -> Iterator[None]:
        """Run on the device, without rounding more than `dtype` does."""
        with placed(self.device), self.engine.exact(self.dtype):
            yield

    def _outputs(self) -> Tensors:
        """The outputs of the text; a value in another order of axes is moved for its output."""
        given = self.model.output
        outputs = self.graph.outputs
        return [given[each.name] for each in outputs] if isinstance(given, dict) else listed(given)

    def forward(self, inputs: Arrays) -> dict[str, Array]:
        with self._set():
            write(self.model, self.graph, self.start)
            arrays = [*map(self.engine.array, self.probe(self._batch(inputs)))]
        types, found = self.graph.types, {}
        for name, array in zip(self.values, arrays, strict=True):
            back = self.turned.get(name)
            found[name] = outward(array if back is None else array.transpose(back), types[name])
        return found

    def gradients(self, inputs: Arrays, targets: Arrays) -> dict[str, Array]:
        with self._set():
            write(self.model, self.graph, self.start)
            found = self.slope(self._batch(inputs), self._targets(targets))
        arrays = [self.engine.array(each) for each in found]
        return {
            home.name: home.holder.outward(arrays[place], home.shape)
            for home, place in zip(self.learnt, self.places, strict=True)
        }

    def steps(self, inputs: Arrays, targets: Arrays, optimizer: Optimizer, count: int) -> dict[str, Array]:
        with self._set():
            write(self.model, self.graph, self.start)
            batch, wanted, stepper = self._batch(inputs), self._targets(targets), native(optimizer)
            for _ in range(count):
                stepper.apply(self.slope(batch, wanted), self.variables)
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
    """Half the sum of squared distances, divided by the batch size."""
    pairs = zip(listed(outputs), targets, strict=True)
    distances = [ops.sum(ops.square(output - target)) for output, target in pairs]
    return sum(distances[1:], distances[0]) * (0.5 / targets[0].shape[0])
