"""`--weights NAME=FILE`: an embedded network with weights of its own, in every command that takes weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from netspec import load
from netspec.backend import Files, Learns
from netspec.weights import initialise, save, starting
from netspec_cli.main import app
from tests.having import ORACLE, having, ready
from tests.oracle import forward

SMALL = {"height": 16, "width": 24, "shrink": 16, "units": 4, "filters": 3}
SETS = [word for name, value in SMALL.items() for word in ("--set", f"{name}={value}")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The weights of a whole narrow VGG-16, of which ReSeg uses seven layers."""
    save(tmp_path / "vgg.safetensors", initialise(load("zoo:vgg16", shrink=16), seed=7))
    return tmp_path / "vgg.safetensors"


def test_the_frozen_part_of_reseg_computes_what_its_network_computes(file: Path) -> None:
    whole = load("zoo:vgg16", shrink=16, size=32)
    graph = load("zoo:reseg_camvid", **{**SMALL, "height": 32, "width": 32})
    weights = starting(graph, seed=3, parts={"vgg": file})
    own = initialise(whole, seed=7)
    taken = [name for name in weights if name.startswith("vgg.")]
    assert taken
    for name in taken:
        np.testing.assert_array_equal(weights[name], own[name.removeprefix("vgg.")])
    others = initialise(graph, seed=3)
    assert all(np.array_equal(weights[name], others[name]) for name in weights if name not in taken)
    assert {each.name for each in graph.weights if not each.trainable} == set(taken)
    x = np.random.default_rng(0).standard_normal((2, 3, 32, 32))
    found = forward(graph, weights, {"input": x}, training=False)
    (end,) = (scope.output for scope in graph.scopes if scope.path == "vgg.conv3")
    features = forward(whole, own, {"input": x}, training=False)[end.removeprefix("vgg.")]
    np.testing.assert_array_equal(found[end], features)


def test_a_name_that_no_part_has_is_refused(file: Path) -> None:
    command = ["compare", "zoo:reseg_camvid", *SETS, "--weights", f"vg={file}", "--backends", ORACLE]
    found = CliRunner().invoke(app, command)
    assert found.exit_code == 2


@pytest.mark.parametrize("name", having(Files))
def test_a_file_is_compiled_with_the_weights_of_a_part(name: str, file: Path) -> None:
    out = file.with_name("reseg.onnx")
    command = ["compile", "zoo:reseg_camvid", *SETS, "--weights", f"vgg={file}", "-b", name, "-o", str(out)]
    found = CliRunner().invoke(app, command)
    assert found.exit_code == 0, found.output
    own = initialise(load("zoo:vgg16", shrink=16), seed=7)
    assert next(iter(own.values())).astype("<f4").tobytes() in out.read_bytes()


@pytest.mark.slow
def test_backends_are_equal_with_the_weights_of_a_part(file: Path) -> None:
    command = ["compare", "zoo:reseg_camvid", *SETS, "--weights", f"vgg={file}", "--steps", "1"]
    name = ready(Learns)[0]
    found = CliRunner().invoke(app, [*command, "--backends", name])
    assert found.exit_code == 0, found.output
    assert f"equal: {name} and the oracle {ORACLE} compute the same network" in found.output
