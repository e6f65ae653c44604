"""What is told of Keras and of the engine below it, whatever of the two is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from netspec.diagnostics import Problems
from netspec.graph import Graph
from netspec.loading import graph_of_text
from netspec_cli import apart
from netspec_keras import engine


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Distributions that seem to be there, by name, with their versions; each is called as its module."""
    there = {"keras": "3.15.1", "tensorflow": "2.21.0"}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name if name in there else None)
    monkeypatch.setattr(engine, "_version", there.get)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    return there


def test_all_is_well(installed: dict[str, str]) -> None:
    told = engine.status()
    assert (told.state, told.detail) == ("ok", "keras 3.15.1 on tensorflow 2.21.0")


def test_keras_is_missing(installed: dict[str, str]) -> None:
    del installed["keras"]
    assert engine.status().state == "missing"
    assert "pip install" in engine.status().fix


def test_keras_without_an_engine_is_broken(installed: dict[str, str]) -> None:
    del installed["tensorflow"]
    told = engine.status()
    assert told.state == "broken"
    assert "tensorflow" in told.detail


def test_an_old_keras_is_broken(installed: dict[str, str]) -> None:
    installed["keras"] = "2.15.0"
    assert engine.status().state == "broken"
    assert "2.15.0" in engine.status().detail


def test_an_engine_that_netspec_does_not_hold_is_broken(
    installed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "openvino")
    assert engine.status().state == "broken"
    assert "openvino" in engine.status().detail


def test_the_engine_is_the_one_that_keras_would_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert engine.chosen() == "jax"
    monkeypatch.delenv("KERAS_BACKEND")
    assert engine.chosen() == "tensorflow"
    settings = tmp_path / "keras.json"
    settings.write_text(json.dumps({"backend": "jax"}), encoding="utf-8")
    assert engine.chosen() == "jax"
    settings.write_text("[not json", encoding="utf-8")
    assert engine.chosen() == "tensorflow"


@pytest.mark.usefixtures("homeless")
def test_a_user_without_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs as any number of a user."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.delenv("KERAS_HOME", raising=False)
    assert engine.chosen() in engine.ENGINES
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "keras.json").write_text('{"backend": "jax"}', encoding="utf-8")
    assert engine.chosen() == "jax"


def test_telling_imports_neither_and_importing_says_nothing() -> None:
    program = """
import sys
from netspec_keras import backend
state = backend().status().state
assert not {"keras", "tensorflow", "jax"} & set(sys.modules)
if state == "ok":
    import netspec_keras.framework
    assert "keras" in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# Kernels that can crash TensorFlow.

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
def test_the_kernels_are_avoided_in_a_comparison(tmp_path: Path) -> None:
    """TensorFlow with oneDNN, on several threads, ends within these steps."""
    pytest.importorskip("torch")
    pytest.importorskip("tensorflow")
    (tmp_path / "frail.yaml").write_text(FRAIL, encoding="utf-8")
    threads = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", engine.ONEDNN)
    environment = {key: value for key, value in os.environ.items() if key not in threads}
    command = "compare frail.yaml --dtype float32 --batch 3 --steps 30"
    done = subprocess.run(
        [sys.executable, "-c", apart.START, *command.split()],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
