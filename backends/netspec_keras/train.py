"""Training with `model.fit`: the batches and the optimiser that it is handed, told of step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from netspec.training.fit import Fit
from netspec_keras.engine import load
from netspec_keras.optimizers import native
from netspec_keras.runtime import build, inward, placed, read

if TYPE_CHECKING:
    from netspec.training.fit import Batch

BATCH_LOSS = "batch_loss"


def train(fit: Fit) -> None:
    """Train the network of a `Fit`, telling its report of every step and epoch."""
    keras = load()
    keras.utils.set_random_seed(fit.seed)
    model = build(fit.graph, fit.weights, "float32", fit.device)
    model.compile(
        optimizer=native(fit.optimizer),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[_batch_loss(keras), keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    with placed(keras, fit.device):
        model.fit(
            _channels_last(fit, _batches(fit)),
            epochs=fit.epochs,
            steps_per_epoch=fit.steps_per_epoch,
            callbacks=[_teller(keras, fit)],
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


def _test(keras: Any, model: Any, fit: Fit) -> dict[str, float]:
    """Means over the test set. `evaluate` would warn that it was not told how many batches there are."""
    samples, loss, right = 0, 0.0, 0
    for images, labels in _channels_last(fit, fit.test_batches()):
        logits = model.predict_on_batch(images)
        losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        samples += len(labels)
        loss += float(keras.ops.sum(losses))
        right += int((logits.argmax(axis=-1) == labels).sum())
    return {"test_loss": loss / max(samples, 1), "test_accuracy": right / max(samples, 1)}


def _batch_loss(keras: Any) -> Any:
    """A metric that is the mean loss of the last batch; Keras' own is the mean of the epoch so far."""
    ops = keras.ops

    class BatchLoss(keras.metrics.Metric):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name=BATCH_LOSS)
            self.last = self.add_variable((), initializer="zeros", name="last")

        def update_state(self, labels: Any, logits: Any, sample_weight: Any = None) -> None:
            losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
            self.last.assign(ops.mean(losses))

        def result(self) -> Any:
            return ops.convert_to_tensor(self.last)

    return BatchLoss()


def _teller(keras: Any, fit: Fit) -> Any:
    """A callback that passes on what happens to the report."""

    class Teller(keras.callbacks.Callback):  # type: ignore[misc]
        epoch = 0

        def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
            self.epoch = epoch + 1

        def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
            fit.report.step(self.epoch, batch + 1, float((logs or {})[BATCH_LOSS]))

        def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
            told = dict(logs or {})
            trained = {"train_loss": float(told["loss"]), "train_accuracy": float(told["accuracy"])}
            tested = _test(keras, self.model, fit)
            fit.report.epoch(epoch + 1, trained | tested, lambda: read(self.model, fit.graph))

    return Teller()
