"""A run that was cut off at any moment goes on to the same bits, and says when it cannot."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netspec.backend import Trains, usable
from netspec.data.samples import Dataset, checked
from netspec.diagnostics import Problems
from netspec.graph import Graph
from netspec.loading import graph_of_text
from netspec.recipe import Recipe
from netspec.recipe.optimizers import Adam
from netspec.training import plan, run
from netspec.training.checkpoint import Checkpoint, Damaged
from netspec.training.decisions import Goal, Saving
from netspec.training.feed import Feed
from netspec.training.report import Epoch
from netspec.training.run import CannotGoOn, FolderTaken, Run
from tests.having import TRAINERS
from tests.training.fakes import FakeBackend, network
from tests.training.fakes import dataset as tiny

SPEC = """\
netspec: 1
name: small
input: [1, 6, 6]
layers:
  - conv: {filters: 3, kernel: 3}
  - batch_norm
  - relu
  - flatten
  - dropout: 0.5
  - dense: 4
  - softmax
"""
EVERY = 3
RECIPE = Recipe(data="own", batch=8, epochs=3, optimizer=Adam(learning_rate=0.01), seed=4)
STEPS = 3 * 9


def graph(text: str = SPEC) -> Graph:
    built = graph_of_text(text, "small.yaml", Problems())
    assert built is not None
    return built


def dataset() -> Dataset:
    draw = np.random.default_rng(0)
    images, labels = draw.integers(0, 256, (70, 1, 6, 6), dtype=np.uint8), np.arange(70) % 4
    return checked("own", images, labels, images[:20], labels[:20], where="here")


def in_full(*given: Any) -> plan.Plan:
    """The plan with all that a checkpoint has to keep: a validation part, an average, steps of two batches."""
    whole = ORIGINAL(*given)
    assert whole is not None
    feed = Feed({**whole.feed.parts, "validation": whole.feed.parts["test"]}, 4, 4, accumulate=2)
    goal = Goal("validation_loss", False)
    return replace(
        whole,
        task=replace(whole.task, average=0.9),
        feed=feed,
        goal=goal,
        saving=Saving(epochs=None, steps=EVERY),
    )


ORIGINAL = plan.plan


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "plan", in_full)


class Cut(BaseException):
    """The end of a process, without a chance to write anything."""


class Cutter:
    """A listener that ends the training after so many steps."""

    def __init__(self, after: int) -> None:
        self.left = after

    def steps(self, epoch: int, first: int, losses: Sequence[float]) -> None:
        self.left -= len(losses)
        if self.left <= 0:
            raise Cut

    def epoch(self, epoch: Epoch) -> None:
        """Nothing."""

    def tested(self, epoch: Epoch) -> None:
        """Nothing."""


def begin(name: str, out: Path, listeners: Sequence[Any] = ()) -> Run:
    return run.train(graph(), learner(name), RECIPE, dataset(), out=out, device="cpu", listeners=listeners)


def go_on(name: str, path: Path) -> Run:
    return run.resume(graph(), learner(name), RECIPE, dataset(), path, device="cpu")


def learner(name: str) -> Trains:
    return usable([name], Trains)[0]


def kept(folder: Path) -> dict[str, Any]:
    """All that a run leaves, without times."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    facts = json.loads((folder / "run.json").read_text())
    state = Checkpoint.read(folder / "checkpoint.safetensors")
    return {
        "lines": [{key: value for key, value in line.items() if key != "seconds"} for line in lines],
        "facts": {key: value for key, value in facts.items() if key not in ("started", "ended")},
        "weights": (folder / "weights.safetensors").read_bytes(),
        "best": (folder / "best.safetensors").read_bytes(),
        "state": {name: array.tobytes() for name, array in sorted(state.state.items())},
        "place": (state.place.epoch, state.place.step),
        "files": sorted(each.name for each in folder.iterdir()),
    }


@pytest.mark.usefixtures("planned")
@pytest.mark.parametrize("name", TRAINERS)
def test_a_run_that_was_cut_off_goes_on_to_the_same_bits(name: str, tmp_path: Path) -> None:
    begin(name, tmp_path / "whole")
    cuts = random.Random(3)
    with pytest.raises(Cut):
        begin(name, tmp_path / "cut", [Cutter(cuts.randint(1, STEPS - 1))])
    # The process before died while it wrote.
    (tmp_path / "cut" / ".netspec-0123456789ab.part").touch()
    go_on(name, tmp_path / "cut")
    assert kept(tmp_path / "cut") == kept(tmp_path / "whole")


def test_samples_that_lie_on_the_device_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU keeps small parts in its memory; here the CPU does."""
    trainers = pytest.importorskip("netspec_torch.training.trainer")
    first = begin("torch", tmp_path / "copied")

    def hold(self: Any, part: str, inputs: Any, targets: Any) -> bool:
        self.feeder.hold(part, inputs, targets)
        return True

    monkeypatch.setattr(trainers.TorchTrainer, "hold", hold)
    second = begin("torch", tmp_path / "held")
    assert first.losses == second.losses
    assert first.test is not None
    assert second.test is not None
    assert first.test.metrics == second.test.metrics


def _work(name: str, path: str, resumes: bool) -> None:
    run.plan = in_full  # type: ignore[assignment, attr-defined]
    go_on(name, Path(path)) if resumes else begin(name, Path(path))


MOMENTS = 20
"""How many runs are killed: each in its own stretch of the time since the beginning, or since the first step."""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="it kills processes")
@pytest.mark.parametrize("name", TRAINERS)
def test_killed_at_any_moment_it_goes_on_to_the_same_bits(name: str, tmp_path: Path) -> None:
    """Half of the kills come after the first step: a framework may take longer to begin than to train."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.training.test_resume", f"netspec_{name}.training.trainer"])
    whole = tmp_path / "whole"
    first = context.Process(target=_work, args=(name, str(whole), False))
    first.start()
    begins = [_when_written(whole / each, first) for each in BEGINS]
    first.join()
    lasted = [time.monotonic() - each for each in begins]
    wanted = kept(whole)
    for seed in range(MOMENTS):
        draw = random.Random(seed)
        folder = tmp_path / f"killed{seed}"
        begin = seed % 2
        process = context.Process(target=_work, args=(name, str(folder), False))
        process.start()
        _when_written(folder / BEGINS[begin], process)
        _kill(process, lasted[begin] * (seed // 2 + draw.random()) / (MOMENTS // 2))
        if seed % 4 > 1:  # a run that goes on can be killed too
            process = context.Process(target=_work, args=(name, str(folder), _goes_on(folder)))
            process.start()
            _kill(process, draw.uniform(0, lasted[0]))
        facts = folder / "run.json"  # a process that is killed while it replaces a run leaves none
        if not facts.exists() or json.loads(facts.read_text())["state"] != "finished":
            last = context.Process(target=_work, args=(name, str(folder), _goes_on(folder)))
            last.start()
            last.join()
            assert last.exitcode == 0, f"seed {seed}"
        assert kept(folder) == wanted, f"seed {seed}"


BEGINS = ("run.json", "metrics.jsonl")
"""What a run writes when it has its folder, and after its first steps."""


def _when_written(path: Path, process: Any) -> float:
    """Wait until a run has written to a file; return the time."""
    end = time.monotonic() + 60
    while not (path.exists() and path.stat().st_size) and process.is_alive():
        assert time.monotonic() < end, "it never began"
        time.sleep(0.001)
    return time.monotonic()


def _goes_on(folder: Path) -> bool:
    return (folder / "checkpoint.safetensors").exists()


def _kill(process: Any, after: float) -> None:
    time.sleep(after)
    process.kill()
    process.join()


# What is refused.


@pytest.fixture
def cut(tmp_path: Path) -> Path:
    """A run of the fake backend that was cut off."""
    backend = FakeBackend([1.0] * 99, FIGURES)
    folder = tmp_path / "run"
    recipe = Recipe(data="own.npz", batch=2, epochs=3, seed=7)
    with pytest.raises(Cut):
        run.train(network(), backend, recipe, tiny(train=9), out=folder, listeners=[Cutter(4)])
    return folder


FIGURES = [{"train_loss": 1.0, "train_accuracy": 0.5, "validation_loss": 1.0, "validation_accuracy": 0.5}] * 3


def resumed(folder: Path, data: Dataset | None = None, of: Graph | None = None) -> Run:
    backend = FakeBackend([1.0] * 99, FIGURES)
    recipe = Recipe(data="own.npz", batch=2, epochs=3, seed=7)
    return run.resume(of or network(), backend, recipe, data or tiny(train=9), folder)


def test_a_finished_run_does_not_go_on(cut: Path) -> None:
    assert json.loads((cut / "run.json").read_text())["state"] == "failed"
    resumed(cut)
    assert json.loads((cut / "run.json").read_text())["state"] == "finished"
    with pytest.raises(CannotGoOn, match=r"the run in .*run is finished"):
        resumed(cut)


def test_another_network_or_other_data_do_not_go_on(cut: Path) -> None:
    with pytest.raises(CannotGoOn, match="is not the network of"):
        resumed(cut, of=network(classes=4))
    with pytest.raises(CannotGoOn, match="has 9 train samples, but now 8"):
        resumed(cut, tiny(train=8))
    resumed(cut)


@pytest.mark.parametrize("end", [0, 100, -1])
def test_a_damaged_checkpoint_is_told(end: int, cut: Path) -> None:
    path = cut / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(Damaged, match=r"run/checkpoint.safetensors is not a checkpoint"):
        resumed(cut)


def test_a_changed_bit_is_told(cut: Path) -> None:
    path = cut / "checkpoint.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(Damaged, match="its checksum is another one"):
        resumed(cut)


def test_a_folder_without_a_run_does_not_go_on(tmp_path: Path) -> None:
    with pytest.raises(FolderTaken, match="does not contain a run"):
        resumed(tmp_path)
