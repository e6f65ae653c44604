"""What `--format json` of every command holds: the same words everywhere, and exactly these keys."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from netspec.backend import Learns, Timed, Trains
from netspec.weights.containers import as_npz
from netspec_cli.main import COMMANDS, app
from tests.having import LEARNER, TIMED, TRAINER, ready

SPEC = """\
netspec: 1
name: little
params: {units: 4}
input: [1, 28, 28]
layers:
  - conv: {filters: 2, kernel: 5, stride: 4, name_of_nothing: 1}
  - flatten
  - dense: 10
train: {data: fashion-mnist-small, batch: 10, epochs: 1, train_size: 20, test_size: 20}
"""
DIAGNOSTIC = {
    *("code", "severity", "message", "file", "line", "column", "end_line", "end_column", "notes", "help"),
}
LAYER = {
    *("name", "op", "inputs", "output", "params", "macs", "bytes"),
    *("receptive_field", "receptive_field_min", "file", "line"),
}
TOTALS = {"layers", "params", "trainable", "macs", "activations", "memory"}
AXIS = {"axis", "input", "output", "kernel", "stride", "padding", "dilation"}
FORMULA = {"relationship", "formula", "numbers", "remark"}
OP = {"op", "family", "doc", "takes", "inputs", "branches", "outputs", "fields", "weights"}
RACE = {"backend", "versions", "device", "ready", "forward", "training", "memory", "device_memory"}
# A command; its keys beside `netspec`; where a list of mappings stands, and the keys of those.
QUICK: dict[str, tuple[set[str], dict[str, set[str]]]] = {
    "runs old": (
        {"runs", "differing"},
        {
            "runs": {
                *(
                    "folder",
                    "state",
                    "spec",
                    "backend",
                    "data",
                    "started",
                    "ended",
                    "reason",
                    "epochs",
                    "steps",
                ),
                *("seconds", "last", "best", "test", "settings"),
            }
        },
    ),
    "check wrong.yaml": (
        {"files", "counts"},
        {"files": {"path", "ok", "diagnostics"}, "files.diagnostics": DIAGNOSTIC},
    ),
    "shapes zoo:lenet5": (
        {"name", "inputs", "outputs", "layers", "totals"},
        {"layers": LAYER, "totals": TOTALS},
    ),
    "arith conv -i 5x5 -k 3": (
        {"operation", "ok", "axes"},
        {"axes": AXIS | FORMULA | {"output_padding"}},
    ),
    "arith pool -i 5x5 -k 3": ({"operation", "ok", "axes"}, {"axes": AXIS | FORMULA}),
    "arith transpose -i 5x5 -k 3": (
        {"operation", "ok", "axes"},
        {"axes": AXIS | FORMULA | {"output_padding", "direct"}},
    ),
    "arith conv -o 5x5 -k 3": ({"operation", "ok", "axes"}, {"axes": AXIS}),
    "data": (
        {"folder", "sets", "made"},
        {
            "sets": {"name", "shape", "classes", "train", "validation", "test", "here", "fetch"},
            "made": {"name", "contents"},
        },
    ),
    "data fashion-mnist-small": (
        {"data", "name", "notes", "parts", "keys", "findings"},
        {"parts": {"train", "test"}, "keys.labels": {"role", "shape", "type", "classes", "names"}},
    ),
    "ops": ({"families"}, {"families": {"name", "ops"}, "families.ops": OP}),
    "ops conv": (OP, {"fields": {"name", "takes", "doc", "default", "required", "main", "schema"}}),
    "backends": ({"backends"}, {"backends": {"name", "state", "detail", "fix", "capabilities"}}),
    "weights show w.npz": (
        {"file", "tensors", "totals", "notes"},
        {
            "tensors": {
                *("name", "shape", "type", "numbers", "bytes", "min", "max", "mean", "std", "not_finite"),
            },
            "totals": {"tensors", "numbers", "bytes", "not_finite"},
        },
    ),
    "weights diff w.npz w.npz": (
        {"a", "b", "ok", "tensors"},
        {"tensors": {"name", "differs_in", "shapes", "types", "max_abs", "max_rel"}},
    ),
    "weights import dense.yaml w.npz": (
        {"file", "framework", "matched", "weights", "left_out"},
        {"weights": {"ours", "shape", "theirs", "their_shape", "conversion"}},
    ),
    "new --list": ({"zoo"}, {"zoo": {"name", "description", "params"}}),
}
RUNS: dict[str, tuple[set[str], dict[str, set[str]]]] = {
    f"compare little.yaml --backends {LEARNER}": (
        {
            *("spec", "name", "dtype", "device", "backends", "pairs", "batch", "learning_rate", "ok"),
            *(
                "tolerance",
                "forward",
                "gradients",
                "steps",
                "first_difference",
                "layers",
                "absent_oracles",
                "undecided",
            ),
        },
        {
            "pairs": {"backends", "max_rel", "layer"},
            "steps": {"optimizer", "count", "learning_rate", "max_rel", "weight"},
            "layers": {"name", "max_rel"},
            "tolerance": {"forward", "gradients", "steps"},
            "forward": {"max_rel", "layer"},
            "gradients": {"max_rel", "weight"},
        },
    ),
    f"bench little.yaml --backends {TIMED} --steps 1 --batch 1": (
        {"spec", "name", "dtype", "batch", "steps", "machine", "backends"},
        {"machine": {"cores", "threads"}, "backends": RACE | {f"ratio_to_{TIMED}"}},
    ),
    f"train little.yaml -b {TRAINER}": (
        {"spec", "name", "backend", "data", "folder", "epochs", "best", "test"},
        {},
    ),
}

AFTER: dict[str, tuple[set[str], dict[str, set[str]]]] = {
    "predict run blank.npy": (
        {"run", "name", "backend", "weights", "files"},
        {"weights": {"file", "epoch"}, "files": {"file", "place", "ok", "outputs"}},
    ),
    "evaluate run": (
        {*("run", "name", "backend", "weights", "data", "part", "samples", "figures", "outputs")},
        {
            "weights": {"file", "epoch"},
            "outputs": {"name", "elements", "classes", "confusion"},
            "outputs.classes": {
                *("index", "name", "count", "assigned", "right", "recall", "precision", "iou"),
            },
        },
    ),
}
"""What needs a run."""


def entries(value: Any, path: str) -> list[dict[str, Any]]:
    """The mappings at a path of keys; a list stands for each of its members."""
    found = [value]
    for key in path.split("."):
        found = [each[key] for each in found]
        found = [member for each in found for member in (each if isinstance(each, list) else [each])]
    return found


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wrong.yaml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "little.yaml").write_text(SPEC.replace(", name_of_nothing: 1", ""), encoding="utf-8")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "run.json").write_text('{"state": "finished"}', encoding="utf-8")
    (tmp_path / "dense.yaml").write_text("netspec: 1\nname: dense\ninput: [3]\nlayers: [{dense: 2}]\n")
    (tmp_path / "w.npz").write_bytes(as_npz({"fc.weight": np.ones((2, 3)), "fc.bias": np.ones(2)}))
    monkeypatch.chdir(tmp_path)


def hold(command: str, keys: set[str], below: dict[str, set[str]]) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*shlex.split(command), "--format", "json"])
    told: dict[str, Any] = json.loads(result.stdout)
    assert told["netspec"] == 1
    assert set(told) == {"netspec", *keys}
    for path, wanted in below.items():
        found = entries(told, path)
        assert found
        assert all(set(each) == wanted for each in found), path
    return told


@pytest.mark.parametrize("command", QUICK)
def test_the_keys(command: str) -> None:
    hold(command, *QUICK[command])


@pytest.mark.parametrize("command", RUNS)
def test_the_keys_of_what_runs_a_framework(command: str) -> None:
    ready(Learns, Timed, Trains)
    told = hold(command, *RUNS[command])
    assert (told["spec"], told["name"]) == ("little.yaml", "little")


def test_the_keys_of_what_comes_after_a_training() -> None:
    ready(Trains)
    assert CliRunner().invoke(app, f"train little.yaml -b {TRAINER} -o run".split()).exit_code == 0
    np.save("blank.npy", np.zeros((28, 28), np.uint8))
    for command, (keys, below) in AFTER.items():
        assert hold(command, keys, below)["name"] == "little"


def test_every_command_with_a_format_is_here() -> None:
    runner = CliRunner()
    formatted = {each for each in COMMANDS if "|json" in runner.invoke(app, [each, "-h"]).stdout}
    assert formatted | {"arith", "weights"} == {each.split()[0] for each in (*QUICK, *RUNS, *AFTER)}


def test_the_memory_of_a_layer_is_what_the_table_shows() -> None:
    told = json.loads(CliRunner().invoke(app, ["shapes", "zoo:lenet5", "--format", "json"]).stdout)
    assert [each["bytes"] for each in told["layers"]][:2] == [4 * 6 * 28 * 28, 4 * 6 * 14 * 14]
    memory = told["totals"]["memory"]
    assert sum(each["bytes"] for each in told["layers"]) + 4 * 32 * 32 == memory["training_bytes_per_sample"]
