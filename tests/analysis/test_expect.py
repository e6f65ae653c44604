"""What a spec expects of itself: held, failed with both numbers and a place, or told as not held to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netspec.analysis import analyze
from netspec.analysis.expect import hold
from netspec.diagnostics import Problems, Span
from netspec.graph import Graph, Scope
from netspec.language.elaboration.expect import amount, expectations
from netspec.language.reading import source
from netspec.language.reading.source import Mapping, Scalar
from netspec.ops.conv import Conv
from netspec.ops.dense import Dense
from netspec.ops.reshape import Flatten
from tests.building import Sketch, span


def network(expect: str, altered: tuple[str, ...] = (), several: bool = False) -> tuple[Mapping, Graph]:
    """A block `stem` of one convolution (28 parameters, 252 MACs), and a dense layer (370 and 360)."""
    sketch = Sketch(image=(1, 5, 5))
    sketch.add("stem.conv1", Conv.model_validate({"filters": 4, "kernel": 3, "bias": False}))
    sketch.scope(Scope("stem", "block", "", ("image",), "stem.conv1", span()))
    sketch.add("flat", Flatten())
    sketch.add("top", Dense(units=10))
    graph = sketch.graph(**({"first": "flat", "second": "top"} if several else {}))
    problems = Problems()
    read = source.read(expect, "expect.yaml", problems)
    assert isinstance(read, Mapping), list(problems)
    return read, replace(graph, altered=altered)


def problems_of(expect: str, **more: object) -> Problems:
    """What the language says of the text, and the analysis of the numbers."""
    text, graph = network(expect, **more)  # type: ignore[arg-type]
    problems = Problems()
    graph = replace(graph, expect=expectations(text, graph, problems))
    problems.add(hold(graph, analyze(graph)))
    return problems


def complaints(expect: str, **more: object) -> list[tuple[str, int, int, str]]:
    problems = problems_of(expect, **more)
    return [(str(each.code), each.span.line, each.span.column, each.message) for each in problems]


HOLDS = """\
output: [10]
params: 406
trainable: 406
macs: 684
layers: {stem: [4, 3, 3], stem.conv1: [4, 3, 3], flat: [36], image: [1, 5, 5]}
max_params: 406
max_macs: 0.684k
max_memory: 1.912kB
"""


def test_all_of_it_holds() -> None:
    assert complaints(HOLDS) == []
    assert complaints("output: {output: [10]}") == []
    assert complaints("output: {second: [10], first: [36]}", several=True) == []


def test_no_expectation_is_no_problem() -> None:
    _, graph = network("params: 1")
    assert not len(hold(graph, analyze(graph)))


UNMET = {
    "params: 407": ("NS0401", 9, "`params` is 406, but the spec expects 407"),
    "trainable: 1": ("NS0401", 12, "`trainable` is 406, but the spec expects 1"),
    "macs: 1_000": ("NS0401", 7, "`macs` is 684, but the spec expects 1,000"),
    "output: [11]": ("NS0401", 9, "the output is [10], but the spec expects [11]"),
    "output: {output: [10, 1]}": ("NS0401", 18, "the output `output` is [10], but the spec expects [10, 1]"),
    "layers: {stem: [4, 3, 4]}": ("NS0401", 16, "`stem` is [4, 3, 3], but the spec expects [4, 3, 4]"),
    "max_params: 405": ("NS0402", 13, "`params` is 406, but the spec allows 405"),
    "max_macs: 0.6k": ("NS0402", 11, "`macs` is 684, but the spec allows 600"),
    "max_memory: 1.7kB": ("NS0402", 13, "`memory` is 1,912 bytes, but the spec allows 1,700 bytes"),
    "parms: 406": ("NS0403", 1, "`expect` does not have the key `parms`"),
    "params: many": ("NS0404", 9, "`params` must be a whole number; this is `many`"),
    "params: 406.0": ("NS0404", 9, "`params` must be a whole number; this is `406.0`"),
    "params: true": ("NS0404", 9, "`params` must be a whole number; this is `true`"),
    "output: 10": ("NS0404", 9, "a shape must be a list of whole numbers, channels first; this is `10`"),
    "output: [ten]": ("NS0404", 9, "a shape must be a list of whole numbers, channels first; this is a list"),
    "layers: [4]": ("NS0404", 9, "`layers` maps names of layers to shapes; this is [4]"),
    "max_params: -1": ("NS0404", 13, "`max_params` must be a number from 0; this is `-1`"),
    "max_params: 5kB": ("NS0404", 13, "`max_params` must be a number from 0; this is `5kB`"),
    "max_macs: .inf": ("NS0404", 11, "`max_macs` must be a number from 0; this is `.inf`"),
    "layers: {sten: [4, 3, 3]}": ("NS0405", 10, "the network has no `sten`"),
    "output: {aux: [10]}": ("NS0405", 10, "the network has no output `aux`"),
}


@pytest.mark.parametrize(("expect", "told"), UNMET.items(), ids=UNMET)
def test_each_failure_has_its_code_place_and_numbers(expect: str, told: tuple[str, int, str]) -> None:
    code, column, message = told
    assert complaints(expect) == [(code, 1, column, message)]


def test_all_failures_are_told_in_one_run() -> None:
    assert [line for _, line, _, _ in complaints("params: 1\nmacs: 2\noutput: [3]\n")] == [1, 2, 3]


def test_several_outputs_need_a_name() -> None:
    ((code, _, _, message),) = complaints("output: [10]", several=True)
    assert (code, message) == ("NS0404", "the network has several outputs (first, second); this is [10]")


def test_an_altered_spec_is_told_as_not_held_to_and_never_fails() -> None:
    wrong = "params: 1\nmax_macs: 1\noutput: [1]\nlayers: {gone: [1], flat: [1]}\n"
    problems = problems_of(wrong, altered=("classes", "size"))
    assert not problems.errors
    (warning,) = problems
    assert str(warning.code) == "NS0406"
    assert "`classes`, `size`" in warning.message
    assert warning.notes == ("not checked: params, max_macs, output, layers",)


def test_what_cannot_be_read_is_an_error_all_the_same() -> None:
    assert {code for code, *_ in complaints("parms: 1", altered=("size",))} == {"NS0403", "NS0406"}


AMOUNTS = {
    "4000": 4000,
    "4_000": 4000,
    "4.0G": 4e9,
    "4 G": 4e9,
    "12.6M": 12.6e6,
    "1e3": 1000,
    "2.5k": 2500,
    "1T": 1e12,
    "0": 0,
    "G": None,
    "4g": None,
    "-4k": None,
    "4KiB": None,
    "nan": None,
    "": None,
    "1e999G": None,
    "'1e400'": None,
}


@pytest.mark.parametrize(("text", "number"), AMOUNTS.items())
def test_amounts(text: str, number: float | None) -> None:
    value = source.read(f"x: {text}", "amount.yaml", Problems())
    assert isinstance(value, Mapping)
    assert amount(value.entries["x"].value) == number


def test_bytes_are_for_memory() -> None:
    def word(text: str) -> Scalar:
        return Scalar(text, Span("x", 1, 1, 1, 2), text)

    assert amount(word("12.6MB"), in_bytes=True) == 12.6e6
    assert amount(word("512B"), in_bytes=True) == 512
    assert amount(word("12.6MB")) is None
