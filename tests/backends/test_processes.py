"""Several processes train as one does: each row gives the weights and losses of one process, to 1e-10 in float64."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netspec.backend import Trains, usable
from netspec.fit import Batch, World
from netspec.recipe import Group, Recipe
from netspec.recipe.clipping import Norm
from netspec.recipe.metrics import SCORES, Accuracy, AreaUnderCurve, Confusion, Measured, RootMeanSquare
from netspec.recipe.optimizers import Sgd
from netspec.training import run
from netspec.training.feed import Feed
from netspec.training.processes import here
from tests.having import TRAINERS
from tests.training import test_resume as whole
from tests.training.learning import QUICK, Training

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not TRAINERS, reason="no backend trains"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="it forks processes"),
]
WITHIN = 1e-10


def together(size: int, work: Callable[..., None], *given: Any) -> list[int]:
    """Run a function in so many processes that know each other; their exit codes."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.backends.test_processes", "netspec_torch.training.trainer"])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = [
        context.Process(target=_in_world, args=(rank, size, port, work, given)) for rank in range(size)
    ]
    for each in processes:
        each.start()
    for each in processes:
        each.join(120)
        assert each.exitcode is not None, "a process hangs"
    return [each.exitcode or 0 for each in processes]


def _in_world(rank: int, size: int, port: int, work: Callable[..., None], given: Sequence[Any]) -> None:
    os.environ |= {
        "RANK": str(rank), "WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
    }  # fmt: skip
    work(*given)


def learner() -> Trains:
    return usable(TRAINERS[:1], Trains)[0]


# Every loss, optimiser, limit of gradients, L2, average, accumulation.


def shares(training: Training, world: World) -> Iterator[list[Batch]]:
    """The batches of each step in unequal shares; in some steps the first process has none."""
    for number, step in enumerate(training.batches()):
        yield [_share(batch, world, 0 if number % 7 == 3 else 1) for batch in step]


def _share(batch: Batch, world: World, first: int) -> Batch:
    if world.size == 1:
        return batch
    chosen = slice(0, first) if world.rank == 0 else slice(first, None)
    rows = chosen if first or world.rank else slice(0, 1)

    def cut(arrays: Mapping[str, Any]) -> dict[str, Any]:
        return {name: array[rows] for name, array in arrays.items()}

    samples = len(range(batch.samples)[chosen])
    return Batch(cut(batch.inputs), cut(batch.targets), samples, whole=batch.samples)


def learnt(training: Training, world: World, sharded: bool) -> dict[str, Any]:
    task = replace(training.task("float64"), world=world, sharded=sharded)
    output = task.graph.outputs[0].name
    if training.row.targets == "numbers":
        metrics = [Measured("rmse", output, "t", RootMeanSquare(), reading="numbers")]
    else:
        bits = training.row.targets in ("bit", "bits")
        metrics = [Measured("auc", output, "t", AreaUnderCurve(), reading="bits")] if bits else []
    task = replace(task, metrics=tuple(metrics))
    trainer = learner().trainer(task)
    losses: list[float] = []
    tallies = trainer.run(
        shares(training, world), training.rates(), lambda rows: losses.extend(rows[:, 0]), {}
    )
    measured = trainer.evaluate(step[0] for step in shares(training, world))
    return {
        **{f"weights/{name}": each for name, each in trainer.weights().items()},
        **{f"trained/{name}": _sorted(name, each) for name, each in tallies.items()},
        **{f"measured/{name}": _sorted(name, each) for name, each in measured.items()},
        "losses": np.array(losses),
    }


def _sorted(name: str, tally: Any) -> Any:
    """Scores that are kept come in the order of the processes."""
    return tally[np.lexsort(tally.T)] if name.endswith(f"/{SCORES}") else tally


def _learn_all(folder: str, sharded: bool) -> None:
    for number, training in enumerate(QUICK):
        found = learnt(training, here(), sharded)
        if here().rank == 0:
            np.savez(f"{folder}/{number}.npz", **found)


@pytest.mark.parametrize("sharded", [False, True], ids=["copies", "parts"])
def test_every_setting_gives_the_weights_of_one_process(sharded: bool, tmp_path: Path) -> None:
    assert together(2, _learn_all, str(tmp_path), sharded) == [0, 0]
    for number, training in enumerate(QUICK):
        wanted = learnt(training, World(), False)
        with np.load(tmp_path / f"{number}.npz") as found:
            assert found.keys() == wanted.keys()
            for name, array in wanted.items():
                worst = np.max(np.abs(found[name] - array) / np.maximum(1, np.abs(array)))
                assert worst <= WITHIN, f"{training.name}: {name} differs by {worst:.1e}"


# A whole run: batch normalisation, validation, metrics, freezing, the best weights, going on.

RECIPE = Recipe(
    data="own",
    batch=8,
    epochs=3,
    optimizer=Sgd(learning_rate=0.1, momentum=0.9),
    clip=Norm(limit=0.5),
    groups=(Group(layers=("conv1",), freeze=1),),
    metrics=(Accuracy(), Confusion()),
    precision="float64",
    seed=4,
)
PLAIN = whole.SPEC.replace("  - dropout: 0.5\n", "")


def _planned(*given: Any) -> Any:
    made = whole.in_full(*given)
    # The last batch of the training part has one sample, that of the validation part two.
    feed = Feed({**made.feed.parts}, 3, 4, accumulate=2)
    return replace(made, feed=feed)


def _train(out: str, spec: str, recipe: Recipe, cut: int | None = None) -> None:
    run.plan = _planned  # type: ignore[assignment, attr-defined]
    listeners = [] if cut is None else [whole.Cutter(cut)]
    graph = whole.graph(spec)
    data = whole.dataset()
    run.train(graph, learner(), recipe, data, out=Path(out), device="cpu", listeners=listeners)


def _go_on(out: str, spec: str, recipe: Recipe) -> None:
    run.plan = _planned  # type: ignore[assignment, attr-defined]
    run.resume(whole.graph(spec), learner(), recipe, whole.dataset(), Path(out), device="cpu")


def figures(folder: Path) -> list[Mapping[str, Any]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def differ(one: Path, other: Path) -> float:
    """The largest difference of two runs, in their weights and figures."""
    from netspec.tensors import read

    worst = 0.0
    for name in ("weights.safetensors", "best.safetensors"):
        mine, yours = read(one / name)[0], read(other / name)[0]
        assert mine.keys() == yours.keys()
        worst = max(worst, *(float(np.abs(np.subtract(mine[key], yours[key])).max()) for key in mine))
    for first, second in zip(figures(one), figures(other), strict=True):
        assert first.keys() == second.keys()
        worst = max(worst, *(float(np.abs(np.subtract(first[key], second[key])).max()) for key in first))
    return worst


def test_a_run_is_that_of_one_process_and_goes_on_with_another_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, three, cut = tmp_path / "alone", tmp_path / "three", tmp_path / "cut"
    monkeypatch.setattr(run, "plan", _planned)
    _train(str(alone), PLAIN, RECIPE)
    assert together(3, _train, str(three), PLAIN, RECIPE) == [0, 0, 0]
    assert differ(alone, three) <= WITHIN
    assert json.loads((three / "run.json").read_text())["processes"] == 3
    # The first process ends; the others see that, and end too.
    assert all(together(2, _train, str(cut), PLAIN, RECIPE, 11))
    _go_on(str(cut), PLAIN, RECIPE)
    assert differ(alone, cut) <= WITHIN


def test_a_run_with_dropout_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"sharded": True, "clip": None})
    assert together(2, _train, str(tmp_path / "whole"), whole.SPEC, recipe) == [0, 0]
    assert all(together(2, _train, str(tmp_path / "cut"), whole.SPEC, recipe, 11))
    assert together(2, _go_on, str(tmp_path / "cut"), whole.SPEC, recipe) == [0, 0]
    assert whole.kept(tmp_path / "cut") == whole.kept(tmp_path / "whole")


def _as_a_worker(config: Mapping[str, Any]) -> None:
    from netspec.training.worker import train_worker

    train_worker(config)


def _as_a_late_worker(config: Mapping[str, Any]) -> None:
    """The second process looks for a run when the first one may have made its folder."""
    end = time.monotonic() + 3 * here().rank
    while time.monotonic() < end and not Path(config["out"], "run.json").exists():
        time.sleep(0.05)
    _as_a_worker(config)


def test_a_worker_of_ray_trains_and_goes_on(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(
        "netspec: 1\nname: small\ninput: [1, 28, 28]\nlayers: [{avg_pool: 4}, flatten, {dense: 10}]\n"
        "train: {data: fashion-mnist-small, train_size: 40, test_size: 20, batch: 20}\n"
    )
    config = {
        "spec": str(tmp_path / "small.yaml"), "backend": "torch", "out": str(tmp_path / "run"), "device": "cpu",
        "recipe": {"epochs": 2, "optimizer.learning_rate": 0.01}, "resume": True,
    }  # fmt: skip
    assert together(2, _as_a_late_worker, config) == [0, 0]
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (facts["state"], facts["processes"], facts["epochs"]) == ("finished", 2, 2)
    assert all(together(2, _as_a_worker, config))  # a finished run does not go on
    with pytest.raises(ValueError, match="unknown or missing: backend, out, where"):
        _as_a_worker({"spec": "zoo:lenet5", "where": "here"})
