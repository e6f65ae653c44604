"""Thousands of broken specs, made from good ones: nothing raises, and what passes is a legal graph."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable

import pytest

from netspec.check import check_text
from netspec.diagnostics.render import as_text
from netspec.graph import verify
from netspec.language.places import zoo

SEED = 20260
ROUNDS = 3000
SECONDS = 20.0

EVERYTHING = """\
netspec: 1
name: everything
description: one of each
params: {classes: 10, widths: [4, 8], deep: true, size: 12, mode: same}
inputs: {image: [3, $size, $size], other: {shape: [3, 12, 12]}}
defaults:
  conv: {padding: $mode, bias: false, init: {normal: {std: 0.1}}}
blocks:
  squeeze:
    params: {ratio: 2, units: "${block.in.channels // ratio}"}
    layers:
      - multiply:
          - []
          - - global_avg_pool
            - dense: {units: $units, activation: relu}
            - dense: "${block.in.channels}"
            - sigmoid
  unit:
    params: {filters: , stride: 1}
    inputs: [x]
    layers:
      - add:
          - - conv: {filters: $filters, kernel: 3, stride: $stride}
            - batch_norm
            - squeeze: {ratio: 1}
          - - when: "${stride > 1 or in.channels != filters}"
              layers:
                - conv: {filters: $filters, kernel: 1, stride: $stride}
              else: []
  join:
    inputs: [x, y]
    layers:
      - concat: {axis: channels}
        from: [x, y]
      - leaky_relu: 0.1
layers:
  - conv: {filters: "${widths[0]}", kernel: [3, 3]}
    from: image
    name: stem
  - unit: {filters: 4}
    name: first
  - conv: {filters: 4, kernel: 3}
    from: other
    name: branch
    share: stem
  - join:
    from: [first, branch]
  - unit: {filters: "${8 * (index + 1)}", stride: "${2 if index == 0 else 1}"}
    repeat: 3
    name: stage
  - layers:
      - max_pool: {kernel: 2, rounding: ceil}
      - when: $deep
        layers: [dropout: 0.5, identity]
        name: inner
    name: tail
    trainable: false
  - add:
    from: [tail, tail.inner]
  - network: {spec: "zoo:lenet5", until: C1}
    when: "${in.channels == 1}"
  - global_avg_pool
  - dense: $classes
  - softmax: {temperature: 2}
heads:
  aux: {from: stage.0, layers: [global_max_pool, {dense: $classes}, softmax]}
expect:
  output: [10]
  max_params: 1M
"""

ODD = [
    *(
        "null",
        "~",
        '""',
        "''",
        "[]",
        "{}",
        "-1",
        "0",
        "1",
        "1e400",
        ".nan",
        "-.inf",
        "true",
        "9" * 18,
        "1.5",
        "2.0",
    ),
    *('"é"', "名前", "${", "$", "$x", '"${1 // 0}"', '"${in.channels}"', '"${index}"', '"${9 ** 9 ** 9}"'),
    *('"${block.in.__class__}"', '"${[1] * 99}"', "$classes", "[1, [2, [3]]]", "{a: {b: c}}", "x" * 300),
    *(
        "[[relu]]",
        "[relu]",
        "relu",
        "conv",
        "zoo:lenet5",
        "../../etc/passwd",
        "*",
        "a.b.*",
        '"\\0"',
        "'a b'",
        "same",
    ),
    *(
        "[1, 2, 3, 4, 5]",
        "[[0, 1], [1, 0]]",
        "200000",
        "&a [*a]",
        "!!python/object:os.system x",
        "2024-01-01",
    ),
]
KEYS = [
    "name",
    "from",
    "repeat",
    "when",
    "else",
    "share",
    "trainable",
    "layers",
    "conv",
    "unit",
    "branches",
    "netspec",
]

Mutation = Callable[[random.Random, list[str]], None]


def _drop(draw: random.Random, lines: list[str]) -> None:
    del lines[draw.randrange(len(lines))]


def _double(draw: random.Random, lines: list[str]) -> None:
    at = draw.randrange(len(lines))
    lines.insert(at, lines[at])


def _swap(draw: random.Random, lines: list[str]) -> None:
    a, b = draw.randrange(len(lines)), draw.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]


def _move(draw: random.Random, lines: list[str]) -> None:
    line = lines.pop(draw.randrange(len(lines)))
    lines.insert(draw.randrange(len(lines) + 1), line)


def _indent(draw: random.Random, lines: list[str]) -> None:
    at = draw.randrange(len(lines))
    lines[at] = "  " + lines[at] if draw.random() < 0.5 else lines[at].removeprefix("  ")


def _letter(draw: random.Random, lines: list[str]) -> None:
    at = draw.randrange(len(lines))
    line = lines[at] or " "
    place = draw.randrange(len(line))
    sign = draw.choice("abz019 -:,.[]{}\"'$#&*!|>%@\t\\é\u2028\x00")
    lines[at] = line[:place] + draw.choice(["", sign]) + line[place + draw.choice([0, 1]) :]


def _value(draw: random.Random, lines: list[str]) -> None:
    """Replace what stands behind a colon, or one value of a list, by something odd."""
    places = [
        (at, found)
        for at, line in enumerate(lines)
        for found in re.finditer(r"(?<=: )[^,{}\[\]]+|(?<=[\[ ])[\w$.]+(?=[,\]])", line)
    ]
    if places:
        at, found = draw.choice(places)
        lines[at] = lines[at][: found.start()] + draw.choice(ODD) + lines[at][found.end() :]


def _key(draw: random.Random, lines: list[str]) -> None:
    places = [(at, found) for at, line in enumerate(lines) for found in re.finditer(r"\w+(?=:)", line)]
    if places:
        at, found = draw.choice(places)
        lines[at] = lines[at][: found.start()] + draw.choice(KEYS) + lines[at][found.end() :]


def _beside(draw: random.Random, lines: list[str]) -> None:
    """Put a reserved key beside an item."""
    items = [at for at, line in enumerate(lines) if line.lstrip().startswith("- ")]
    if items:
        at = draw.choice(items)
        indent = " " * (len(lines[at]) - len(lines[at].lstrip()) + 2)
        if ":" not in lines[at]:
            lines[at] += ":"
        lines.insert(at + 1, f"{indent}{draw.choice(KEYS)}: {draw.choice(ODD)}")


MUTATIONS: list[Mutation] = [
    _drop,
    _double,
    _swap,
    _move,
    _indent,
    _letter,
    _value,
    _value,
    _value,
    _key,
    _beside,
]


def _texts() -> list[str]:
    return [EVERYTHING] * 3 + [path.read_text(encoding="utf-8") for path in zoo().values()]


def test_the_spec_with_everything_holds() -> None:
    graph, diagnostics = check_text(EVERYTHING, "everything.yaml")
    assert not diagnostics, as_text(diagnostics)
    assert graph is not None
    verify(graph)


def test_no_input_raises() -> None:
    texts = _texts()
    began = time.monotonic()
    passed = 0
    for number in range(ROUNDS):
        draw = random.Random(f"{SEED}/{number}")
        lines = draw.choice(texts).splitlines()
        for _ in range(draw.choice([1, 1, 1, 2, 3, 5])):
            if lines:
                draw.choice(MUTATIONS)(draw, lines)
        text = "\n".join(lines)
        try:
            graph, diagnostics = check_text(text, "mutant.yaml")
            if graph is not None:
                verify(graph)
                passed += 1
            else:
                assert diagnostics, "no graph, and nothing said"
            as_text(diagnostics, {"mutant.yaml": text})
        except BaseException as error:
            pytest.fail(f"random.Random('{SEED}/{number}'): {error!r}\n{text}")
        if time.monotonic() - began > SECONDS:
            break
    assert number > 500, "too slow to prove anything"
    assert number / 20 < passed < number * 0.9, (
        f"{passed} of {number} passed: the mutations are too weak, or too strong"
    )
