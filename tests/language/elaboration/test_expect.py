"""`expect` and `train` are read by the language: what cannot be read is an error of the spec, in every command."""

from __future__ import annotations

from pathlib import Path

import pytest

import netspec
from netspec.check import check_text
from netspec.diagnostics import Problems, SpecError
from netspec.language.document.recipe import settle
from netspec.recipe import Recipe
from netspec.recipe.optimizers import Sgd
from tests.language.author import FILE, hold_refusals, spec, told

LAYERS = "layers: [flatten, {dense: 3}]\n"
PARAMS = 4 * 8 * 8 * 3 + 3
UNREADABLE = {
    "an unknown key": ("expect: {«parms»: 3}", "NS0403", "`params`"),
    "a shape that must be a number": ("expect: {output: «3»}", "NS0404", "write `[3]`"),
    "a shape of a layer": ("expect: {layers: {flatten1: «many»}}", "NS0404", "write `[256]`"),
    "an exact number in words": (
        "expect: {params: «few»}",
        "NS0404",
        f"`params: {PARAMS}`; `max_params` is for",
    ),
    "a negative bound": ("expect: {max_macs: «-1»}", "NS0404", "`max_macs: 4.0G`"),
    "an unknown setting": ("train: {«epoch»: 3}", "NS0501", "`epochs`"),
    "a setting of no value": ("train: {epochs: «0»}", "NS0502", "a whole number from 1"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_read_is_an_error_of_the_spec(case: str, tmp_path: Path) -> None:
    text, code, words = UNREADABLE[case]
    hold_refusals(LAYERS + text, (code, words))
    path = tmp_path / "spec.yaml"
    path.write_text(spec(LAYERS + text.replace("«", "").replace("»", "")), encoding="utf-8")
    with pytest.raises(SpecError) as raised:
        netspec.load(path)
    assert [each.code.id for each in raised.value.diagnostics] == [code]


def test_a_number_that_does_not_hold_is_for_check_alone(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(spec(LAYERS + "expect: {params: 7, output: [3]}"), encoding="utf-8")
    graph = netspec.load(path)
    assert graph.expect is not None
    assert [(each.key, each.wanted) for each in graph.expect.items] == [("params", 7), ("output", (3,))]
    assert graph.shapes().totals.params == PARAMS


def codes_of(text: str) -> list[str]:
    return [each.code.id for each in told(text)]


def test_all_of_it_is_told_in_one_run() -> None:
    text = "layers: [{dense: 3}]\nexpect: {params: 7, output: ten}\ntrain: {epochs: 0}"
    assert codes_of(text) == ["NS0509", "NS0401", "NS0404", "NS0502"]


def test_it_is_told_beside_errors_in_the_layers() -> None:
    text = "layers: [{conv: {filters: 2, kernel: 99}}]\nexpect: {params: few}\ntrain: {epoch: 0}"
    assert codes_of(text) == ["NS0301", "NS0404", "NS0501"]


def test_a_setting_from_outside_is_laid_over_what_the_spec_states() -> None:
    text = "layers: [flatten, dense: 3]\ntrain: {batch: 8, optimizer: {sgd: {momentum: 0.9, nesterov: true}}}"
    graph, found = check_text(spec(text), FILE)
    assert graph is not None, found
    problems = Problems()
    assert settle(graph.train, problems) == Recipe(batch=8, optimizer=Sgd(momentum=0.9, nesterov=True))
    assert settle(graph.train, problems, FILE, {"batch": 4}) == Recipe(
        batch=4, optimizer=Sgd(momentum=0.9, nesterov=True)
    )
    assert settle(graph.train, problems, FILE, {"optimizer.sgd.momentum": 0}) is None
    (problem,) = problems
    line = spec(text).splitlines()[problem.span.line - 1]
    assert line[problem.span.column - 1 : problem.span.end_column - 1] == "true"
