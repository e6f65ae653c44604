"""`netspec bench`: figures of each backend side by side, from processes of their own, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from netspec import benchmark
from netspec.backend import Incapable, Timed, backend, backends
from netspec.benchmark import Failed, Measurement, Times
from netspec.loading import load
from netspec_cli.bench import _seconds
from netspec_cli.main import app
from tests.having import ORACLE

RUN = CliRunner()
SPEC = """\
netspec: 1
name: small
params: {units: 4}
inputs: {a: [2, 6, 6], b: [3]}
layers:
  - conv: {filters: 3, kernel: 3}
    from: a
    name: c
  - batch_norm
  - global_avg_pool:
    name: g
  - concat:
    from: [g, b]
heads:
  one: {layers: [{dense: $units}, softmax]}
  two: {from: c, layers: [flatten, {dense: 2}]}
"""
FIGURES = Measurement(
    "one", "one 2", "cpu", 0.5, Times(0.001, 0.0009, 0.0021), Times(0.2, 0.1, 0.3), 12_000_000, None
)


@pytest.fixture
def spec(tmp_path: Path) -> str:
    """A small network with two inputs and two outputs."""
    (tmp_path / "small.yaml").write_text(SPEC, encoding="utf-8")
    return str(tmp_path / "small.yaml")


@pytest.fixture
def race(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """No process is started: the figures are given. What was asked for is kept."""
    asked: dict[str, Any] = {}

    def fake(
        spec: Path, params: object, backends: Sequence[str], batch: int, steps: int, device: str, tell: object
    ) -> list[Measurement]:
        asked.update(params=params, backends=list(backends), batch=batch, steps=steps, device=device)
        slower = replace(
            FIGURES, backend="two", training=Times(0.5, 0.4, 0.6), memory=None, device_memory=7 * 10**9
        )
        return [FIGURES, slower][: len(backends)]

    monkeypatch.setattr(benchmark, "race", fake)
    return asked


def test_the_table_has_a_column_for_each(spec: str, race: dict[str, Any]) -> None:
    done = RUN.invoke(
        app,
        [
            "bench",
            spec,
            "--backends",
            "one,two",
            "--batch",
            "3",
            "--steps",
            "7",
            "--set",
            "units=5",
            "--device",
            "cpu",
        ],
    )
    assert done.exit_code == 0, done.stderr
    assert race == {
        "params": {"units": 5},
        "backends": ["one", "two"],
        "batch": 3,
        "steps": 7,
        "device": "cpu",
    }
    text = done.stdout
    assert "a batch of 3" in text
    assert "1 ms (900 µs – 2.1 ms)" in text
    assert "12.0 MB" in text
    assert "unavailable" in text
    assert "7.0 GB" in text
    assert "two / one: forward 1.00, training step 2.50" in text


def test_json_has_the_same_figures(spec: str, race: dict[str, Any]) -> None:
    found = json.loads(RUN.invoke(app, ["bench", spec, "--format", "json"]).stdout)
    assert [each["backend"] for each in found["backends"]] == ["one", "two"]
    assert found["backends"][1]["memory"] is None
    assert found["backends"][1]["ratio_to_one"]["training"] == 2.5


def test_one_backend_has_no_ratio(spec: str, race: dict[str, Any]) -> None:
    assert " / " not in RUN.invoke(app, ["bench", spec, "--backends", "one"]).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--backends", f"{ORACLE},none"], 2, "no backend is called 'none'"),
        (["--backends", ","], 2, "--backends is empty"),
        (["--set", "unit=3"], 2, "`units`"),
        (["--backends", ORACLE], 2, f"{ORACLE} cannot be timed; "),
        (["--batch", "0"], 2, "--batch"),
    ],
)
def test_refusals(arguments: list[str], code: int, told: str, spec: str) -> None:
    done = RUN.invoke(app, ["bench", spec, *arguments])
    assert done.exit_code == code
    assert told in done.stderr
    assert not done.stdout


def test_a_process_that_ends_badly_is_told(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    monkeypatch.setattr(benchmark, "usable", lambda names, capability: [])
    with pytest.raises(Failed, match="fake: its process ended with 1"):
        benchmark.race(Path(spec), {}, ["fake"], 1, 1)


@pytest.mark.parametrize("name", [each.name for each in backends() if isinstance(each, Timed)])
def test_a_backend_is_measured(name: str, spec: str) -> None:
    status = backend(name).status()
    if status.state != "ok":
        pytest.skip(status.detail)
    found = benchmark.measure(load(spec), name, batch=2, steps=2, device="cpu")
    assert found.backend == name
    for times in (found.forward, found.training):
        assert 0 < times.least <= times.median <= times.most
    assert found.ready > 0
    assert found.memory is None or found.memory >= 0


@pytest.mark.parametrize("name", [each.name for each in backends() if not isinstance(each, Timed)])
def test_what_cannot_be_timed_says_so(name: str, spec: str) -> None:
    with pytest.raises(Incapable, match=f"{name} cannot be timed"):
        benchmark.measure(load(spec), name, 1, 1)


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.345, "2.35 s"), (123.4, "123 s"), (0.0123, "12.3 ms"), (4.56e-5, "46 µs")]
)
def test_times_have_three_digits(seconds: float, text: str) -> None:
    assert _seconds(seconds) == text
