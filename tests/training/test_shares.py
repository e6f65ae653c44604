"""What several processes share: the batches of an epoch, the messages, the environment that says who is who."""

from __future__ import annotations

import signal
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from netspec.diagnostics import Problems
from netspec.fit import World
from netspec.recipe import Recipe
from netspec.training.checkpoint import Checkpoint
from netspec.training.classic import parts_of
from netspec.training.feed import Feed, Sourced
from netspec.training.loop import TrainingLoop
from netspec.training.plan import plan
from netspec.training.processes import Follower, here
from netspec.weights import initialise
from netspec_cli import ranks
from tests.training.fakes import FakeBackend, dataset, network


def _feed(world: World, accumulate: int) -> Feed:
    source = parts_of(dataset(train=11)).train
    return Feed({"train": Sourced(source, {"x": "images"}, {"y": "labels"})}, 4, 3, accumulate, world=world)


@pytest.mark.parametrize("size", [2, 3, 5])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_shares_are_those_of_one_process(size: int, accumulate: int) -> None:
    alone = list(_feed(World(), accumulate).train(1))
    every = [list(_feed(World(rank, size), accumulate).train(1)) for rank in range(size)]
    assert all(len(steps) == len(alone) for steps in every)
    for whole, *parts in zip(alone, *every, strict=True):
        for batch, *own in zip(whole, *parts, strict=True):
            assert sum(each.samples for each in own) == batch.samples == own[0].whole
            shares = [each.inputs["x"][: each.samples] for each in own]
            np.testing.assert_array_equal(np.concatenate(shares), batch.inputs["x"])
            # A process without a share has a sample that does not count.
            assert all(len(each.inputs["x"]) == max(each.samples, 1) for each in own)


def test_the_environment_says_which_process_this_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert here() == World()
    monkeypatch.setenv("RANK", "1")
    assert here() == World()  # a variable of something else
    monkeypatch.setenv("WORLD_SIZE", "3")
    assert here() == World(1, 3)


def test_one_process_of_a_machine_tells_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", str(tmp_path / "1" / "error.json"))
    assert ranks.settled(130, "a stop") == 0  # the first process tells it
    assert ranks.reports()
    assert not ranks.reports()


@pytest.mark.parametrize(("code", "wanted"), [(2, "wrong\n"), (1, ""), (143, "")])
def test_messages_of_a_process_that_is_not_the_first_wait(
    code: int, wanted: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ranks, "_GRACE", 0)
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    with ranks.quietly() as messages:
        print("a report")
        print("wrong", file=sys.stderr)
    assert messages is not None
    ranks.settled(code, messages.getvalue())
    assert tuple(capsys.readouterr()) == ("", wanted)


def test_what_no_loss_depends_on_is_known() -> None:
    spread = pytest.importorskip("netspec_torch.training.spread")
    from netspec.fit import Task, Term
    from netspec.recipe.losses import CrossEntropy
    from netspec.recipe.optimizers import Sgd
    from tests.training.learning import graph

    network = graph(
        "input: [6]\nlayers: [{dense: 5, name: trunk}, {dense: 4, name: one}]\n"
        "heads: {two: {from: trunk, layers: [dense: 3]}}"
    )
    names = [each.name for each in network.outputs]
    task = Task(network, {}, (Term(names[0], "t", CrossEntropy()),), Sgd(learning_rate=0.1))
    assert spread.used(task) == {"trunk.weight", "trunk.bias", "one.weight", "one.bias"}
    both = replace(task, terms=(*task.terms, Term(names[1], "t", CrossEntropy())))
    assert spread.used(both) == {weight.name for weight in network.weights}


def test_a_signal_of_another_process_is_not_the_first_of_two(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each process gets its own Ctrl-C, perhaps after they agreed to stop: it does not break the last checkpoint."""
    script = FakeBackend([1.0] * 99, [{"train_loss": 1.0, "train_accuracy": 0.5}])
    graph = network()
    parts = parts_of(dataset(train=40))
    made = plan(graph, Recipe(batch=2, epochs=1), parts, initialise(graph), "cpu", Problems())
    assert made is not None
    task = replace(made.task, world=World(1, 2))
    keeper = Keeper()
    trainer = script.trainer(task)
    monkeypatch.setattr(trainer, "agree", lambda number: signal.SIGINT)
    loop = TrainingLoop(replace(made, task=task), trainer, keeper)
    with pytest.raises(KeyboardInterrupt):
        loop.run()
    assert keeper.steps_done == [0, 8]


class Keeper(Follower):
    """Its own signal comes while the last checkpoint is written."""

    def __init__(self) -> None:
        super().__init__()
        self.steps_done: list[int] = []

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        if checkpoint.place.step:
            signal.raise_signal(signal.SIGINT)
        self.steps_done.append(checkpoint.place.step)
