"""`netspec predict`: pictures, arrays, tables and texts, prepared as in the training; masks and boxes drawn on them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.having import TRAINER, TRAINERS, needs
from tests.training import commands
from tests.training.commands import Netspec, trained

HEAD = "netspec: 1\nname: {name}\n"
SPECS = {
    "shapes": """\
input: [3, 6, 6]
layers: [{conv: {filters: 4, kernel: 3, padding: same}}, batch_norm, relu, flatten, {dense: 2}, softmax]
train:
  data: {train: ./shapes, validation: 0.25, test: 0.25}
  augment: [{crop: 6}]
  normalise: measured
  batch: 8
  epochs: 4
  optimizer: {adam: {learning_rate: 0.05}}
""",
    "roads": """\
input: [3, 10, 10]
layers: [{conv: {filters: 3, kernel: 3}}, softmax]
train:
  data: {train: ./roads, test: 2, masks: ./roadsannot, classes: [void, road, car]}
  pad: 1
  normalise: sample
  batch: 4
  epochs: 30
  loss: cross_entropy
  optimizer: {adam: {learning_rate: 0.2}}
""",
    "boxed": """\
input: [3, 8, 8]
layers: [flatten, {dense: 4}]
heads:
  what: {layers: [{dense: 2}]}
  where: {layers: [{dense: 4}]}
train:
  data: {train: ./boxed, test: 2, boxes: ./boxed/boxes.csv, targets: {what: labels, where: boxes}}
  batch: 4
  epochs: 1
  losses: {what: cross_entropy, where: mse}
""",
    "letters": """\
inputs: {text: {shape: [6], vocabulary: 4}}
layers: [{one_hot: null, from: text}, {lstm: 8}, {dense: 4}, softmax]
train:
  data: {train: ./abc.txt, validation: 0.2, text: {length: 6}}
  batch: 4
  epochs: 12
  loss: cross_entropy
  optimizer: {adam: {learning_rate: 0.05}}
""",
    "flowers": """\
input: [2]
layers: [{dense: 3}, softmax]
train:
  data: {train: ./flowers.csv, test: 0.2, table: {targets: kind}}
  batch: 8
  epochs: 3
""",
    "series": """\
input: [1, 4]
layers: [flatten, {dense: 1}]
train:
  data: {train: ./series.csv, test: 0.2, table: {inputs: load, targets: load, length: 4}}
  batch: 8
  epochs: 1
  loss: mse
""",
    "codes": """\
input: [1, 4, 4]
layers: [{conv: {filters: 1, kernel: 3, padding: same}}]
train:
  data: {train: ./codes.npz, inputs: {input: images}, targets: {output: images}}
  whiten: zca
  batch: 4
  epochs: 1
  loss: mse
""",
    "bits": """\
input: [4]
layers: [{dense: 1}, sigmoid]
train:
  data: {train: ./bits.npz}
  normalise: {mean: [0.5, 0.4, 0.3, 0.2], std: 0.5}
  batch: 4
  epochs: 1
  loss: binary_cross_entropy
""",
}


def write_data(folder: Path) -> None:
    """Small data of every kind."""
    draw = np.random.default_rng(1)

    def picture(path: Path, pixels: Any) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(pixels, np.uint8)).save(path)

    for number in range(16):
        noise = draw.integers(0, 60, (8, 8, 3))
        for label, name in enumerate(("cold", "warm")):
            pixels = noise.copy()
            pixels[:, :, 2 * (1 - label)] += 150
            picture(folder / "shapes" / name / f"{number}.png", pixels)
    for number in range(8):
        mask = np.zeros((8, 8), int)
        mask[:, : 2 + number % 3], mask[6:] = 1, 2
        colours = np.array([[20, 20, 20], [200, 20, 20], [20, 20, 220]])
        picture(folder / "roads" / f"{number}.png", colours[mask] + draw.integers(0, 20, (8, 8, 3)))
        picture(folder / "roadsannot" / f"{number}.png", np.pad(mask, 0))
        picture(folder / "boxed" / f"{number}.png", colours[mask])
    rows = [f"{number}.png,1,1,{4 + number % 3},6,{'ab'[number % 2]}" for number in range(8)]
    (folder / "boxed" / "boxes.csv").write_text("\n".join(["file,left,top,right,bottom,class", *rows]))
    (folder / "abc.txt").write_text("abc " * 60)
    rows = [f"{x},{1 - x},{kind}" for x, kind in zip(draw.random(40), "abc" * 13 + "a", strict=True)]
    (folder / "flowers.csv").write_text("\n".join(["wide,long,kind", *rows]))
    (folder / "series.csv").write_text("\n".join(["load", *(f"{np.sin(at):.4f}" for at in range(60))]))
    np.savez(folder / "codes.npz", train_images=draw.random((8, 1, 4, 4), np.float32))
    np.savez(folder / "bits.npz", images=draw.random((8, 4), np.float32), labels=np.arange(8) % 2)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("predict")
    write_data(folder)
    for name, text in SPECS.items():
        (folder / f"{name}.yaml").write_text(HEAD.format(name=name) + text)
    return folder


@pytest.fixture
def command(room: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Netspec:
    monkeypatch.chdir(room)
    return commands.netspec(monkeypatch, capsys)


def run_of(name: str, command: Netspec) -> str:
    """The run of a spec, trained once."""
    return trained(command, name, TRAINER, f"run-{name}")


def predicted(command: Netspec, *words: str) -> list[dict[str, Any]]:
    code, out, err = command("predict", *words, "--json")
    assert code == 0, err
    files: list[dict[str, Any]] = json.loads(out)["files"]
    return files


def test_pictures_have_classes_with_probabilities(command: Netspec) -> None:
    run = run_of("shapes", command)
    files = predicted(command, run, "shapes/cold", "shapes/warm/1*.png")
    assert len(files) == 16 + 7
    assert {each["outputs"]["output"]["name"] for each in files[:16]} == {"cold"}
    for each in files:
        shares = [top["probability"] for top in each["outputs"]["output"]["top"]]
        assert sum(shares) == pytest.approx(1)
        assert shares == sorted(shares, reverse=True)
    code, out, err = command("predict", run, "shapes/warm/3.png")
    assert (code, err) == (0, "")
    assert out.startswith("shapes/warm/3.png: warm ")


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=() if each == TRAINER else pytest.mark.slow) for each in TRAINERS]
)
def test_an_array_is_prepared_as_the_picture_is(name: str, command: Netspec) -> None:
    run = run_of("shapes", command)
    needs(name)
    paths = sorted(Path("shapes/warm").iterdir())[:3]
    arrays = []
    for path in paths:
        with Image.open(path) as picture:
            arrays.append(np.moveaxis(np.asarray(picture), 2, 0))
    np.save("warm.npy", np.stack(arrays))
    np.savez("warm.npz", images=np.load("warm.npy"))
    one = predicted(command, run, *map(str, paths), "-b", name)
    for file in ("warm.npy", "warm.npz"):
        other = predicted(command, run, file, "-b", name)
        assert [each["outputs"] for each in other] == [each["outputs"] for each in one]
        assert [each["place"] for each in other] == ["[0]", "[1]", "[2]"]
    mine = predicted(command, run, "warm.npy")
    for ours, theirs in zip(mine, one, strict=True):
        a, b = ours["outputs"]["output"], theirs["outputs"]["output"]
        assert a["name"] == b["name"]
        assert a["probability"] == pytest.approx(b["probability"], rel=1e-4)


def test_a_file_that_does_not_fit_is_told_and_the_others_go_on(command: Netspec) -> None:
    run = run_of("shapes", command)
    Path("broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    Image.new("RGB", (9, 7), "red").save("other.png")
    Image.new("L", (8, 8)).save("grey.png")
    Image.new("RGBA", (8, 8)).save("clear.png")
    np.save("floats.npy", np.zeros((3, 8, 8), np.float32))
    np.save("small.npy", np.zeros((2, 3, 4, 4), np.uint8))
    np.savez("two.npz", a=np.zeros(3), b=np.zeros(3))
    Path("words.txt").write_text("words")
    given = "broken.png other.png grey.png clear.png floats.npy small.npy two.npz words.txt absent.png"
    code, out, err = command("predict", run, *given.split(), "shapes/cold/0.png")
    assert code == 1
    lines = out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["grey.png", "shapes/cold/0.png"]
    for says in (
        "error: broken.png: is not a picture, or is damaged",
        "error: other.png: is 7×9 (height × width), and the network was trained on 8×8\n  help: --resize",
        "note: grey.png is grey, converted to colour",
        "error: clear.png: has transparency",
        "error: floats.npy: holds float32, which is divided by 1; the training data were divided by 255",
        "error: small.npy: is 2×3×4×4, and the network was trained on 3×8×8",
        "error: two.npz: has no array images",
        "error: words.txt: is not a picture, or array",
        "error: absent.png: there is no such file",
    ):
        assert says in err
    (resized,) = predicted(command, run, "other.png", "--resize")
    assert resized["outputs"]["output"]["name"] == "warm"


def test_a_spec_needs_weights_and_then_answers_as_the_run_does(command: Netspec) -> None:
    run = run_of("roads", command)
    code, out, err = command("predict", "roads.yaml", "roads/0.png")
    assert (code, out) == (2, "")
    assert "roads.yaml is a spec, which has no trained weights" in err
    weights = f"{run}/weights.safetensors"
    one, other = (
        predicted(command, *words, "roads/0.png") for words in ((run,), ("roads.yaml", "--weights", weights))
    )
    assert one == other
    run = run_of("shapes", command)
    code, _, err = command("predict", "shapes.yaml", "roads/0.png", "--weights", f"{run}/best.safetensors")
    assert code == 2
    assert "prepares samples by `normalise`, which only a run knows in full" in err


def test_masks_are_drawn_with_a_legend(command: Netspec) -> None:
    run = run_of("roads", command)
    (found,) = predicted(command, run, "roads/0.png", "-o", "drawn")
    shares = found["outputs"]["output"]["shares"]
    assert {each["name"] for each in shares} <= {"void", "road", "car"}
    assert sum(each["share"] for each in shares) == pytest.approx(1)
    assert found["written"] == ["drawn/0.png", "drawn/0.mask.png"]
    with Image.open("drawn/0.mask.png") as mask, Image.open("roadsannot/0.png") as true:
        assert mask.mode == "P"
        assert (np.asarray(mask) == np.asarray(true)).mean() > 0.9
    with Image.open("drawn/0.png") as picture:
        assert picture.height == 256
        assert picture.width > 256 + 50
    code, out, err = command("predict", run, "roads/0.png", "-o", "drawn")
    assert (code, out) == (2, "")
    assert "drawn is not an empty folder" in err


def test_boxes_and_several_heads(command: Netspec) -> None:
    run = run_of("boxed", command)
    (found,) = predicted(command, run, "boxed/1.png", "-o", "boxes")
    what, where = found["outputs"]["what"], found["outputs"]["where"]
    assert what["name"] in ("a", "b")
    assert list(where) == ["kind", "left", "top", "right", "bottom"]
    assert found["written"] == ["boxes/1.png"]
    _, out, _ = command("predict", run, "boxed/1.png")
    assert [line.split(": ")[1] for line in out.splitlines()] == ["what", "where"]


def test_the_next_symbol_of_a_text_and_what_follows(command: Netspec) -> None:
    run = run_of("letters", command)
    Path("start.txt").write_text("c abc a")
    (found,) = predicted(command, run, "start.txt", "--continue", "6")
    assert found["outputs"]["output"]["name"] == "b"
    assert found["continued"] == "bc abc"
    Path("start.txt").write_text("abc")
    Path("strange.txt").write_text("abcdabcd")
    code, _, err = command("predict", run, "start.txt", "strange.txt")
    assert code == 1
    assert "start.txt: has 3 symbols, and the network takes 6" in err
    assert "strange.txt: symbol 3 (from 0), 'd', is not in the vocabulary" in err


def test_rows_of_tables(command: Netspec) -> None:
    run = run_of("flowers", command)
    Path("new.csv").write_text("long,name,wide\n0.2,x,0.8\n0.5,y,0.5\n")
    files = predicted(command, run, "new.csv")
    assert [each["place"] for each in files] == [":2", ":3"]
    np.save("row.npy", np.array([0.8, 0.2], np.float32))
    assert predicted(command, run, "row.npy")[0]["outputs"] == files[0]["outputs"]
    Path("lacks.csv").write_text("long,broad\n1,2\n")
    code, _, err = command("predict", run, "lacks.csv")
    assert code == 1
    assert "lacks.csv: has no column wide" in err


def test_windows_numbers_maps_and_bits(command: Netspec) -> None:
    files = predicted(command, run_of("series", command), "series.csv")
    assert len(files) == 60 - 4 + 1
    assert files[-1]["place"] == ":61"
    assert len(files[-1]["outputs"]["output"]["values"]) == 1
    np.save("code.npy", np.ones((4, 4), np.float32))
    (found,) = predicted(command, run_of("codes", command), "code.npy", "-o", "maps")
    assert found["outputs"]["output"]["shape"] == [1, 4, 4]
    assert found["written"] == ["maps/code.npy", "maps/code.map.png"]
    assert np.load("maps/code.npy").shape == (1, 4, 4)
    np.save("bit.npy", np.ones(4, np.float32))
    (found,) = predicted(command, run_of("bits", command), "bit.npy")
    top = found["outputs"]["output"]["top"]
    assert {each["index"] for each in top} == {0, 1}
    assert sum(each["probability"] for each in top) == pytest.approx(1)


@pytest.mark.parametrize(
    ("words", "says"),
    {
        "predict run-shapes nothing/*.png": "nothing/*.png: no file matches this pattern",
        "predict run-shapes empty": "empty: has no picture, array, table or text",
        "predict run-shapes shapes/cold/0.png -o x": "`shapes` has no mask, box or map to draw",
        "predict run-shapes shapes/cold/0.png --set a=1": "--set: a run has the parameters",
        "predict run-shapes shapes/cold/0.png --continue 3": "`shapes` does not go on with a text",
        "predict empty shapes/cold/0.png": "empty does not contain a run",
        "predict run-shapes": "Missing argument 'FILE'",
    }.items(),
)
def test_a_wrong_command(words: str, says: str, command: Netspec) -> None:
    run_of("shapes", command)
    Path("empty").mkdir(exist_ok=True)
    code, out, err = command(*words.split())
    assert (code, out) == (2, ""), out
    assert says in err


# Without netspec.

DRIVER = """\
import contextlib, io, json, runpy, sys
from pathlib import Path

class Closed:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0].startswith("netspec"):
            raise ImportError(f"{name} is not here")

sys.meta_path.insert(0, Closed())
for folder, words, out in json.loads(sys.argv[1]):
    sys.path.insert(0, folder)
    sys.modules.pop("network", None)
    sys.argv = ["predict.py", *words, "--json"]
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), contextlib.suppress(SystemExit):
        runpy.run_path(f"{folder}/predict.py", run_name="__main__")
    sys.path.remove(folder)
    Path(out).write_text(stream.getvalue(), encoding="utf-8")
"""
"""Runs the programs of several exports in one process, in which netspec cannot be imported."""
GIVEN = {
    "shapes": ["shapes/cold/0.png", "shapes/warm/1.png"],
    "roads": ["roads/0.png", "roads/5.png"],
    "boxed": ["boxed/1.png"],
    "letters": ["letters.txt"],
    "flowers": ["flowers.csv"],
    "series": ["series.csv"],
    "codes": ["codes.npy"],
    "bits": ["bits.npy"],
}


def exported(name: str, command: Netspec, *words: str) -> str:
    """The folder with an exported run."""
    folder = f"export-{name}{''.join(words)}"
    code, out, err = command("export", run_of(name, command), "-o", folder, *words)
    assert (code, out) == (0, ""), err
    return folder


def same(one: Any, other: Any) -> bool:
    """Whether two answers are the same, with numbers that are the same but for rounding."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(each, other[key]) for key, each in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return bool(np.isclose(one, other, rtol=1e-5, atol=1e-6))
    return bool(one == other)


def programs_say_what_netspec_says(names: list[str], command: Netspec, *words: str) -> None:
    Path("letters.txt").write_text("c abc a")
    np.save("codes.npy", np.ones((2, 1, 4, 4), np.float32))
    np.save("bits.npy", np.ones(4, np.float32))
    runs = [(exported(name, command, *words), GIVEN[name], f"{name}.json") for name in names]
    Path("driver.py").write_text(DRIVER)
    done = subprocess.run(
        [sys.executable, "driver.py", json.dumps(runs)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for name, (_, given, out) in zip(names, runs, strict=True):
        told = json.loads(Path(out).read_text())["files"]
        assert same(told, predicted(command, f"run-{name}", *given, *words)), (name, told, done.stderr)


def test_exported_programs_say_what_netspec_says(command: Netspec) -> None:
    programs_say_what_netspec_says(["shapes", "roads"], command)


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINERS)
def test_all_exported_programs_of_all_backends(name: str, command: Netspec) -> None:
    needs(name)
    programs_say_what_netspec_says(list(GIVEN), command, "--backend", name)


def test_an_export_is_whole_and_never_overwrites(command: Netspec) -> None:
    run = run_of("shapes", command)
    folder = Path("whole")
    code, _, err = command("export", run, "-o", "whole")
    assert code == 0
    names = {path.name for path in folder.iterdir()}
    assert {"network.py", "predict.py", "README.md"} < names
    assert len(names) > 3
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "0 cold, 1 warm" in readme
    assert "def prepare(name, x):" in readme
    for name in ("network.py", "predict.py"):
        compile((folder / name).read_text(encoding="utf-8"), name, "exec")
    code, out, err = command("export", run, "-o", "whole")
    assert (code, out) == (2, "")
    assert "whole is not an empty folder" in err
    code, out, err = command("export", "shapes", "-o", "other")
    assert (code, out) == (2, "")
    assert "run.json cannot be read" in err
