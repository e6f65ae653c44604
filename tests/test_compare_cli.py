"""`netspec compare`: what it prints, what it is worth as an exit code, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import netspec.backend
from netspec.backend import Status, Unavailable
from netspec.proof import comparison
from netspec_cli.main import app
from tests.fakes import Array, Fake
from tests.having import ORACLE
from tests.oracle import Oracle

SPEC = """\
netspec: 1
name: small
params: {units: 4}
input: [2, 6, 6]
layers:
  - conv: {filters: 3, kernel: 3}
  - batch_norm
  - relu
  - dropout: 0.5
  - global_avg_pool
  - dense: $units
"""

Run = Callable[..., Any]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """The command on a small spec, with honest fakes unless others are given."""
    (tmp_path / "small.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)

    def command(*options: str, fakes: Sequence[Fake] = ()) -> Any:
        known = {each.name: each for each in (Fake("one"), Fake("two"), *fakes)}

        def usable(wanted: Sequence[str], capability: object) -> list[object]:
            if "jax" in wanted:
                raise Unavailable("the backend jax is missing: not installed", "pip install jax")
            return [known.get(name) or Oracle() for name in wanted]

        monkeypatch.setattr(comparison, "usable", usable)
        monkeypatch.setattr(netspec.backend, "installed", lambda capability: ["one", "two"])
        return CliRunner().invoke(app, ["compare", "small.yaml", *options])

    return command


EQUAL = f"""\
small.yaml: one, two and the oracle {ORACLE}, float64, a batch of 2 (outputs also of 1 and 3), \
training mode, dropout off

layer             max rel  farthest apart
conv1             0
batch_norm1       0
relu1             0
dropout1          0
global_avg_pool1  0
dense1            0

outputs                        0  (tolerance 1e-10, 6 layers)                 equal
gradients                      0  (tolerance 1e-10, 6 weights)                equal
weights after 5 steps of sgd   0  (tolerance 1e-09, 8 weights, rate 7.8e-03)  equal
weights after 5 steps of adam  0  (tolerance 1e-09, 8 weights, rate 9.8e-04)  equal

equal: one, two and the oracle {ORACLE} compute the same network
"""


def test_equal(run: Run) -> None:
    result = run()
    assert (result.exit_code, result.stdout) == (0, EQUAL)
    assert "one: gradients" in result.stderr


def test_a_fault_is_found_named_and_worth_1(run: Run) -> None:
    result = run("--inject", "relu1=1e-3", "--steps", "1")
    assert result.exit_code == 1
    assert (
        "different: the first layer that differs is relu1\n  relu1: one and two differ in values at ["
        in result.stdout
    )
    marked = [line.split()[0] for line in result.stdout.splitlines() if line.endswith("  differs")]
    assert marked == ["relu1", "dropout1", "global_avg_pool1", "dense1"]


def test_a_wrong_gradient_is_told_when_all_layers_agree(run: Run) -> None:
    def wrong(arrays: dict[str, Array]) -> None:
        arrays["dense1.bias"] += 1

    result = run(fakes=[Fake("two", gradients=wrong)])
    assert result.exit_code == 1
    assert "all layers agree, but gradients or steps differ; the first is dense1.bias" in result.stdout


def test_a_batch_norm_of_two_values_is_told_when_steps_part(run: Run) -> None:
    def wrong(arrays: dict[str, Array]) -> None:
        arrays["dense1.bias"] += 1

    Path("small.yaml").write_text(SPEC + "  - batch_norm\n")
    told = run(fakes=[Fake("two", steps=wrong)]).stdout
    assert "note: batch_norm2 normalises two values per channel, to −1 and 1;" in told
    assert "note" not in run("--batch", "3", fakes=[Fake("two", steps=wrong)]).stdout
    assert "note" not in run().stdout


def test_a_lost_layer_is_told_as_one(run: Run) -> None:
    def lose(arrays: dict[str, Array]) -> None:
        del arrays["relu1"]

    result = run(fakes=[Fake("two", forward=lose)])
    assert result.exit_code == 1
    assert "differs in names: two did not return it" in result.stdout


def test_json(run: Run) -> None:
    result = run("--format", "json", "--set", "units=7", "--steps", "0")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["ok"], told["spec"], told["steps"]) == (0, True, "small.yaml", [])


def test_a_rate_can_be_given(run: Run) -> None:
    assert "weights, rate 1.2e-01)" in run("--rate", "0.125").stdout


def test_only_the_worst_are_shown_without_verbose(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netspec_cli.compare.SHOWN", 2)
    short = run("--inject", "dense1=1e-3", "--steps", "0").stdout
    assert [line.split()[0] for line in short.splitlines()[3:5]] == ["conv1", "dense1"]
    assert "… and 4 more that differ less (--verbose shows all 6)" in short
    assert "more that differ" not in run("--verbose", "--steps", "0").stdout


def test_float32_says_what_is_not_judged(run: Run) -> None:
    result = run("--dtype", "float32")
    assert result.exit_code == 0
    assert result.stdout.count("not judged") == 3


def test_one_backend_beside_the_oracle(run: Run) -> None:
    result = run("--backends", "one")
    assert result.exit_code == 0
    assert result.stdout.count("not compared") == 3
    assert result.stdout.endswith(f"equal: one and the oracle {ORACLE} compute the same network\n")


def test_an_oracle_that_is_broken_takes_no_part_and_is_reported(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = {"judge": Status("broken", "its table is gone")}
    monkeypatch.setattr(comparison, "oracles", lambda: {**judge, ORACLE: Status("ok", "made up")})
    result = run()
    assert result.exit_code == 0
    assert "\nnote: the oracle judge does not take part: it is broken: its table is gone\n" in result.stdout
    assert result.stdout.endswith(f"equal: one, two and the oracle {ORACLE} compute the same network\n")
    facts = json.loads(run("--format", "json").stdout)
    assert facts["absent_oracles"] == {"judge": "broken: its table is gone"}
    monkeypatch.setattr(comparison, "oracles", lambda: judge)
    alone = run("--backends", "one")
    assert alone.exit_code == 2
    assert "or one backend and the oracle; the oracle judge is broken: its table is gone" in alone.stderr


REFUSED = {
    "a layer that is not there": (
        ["--inject", "rellu1=1e-3"],
        "no layer is called `rellu1`; did you mean `relu1`?",
    ),
    "a backend that is missing": (
        ["--backends", "one,jax"],
        "the backend jax is missing: not installed\n  fix: pip install jax",
    ),
    "a dtype that is none": (["--dtype", "float16"], "'float16'"),
    "a parameter that is not there": (["--set", "unit=3"], "unit"),
    "no rate": (["--rate", "-1"], "must be a number above 0, not -1.0"),
    "an empty batch": (["--batch", "0"], "--batch"),
    "no backend": (["--backends", ","], "is empty"),
    "a backend twice": (["--backends", "one,one"], "contains one twice"),
    "the oracle against itself": (["--backends", ORACLE], "needs two backends"),
}


@pytest.mark.parametrize(("options", "told"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_command_is_worth_2(options: list[str], told: str, run: Run) -> None:
    result = run(*options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr
