"""Training on Keras: what is reported is what happened, and it is what PyTorch does."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from netspec.fit import Batch
from netspec.recipe.optimizers import Adam, Optimizer, Sgd
from netspec.weights import initialise
from netspec_keras import backend
from tests.structures import structure
from tests.training.driving import Driven, classifier, drive

pytest.importorskip("keras")

COUNT, BATCH, EPOCHS, CLASSES = 50, 16, 3, 5
STEPS = -(-COUNT // BATCH)


def data() -> tuple[Any, Any]:
    draw = np.random.default_rng(0)
    return draw.standard_normal((COUNT, 3, 8, 8)).astype("float32"), draw.integers(0, CLASSES, COUNT)


def batches(epoch: int) -> Iterator[tuple[Any, Any]]:
    images, labels = data()
    order = np.random.default_rng(epoch).permutation(COUNT)
    for start in range(0, COUNT, BATCH):
        yield images[order[start : start + BATCH]], labels[order[start : start + BATCH]]


def run(learner: Any, optimizer: Optimizer) -> Driven:
    graph = structure("chain")
    return drive(learner, classifier(graph, initialise(graph, 3), optimizer), EPOCHS, batches)


def cross_entropy(logits: Any, labels: Any) -> Any:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]


@pytest.fixture(scope="module")
def heard() -> Driven:
    return run(backend(), Sgd(learning_rate=0.05, momentum=0.9))


def test_every_step_is_told_in_order(heard: Driven) -> None:
    assert [len(losses) for losses in heard.losses] == [STEPS] * EPOCHS
    assert heard.epochs[-1]["train_loss"] < heard.epochs[0]["train_loss"]


def test_a_loss_is_that_of_its_own_batch_and_an_epochs_the_mean_over_samples(heard: Driven) -> None:
    sizes = [len(labels) for _, labels in batches(1)]
    assert len(set(sizes)) > 1
    for losses, metrics in zip(heard.losses, heard.epochs, strict=True):
        assert metrics["train_loss"] == pytest.approx(np.average(losses, weights=sizes), rel=1e-5)
    # The first batch is met by the first weights.
    from netspec_numpy import forward

    graph = structure("chain")
    images, labels = next(batches(1))
    logits = forward(graph, initialise(graph, 3), {"input": images})["dense1"]
    assert heard.steps[0] == pytest.approx(float(cross_entropy(logits, labels).mean()), rel=1e-5)


def test_the_test_figures_are_those_of_the_weights_that_are_told(heard: Driven) -> None:
    from netspec_numpy import forward

    graph = structure("chain")
    images, labels = (np.concatenate(parts) for parts in zip(*batches(0), strict=True))
    for metrics, weights in zip(heard.epochs, heard.weights, strict=True):
        logits = np.asarray(forward(graph, weights, {"input": images}, training=False)["dense1"])
        assert metrics["test_loss"] == pytest.approx(float(cross_entropy(logits, labels).mean()), rel=1e-5)
        assert metrics["test_accuracy"] == pytest.approx(float((logits.argmax(axis=1) == labels).mean()))


def test_the_same_seed_gives_the_same_bits(heard: Driven) -> None:
    again = run(backend(), Sgd(learning_rate=0.05, momentum=0.9))
    assert again.steps == heard.steps
    for name, array in heard.weights[-1].items():
        np.testing.assert_array_equal(array, again.weights[-1][name])


@pytest.mark.parametrize(
    "optimizer", [Sgd(learning_rate=0.05, momentum=0.9, nesterov=True), Adam()], ids=repr
)
def test_pytorch_takes_the_same_way(optimizer: Optimizer) -> None:
    torch = pytest.importorskip("netspec_torch")
    ours, theirs = run(backend(), optimizer), run(torch.backend(), optimizer)
    assert ours.steps == pytest.approx(theirs.steps, rel=1e-4)
    for metrics, others in zip(ours.epochs, theirs.epochs, strict=True):
        assert metrics == pytest.approx(others, rel=1e-3, abs=1e-6)


def half(learner: Any, precision: str) -> list[float]:
    graph = structure("chain")
    task = classifier(graph, initialise(graph, 3), Adam(), precision=precision)
    return drive(learner, task, 2, batches).steps


def test_bfloat16_learns_as_on_pytorch_and_near_float32() -> None:
    torch = pytest.importorskip("netspec_torch")
    whole, ours, theirs = (
        half(backend(), "float32"),
        half(backend(), "bf16"),
        half(torch.backend(), "bf16"),
    )
    assert ours == pytest.approx(theirs, rel=0.01)
    assert ours == pytest.approx(whole, rel=0.01)
    assert ours != pytest.approx(whole, rel=1e-5)


@pytest.mark.parametrize(("precision", "dtype"), [("bf16", "bfloat16"), ("fp16", "float16")])
def test_layers_calculate_in_half_precision_from_weights_in_float32(precision: str, dtype: str) -> None:
    import keras

    graph = structure("chain")
    trainer = backend().trainer(classifier(graph, initialise(graph), Sgd(), precision=precision))
    model = trainer.model  # type: ignore[attr-defined]
    assert {each.dtype for each in model.weights} == {"float32"}
    assert {keras.backend.standardize_dtype(each.dtype) for each in model.outputs} == {dtype}
    images, _ = next(batches(0))
    assert {each.dtype.name for each in trainer.predict({"input": images}).values()} == {"float32"}
    assert {each.dtype.name for each in trainer.weights().values()} == {"float32"}


def test_a_step_of_float16_that_overflows_changes_nothing() -> None:
    graph = structure("chain")
    trainer = backend().trainer(
        classifier(graph, initialise(graph, 3), Adam(), precision="fp16", average=0.5)
    )
    factor, steps = trainer.scaler.variables  # type: ignore[attr-defined]
    images, labels = next(batches(1))

    def step() -> list[Any]:
        given = Batch({"input": images}, {"label": labels}, len(labels))
        trainer.run(iter([[given]]), itertools.repeat(0.1), lambda losses: None, {})
        state = trainer.state()
        kept = [*trainer.learnt, *trainer.optimizer.variables]  # type: ignore[attr-defined]
        places = {id(each): str(at) for at, each in enumerate(trainer.variables)}  # type: ignore[attr-defined]
        return [state[places[id(each)]] for each in kept if not each.path.endswith(("iteration", "rate"))]

    factor.assign(2.0**60)
    first = step()
    assert (float(factor.value), int(steps.value)) == (2.0**59, 0)
    second = step()
    assert all(np.array_equal(*pair) for pair in zip(first, second, strict=True))
    factor.assign(2.0**8)
    third = step()
    assert (float(factor.value), int(steps.value)) == (2.0**8, 1)
    assert not any(np.array_equal(a, b) for a, b in zip(second, third, strict=True) if a.size > 1 and a.any())
    steps.assign(1999)
    step()
    assert (float(factor.value), int(steps.value)) == (2.0**9, 0)


def test_parts_of_a_step_come_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the outputs of all layers for all of them would be in memory: four times as much here."""
    from netspec_keras.engines import running

    graph = structure("chain")
    waits: list[int] = []
    engine = type(running())
    after = engine.after

    def counted(self: Any, before: Any, tensors: Any) -> Any:
        waits.append(len(before[1]))
        return after(self, before, tensors)

    monkeypatch.setattr(engine, "after", counted)
    task = classifier(graph, initialise(graph), Sgd())
    trainer = backend().trainer(task)
    images, labels = next(batches(1))
    parts = [
        Batch({"input": images[at : at + 4]}, {"label": labels[at : at + 4]}, 4) for at in range(0, 16, 4)
    ]
    losses: list[float] = []
    trainer.run(iter([parts]), itertools.repeat(0.1), lambda rows: losses.extend(rows[:, 0]), {})
    learnt = sum(weight.trainable and not weight.statistic for weight in graph.weights)
    assert waits == [learnt] * 3
    whole = backend().trainer(task)
    whole.run(
        iter([[Batch({"input": images}, {"label": labels}, 16)]]),
        itertools.repeat(0.1),
        lambda rows: losses.extend(rows[:, 0]),
        {},
    )
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_what_is_told_can_end_the_training() -> None:
    class Enough(Exception):
        pass

    def done(losses: Any) -> None:
        raise Enough

    graph = structure("chain")
    trainer = backend().trainer(classifier(graph, initialise(graph, 3), Sgd()))
    steps = ([Batch({"input": images}, {"label": labels}, len(labels))] for images, labels in batches(1))
    with pytest.raises(Enough):
        trainer.run(steps, itertools.repeat(0.1), done, {})
