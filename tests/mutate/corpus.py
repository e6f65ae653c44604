"""The valid specs that mutants are made of: the zoo, the table of cases, structures, examples of every code."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cached_property
from textwrap import dedent

from netspec.diagnostics.catalogue import CODES
from netspec.language.reading.locations import zoo
from netspec.writing.spec import write_spec
from tests.cases import CASES
from tests.structures import STRUCTURES

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
  cell:
    inputs: [x, h]
    outputs: [y, state]
    params: {units: "${h.channels}", act: tanh}
    layers:
      - add: [x, [{dense: $units, from: h}]]
      - activation: $act
        name: state
      - dense: "${in.channels}"
        name: y
  glass:
    params: {depth: , filters: 4}
    inputs: x
    layers:
      - add:
          - []
          - - avg_pool: {kernel: 2, padding: same}
            - glass: "${depth - 1}"
              when: "${depth > 1}"
              else: [{conv: {filters: "${in.channels}", kernel: 1}}]
            - upsample: {like: x}
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
  - pad: 1
  - crop: {like: tail}
    name: conv1
  - cell:
    from: [conv1, tail]
    repeat: 3
    carry: {h: state}
    name: loop
  - layers:
      - {identity: , name: now}
      - {cell: {act: relu}, from: [now, loop.state], repeat: "${1 + outer.index}", carry: {h: h}}
    repeat: 2
    name: outer
  - concat: [loop, loop.state, outer, [{activation: {leaky_relu: 0.5}}, {glass: 1}]]
  - conv: {filters: "${stem.channels + glass.count + cell.count}", kernel: 1}
  - network: {spec: "zoo:lenet5", until: C1}
    when: "${in.channels == 1}"
  - global_avg_pool
  - dense: $classes
  - softmax: {temperature: 2}
heads:
  aux: {from: stage.0, layers: [global_max_pool, {dense: $classes}, softmax]}
  branch: branch
  state: {from: loop.state, layers: []}
expect:
  output: [10]
  max_params: 1M
"""
"""One of each key of the language."""

RECIPE = """\
netspec: 1
name: learner
params: {classes: 10, rate: 0.1}
input: [1, 28, 28]
layers:
  - conv: {filters: 8, kernel: 5, activation: relu, init: {normal: {std: 0.1}}}
  - max_pool: {kernel: 2, stride: 2}
  - flatten
  - dense: $classes
  - softmax
expect: {output: [10], params: 11738, layers: {conv1: [8, 24, 24]}, max_memory: 1MB}
train:
  data: fashion-mnist-small
  epochs: 2
  batch: 32
  loss: cross_entropy
  optimizer: {sgd: {learning_rate: $rate, momentum: 0.9}}
"""


TRUNK = """\
netspec: 1
name: trunk
params: {width: 4}
input: [1, 16, 16]
layers:
  - conv: {filters: $width, kernel: 3, padding: same}
    name: first
  - layers: [{conv: {filters: $width, kernel: 3, padding: same}}, relu]
    repeat: 3
    name: stage
  - {add: [[], [{tanh: , name: branch}]], repeat: 2, name: merges}
  - max_pool: 2
  - dense: 3
heads: {aux: {from: stage.0, layers: [global_avg_pool, {dense: 9}]}}
"""
PARTS = """\
netspec: 1
defaults: {conv: {padding: same}}
blocks:
  unit: {params: {filters: 4}, layers: [{conv: {filters: $filters, kernel: 3}}, batch_norm, relu]}
  join: {inputs: [x, skip], layers: [{add: , from: [x, skip]}, {unit: {filters: "${in.channels}"}}]}
"""
FILES = {"trunk.yaml": TRUNK, "parts.yaml": PARTS}
"""What lies beside a mutant."""

EMBEDDING = """\
netspec: 1
name: embedding
params: {width: 6, until: stage.1}
input: [1, 16, 16]
blocks: {include: parts.yaml}
layers:
  - network: {spec: trunk.yaml, until: $until, params: {width: $width}, weights: trunk.safetensors}
    name: trunk
    trainable: false
  - unit: {filters: 6}
    name: a
  - join:
    from: [a, trunk.stage.0]
  - network: {spec: trunk.yaml, params: {width: 5}, until: merges.1}
    from: input
    name: second
  - concat:
    from: [join1, second.merges.0, second.first]
  - global_avg_pool
  - dense: 4
expect: {layers: {trunk: [6, 16, 16], second: [5, 16, 16]}}
"""
"""A spec with others in it."""


@dataclass(frozen=True)
class Corpus:
    """Texts in groups; a mutant starts from a random text of a random group."""

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Small texts come first and often: a mutant of a large one takes long and differs little."""
        structures = tuple(
            f"netspec: 1\nname: {name}\n{dedent(text).strip()}\n" for name, text in STRUCTURES.items()
        )
        cases = tuple(write_spec(case.graph(), "a_case") for case in CASES)
        specs = tuple(path.read_text(encoding="utf-8") for path in zoo().values())
        examples = tuple(code.example for code in CODES.values() if code.example)
        whole = (EVERYTHING, EVERYTHING, RECIPE, EMBEDDING)
        return whole, structures, structures, cases, examples, specs

    def draw(self, chance: random.Random) -> str:
        return chance.choice(chance.choice(self.groups))


CORPUS = Corpus()
