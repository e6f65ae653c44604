"""A run: what a backend is handed, what the folder holds, how a training ends early."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file

from netspec.backend import Unsupported
from netspec.diagnostics import SpecError
from netspec.fit import Task
from netspec.ops.activation import Softmax
from netspec.ops.dense import Dense
from netspec.ops.reshape import Flatten
from netspec.recipe import Recipe
from netspec.recipe.optimizers import Sgd
from netspec.training.claim import Claim
from netspec.training.report import Epoch
from netspec.training.run import Diverged, FolderTaken, train
from netspec.weights import initialise
from tests.building import Sketch
from tests.training.fakes import FakeBackend, FakeTrainer, dataset, network, validated

FIGURES = [
    {"train_loss": 1.0, "train_accuracy": 0.25, "validation_loss": 1.5, "validation_accuracy": 0.5},
    {"train_loss": 0.5, "train_accuracy": 0.5, "validation_loss": 0.75, "validation_accuracy": 0.75},
    {"train_loss": 0.25, "train_accuracy": 1.0, "validation_loss": 1.0, "validation_accuracy": 0.75},
]
RECIPE = Recipe(data="own.npz", batch=2, epochs=3, optimizer=Sgd(learning_rate=0.5), seed=7)


pytestmark = pytest.mark.usefixtures("validated")
TESTED = {"test_loss": 0.125, "test_accuracy": 1.0}
__all__ = ["validated"]


def fake() -> FakeBackend:
    return FakeBackend([1 / (1 + at) for at in range(9)], FIGURES, TESTED)


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_backend_is_handed_all_that_it_needs(tmp_path: Path) -> None:
    sketch = Sketch("tiny", image=(1, 2, 2))
    for name, op in (("flatten1", Flatten()), ("dense1", Dense(units=3)), ("softmax1", Softmax())):
        sketch.add(name, op)
    backend = fake()
    train(sketch.graph(), backend, RECIPE, dataset(), out=tmp_path / "run", device="cpu")
    (task,) = backend.tasks
    assert [node.name for node in task.graph.nodes] == ["flatten1", "dense1"]
    assert (task.seed, task.device) == (7, "cpu")
    assert task.optimizer == Sgd(learning_rate=0.5)
    start = initialise(sketch.graph(), 7)
    assert start.keys() == task.weights.keys()
    assert all(np.array_equal(start[name], task.weights[name]) for name in start)
    assert backend.rates == [0.5] * 9
    first, second = backend.labels[:3], backend.labels[3:6]
    assert [len(each) for each in first] == [2, 2, 1]
    assert first != second


def test_a_run_folder_holds_all_of_a_run(tmp_path: Path) -> None:
    graph = network()
    run = train(graph, fake(), RECIPE, dataset(), out=tmp_path / "run", text="netspec: 1\n# mine\n")
    files = {path.name for path in run.folder.iterdir()}
    assert files == {
        "curves.svg",
        "spec.yaml",
        "graph.txt",
        "preparation.json",
        "recipe.yaml",
        "run.json",
        "metrics.jsonl",
        "weights.safetensors",
        "best.safetensors",
        "checkpoint.safetensors",
    }
    assert (run.folder / "spec.yaml").read_text() == "netspec: 1\n# mine\n"
    assert (run.folder / "graph.txt").read_text() == str(graph)
    recipe = yaml.safe_load((run.folder / "recipe.yaml").read_text())["train"]
    assert recipe["optimizer"] == {
        "sgd": {"learning_rate": 0.5, "momentum": 0.0, "nesterov": False, "weight_decay": 0.0}
    }
    assert set(recipe) >= {
        "data",
        "batch",
        "accumulate",
        "epochs",
        "optimizer",
        "checkpoint",
        "precision",
        "seed",
    }
    facts = json.loads((run.folder / "run.json").read_text())
    assert facts["framework"] == "fake 1.0"
    assert (facts["train_samples"], facts["test_samples"], facts["steps_per_epoch"]) == (5, 2, 3)


def test_metrics_have_a_line_a_step_and_a_line_an_epoch(tmp_path: Path) -> None:
    run = train(network(), fake(), RECIPE, dataset(), out=tmp_path / "run")
    told = lines(run.folder)
    assert told[:3] == [
        {"epoch": 1, "step": 1, "loss": 1.0},
        {"epoch": 1, "step": 2, "loss": 0.5},
        {"epoch": 1, "step": 3, "loss": 1 / 3},
    ]
    assert {**told[3], "seconds": 0} == {"epoch": 1, **FIGURES[0], "seconds": 0}
    assert len(told) == 13
    assert {**told[-1], "seconds": 0} == {"epoch": 2, "test_loss": 0.125, "test_accuracy": 1.0, "seconds": 0}
    assert run.losses == tuple(1 / (1 + at) for at in range(9))
    assert [epoch.metrics for epoch in run.epochs] == FIGURES


def test_the_best_weights_are_of_the_first_epoch_that_none_surpasses(tmp_path: Path) -> None:
    graph = network()
    run = train(graph, fake(), RECIPE, dataset(), out=tmp_path / "run")
    start = initialise(graph, 7)
    best, last = (load_file(run.folder / f"{name}.safetensors") for name in ("best", "weights"))
    assert run.best is not None
    assert run.test is not None
    assert (run.best.number, run.test.number) == (2, 2)
    assert best.keys() == last.keys() == start.keys()
    for name, array in start.items():
        assert np.array_equal(best[name], np.asarray(array + 2, np.float32))
        assert np.array_equal(last[name], np.asarray(array + 3, np.float32))


@pytest.mark.parametrize(
    ("figures", "best"),
    [
        ([{"validation_loss": 2.0}, {"validation_loss": 1.0}, {"validation_loss": 3.0}], 2),
        ([{"train_loss": 1.0}, {"train_loss": 2.0}], 1),
        ([{"validation_accuracy": float("nan"), "validation_loss": 1.0}], 1),
        ([{}, {}], 1),
    ],
)
def test_the_best_without_an_accuracy(figures: list[dict[str, float]], best: int, tmp_path: Path) -> None:
    backend = FakeBackend([1.0] * 9, figures)
    recipe = RECIPE if "validation_accuracy" in figures[0] else RECIPE.model_copy(update={"metrics": ()})
    run = train(network(), backend, recipe, dataset(), out=tmp_path / "run")
    assert run.best is not None
    assert run.best.number == best
    assert (run.folder / "best.safetensors").exists()


def test_what_is_not_known_is_null(tmp_path: Path) -> None:
    backend = FakeBackend([1.0] * 9, [{"train_loss": 1.0, "validation_loss": float("inf")}])
    run = train(network(), backend, RECIPE, dataset(), out=tmp_path / "run")
    assert lines(run.folder)[3] == {
        "epoch": 1,
        "train_loss": 1.0,
        "train_accuracy": None,
        "validation_loss": None,
        "validation_accuracy": None,
        "seconds": lines(run.folder)[3]["seconds"],
    }


def test_parts_of_one_process_are_the_whole(tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"sharded": True})
    with pytest.warns(UserWarning, match="`sharded: true` divides nothing, because this is one process"):
        train(network(), FakeBackend([1.0] * 9, FIGURES), recipe, dataset(), out=tmp_path / "run")


def test_a_recipe_chooses_its_metrics(tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"metrics": ()})
    run = train(network(), fake(), recipe, dataset(), out=tmp_path / "run")
    assert list(run.epochs[0].metrics) == ["train_loss", "validation_loss"]


def test_runs_are_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folders = [train(network(), fake(), RECIPE, dataset()).folder for _ in range(2)]
    assert folders == [Path("runs/tiny-fake-1"), Path("runs/tiny-fake-2")]


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    with pytest.raises(FolderTaken, match="is not empty"):
        train(network(), fake(), RECIPE, dataset(), out=tmp_path)
    with pytest.raises(FolderTaken, match="is a file"):
        train(network(), fake(), RECIPE, dataset(), out=tmp_path / "precious")
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    backend = FakeBackend([1.0, 2.0, float("nan")], FIGURES)
    with pytest.raises(Diverged, match="the loss is nan at step 3 of epoch 1"):
        train(network(), backend, RECIPE, dataset(), out=tmp_path / "run")
    assert lines(tmp_path / "run")[-1] == {"epoch": 1, "step": 3, "loss": None}


class Stopper:
    """A listener that has seen enough."""

    def steps(self, epoch: int, first: int, losses: Sequence[float]) -> None:
        if (epoch, first) == (2, 2):
            raise KeyboardInterrupt

    def epoch(self, epoch: Epoch) -> None:
        """Nothing."""

    def tested(self, epoch: Epoch) -> None:
        """Nothing."""


def test_a_run_that_is_interrupted_keeps_what_was(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(network(), fake(), RECIPE, dataset(), out=tmp_path / "run", listeners=[Stopper()])
    assert len(lines(tmp_path / "run")) == 6
    assert load_file(tmp_path / "run" / "weights.safetensors")


def test_given_weights_are_where_it_starts(tmp_path: Path) -> None:
    given = {name: np.ones_like(array) for name, array in initialise(network()).items()}
    backend = fake()
    train(network(), backend, RECIPE, dataset(), out=tmp_path / "run", weights=given)
    assert all(np.all(array == 1) for array in backend.tasks[0].weights.values())


class Unable(FakeBackend):
    """A backend that does not train."""

    def trainer(self, task: Task) -> FakeTrainer:
        raise Unsupported("it has no gradients")


def test_a_training_that_never_began_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(Unsupported):
        train(network(), Unable([], []), RECIPE, dataset(), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_does_not_fit_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(SpecError):
        train(network((1, 3, 3)), fake(), RECIPE, dataset(), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def _contents(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def test_a_start_that_fails_leaves_the_run_that_was_to_be_replaced(tmp_path: Path) -> None:
    train(network(), fake(), RECIPE, dataset(), out=tmp_path / "run")
    before = _contents(tmp_path / "run")
    assert "best.safetensors" in before
    with pytest.raises(Unsupported):
        train(network(), Unable([], []), RECIPE, dataset(), out=tmp_path / "run", force=True)
    assert _contents(tmp_path / "run") == before


def test_a_process_that_dies_before_its_first_step_leaves_the_old_run_to_the_next(tmp_path: Path) -> None:
    train(network(), fake(), RECIPE, dataset(), out=tmp_path / "run")
    before = _contents(tmp_path / "run")
    claim = Claim.take(tmp_path / "run", force=True)
    (tmp_path / "run" / "run.json").write_text('{"state": "running"}')
    claim.close()  # as the end of a process does
    with pytest.raises(FolderTaken, match="contains a run"):
        Claim.take(tmp_path / "run")
    assert _contents(tmp_path / "run") == before


def test_a_new_run_replaces_the_old_one_with_its_first_step(tmp_path: Path) -> None:
    train(network(), fake(), RECIPE, dataset(), out=tmp_path / "run")
    old = _contents(tmp_path / "run")
    train(network(), fake(), RECIPE, dataset(), out=tmp_path / "run", force=True)
    assert _contents(tmp_path / "run").keys() == old.keys()


@pytest.mark.parametrize("name", ["spec.yaml", "recipe.yaml", "graph.txt"])
def test_an_authors_file_is_no_run_that_never_began(name: str, tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / name).write_text("mine")
    with pytest.raises(FolderTaken, match="is not empty"):
        train(network(), fake(), RECIPE, dataset(), out=tmp_path / "net")
    assert _contents(tmp_path / "net") == {name: b"mine"}


def test_a_process_that_dies_while_it_removes_an_old_start_leaves_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`run.json` goes last: without it, a folder with other files would be somebody's, and refused."""
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("run.json", "spec.yaml", "graph.txt", "preparation.json", "metrics.jsonl"):
        (folder / name).write_text('{"state": "running"}' if name == "run.json" else "")
    removed: list[str] = []
    unlink = Path.unlink

    def told(self: Path, missing_ok: bool = False) -> None:
        removed.append(self.name)
        unlink(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", told)
    claim = Claim.take(folder)
    assert removed == ["graph.txt", "preparation.json", "spec.yaml", "run.json"]
    removed.clear()
    claim.give_back()
    assert removed[-2:] == ["run.json", "metrics.jsonl"]
