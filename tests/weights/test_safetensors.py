"""Weights of any dtype come in with every value, and what was converted is reported, wherever they are read."""

from __future__ import annotations

import json
import os
import tracemalloc
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import netspec
from netspec import tensors
from netspec.backend import Builds, Keyed, capable, native_names
from netspec.weights import WeightsError, WeightsWarning, initialise, load, save, starting
from netspec_cli.main import app
from tests.having import having

Array = np.ndarray[Any, Any]
KEYED = having(Builds, Keyed)[0]

SPEC = """\
netspec: 1
name: own
input: [1, 4, 4]
layers:
  - conv: {filters: 2, kernel: 3, bias: false}
  - batch_norm
  - flatten
  - dense: 3
"""


def content(arrays: Mapping[str, tuple[str, list[int], bytes]]) -> bytes:
    """A safetensors file with these dtypes, shapes and bytes."""
    header, data = {}, b""
    for name, (dtype, shape, values) in arrays.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def read_one(path: Path, dtype: str, shape: list[int], values: bytes) -> tuple[Array, dict[str, str]]:
    path.write_bytes(content({"w": (dtype, shape, values)}))
    arrays, others = tensors.read(path)
    return arrays["w"], others


WHOLE = {
    "I8": "i1",
    "U8": "u1",
    "I16": "<i2",
    "U16": "<u2",
    "I32": "<i4",
    "U32": "<u4",
    "I64": "<i8",
    "U64": "<u8",
}


@pytest.mark.parametrize(("dtype", "kind"), WHOLE.items())
def test_whole_numbers_keep_their_values_or_are_refused(dtype: str, kind: str, tmp_path: Path) -> None:
    info = np.iinfo(kind)
    largest = min(info.max, 2**53)
    wanted = np.array([max(info.min, -(2**53)), 0, 1, largest], kind)
    found, others = read_one(tmp_path / "w", dtype, [2, 2], wanted.tobytes())
    assert found.dtype in (np.float32, np.float64)
    assert [int(each) for each in found.ravel()] == wanted.tolist()
    assert (found.shape, others) == ((2, 2), {"w": dtype})
    if info.max > largest:
        with pytest.raises(
            tensors.UnreadableTensors, match=f"w is {dtype} and has whole numbers that float64 cannot"
        ):
            read_one(tmp_path / "w", dtype, [1], np.array([2**53 + 1], kind).tobytes())


def test_floats_keep_their_values(tmp_path: Path) -> None:
    values = np.array([0.0, -0.0, 1.5, -3e-7, 6e4, np.inf, np.nan])
    for dtype, kind in (("F64", "<f8"), ("F32", "<f4"), ("F16", "<f2")):
        found, others = read_one(tmp_path / "w", dtype, [7], values.astype(kind).tobytes())
        np.testing.assert_array_equal(found, values.astype(kind))
        assert others == ({"w": "F16"} if dtype == "F16" else {})
    found, others = read_one(tmp_path / "w", "BOOL", [2], b"\0\1")
    assert (found.tolist(), others) == ([0.0, 1.0], {"w": "BOOL"})


TORCH_FLOATS = {
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F8_E8M0": "float8_e8m0fnu",
}


@pytest.mark.parametrize(("dtype", "name"), TORCH_FLOATS.items())
def test_every_small_float_is_what_pytorch_says_it_is(dtype: str, name: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    if not hasattr(torch, name):
        pytest.skip(f"this PyTorch has no {name}")
    kind = np.uint16 if dtype == "BF16" else np.uint8
    bits = np.arange(np.iinfo(kind).max + 1, dtype=kind)
    wanted = torch.from_numpy(bits.copy()).view(getattr(torch, name)).to(torch.float32).numpy()
    found, others = read_one(tmp_path / "w", dtype, [len(bits)], bits.tobytes())
    np.testing.assert_array_equal(found, wanted)
    assert (found.dtype, others) == (np.float32, {"w": dtype})


HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "header"),
    "a header beyond the file": ((1 << 40).to_bytes(8, "little") + b"{}", "header"),
    "no JSON": ((4).to_bytes(8, "little") + b"oops", "header"),
    "nested": ((60_000).to_bytes(8, "little") + b"[" * 60_000, "header"),
    "cut": (content({"w": ("F32", [4], bytes(16))})[:-1], "."),
    "offsets beyond the file": (content({"w": ("F32", [4], bytes(16))}).replace(b"16]", b"99]"), "."),
    "complex": (content({"w": ("C64", [1], bytes(8))}), "the numbers of w are C64; netspec reads F64"),
    "an unknown dtype": (content({"w": ("X7", [1], bytes(8))}), "."),
    "four bits": (content({"w": ("F4", [2], bytes(1))}), "."),
}


@pytest.mark.parametrize(("data", "says"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_refused_with_a_reason(data: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(data)
    with pytest.raises(tensors.UnreadableTensors, match=says) as caught:
        tensors.read(tmp_path / "w")
    assert str(caught.value)


def test_a_huge_file_that_is_something_else_is_not_read(tmp_path: Path) -> None:
    """Such a file takes no space on the disk, but it would fill the memory."""
    for start in (b"", (1 << 40).to_bytes(8, "little") + b"{}", b"PK\x03\x04"):
        with (tmp_path / "w").open("wb") as file:
            file.write(start)
            file.truncate(1 << 27)
        tracemalloc.start()
        try:
            with pytest.raises(tensors.UnreadableTensors, match=r"header|a zip archive"):
                tensors.read(tmp_path / "w")
            assert tracemalloc.get_traced_memory()[1] < 8_000_000
        finally:
            tracemalloc.stop()


def test_a_machine_without_memory_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr(tensors, "_content", full)
    with pytest.raises(tensors.UnreadableTensors, match=r"^not enough memory$"):
        tensors.read(tmp_path / "w")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_never_answers_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "w.safetensors")
    (tmp_path / "own.yaml").write_text(SPEC)
    graph = netspec.load(tmp_path / "own.yaml")
    with pytest.raises(WeightsError, match="it is a named pipe, not a regular file"):
        load(tmp_path / "w.safetensors", graph)
    with pytest.raises(WeightsError, match="its path is too long"):
        load("x" * 5000, graph)


def test_bytes_are_the_same_every_time(tmp_path: Path) -> None:
    arrays = {f"w{number}": np.ones(3, "float32") for number in range(9)}
    facts = {"epoch": "1", "command": "train", "another": "x", "é": "ü"}
    made = {tensors.as_bytes(arrays, facts) for _ in range(20)}
    assert len(made) == 1
    (tmp_path / "w").write_bytes(made.pop())
    assert list(tensors.read(tmp_path / "w")[0]) == sorted(arrays)
    safetensors = pytest.importorskip("safetensors")
    with safetensors.safe_open(tmp_path / "w", "np") as file:
        assert file.metadata() == {"netspec": netspec.__version__, **facts}


# Wherever weights are read.


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec, and one that embeds it with its weights."""
    monkeypatch.chdir(tmp_path)
    Path("own.yaml").write_text(SPEC)
    Path("outer.yaml").write_text(
        "netspec: 1\nname: outer\ninput: [1, 4, 4]\n"
        "layers: [{network: {spec: own.yaml, weights: w.safetensors}, name: inner}, relu]\n"
    )
    return tmp_path


def state(dtype: str) -> None:
    """Save what a PyTorch model of the spec holds, its count of batches included, in a dtype."""
    torch = pytest.importorskip("torch")
    files = pytest.importorskip("safetensors.torch")
    model = netspec.build(netspec.load("own.yaml"), KEYED, seed=3)
    held = {
        name: tensor.to(getattr(torch, dtype)) if tensor.is_floating_point() else tensor
        for name, tensor in model.state_dict().items()
    }
    held["batch_norm1.num_batches_tracked"] += 7
    files.save_file(held, "w.safetensors")


def close(one: Any, other: Any, tolerance: float) -> bool:
    return bool(np.allclose(one, other, rtol=tolerance, atol=tolerance))


LEFT = "batch_norm1.num_batches_tracked is a counter of the framework, not a weight: left out"
NOTES = {
    "float32": [LEFT],
    "float16": ["7 tensors are F16, read as float32, without a change of values", LEFT],
    "bfloat16": ["7 tensors are BF16, read as float32, without a change of values", LEFT],
    "float64": [LEFT, "7 tensors are float64, rounded to float32"],
}


@pytest.mark.parametrize(("dtype", "notes"), NOTES.items())
def test_the_state_of_our_own_model_comes_back(dtype: str, notes: list[str], spec: Path) -> None:
    state(dtype)
    graph = netspec.load("own.yaml")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = netspec.build(graph, KEYED, weights="w.safetensors")
    told = [str(each.message) for each in caught if each.category is WeightsWarning]
    wanted = [f"w.safetensors: {line}" for line in notes]
    assert told == wanted
    start = initialise(graph, 3)
    tolerance = {"float16": 1e-3, "bfloat16": 1e-2}.get(dtype, 0.0)
    for name, array in capable(KEYED, Builds).weights(model, graph).items():
        assert close(array, start[name], tolerance)
    told = []
    found = starting(
        netspec.load("outer.yaml"), tell=told.append, native=native_names(netspec.load("outer.yaml"))
    )
    assert told == [line.replace("w.safetensors", str(spec / "w.safetensors")) for line in wanted]
    assert close(found["inner.dense1.weight"], start["dense1.weight"], tolerance)
    done = CliRunner().invoke(
        app, ["convert", "own.yaml", "--pass", "still", "--weights", "w.safetensors", "-o", "n.yaml"]
    )
    assert done.exit_code == 0, done.stderr
    # Written down again in its own dtype, float64 is not rounded.
    for line in wanted if dtype != "float64" else wanted[:1]:
        assert f"note: {line}" in done.stderr


def test_weights_that_are_not_finite_are_taken_and_noted(spec: Path) -> None:
    graph = netspec.load("own.yaml")
    arrays = {name: array.copy() for name, array in initialise(graph).items()}
    arrays["dense1.bias"][:] = np.nan
    arrays["dense1.weight"].flat[0] = -np.inf
    save("w.safetensors", arrays)
    count = arrays["dense1.bias"].size + 1
    first = next(name for name in arrays if name.startswith("dense1."))
    note = (
        f"{count} numbers are NaN or infinite, in {first} and in 1 more (`netspec weights show` lists them)"
    )
    told: list[str] = []
    found = load("w.safetensors", graph, tell=told.append)
    assert np.isnan(found["dense1.bias"]).all()
    assert told == [f"w.safetensors: {note}"]
    told = []
    starting(netspec.load("outer.yaml"), tell=told.append)
    assert told == [f"{spec / 'w.safetensors'}: {note}"]
    for command in (
        "convert own.yaml --weights w.safetensors -o n.yaml",
        "weights import own.yaml w.safetensors",
        "weights convert w.safetensors -o w.npz --spec own.yaml",
    ):
        done = CliRunner().invoke(app, command.split())
        assert done.exit_code == 0, done.stderr
        assert f"note: w.safetensors: {note}" in done.stderr, command


def test_a_key_of_another_layer_is_still_refused(spec: Path) -> None:
    arrays = initialise(netspec.load("own.yaml"))
    count = np.zeros((), "int64")
    save("w.safetensors", {**arrays, "batch_norm2.num_batches_tracked": count, "num_batches_tracked": count})
    with pytest.raises(WeightsError) as caught:
        load(
            "w.safetensors",
            netspec.load("own.yaml"),
            native=native_names(netspec.load("own.yaml")),
            tell=print,
        )
    assert str(caught.value).count("num_batches_tracked: not in the network") == 2


def test_one_weight_under_two_names_is_refused_unless_they_agree(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(SPEC.replace("  - dense: 3", "  - dense: 3\n    name: class"))
    graph = netspec.load(tmp_path / "own.yaml")
    arrays = initialise(graph)
    native = native_names(graph)
    assert native["class_.weight"] == "class.weight"
    other = {**arrays, "class_.weight": arrays["class.weight"]}
    save(tmp_path / "w", other)
    assert load(tmp_path / "w", graph, native=native).keys() == arrays.keys()
    save(tmp_path / "w", {**other, "class_.weight": arrays["class.weight"] + 1})
    with pytest.raises(WeightsError, match=r"class_\.weight differs from class\.weight, but both"):
        load(tmp_path / "w", graph, native=native)
