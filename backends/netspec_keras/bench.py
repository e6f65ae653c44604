"""Times a network in Keras: compiled, with Keras' functions that predict and train on a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netspec.graph import Graph
from netspec.recipe.optimizers import Sgd
from netspec_keras.engines import running
from netspec_keras.framework import keras, ops
from netspec_keras.runtime import build, inward, known, placed
from netspec_keras.training.optimizers import native

if TYPE_CHECKING:
    from netspec.backend import Arrays

STEP = Sgd(learning_rate=1e-4, momentum=0.9)


class KerasWorkload:
    """See `netspec.backend.Workload`."""

    def __init__(
        self, graph: Graph, weights: Arrays, inputs: Arrays, targets: Arrays, device: str = "auto"
    ) -> None:
        self.graph, self.given, self.where = graph, (weights, inputs, targets), device
        self.device = _device() if device == "auto" else known(device)

    def prepare(self) -> None:
        """Build and compile the model, and move the data to the device."""
        weights, inputs, targets = self.given
        self.model = build(self.graph, weights, "float32", self.where)
        with placed(self.where):
            kinds = {own.name: own.dtype for own in self.model.inputs}
            given = {
                each.name: ops.convert_to_tensor(inward(inputs[each.name], each.type), dtype=kinds[each.name])
                for each in self.graph.inputs
            }
            types = {each.name: self.graph.types[each.value] for each in self.graph.outputs}
            wanted = {
                name: ops.convert_to_tensor(inward(targets[name], type_)) for name, type_ in types.items()
            }
            losses: Any = {name: keras.losses.MeanSquaredError() for name in wanted}
            # Keras takes a single input or output without a mapping.
            self.inputs: Any = given if len(given) > 1 else next(iter(given.values()))
            self.targets: Any = wanted if len(wanted) > 1 else next(iter(wanted.values()))
            loss = losses if len(wanted) > 1 else next(iter(losses.values()))
            self.model.compile(native(STEP), loss=loss)

    def forward(self) -> None:
        """Predict a batch; the result is an array, so the work is done."""
        with placed(self.where):
            self.model.predict_on_batch(self.inputs)

    def train(self) -> None:
        """Train one step; the loss is a number, so the work is done."""
        with placed(self.where):
            self.model.train_on_batch(self.inputs, self.targets)

    def peak_bytes(self) -> int | None:
        """The peak memory of the engine's allocator on the first GPU."""
        return None if "cpu" in self.device.lower() else running().peak_bytes()


def _device() -> str:
    engine = running()
    return (engine.devices("gpu") or engine.devices("cpu"))[0]
