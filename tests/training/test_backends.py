"""The real backends: the same training, step by step, and one that learns."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from netspec.backend import Trains, backends
from netspec.data.datasets import load
from netspec.data.samples import checked
from netspec.diagnostics import Problems
from netspec.graph import Graph
from netspec.loading import graph_of_text
from netspec.recipe import Normalise, Recipe
from netspec.recipe.names import EMBEDDED
from netspec.recipe.optimizers import Adam, Optimizer, Sgd
from netspec.training.run import Run, train

STEPS = 20

# LeNet-5 in small: the same kinds of layers in the same order, and batch norm beside them.
SPEC = """\
netspec: 1
name: small_lenet
input: [1, 32, 32]
layers:
  - conv: {filters: 4, kernel: 5, bias: false}
  - batch_norm
  - tanh
  - avg_pool: 2
  - conv: {filters: 8, kernel: 5, activation: tanh}
  - avg_pool: 2
  - flatten
  - dense: {units: 24, activation: tanh}
  - dense: 10
  - softmax
"""


def graph(text: str = SPEC) -> Graph:
    problems = Problems()
    built = graph_of_text(text, "small.yaml", problems)
    assert built is not None, list(problems)
    return built


INSTALLED = [
    backend for backend in backends() if isinstance(backend, Trains) and backend.status().state == "ok"
]
each_backend = pytest.mark.parametrize("learner", INSTALLED, ids=lambda backend: backend.name)


@pytest.fixture
def two() -> list[Trains]:
    """All of them, two at least."""
    if len(INSTALLED) < 2:
        pytest.skip(f"a comparison takes two backends; there is {[each.name for each in INSTALLED]}")
    return INSTALLED


OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": Sgd(learning_rate=0.05),
    "momentum": Sgd(learning_rate=0.05, momentum=0.9),
    "nesterov": Sgd(learning_rate=0.05, momentum=0.9, nesterov=True),
    "adam": Adam(learning_rate=0.002),
}


def run(backend: Trains, recipe: Recipe, folder: Path, network: Graph | None = None) -> Run:
    return train(network or graph(), backend, recipe, load(EMBEDDED), out=folder / backend.name)


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_the_first_losses_are_equal_to_print_precision(kind: str, two: list[Trains], tmp_path: Path) -> None:
    recipe = Recipe(pad=2, batch=16, epochs=2, train_size=STEPS * 8, test_size=40, optimizer=OPTIMIZERS[kind])
    runs = [run(backend, recipe, tmp_path) for backend in two]
    for one, other in combinations(runs, 2):
        assert len(one.losses) == len(other.losses) == STEPS
        worst = max(abs(a - b) / abs(a) for a, b in zip(one.losses, other.losses, strict=True))
        assert worst <= 1e-5, f"{one.backend} and {other.backend} differ by {worst:.1e}"
        for mine, yours in zip(one.epochs, other.epochs, strict=True):
            assert mine.metrics.keys() == yours.metrics.keys()
            for name, value in mine.metrics.items():
                assert value == pytest.approx(yours.metrics[name], rel=1e-5), name
        assert one.test is not None
        assert other.test is not None
        assert one.test.metrics == pytest.approx(other.test.metrics, rel=1e-5)


RANKS = {
    "vectors": ([6], "[{dense: {units: 5, activation: tanh}}, batch_norm, {dense: 3}, softmax]", 0),
    "sequences": ([2, 9], "[{conv: {filters: 4, kernel: 3}}, batch_norm, softmax, flatten, {dense: 3}]", 1),
    "volumes": ([2, 4, 5, 3], "[{conv: {filters: 3, kernel: [6, 7, 5]}}, softmax, flatten]", 1),
}


@pytest.mark.parametrize("rank", RANKS)
def test_data_of_every_rank_train_alike(rank: str, two: list[Trains], tmp_path: Path) -> None:
    shape, layers, pad = RANKS[rank]
    network = graph(f"netspec: 1\nname: ranks\ninput: {_padded(shape, pad)}\nlayers: {layers}\n")
    draw = np.random.default_rng(2)
    samples, labels = draw.standard_normal((24, *shape)), np.arange(24) % 3
    data = checked("own", samples, labels, samples[:7], labels[:7], where="here")
    normalise = Normalise(mean=tuple(0.1 * at for at in range(shape[0])), std=(0.5,))
    recipe = Recipe(data="own", pad=pad, normalise=normalise, batch=8, epochs=2)
    runs = [train(network, backend, recipe, data, out=tmp_path / backend.name) for backend in two]
    for one, other in combinations(runs, 2):
        assert one.losses == pytest.approx(other.losses, rel=1e-5)


def _padded(shape: list[int], pad: int) -> list[int]:
    return [shape[0], *(size + 2 * pad for size in shape[1:])]


def test_other_batches_would_be_seen(two: list[Trains], tmp_path: Path) -> None:
    """The comparison above can fail: another seed gives another order and other losses."""
    recipe = Recipe(pad=2, batch=16, epochs=1, train_size=160, test_size=10)
    first = run(two[0], recipe, tmp_path)
    second = run(two[1], recipe.model_copy(update={"seed": 1}), tmp_path)
    assert max(abs(a - b) / abs(a) for a, b in zip(first.losses, second.losses, strict=True)) > 1e-2


@each_backend
def test_an_epoch_on_a_small_part_teaches_something(learner: Trains, tmp_path: Path) -> None:
    recipe = Recipe(pad=2, batch=16, epochs=1, train_size=1500, test_size=300)
    done = run(learner, recipe, tmp_path)
    (epoch,) = done.epochs
    assert done.test is not None
    assert (done.test.number_of("test_accuracy") or 0) > 0.6
    assert epoch.metrics["train_loss"] == pytest.approx(_mean(done.losses, 1500, 16), rel=1e-5)


def _mean(losses: tuple[float, ...], samples: int, batch: int) -> float:
    sizes = [min(batch, samples - at) for at in range(0, samples, batch)]
    return float(np.average(losses, weights=sizes))


@each_backend
def test_the_same_run_twice_is_the_same_to_the_bit(learner: Trains, tmp_path: Path) -> None:
    """Dropout included: its masks come from the seed."""
    network = graph(SPEC.replace("  - dense: 10\n", "  - dropout: 0.5\n  - dense: 10\n"))
    recipe = Recipe(pad=2, batch=16, epochs=1, train_size=160, test_size=10, seed=3)
    first, second = (run(learner, recipe, tmp_path / name, network) for name in "ab")
    assert first.losses == second.losses
    one, other = ((each.folder / "weights.safetensors").read_bytes() for each in (first, second))
    assert one == other


@each_backend
def test_kept_weights_are_those_that_were_tested(learner: Trains, tmp_path: Path) -> None:
    """Training on from them starts where it stopped: the first loss is that of the trained network."""
    from netspec.weights import load as load_weights

    recipe = Recipe(pad=2, batch=50, epochs=1, train_size=500, test_size=50, optimizer=Sgd(learning_rate=0.1))
    first = run(learner, recipe, tmp_path)
    weights = load_weights(first.folder / "weights.safetensors", graph())
    still = recipe.model_copy(update={"optimizer": Sgd(learning_rate=1e-30), "train_size": 50})
    second = train(
        graph(SPEC.replace("  - batch_norm\n", "  - {batch_norm: {}, trainable: false}\n")),
        learner,
        still,
        load(EMBEDDED),
        out=tmp_path / "second",
        weights=weights,
    )
    lines = (first.folder / "metrics.jsonl").read_text().splitlines()
    assert second.test is not None
    assert second.test.metrics["test_loss"] == pytest.approx(json.loads(lines[-1])["test_loss"], rel=1e-6)
