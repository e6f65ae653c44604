"""A report takes no longer than its text: no number, no repeat and no count of errors multiplies the work."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from netspec.analysis import analyze
from netspec.check import check_file, check_text
from netspec.diagnostics import SHOWN, Problems, Span
from netspec.diagnostics.codes import structure as codes
from netspec.diagnostics.render import REPORTS, as_text
from tests.rereading import differences, reread

HEAD = "netspec: 1\nname: x\ninput: [4, 8, 8]\n"
LIMIT = 20.0
"""Seconds: a hang on any machine, where each of these takes well below one."""


def lines(count: int, make: Callable[[int], str]) -> str:
    return "".join(map(make, range(count)))


def _doubling(count: int) -> str:
    return (
        HEAD
        + "params:\n  a0: [1, 2]\n"
        + lines(count, lambda n: f"  a{n + 1}: [$a{n}, $a{n}]\n")
        + "layers: [relu]\n"
    )


TEXTS: dict[str, tuple[Callable[[int], str], set[str]]] = {
    "duplicate keys": (
        lambda n: f"{HEAD}defaults:\n{('  a: 1' + chr(10)) * n}layers: [relu]\n",
        {"NS0010", "NS0025"},
    ),
    "duplicate keys on one line": (
        lambda n: f"{HEAD}defaults: {{{'a: 1, ' * n}}}\nlayers: [relu]\n",
        {"NS0010", "NS0025"},
    ),
    "unknown ops": (lambda n: f"{HEAD}layers: [{lines(n, lambda i: f'foo{i}, ')}]\n", {"NS0105", "NS0025"}),
    "unknown blocks beside blocks": (
        lambda n: f"{HEAD}blocks:\n{lines(n, lambda i: f'  b{i}_x: {{layers: [c{i}]}}' + chr(10))}layers: [relu]\n",
        {"NS0105", "NS0025"},
    ),
    "unknown names": (
        lambda n: f"{HEAD}layers:\n{lines(n, lambda i: f'- {{relu: , name: n{i}, from: m{i}}}' + chr(10))}",
        {"NS0109", "NS0025"},
    ),
    "unknown fields": (
        lambda n: f"{HEAD}layers:\n- conv: {{{lines(n, lambda i: f'k{i}: 1, ')}filters: 3, kernel: 1}}\n",
        {"NS0103", "NS0025"},
    ),
    "unknown parameters": (
        lambda n: f"{HEAD}params: {{{lines(900, lambda i: f'p{i}: 1, ')}}}\nlayers:\n"
        + lines(n, lambda i: f"- dense: $q{i}\n"),
        {"NS0203", "NS0025"},
    ),
    "unknown aliases": (
        lambda n: f"{HEAD}params: {{{lines(n, lambda i: f'p{i}: &a{i} 1, ')}}}\n"
        f"layers: [{lines(n, lambda i: f'*b{i}, ')}]\n",
        {"NS0022", "NS0025"},
    ),
    "unknown expectations": (
        lambda n: f"{HEAD}layers: [relu]\nexpect: {{layers: {{{lines(n, lambda i: f'a{i}: [1], ')}}}}}\n",
        {"NS0405", "NS0025"},
    ),
    "unknown words of a recipe": (
        lambda n: f"{HEAD}layers: [flatten, {{dense: 3}}]\ntrain: {{{lines(n, lambda i: f'a{i}: 1, ')}}}\n",
        {"NS0501", "NS0025"},
    ),
    "unused layers": (
        lambda n: f"{HEAD}layers:\n{lines(min(n, 900), lambda _: '- {relu: , from: input}' + chr(10))}",
        {"NS0117", "NS0025"},
    ),
    "long words": (lambda n: f"{HEAD}layers: [{'a' * 50 * n}, {'a' * 50 * n}b]\n", {"NS0105"}),
    "long aliases": (lambda n: f"{HEAD}params: {{a: &{'a' * 50 * n} 1}}\nlayers: [*{'a' * 50 * n}b]\n", {"NS0022"}),
    "parameters that double": (_doubling, {"NS0104"}),
    "parameters in each other": (
        lambda n: f"{HEAD}params:\n  a0: [1]\n{lines(900, lambda i: f'  a{i + 1}: [$a{i}]' + chr(10))}layers: [relu]\n",
        {"NS0104"},
    ),
    "more parameters than anybody names": (
        lambda n: f"{HEAD}params: {{{lines(n, lambda i: f'p{i}: 1, ')}}}\nlayers: [relu]\n",
        {"NS0104"},
    ),
    "a table in every repetition": (
        lambda n: f"{HEAD}params: {{t: [{'[0, 1], ' * 500}]}}\n"
        f"layers:\n- conv: {{filters: 500, kernel: 1, table: $t}}\n  repeat: {n}\n",
        {"NS0119"},
    ),
    "a table of its own in every repetition": (
        lambda n: f"{HEAD}layers:\n- conv: {{filters: 500, kernel: '${{index + 1}}', padding: same, "
        f"table: [{'[0, 1], ' * 500}]}}\n  repeat: {n}\n",
        {"NS0119"},
    ),
    "all repetitions in every repetition": (
        lambda n: f"{HEAD}layers:\n- layers: [relu]\n  name: a\n  repeat: {n // 3}\n"
        f"- layers: [{{add: , from: a.*}}]\n  repeat: {n // 3}\n",
        {"NS0119"},
    ),
    "names that cannot be known": (
        lambda n: "netspec: 1\nname: x\nlayers:\n" + "- {add: , from: [i, j, k, l, m, o]}\n" * n,
        {"NS0102"},
    ),
    "an error in every call": (
        lambda n: f"{HEAD}blocks: {{b: {{layers: [{{tanh: , from: nobody}}]}}}}\nlayers:\n"
        + "- {b: , from: input}\n" * (n // 4),
        {"NS0109"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "found"), TEXTS.values(), ids=TEXTS)
def test_a_long_text_is_read_and_reported_in_time(make: Callable[[int], str], found: set[str]) -> None:
    text = make(4000)
    began = time.process_time()
    _, diagnostics = check_text(text, "spec.yaml")
    shown = [
        as_text(diagnostics, {"spec.yaml": text}),
        *(r([("spec.yaml", diagnostics)]) for r in REPORTS.values()),
    ]
    assert time.process_time() - began < LIMIT
    assert {each.code.id for each in diagnostics} == found
    assert len(diagnostics) <= SHOWN + 1
    assert all(len(each) < 300_000 for each in shown)


def test_what_is_not_shown_is_counted() -> None:
    text = f"{HEAD}layers: [relu]\ndefaults:\n" + "  conv: {bias: false}\n" * 20_000
    *shown, last = check_text(text, "spec.yaml")[1]
    assert len(shown) == SHOWN
    assert last.message == "100 problems are shown; there are at least 19,899 more, from here on"
    assert last.span.line == 6 + SHOWN + 1


def test_warnings_never_hide_an_error() -> None:
    text = f"{HEAD}layers:\n" + "- {relu: , from: input}\n" * 150 + "expect: {output: [1]}\n"
    _, diagnostics = check_text(text, "spec.yaml")
    assert [each.code.id for each in diagnostics if each.severity == "error"] == ["NS0401"]


def test_however_many_warnings_are_no_error() -> None:
    text = f"{HEAD}layers:\n" + "- {relu: , from: input}\n" * 150
    graph, diagnostics = check_text(text, "spec.yaml")
    assert graph is not None
    assert {each.severity for each in diagnostics} == {"warning"}
    assert diagnostics[-1].message == "100 problems are shown; there are at least 49 more, from here on"


def test_a_text_that_an_author_makes_long_is_cut() -> None:
    problems = Problems()
    problems.error(codes.NAME, "a" * 5000, Span("f.yaml", 1, 1, 1, 2), notes=["b"] * 50, help="c" * 5000)
    (only,) = problems.in_order()
    assert len(only.message) < 1010
    assert len(only.help or "") < 1010
    assert only.notes[12:] == ("and 38 more notes",)


VAST = {
    "a pool": "input: [3, 32, 32]\nlayers: [{max_pool: {kernel: 1000000000, padding: 500000000, stride: 1}}]",
    "a pool with steps": "input: [1, 32]\nlayers: [{pad: 1000000007}, {max_pool: {kernel: 999999937, stride: 65537}}, "
    "{upsample: 65521}, {max_pool: 30011}, {upsample: 4099}]",
    "a table": "input: [1099511627776, 1]\nlayers: [{conv: {filters: 1, kernel: 1, table: [[0, 1099511627775]]}}]",
    "blocks": "input: [1, 1099511627776]\nlayers: [{space_to_depth: 1048576}, {depth_to_space: 524288}]",
    "a dilated window": "input: [1, 64]\nlayers: "
    "[{conv: {filters: 1, kernel: 3, dilation: 1000000007, padding: same}}]",
    "a transposed one": "input: [1, 64]\nlayers: [{conv_transpose: {filters: 1, kernel: 99991, stride: 65537}}]",
    "a crop": "input: [1, 1099511627776]\nlayers: [{crop: [[99999999977, 3]]}, {upsample: {size: 1099511627777}}]",
    "groups": "input: [1099511627776, 1]\nlayers: [{group_norm: 4294967296}, {channel_pool: 1048576}]",
    "a shape": "input: [1099511627776, 1]\nlayers: [{reshape: [1048576, 1048576]}, flatten]",
}


@pytest.mark.parametrize("text", VAST.values(), ids=VAST)
def test_a_vast_network_is_reckoned_in_time(text: str) -> None:
    began = time.process_time()
    graph, diagnostics = check_text(f"netspec: 1\nname: x\n{text}\n", "spec.yaml")
    assert graph is not None, as_text(diagnostics)
    assert differences(graph, reread(graph)[0]) == []
    assert all(each["output"] for each in analyze(graph).as_dict()["layers"])
    assert time.process_time() - began < LIMIT


@pytest.mark.parametrize("layers", ["[outer, relu]", "[outer, {dense: {units: 0}}]", "[outer: {a: 1}, 3]"])
def test_a_check_leaves_nothing_to_the_collector(layers: str, tmp_path: Path) -> None:
    """The memory of a run comes back at its end: looking for it took up to a fifth of the time of a check."""
    (tmp_path / "trunk.yaml").write_text(HEAD + "params: {a: 1}\nlayers: [{dense: $a}]\n", encoding="utf-8")
    text = (
        'params: {n: 2}\nblocks:\n  inner: {params: {b: "${in.channels}"}, layers: [{dense: $b}]}\n'
        "  outer: {params: {c: $n}, layers: [{inner: $c}, inner, {network: {spec: trunk.yaml, params: {a: $c}}}]}\n"
        f"layers: {layers}"
    )
    path = tmp_path / "a.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    check_file(path)  # what is loaded and cached at the first time stays
    gc.collect()
    gc.disable()
    try:
        check_file(path)
        assert gc.collect() == 0
    finally:
        gc.enable()
