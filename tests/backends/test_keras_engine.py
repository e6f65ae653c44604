"""What is told of Keras and of the engine below it, whatever of the two is there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from netspec_keras import engine


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Distributions that seem to be there, by name, with their versions; each is called as its module."""
    there = {"keras": "3.15.1", "tensorflow": "2.21.0"}
    monkeypatch.setattr(engine, "find_spec", lambda name: name if name in there else None)
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
