"""`netspec weights` on files of every container, whole and broken; no framework is needed."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from netspec import tensors
from netspec.exchange.formats import frameworks
from netspec.loading import load
from netspec.weights import WeightsError, initialise
from netspec.weights.containers import as_npz, as_safetensors, read_npz
from netspec.weights.figures import differences, figures
from netspec_cli.main import app
from tests.weights.test_safetensors import SPEC, Array, content

RUN = CliRunner()
OURS, OTHER = sorted(frameworks(), key=lambda each: not each.layouts_are_ours)
"""The framework with the layouts of netspec, and one with others."""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str, code: int = 0) -> Any:
    done = RUN.invoke(app, ["weights", *words])
    assert done.exit_code == code, done.output + repr(done.exception)
    return done


ARRAYS: dict[str, Array] = {
    "a.weight": np.arange(6, dtype="float32").reshape(2, 3),
    "file": np.array(2.5),
    "π/β": np.array([1, -2], "int64"),
    "half": np.array([1.5, 6e4], "float16"),
    "flag": np.array([True, False]),
    "empty": np.zeros((0, 3), "float32"),
}


def test_containers_keep_names_shapes_types_and_values() -> None:
    tensors.save("a.safetensors", ARRAYS)
    run("convert", "a.safetensors", "-o", "b.npz")
    found = read_npz(Path("b.npz"))
    assert found.tensors.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert (found.tensors[name].dtype, found.tensors[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found.tensors[name], array)
    run("convert", "b.npz", "-o", "c.safetensors")
    done = run("diff", "a.safetensors", "c.safetensors")
    assert done.stdout.endswith("all 6 tensors are equal\n")
    assert as_npz(ARRAYS) == as_npz(ARRAYS)


def test_bfloat16_is_written_as_float32_and_told() -> None:
    Path("a.safetensors").write_bytes(content({"w": ("BF16", [2], b"\x80\x3f\x00\xc0")}))
    done = run("convert", "a.safetensors", "-o", "b.npz")
    assert "1 tensor of bfloat16 written as float32, without a change of values" in done.stderr
    assert read_npz(Path("b.npz")).tensors["w"].tolist() == [1.0, -2.0]


@pytest.mark.parametrize("name", ["__metadata__", "a\udcffb"])
def test_a_name_that_a_file_cannot_have_is_refused(name: str) -> None:
    with pytest.raises(WeightsError, match="cannot be the name of a tensor in a safetensors file"):
        as_safetensors({name: np.ones(2)})
    if name != "__metadata__":
        with pytest.raises(WeightsError, match=r"cannot be the name of an array in an \.npz file"):
            as_npz({name: np.ones(2)})


def test_a_file_that_netspec_did_not_write_stays() -> None:
    tensors.save("a.safetensors", ARRAYS)
    Path("b.npz").write_bytes(b"precious")
    assert "was not written by netspec" in run("convert", "a.safetensors", "-o", "b.npz", code=2).stderr
    assert (
        "is a file that this command reads"
        in run("convert", "a.safetensors", "-o", "./a.safetensors", code=2).stderr
    )
    run("convert", "a.safetensors", "-o", "b.npz", "--force")


def test_show_marks_what_is_not_finite() -> None:
    arrays = {**ARRAYS, "bad\x1b[31m": np.array([np.nan, np.inf, 1.0, 3.0])}
    Path("a.npz").write_bytes(as_npz(arrays))
    done = run("show", "a.npz")
    lines = {line.split()[0]: line.split() for line in done.stdout.splitlines()[1:]}
    assert lines["a.weight"][1:] == ["2×3", "float32", "6", "0", "5", "2.5", "1.708"]
    assert lines["file"][1:5] == ["a", "number", "float64", "1"]
    assert lines["empty"][1:] == ["0×3", "float32", "0", "-", "-", "-", "-"]
    assert lines[r"bad\x1b[31m"][2:] == ["float64", "4", "1", "3", "2", "1", "!", "2", "not", "finite"]
    assert done.stdout.endswith("7 tensors, 17 numbers, 86 bytes, 2 numbers not finite\n")
    told = json.loads(run("show", "a.npz", "--format", "json").stdout)
    assert told["totals"] == {"tensors": 7, "numbers": 17, "bytes": 86, "not_finite": 2}
    assert told["tensors"][5]["mean"] is None


def test_show_takes_a_run() -> None:
    tensors.save("run/weights.safetensors", ARRAYS)
    assert run("show", "run").stdout.startswith("run/weights.safetensors\n")
    tensors.save("run/best.safetensors", ARRAYS)
    assert run("show", "run").stdout.startswith("run/best.safetensors\n")
    Path("other").mkdir()
    assert "other is a folder without the weights of a run" in run("show", "other", code=2).stderr


def test_figures_are_exact_across_blocks() -> None:
    values = np.random.default_rng(0).normal(3.0, 2.0, (1 << 20) + 17)
    found = figures(values)
    assert (found.low, found.high) == (values.min(), values.max())
    assert found.mean == pytest.approx(values.mean(), rel=1e-13)
    assert found.std == pytest.approx(values.std(), rel=1e-13)


def test_diff_tells_every_difference() -> None:
    first = {
        "x": np.array([1.0, 2.0]),
        "y": np.array([4.0, np.nan]),
        "z": np.zeros(3),
        "i": np.array([2**53, 0]),
        "t": np.array([1.0], "float32"),
    }
    second = {
        "x": np.array([1.0, 2.5]),
        "y": np.array([4.0, np.nan]),
        "z": np.zeros((3, 1)),
        "i": np.array([2**53 + 1, 0]),
        "t": np.array([1.0]),
        "w": np.ones(1),
    }
    Path("a.npz").write_bytes(as_npz(first))
    Path("b.npz").write_bytes(as_npz(second))
    found = {each.name: each for each in differences(first, second)}
    assert {name: each.what for name, each in found.items()} == {
        "x": "values",
        "y": "equal",
        "z": "shape",
        "i": "values",
        "t": "equal",
        "w": "only in B",
    }
    assert (found["x"].absolute, found["x"].relative) == (0.5, 0.2)
    assert found["i"].absolute == 1.0
    done = run("diff", "a.npz", "b.npz", code=1)
    assert "1 tensor has another type, such as t" in done.stdout
    assert "4 of 6 tensors differ, 2 are equal" in done.stdout
    told = json.loads(run("diff", "a.npz", "b.npz", "--format", "json", code=1).stdout)
    assert told["ok"] is False
    assert told["tensors"][0] == {
        "name": "x",
        "differs_in": "values",
        "shapes": [[2], [2]],
        "types": ["float64", "float64"],
        "max_abs": 0.5,
        "max_rel": 0.2,
    }
    run("diff", "a.npz", "a.npz")


def test_an_infinity_in_one_file_is_an_infinite_difference() -> None:
    (found,) = differences({"x": np.array([np.inf, 1.0])}, {"x": np.array([-np.inf, 1.0])})
    assert (found.what, found.relative) == ("values", np.inf)
    (found,) = differences({"x": np.array([np.inf, 1.0])}, {"x": np.array([np.inf, 1.0])})
    assert (found.what, found.relative) == ("equal", 0.0)


# Broken files.


def npy(array: Any, change: tuple[bytes, bytes] = (b"", b"")) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue().replace(*change) if change[0] else stream.getvalue()


def archive(*members: tuple[str, bytes], packed: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packed) as file:
        for name, data in members:
            file.writestr(name, data)
    return stream.getvalue()


# The name of a file, its bytes, and what is said.
BROKEN: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "an empty file": ("w.safetensors", lambda: b"", "header"),
    "an empty archive": ("w.npz", lambda: b"", "is not an .npz file"),
    "no tensor": ("w.npz", archive, "it holds no tensor"),
    "no tensor in safetensors": ("w.safetensors", lambda: content({}), "it holds no tensor"),
    "half an archive": ("w.npz", lambda: as_npz({"w": np.ones(100)})[:400], "is not an .npz file"),
    "an array of objects": ("w.npz", lambda: archive(("w.npy", npy(np.array([{}])))), "holds Python objects"),
    "a word": ("w.npz", lambda: archive(("w.npy", npy(np.array(["a"])))), "w (1) holds values of the type"),
    "a complex number": ("w.npz", lambda: archive(("w.npy", npy(np.array([1j])))), "of the type complex128"),
    "two of one name": ("w.npz", lambda: archive(("w.npy", npy(1.0)), ("w.npy", npy(2.0))), "holds w"),
    "more than it has": (
        "w.npz",
        lambda: archive(("w.npy", npy(np.ones(10), (b"(10,)", b"(99,)")))),
        "says that it is 99 numbers",
    ),
    "one array": ("w.npz", lambda: npy(np.ones(3)), "holds a single array"),
    "another size": ("w.safetensors", lambda: content({"w": ("F32", [1 << 62], bytes(16))}), "cannot be read"),
    "another end": ("w.onnx", lambda: b"x", "the end of its name says no format; netspec reads .safetensors, .npz"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_with_a_reason(name: str) -> None:
    file, data, says = BROKEN[name]
    Path(file).write_bytes(data())
    for command in (["show", file], ["convert", file, "-o", "out.safetensors"], ["diff", file, file]):
        done = run(*command, code=2)
        assert says in done.stderr
        assert "bug in netspec" not in done.stderr
    assert not Path("out.safetensors").exists()


def test_what_is_not_a_file_is_said_so() -> None:
    assert "it does not exist" in run("show", "none.npz", code=2).stderr
    Path("folder.npz").mkdir()
    assert "it is a folder" in run("convert", "folder.npz", "-o", "x.safetensors", code=2).stderr


def test_numbers_of_the_other_end_come_in_natively() -> None:
    Path("w.npz").write_bytes(
        archive(("w.npy", npy(np.arange(3, dtype=">f4"))), ("i.npy", npy(np.arange(3, dtype=">i8"))))
    )
    found = read_npz(Path("w.npz"))
    assert {name: str(array.dtype) for name, array in found.tensors.items()} == {"w": "float32", "i": "int64"}
    run("convert", "w.npz", "-o", "w.safetensors")
    assert tensors.read("w.safetensors")[0]["w"].tolist() == [0, 1, 2]


# Import, without a framework.


def test_import_writes_what_the_table_says() -> None:
    Path("own.yaml").write_text(SPEC)
    start = initialise(load("own.yaml"), 2)
    names = {"conv1": "stem.0", "batch_norm1": "stem.1", "dense1": "head"}
    theirs = {
        f"{names[name.partition('.')[0]]}.{name.partition('.')[2]}": array for name, array in start.items()
    }
    theirs["stem.1.num_batches_tracked"] = np.array(7)
    Path("theirs.npz").write_bytes(
        as_npz({name: each.astype("float16") if each.ndim else each for name, each in theirs.items()})
    )
    done = run("import", "own.yaml", "theirs.npz", "-o", "w.safetensors")
    assert "1 counter `num_batches_tracked` left out: not weights" in done.stderr
    assert "7 tensors are float16, read as float32, without a change of values" in done.stderr
    assert done.stdout.splitlines()[0].endswith("matched by order")
    found = tensors.read("w.safetensors")[0]
    assert {name: array.dtype for name, array in found.items()} == dict.fromkeys(start, np.dtype("float32"))
    for name, array in start.items():
        np.testing.assert_array_equal(found[name], array.astype("float16"))
    told = json.loads(run("import", "own.yaml", "theirs.npz", "--format", "json").stdout)
    assert told["weights"][0] == {
        "ours": "conv1.weight",
        "shape": [2, 1, 3, 3],
        "theirs": ["stem.0.weight"],
        "their_shape": [2, 1, 3, 3],
        "conversion": "",
    }
    # A template is written only where something is ambiguous; the map that it becomes decides.
    theirs["extra.weight"] = np.ones(3)
    Path("theirs.npz").write_bytes(as_npz(theirs))
    done = run("import", "own.yaml", "theirs.npz", "--map-template", "map.yaml", code=2)
    assert "extra (weight 3): no layer of the network has these weights" in done.stderr
    assert "fill in map.yaml" in done.stderr
    done = run("import", "own.yaml", "theirs.npz", "--map", "map.yaml")
    assert "left out: extra.weight" in done.stdout
    done = run("import", "own.yaml", "theirs.npz", "--skip", "extra.*")
    assert "left out as you asked: extra.weight" in done.stderr
    Path("map.yaml").write_text("conv1.weight: nothing\n")
    assert "map.yaml:1:15" in run("import", "own.yaml", "theirs.npz", "--map", "map.yaml", code=1).stderr


def test_the_words_of_another_framework_are_asked_about() -> None:
    Path("own.yaml").write_text("netspec: 1\nname: own\ninput: [3]\nlayers: [{dense: 3}]\n")
    Path("w.npz").write_bytes(as_npz({"a/kernel": np.arange(9.0).reshape(3, 3), "a/bias": np.zeros(3)}))
    done = run("import", "own.yaml", "w.npz", code=2)
    assert f"has tensors called kernel, as {OTHER.name} calls them" in done.stderr
    run("import", "own.yaml", "w.npz", "--as", OTHER.name, "-o", "w.safetensors")
    assert (
        tensors.read("w.safetensors")[0]["dense1.weight"].tolist() == np.arange(9.0).reshape(3, 3).T.tolist()
    )


def test_names_and_layouts_of_a_framework_go_and_come_back() -> None:
    Path("own.yaml").write_text(SPEC)
    start = initialise(load("own.yaml"), 2)
    tensors.save("w.safetensors", start)
    for name in (OTHER.name, OURS.name):
        run("convert", "w.safetensors", "-o", f"{name}.npz", "--spec", "own.yaml", "--as", name)
        run("convert", f"{name}.npz", "-o", f"{name}.safetensors", "--spec", "own.yaml")
        run("diff", "w.safetensors", f"{name}.safetensors")
    assert read_npz(Path(f"{OTHER.name}.npz")).tensors["conv1/kernel"].shape == (3, 3, 1, 2)
    assert (
        f"names and layouts are those of {OTHER.name}"
        in run("convert", f"{OTHER.name}.npz", "-o", "again.npz", "--spec", "own.yaml").stderr
    )
    assert (
        "--as is for the weights of a network"
        in run("convert", "w.safetensors", "-o", "x.npz", "--as", OURS.name, code=2).stderr
    )
    Path("other.yaml").write_text(SPEC.replace("dense: 3", "dense: 4"))
    done = run("convert", "w.safetensors", "-o", "x.npz", "--spec", "other.yaml", code=2)
    assert "dense1.bias: its shape is 3, but it must be 4 (O)" in done.stderr


def test_only_advice_that_can_help_is_given() -> None:
    towers = "layers: [{concat: [[{dense: 4}], [{dense: 4}]]}, {dense: 2}]\n"
    Path("own.yaml").write_text(f"netspec: 1\nname: own\ninput: [3]\n{towers}")
    start = initialise(load("own.yaml"), 2)
    theirs = {name.replace("dense", "fc"): array for name, array in start.items()}
    Path("w.npz").write_bytes(as_npz(theirs))
    said = run("import", "own.yaml", "w.npz", code=2).stderr
    assert ("--map-template" in said, "--by order" in said) == (True, True)
    run("import", "own.yaml", "w.npz", "--by", "order")
    # Another order: it cannot help.
    Path("w.npz").write_bytes(as_npz({name: theirs[name] for name in sorted(theirs, reverse=True)}))
    said = run("import", "own.yaml", "w.npz", code=2).stderr
    assert ("--map-template" in said, "--by order" in said) == (True, False)
    # Another network: nothing can.
    Path("w.npz").write_bytes(as_npz({"a.weight": np.ones((7, 7))}))
    said = run("import", "own.yaml", "w.npz", code=2).stderr
    assert ("--map-template" in said, "--by order" in said) == (False, False)
