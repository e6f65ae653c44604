"""Texts made of good specs at random: nothing raises, hangs or points at nowhere; what holds is written again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutate.corpus import CORPUS, EMBEDDING, EVERYTHING, RECIPE
from tests.mutate.shrink import shrunk
from tests.mutate.trial import derive, examine, mutant
from tests.mutate.workers import PATIENCE, Tally, attempt, run, run_all


def hold(tally: Tally, seed: str) -> None:
    shown = [
        f"{each.kind}\nagain: python -m tests.mutate --seed {seed} --only {each.number}\n{each.details}"
        for each in tally.failures[:5]
    ]
    assert not shown, "\n\n".join(shown)
    share = tally.held / tally.count
    assert 0.05 < share < 0.7, f"{share:.0%} of the mutants hold: the edits are too strong, or too weak"


def test_some_mutants_of_every_kind() -> None:
    hold(run("quick", range(250), PATIENCE), "quick")


@pytest.mark.slow
def test_many_mutants_of_every_kind() -> None:
    *_, tally = run_all("slow", 4000, jobs=2, limit=PATIENCE)
    hold(tally, "slow")
    assert tally.count == 4000
    assert len(tally.codes) > 80


@pytest.mark.parametrize("text", [EVERYTHING, RECIPE, EMBEDDING])
def test_what_mutants_are_made_of_holds(text: str) -> None:
    outcome, graph = examine(text)
    assert outcome.codes <= {"NS0132"}, "only the weights of an embedded network are not there"
    assert graph is not None
    derive(graph)


def test_a_mutant_is_the_same_each_time() -> None:
    assert [mutant("a", number) for number in range(50)] == [mutant("a", number) for number in range(50)]
    assert mutant("a", 1) != mutant("b", 1)
    assert sum(map(len, CORPUS.groups)) > 500


def test_a_hang_a_crash_and_a_wrong_place_are_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(path: Path) -> None:
        while True:
            pass

    def crash(path: Path) -> None:
        raise KeyError(path)

    for broken, kind in ((hang, "TooSlow"), (crash, "KeyError")):
        monkeypatch.setattr("tests.mutate.trial.check_file", broken)
        failure, _, _ = attempt("netspec: 1\n", limit=0.2)
        assert failure is not None
        assert failure.kind.startswith(kind)


def test_a_failing_text_is_made_short(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(path: Path) -> tuple[None, list[object]]:
        if "relu" in path.read_text(encoding="utf-8"):
            raise KeyError("relu")
        return None, []

    monkeypatch.setattr("tests.mutate.trial.check_file", crash)
    failure, _, _ = attempt(EVERYTHING)
    assert failure is not None
    assert shrunk(EVERYTHING, failure.kind) == "relu"
