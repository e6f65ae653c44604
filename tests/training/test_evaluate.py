"""`netspec evaluate`: the figures of a run again to the bit, tables of classes, other data, and what does not fit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netspec
from tests.having import TRAINER, TRAINERS
from tests.training import commands
from tests.training.commands import Netspec, trained

SPEC = """\
netspec: 1
name: tiny
input: [3, 4, 4]
layers: [{conv: {filters: 4, kernel: 3, padding: same}}, batch_norm, relu, flatten, {dense: 3}, softmax]
train:
  data: {train: ./own.npz, validation: 0.25, classes: [cat, dog, eel]}
  normalise: measured
  batch: 8
  epochs: 3
  loss: {cross_entropy: {class_weights: median_frequency}}
  optimizer: {adam: {learning_rate: 0.05}}
"""


def arrays(count: int = 48, classes: int = 3, size: int = 4) -> dict[str, Any]:
    """Images in the colour of their class, with noise, for training and test."""
    draw = np.random.default_rng(0)
    found: dict[str, Any] = {}
    for part, number in (("train", count), ("test", 13)):
        labels = np.arange(number) % classes
        images = draw.integers(0, 120, (number, 3, size, size))
        images[np.arange(number), labels % 3] += 60
        found |= {f"{part}_images": images.astype(np.uint8), f"{part}_labels": labels}
    return found


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a spec, its data, and a run."""
    folder = tmp_path_factory.mktemp("evaluate")
    np.savez(folder / "own.npz", **arrays())
    (folder / "tiny.yaml").write_text(SPEC)
    return folder


@pytest.fixture
def command(room: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Netspec:
    monkeypatch.chdir(room)
    return commands.netspec(monkeypatch, capsys)


def run_of(name: str, command: Netspec) -> str:
    """The run of a backend, trained once."""
    return trained(command, "tiny", name, name)


def told(run: str) -> dict[str, float]:
    """The figures of the test part as the run has them."""
    line: dict[str, float] = json.loads((Path(run) / "metrics.jsonl").read_text().splitlines()[-1])
    return {name: value for name, value in line.items() if name.startswith("test_")}


EACH = [pytest.param(name, marks=() if name == TRAINER else pytest.mark.slow, id=name) for name in TRAINERS]
"""Quick for one backend; another framework takes seconds to start."""


@pytest.mark.parametrize("name", EACH)
def test_the_figures_are_those_of_the_run_to_the_bit(name: str, command: Netspec) -> None:
    run = run_of(name, command)
    code, out, err = command("evaluate", run, "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert found["figures"] == told(run)
    assert (found["part"], found["samples"], found["backend"]) == ("test", 13, name)
    (table,) = found["outputs"]
    assert [each["name"] for each in table["classes"]] == ["cat", "dog", "eel"]
    assert (
        [each["count"] for each in table["classes"]] == [5, 4, 4] == [sum(row) for row in table["confusion"]]
    )
    right = sum(table["confusion"][at][at] for at in range(3))
    assert right / 13 == found["figures"]["test_accuracy"]


@pytest.mark.slow
def test_another_backend_measures_the_same(command: Netspec) -> None:
    first, second = (run_of(name, command) for name in TRAINERS[:2])
    _, out, _ = command("evaluate", first, "--json")
    code, other, _ = command("evaluate", first, "--backend", second, "--json")
    assert code == 0
    one, two = json.loads(out)["figures"], json.loads(other)["figures"]
    assert one["test_accuracy"] == two["test_accuracy"]
    assert one["test_loss"] == pytest.approx(two["test_loss"], rel=1e-5)


def test_the_last_weights_and_other_parts(command: Netspec) -> None:
    run = run_of(TRAINER, command)
    lines = [json.loads(line) for line in (Path(run) / "metrics.jsonl").read_text().splitlines()]
    last = [line for line in lines if "validation_loss" in line][-1]
    code, out, _ = command("evaluate", run, "--part", "validation", "--weights", "last", "--json")
    found = json.loads(out)
    assert (code, found["weights"]["epoch"]) == (0, last["epoch"])
    assert found["figures"] == {name: last[name] for name in ("validation_loss", "validation_accuracy")}


def test_the_table(command: Netspec) -> None:
    run = run_of(TRAINER, command)
    code, out, _ = command("evaluate", run)
    lines = out.splitlines()
    assert code == 0
    assert lines[0].startswith(f"{run}/best.safetensors (epoch ")
    assert lines[0].endswith("13 test samples of own.npz")
    assert any(line.startswith("1 dog") for line in lines)
    assert any(line.startswith("true \\ assigned") for line in lines)


def test_other_data(command: Netspec) -> None:
    """A file without parts is measured as a whole, with the scale of the training part."""
    run = run_of(TRAINER, command)
    whole = arrays()
    np.savez("other.npz", images=whole["test_images"], labels=whole["test_labels"])
    code, out, err = command("evaluate", run, "--data", "other.npz", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["figures"] == told(run)


def test_what_was_edited_since_does_not_count(command: Netspec, room: Path) -> None:
    run = run_of(TRAINER, command)
    text = (room / "tiny.yaml").read_text()
    try:
        (room / "tiny.yaml").write_text(text.replace("filters: 4", "filters: 5"))
        assert json.loads(command("evaluate", run, "--json")[1])["figures"] == told(run)
        (room / "tiny.yaml").unlink()
        assert json.loads(command("evaluate", run, "--json")[1])["figures"] == told(run)
    finally:
        (room / "tiny.yaml").write_text(text)


def test_a_run_of_a_recipe_file(command: Netspec) -> None:
    """The spec is one file, the recipe another; paths of data are relative to the recipe."""
    run_of(TRAINER, command)  # the framework is there
    Path("nets").mkdir()
    net, _, recipe = SPEC.partition("train:")
    Path("nets/tiny.yaml").write_text(net)
    Path("mine.yaml").write_text(f"netspec: 1\nspec: nets/tiny.yaml\ntrain:{recipe}")
    code, _, err = command("train", "mine.yaml", "-b", TRAINER, "-o", "mine", "-q")
    assert code == 0, err
    assert json.loads(command("evaluate", "mine", "--json")[1])["figures"] == told("mine") == told(TRAINER)


def test_data_that_are_not_those_of_the_run_any_more(command: Netspec, room: Path) -> None:
    run = run_of(TRAINER, command)
    np.savez(room / "own.npz", **arrays(count=40))
    try:
        code, out, err = command("evaluate", run)
    finally:
        np.savez(room / "own.npz", **arrays())
    assert (code, out) == (2, "")
    assert "has 30 training samples, and had 36 when the run was trained" in err


def test_a_run_from_python(command: Netspec) -> None:
    """Own samples have no name: the data of the spec are not measured in their place."""
    run_of(TRAINER, command)  # the framework is there
    graph = netspec.load("tiny.yaml")
    whole = arrays()
    own = [
        {"images": image, "labels": label}
        for image, label in zip(whole["train_images"], whole["train_labels"], strict=True)
    ]
    run = netspec.train(graph, TRAINER, data={"train": own, "test": own[:9]}, epochs=1)
    code, out, err = command("evaluate", str(run.folder))
    assert (code, out) == (2, "")
    assert "the run was trained on own, which its recipe does not name" in err
    (found,) = (command("evaluate", str(run.folder), "--data", "own.npz", "--json"),)
    assert (found[0], json.loads(found[1])["samples"]) == (0, 13)


WRONG = {
    "larger": (arrays(size=5), "a sample of images is 3×5×5, but the run was trained on 3×4×4"),
    "of_floats": (
        {key: each / 255 if "images" in key else each for key, each in arrays().items()},
        "images are float64, which are divided by 1; those of the training were divided by 255",
    ),
    "more": (arrays(classes=5), "there are 3 classes, 0 to 2"),
}


@pytest.mark.parametrize("name", WRONG)
def test_data_that_do_not_fit(name: str, command: Netspec) -> None:
    run = run_of(TRAINER, command)
    np.savez(f"{name}.npz", **WRONG[name][0])
    code, out, err = command("evaluate", run, "--data", f"{name}.npz")
    assert (code, out) == (2, "")
    assert WRONG[name][1] in err


@pytest.mark.parametrize(
    ("words", "says"),
    {
        "--data mnist-nothing": "no data set is called mnist-nothing",
        "--data nothing.npz": "there is no such file or folder",
        "--weights nothing.safetensors": "nothing.safetensors cannot be read as safetensors",
        "--backend nope": "no backend is called 'nope'",
    }.items(),
)
def test_a_wrong_command(words: str, says: str, command: Netspec) -> None:
    run = run_of(TRAINER, command)
    code, out, err = command("evaluate", run, *words.split())
    assert (code, out) == (2, "")
    assert says in err


def test_runs_that_are_not_whole(command: Netspec) -> None:
    run = run_of(TRAINER, command)
    for name, says in {
        "best.safetensors": "has no best weights",
        "graph.txt": "lacks spec.yaml or graph.txt",
        "preparation.json": "preparation.json cannot be read",
        "run.json": "run.json cannot be read",
    }.items():
        shutil.copytree(run, "broken", dirs_exist_ok=True)
        (Path("broken") / name).unlink()
        code, out, err = command("evaluate", "broken", "--weights", "best")
        assert (code, out) == (2, ""), name
        assert says in err
