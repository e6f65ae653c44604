"""A framework that dies is reported: what was done last, and which layers are known to end it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from netspec.diagnostics import Problems
from netspec.graph import Graph
from netspec.loading import graph_of_text
from netspec_cli import apart
from netspec_cli.main import app
from netspec_keras import engine

HEAD = "netspec: 1\nname: frail\ninput: [4, 12, 14]\nlayers:\n"
FRAIL = (
    HEAD
    + "  - conv: {filters: 5, kernel: 1, stride: 2}\n  - conv_transpose: {filters: 2, kernel: 1, stride: [1, 3]}\n"
)
SOUND = (
    "conv: {filters: 5, kernel: 1}",
    "conv: {filters: 5, kernel: 3, stride: 2}",
    "conv: {filters: 5, kernel: [1, 2], stride: 2}",
    "depthwise_conv: {kernel: 1, stride: 2}",
    "max_pool: {kernel: 1, stride: 2}",
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "frail.yaml").write_text(FRAIL, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(apart, "is_program", True)


def ended(monkeypatch: pytest.MonkeyPatch, *statements: str) -> tuple[int, str]:
    """Let the process apart do this; return how the command ends and what it says."""
    monkeypatch.setattr(
        apart, "START", "; ".join(["import os", "from netspec_cli.apart import report", *statements])
    )
    result = CliRunner().invoke(app, ["compare", "frail.yaml", "--dtype", "float32"])
    return result.exit_code, result.stderr


@pytest.mark.skipif(os.name == "nt", reason="there a crash is an exit code")
def test_a_death_is_told_with_the_layers_that_are_known_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ended(monkeypatch, "report('keras: gradients')", "os.abort()") == (
        2,
        "netspec: the process was ended by SIGABRT, at: keras: gradients\n"
        "  its framework is known to crash at conv1, conv_transpose1\n"
        "  fix: set TF_ENABLE_ONEDNN_OPTS=0\n",
    )


@pytest.mark.skipif(os.name == "nt", reason="there a crash is an exit code")
def test_a_death_without_a_known_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = ended(monkeypatch, "report('torch: building')", "os.kill(os.getpid(), 9)")
    assert (code, said.count("\n")) == (2, 1)
    assert "SIGKILL, as the system does when memory runs out, at: torch: building" in said


@pytest.mark.parametrize("code", [0, 1, 2, 130])
def test_an_exit_code_is_passed_on(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ended(monkeypatch, f"os._exit({code})") == (code, "")


def network(text: str) -> Graph:
    graph = graph_of_text(text, "frail.yaml", Problems())
    assert graph is not None
    return graph


def fragile(text: str, dtype: str = "float32") -> list[str]:
    return engine.fragile(network(text), dtype)


def test_the_layers_are_those_that_were_measured() -> None:
    assert fragile(FRAIL) == ["conv1", "conv_transpose1"]
    assert fragile(FRAIL, "float64") == []
    for each in SOUND:
        assert fragile(f"{HEAD}  - {each}\n") == [], each


def test_only_such_a_network_goes_without_onednn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.setenv(engine.ONEDNN, "1")
    engine.steady(network(FRAIL), "float32")
    assert os.environ[engine.ONEDNN] == "1", "what the user has set stays"
    for text, wanted in ((f"{HEAD}  - {SOUND[0]}\n", None), (FRAIL, "0")):
        del os.environ[engine.ONEDNN]
        engine.steady(network(text), "float32")
        assert os.environ.setdefault(engine.ONEDNN, "") == (wanted or "")


@pytest.mark.slow
def test_the_kernels_are_avoided_in_a_comparison() -> None:
    """TensorFlow with oneDNN, on several threads, ends within these steps."""
    pytest.importorskip("torch")
    pytest.importorskip("tensorflow")
    threads = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", engine.ONEDNN)
    environment = {key: value for key, value in os.environ.items() if key not in threads}
    command = "compare frail.yaml --dtype float32 --batch 3 --steps 30"
    done = subprocess.run(
        [sys.executable, "-c", apart.START, *command.split()],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
