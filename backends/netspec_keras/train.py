"""Trains with `model.fit`, with the given batches and optimiser, and reports every step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from netspec.fit import Fit
from netspec_keras.framework import keras, ops
from netspec_keras.runtime import build, inward, placed, read
from netspec_keras.training.optimizers import native

if TYPE_CHECKING:
    from netspec.fit import Batch

BATCH_LOSS = "batch_loss"


def train(fit: Fit) -> None:
    """Train the network of a `Fit`, and report every step and epoch."""
    keras.utils.set_random_seed(fit.seed)
    model = build(fit.graph, fit.weights, "float32", fit.device)
    model.compile(
        optimizer=native(fit.optimizer),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[BatchLoss(), keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    with placed(fit.device):
        model.fit(
            _channels_last(fit, _batches(fit)),
            epochs=fit.epochs,
            steps_per_epoch=fit.steps_per_epoch,
            callbacks=[Teller(fit)],
            shuffle=False,
            verbose=0,
        )


def _batches(fit: Fit) -> Iterator[Batch]:
    """The batches of all epochs, one after the other."""
    for epoch in range(1, fit.epochs + 1):
        yield from fit.batches(epoch)


def _channels_last(fit: Fit, batches: Iterator[Batch]) -> Iterator[Batch]:
    (only,) = fit.graph.inputs
    return ((inward(images, only.type), labels) for images, labels in batches)


def _test(model: Any, fit: Fit) -> dict[str, float]:
    """Averages over the test set. `evaluate` would warn that the number of batches is unknown."""
    samples, loss, right = 0, 0.0, 0
    for images, labels in _channels_last(fit, fit.test_batches()):
        logits = model.predict_on_batch(images)
        losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        samples += len(labels)
        loss += float(ops.sum(losses))
        right += int((logits.argmax(axis=-1) == labels).sum())
    return {"test_loss": loss / max(samples, 1), "test_accuracy": right / max(samples, 1)}


class BatchLoss(keras.metrics.Metric):  # type: ignore[misc]
    """The mean loss of the last batch; Keras' own is the mean of the epoch so far."""

    def __init__(self) -> None:
        super().__init__(name=BATCH_LOSS)
        self.last = self.add_variable((), initializer="zeros", name="last")

    def update_state(self, labels: Any, logits: Any, sample_weight: Any = None) -> None:
        """Record the loss of a batch."""
        losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        self.last.assign(ops.mean(losses))

    def result(self) -> Any:
        """The mean loss of the last batch."""
        return ops.convert_to_tensor(self.last)


class Teller(keras.callbacks.Callback):  # type: ignore[misc]
    """Keras callback that reports each step and epoch."""

    def __init__(self, fit: Fit) -> None:
        super().__init__()
        self.told, self.epoch = fit, 0

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Record the number of the epoch: Keras counts from 0, a report from 1."""
        self.epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        """Report a step."""
        self.told.report.step(self.epoch, batch + 1, float((logs or {})[BATCH_LOSS]))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Report an epoch, after measuring the test set."""
        found = dict(logs or {})
        trained = {"train_loss": float(found["loss"]), "train_accuracy": float(found["accuracy"])}
        graph = self.told.graph
        self.told.report.epoch(
            epoch + 1, trained | _test(self.model, self.told), lambda: read(self.model, graph)
        )
