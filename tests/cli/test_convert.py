"""`netspec convert`, and `--pass`: the new spec has, its weights compute the same, and mistakes are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from netspec.graph import Graph
from netspec.loading import load
from netspec.passes import still
from netspec.weights import initialise, save
from netspec.weights import load as weights_of
from netspec_cli.main import app
from tests.having import WRITER
from tests.oracle import Oracle

RUN = CliRunner()
Array = NDArray[Any]

SPEC = """\
netspec: 1
name: small
params: {size: 8}
input: [3, $size, $size]
blocks:
  unit:
    params: {filters: }
    layers: [{conv: {filters: $filters, kernel: 3, padding: half, bias: false}}, batch_norm, relu]
layers:
  - unit: {filters: 4}
  - max_pool: 2
  - unit: {filters: 6}
    name: last
  - flatten
  - dense: {units: 5, activation: relu}
  - dropout: 0.5
  - dense: 3
  - softmax
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test in a folder of its own, with a spec and its weights, running statistics not 0 and 1."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SPEC)
    generator = np.random.default_rng(0)
    arrays: dict[str, Array] = dict(initialise(load(tmp_path / "small.yaml"), dtype="float64"))
    save(
        tmp_path / "small.safetensors",
        {k: v + generator.uniform(0.1, 0.9, v.shape) for k, v in arrays.items()},
    )
    return tmp_path


def output(graph: Graph, weights: dict[str, Array]) -> Array:
    """What the network gives in inference: its batch norms frozen, in the oracle."""
    from dataclasses import replace

    frozen = replace(still(graph), nodes=tuple(replace(node, trainable=False) for node in still(graph).nodes))
    x = np.random.default_rng(1).standard_normal((2, *graph.inputs[0].type.shape))
    return Oracle().trial(frozen, weights, "float64", None).forward({"input": x})[graph.outputs[0].value]


@pytest.mark.parametrize(
    "passes",
    [
        ["--fully-convolutional"],
        ["--pass", "fold-batch-norm"],
        ["--pass", "fold-batch-norm", "--fully-convolutional"],
        ["--pass", "still"],
        [],
    ],
    ids=lambda passes: " ".join(passes) or "no pass",
)
def test_the_new_spec_with_its_weights_computes_the_same(passes: list[str], here: Path) -> None:
    done = RUN.invoke(
        app, ["convert", "small.yaml", *passes, "--weights", "small.safetensors", "-o", "new.yaml"]
    )
    assert done.exit_code == 0, done.stderr
    assert "wrote new.safetensors" in done.stderr
    old, new = load(here / "small.yaml"), load(here / "new.yaml")
    before = output(old, weights_of(here / "small.safetensors", old))
    after = output(new, weights_of(here / "new.safetensors", new))
    np.testing.assert_allclose(after.reshape(before.shape), before, rtol=1e-12)


def test_a_cut_network_keeps_the_weights_that_it_has(here: Path) -> None:
    done = RUN.invoke(
        app,
        ["convert", "small.yaml", "--pass", "cut=last", "--weights", "small.safetensors", "-o", "new.yaml"],
    )
    assert done.exit_code == 0, done.stderr
    new = load(here / "new.yaml")
    assert new.types[new.outputs[0].value].shape == (6, 4, 4)
    weights = weights_of(here / "new.safetensors", new)
    whole = weights_of(here / "small.safetensors", load(here / "small.yaml"))
    assert len(weights) == 10
    np.testing.assert_array_equal(weights[next(new.weights).name], whole["unit1.conv1.weight"])


def test_a_larger_input_gives_a_grid(here: Path) -> None:
    assert (
        RUN.invoke(app, ["convert", "small.yaml", "--fully-convolutional", "-o", "new.yaml"]).exit_code == 0
    )
    grid = load(here / "new.yaml", size=14)
    assert grid.types[grid.outputs[0].value].shape == (3, 4, 4)


def test_without_a_file_the_spec_is_printed(here: Path) -> None:
    done = RUN.invoke(app, ["convert", "small.yaml", "--pass", "logits"])
    assert done.exit_code == 0
    mark, text = done.stdout.split("\n", 1)
    assert mark.startswith("# Written by netspec ")
    assert text.startswith("netspec: 1\nname: small_logits\n")
    assert "softmax" not in done.stdout


def test_without_a_pass_the_same_network_is_written(here: Path) -> None:
    done = RUN.invoke(app, ["convert", "small.yaml"])
    assert done.exit_code == 0, done.stderr
    (here / "again.yaml").write_text(done.stdout, encoding="utf-8")
    old, new = load(here / "small.yaml"), load(here / "again.yaml")
    assert new.name == "small"
    assert [node.op for node in new.nodes] == [node.op for node in old.nodes]


def test_a_file_that_no_network_can_be_called_after(here: Path) -> None:
    assert RUN.invoke(app, ["convert", "small.yaml", "--pass", "still", "-o", "2 new.yaml"]).exit_code == 0
    assert load(here / "2 new.yaml").name == "small_still"


def test_what_the_new_spec_does_not_hold_is_said(here: Path) -> None:
    done = RUN.invoke(app, ["convert", "zoo:lenet5"])
    assert "has no `expect` and no `train`" in done.stderr
    assert "holds no" not in RUN.invoke(app, ["convert", "small.yaml"]).stderr


WRONG: dict[str, tuple[list[str], int, str]] = {
    "unknown pass": (
        ["--pass", "fold-batchnorm"],
        2,
        "no pass is called 'fold-batchnorm'; did you mean `fold-batch-norm`?",
    ),
    "unknown layer": (["--pass", "cut=lats"], 2, "no layer is called `lats`; did you mean `last`?"),
    "weights and no file": (["--pass", "logits", "--weights", "small.safetensors"], 2, "-o NEW.yaml"),
    "no weights": (["--pass", "logits", "--weights", "no.safetensors", "-o", "n.yaml"], 2, "no.safetensors"),
    "over the weights": (
        ["--pass", "logits", "--weights", "small.safetensors", "-o", "./small.yaml"],
        2,
        "small.yaml is a file that this command reads",
    ),
    "over the spec": (
        ["--pass", "logits", "--weights", "small.safetensors", "-o", "n.safetensors"],
        2,
        "overwrite n.safe",
    ),
    "no place": (["--pass", "logits", "-o", "small.yaml/new.yaml"], 2, "cannot write"),
}


@pytest.mark.parametrize(("options", "code", "told"), WRONG.values(), ids=WRONG)
def test_a_mistake_is_told(options: list[str], code: int, told: str, here: Path) -> None:
    done = RUN.invoke(app, ["convert", "small.yaml", *options])
    assert (done.exit_code, told in done.stderr) == (code, True), done.stderr


def test_weights_of_another_network_are_refused(here: Path) -> None:
    save(here / "other.safetensors", {"conv1.weight": np.ones((2, 2))})
    done = RUN.invoke(
        app, ["convert", "small.yaml", "--pass", "logits", "--weights", "other.safetensors", "-o", "new.yaml"]
    )
    assert done.exit_code == 2
    assert "unit1.conv1.weight: missing" in done.stderr
    assert not (here / "new.yaml").exists()


def test_what_has_no_dense_layers_on_a_map_cannot_be_converted(here: Path) -> None:
    done = RUN.invoke(app, ["convert", "zoo:resnet18", "--fully-convolutional"])
    assert done.exit_code == 1
    assert "has no `flatten`" in done.stderr


def test_a_pass_changes_the_source(here: Path) -> None:
    plain = RUN.invoke(app, ["compile", "small.yaml", "--backend", WRITER]).stdout
    folded = RUN.invoke(
        app, ["compile", "small.yaml", "--backend", WRITER, "--pass", "fold-batch-norm"]
    ).stdout
    assert "BatchNorm" in plain
    assert "BatchNorm" not in folded
