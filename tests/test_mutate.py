"""Texts made of good specs at random: nothing raises, hangs or points at nowhere; what holds is written again."""

from __future__ import annotations

import pytest

from netspec.check import check_text
from netspec.diagnostics.render import as_text
from netspec.graph import verify
from tests.mutate.corpus import CORPUS, EVERYTHING, RECIPE
from tests.mutate.shrink import shrunk
from tests.mutate.trial import mutant
from tests.mutate.workers import Tally, attempt, run, run_all


def hold(tally: Tally, seed: str) -> None:
    shown = [
        f"{each.kind}\nagain: python -m tests.mutate --seed {seed} --only {each.number}\n{each.details}"
        for each in tally.failures[:5]
    ]
    assert not shown, "\n\n".join(shown)
    share = tally.held / tally.count
    assert 0.05 < share < 0.7, f"{share:.0%} of the mutants hold: the edits are too strong, or too weak"


def test_some_mutants_of_every_kind() -> None:
    hold(run("quick", range(250)), "quick")


@pytest.mark.slow
def test_many_mutants_of_every_kind() -> None:
    *_, tally = run_all("slow", 6000, jobs=2)
    hold(tally, "slow")
    assert tally.count == 6000
    assert len(tally.codes) > 80


@pytest.mark.parametrize("text", [EVERYTHING, RECIPE])
def test_what_mutants_are_made_of_holds(text: str) -> None:
    graph, diagnostics = check_text(text, "spec.yaml")
    assert not diagnostics, as_text(diagnostics, {"spec.yaml": text})
    assert graph is not None
    verify(graph)


def test_a_mutant_is_the_same_each_time() -> None:
    assert [mutant("a", number) for number in range(50)] == [mutant("a", number) for number in range(50)]
    assert mutant("a", 1) != mutant("b", 1)
    assert sum(map(len, CORPUS.groups)) > 500


def test_a_hang_a_crash_and_a_wrong_place_are_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(text: str, file: str) -> None:
        while True:
            pass

    def crash(text: str, file: str) -> None:
        raise KeyError(text)

    monkeypatch.setattr("tests.mutate.workers.SECONDS", 0.2)
    for broken, kind in ((hang, "TooSlow"), (crash, "KeyError")):
        monkeypatch.setattr("tests.mutate.trial.check_text", broken)
        failure, _, _ = attempt("netspec: 1\n")
        assert failure is not None
        assert failure.kind.startswith(kind)


def test_a_failing_text_is_made_short(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(text: str, file: str) -> tuple[None, list[object]]:
        if "relu" in text:
            raise KeyError("relu")
        return None, []

    monkeypatch.setattr("tests.mutate.trial.check_text", crash)
    failure, _, _ = attempt(EVERYTHING)
    assert failure is not None
    assert shrunk(EVERYTHING, failure.kind) == "relu"
