"""Times reading and elaborating generated specs of 100, 1,000 and 10,000 layers: how long, and how it grows.

    python benchmarks/bench_elaborate.py [--rounds N]

Every spec is written out, line by line, as an author would: convolutions, batch norm, activations, branches that
are added, calls of a block with parameters and expressions. Each figure is the median of its rounds, which take
turns, in seconds of the processor, so that a busy machine tells little. Exits with 1 when a spec has anything wrong.
"""

from __future__ import annotations

import argparse
import sys
import time
from statistics import median

from netspec.diagnostics import Problems
from netspec.graph import Graph
from netspec.language.reading.source import read
from netspec.loading import graph_of_text

SIZES = (100, 1_000, 10_000)
AIM_SECONDS = 2.0
LAYERS_A_CHUNK = 11

HEAD = """\
netspec: 1
name: generated
params: {width: 16}
input: [16, 32, 32]
defaults:
  conv: {padding: same, bias: false}
blocks:
  unit:
    params: {filters: , stride: 1}
    layers:
      - add:
          - - conv: {filters: $filters, kernel: 3, stride: $stride}
            - batch_norm
            - relu
          - - when: "${stride > 1 or in.channels != filters}"
              layers:
                - conv: {filters: $filters, kernel: 1, stride: $stride}
      - relu
layers:
"""


def chunk(number: int) -> str:
    """Eleven layers: three plain ones, a sum of two branches, and a call that makes five."""
    return (
        "  - conv: {filters: 16, kernel: 3}\n"
        "  - batch_norm\n"
        f"  - relu:\n    name: act_{number}\n"
        "  - add:\n"
        "      - - conv: {filters: $width, kernel: [1, 3], init: he_normal}\n"
        f"      - - leaky_relu: 0.1\n          from: act_{number}\n"
        "  - unit: {filters: 16}\n"
    )


def spec(layers: int) -> str:
    """A spec of so many layers, give or take a few."""
    return HEAD + "".join(chunk(number) for number in range(round(layers / LAYERS_A_CHUNK)))


def timed(text: str) -> tuple[Graph, float, float]:
    """The graph of a text, the seconds of its reading, and those of all, reading included."""
    began = time.process_time()
    read(text, "generated.yaml", Problems())
    middle = time.process_time()
    problems = Problems()
    graph = graph_of_text(text, "generated.yaml", problems)
    ended = time.process_time()
    if graph is None or problems.found:
        sys.exit(f"the generated spec is wrong: {problems.found[:3]}")
    return graph, middle - began, ended - middle


def main() -> None:
    """Print a row a size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    texts = {size: spec(size) for size in SIZES}
    timed(texts[SIZES[0]])  # what is built once, when it is first used, is not what is timed
    found: dict[int, list[tuple[float, float]]] = {size: [] for size in SIZES}
    count: dict[int, int] = {}
    for _ in range(rounds):
        for size, text in texts.items():
            graph, reading, together = timed(text)
            count[size] = len(graph.nodes)
            found[size].append((reading, together))
    print(f"{'layers':>8} {'lines':>8} {'read':>10} {'elaborate':>10} {'together':>10} {'a layer':>10}")
    for size, text in texts.items():
        reading, together = (median(row[part] for row in found[size]) for part in (0, 1))
        elaborating = together - reading
        print(
            f"{count[size]:>8,} {text.count(chr(10)):>8,} {reading * 1e3:>7.1f} ms {elaborating * 1e3:>7.1f} ms "
            f"{together * 1e3:>7.1f} ms {together / count[size] * 1e6:>7.1f} µs"
        )
    print(f"aim: {SIZES[-1]:,} layers within {AIM_SECONDS:.0f} s, and as long a layer at every size")


if __name__ == "__main__":
    main()
