"""Times `netspec compile` beside `netspec check` of the same spec: what writing and proving the source costs.

    python benchmarks/bench_compile.py [--rounds N] [SPEC ...]

Every figure is the median user time of N fresh processes, which take turns, so that a busy machine slows all alike; the
first round, in which Python writes its bytecode, is not counted. The deep spec has the shape of a Swin transformer,
1,164 layers without its attention; the one with many definitions has 400 small blocks between convolutions. Exits with
1 where compiling one of the specs costs more than the aim.

Both commands are in the form that no parser reads: a path, and for `compile` the name of the backend.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

AIM = 1.5
CHECK = "check"
COMMANDS = {
    CHECK: ["check", "{spec}"],
    **{kind: ["compile", "{spec}", "--backend", kind] for kind in ("torch", "keras")},
}

RUN = """
import sys
sys.argv = {arguments}
from netspec_cli.entry import run
try:
    run()
except SystemExit as stop:
    if stop.code:
        raise
"""

DEEP = """\
netspec: 1
name: deep
input: [96, 56, 56]
blocks:
  part:
    params: {wide: 4}
    layers:
      - add:
          - []
          - - layer_norm
            - dense: "${wide * in.channels}"
            - gelu
            - dense: "${block.in.channels}"
            - dropout: 0.1
  unit:
    layers:
      - part: {wide: 3}
      - part
  merging:
    layers:
      - space_to_depth: 2
      - layer_norm
      - dense: "${in.channels // 2}"
layers:
  - unit:
    repeat: 4
    name: stage1
  - merging
  - unit:
    repeat: 6
    name: stage2
  - merging
  - unit:
    repeat: 80
    name: stage3
  - merging
  - unit:
    repeat: 6
    name: stage4
  - layer_norm
  - global_avg_pool
  - dense: 1000
"""

BLOCKS = range(400)
MANY = "\n".join(
    [
        "netspec: 1",
        "name: many",
        "input: [4, 8, 8]",
        "blocks:",
        *(f"  b{each}: {{layers: [dense: {4 + each % 5}, relu, dense: 4]}}" for each in BLOCKS),
        "layers:",
        *(
            f"  - b{each}" + "\n  - conv: {filters: 4, kernel: 3, padding: same}" * (each % 3 == 2)
            for each in BLOCKS
        ),
    ]
)
"""Each block is a definition of its own, and most can take their values with the channels last."""


def user_seconds(arguments: list[str], environment: dict[str, str]) -> float:
    """User time of a fresh process that runs a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    program = RUN.format(arguments=["netspec", *arguments])
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"netspec {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def main() -> int:
    """Print a row a spec and backend."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("specs", nargs="*", metavar="SPEC", help="Further specs, such as zoo:ssd300.")
    given = parser.parse_args()
    rounds = given.rounds
    with tempfile.TemporaryDirectory() as folder:
        deep = Path(folder) / "deep.yaml"
        deep.write_text(DEEP, encoding="utf-8")
        many = Path(folder) / "many.yaml"
        many.write_text(MANY, encoding="utf-8")
        specs = {
            "zoo:resnet152": "zoo:resnet152",
            "deep, 1,164 layers": str(deep),
            f"{len(BLOCKS)} definitions": str(many),
        }
        specs |= {spec: spec for spec in given.specs}
        commands = {
            (name, kind): [word.format(spec=spec) for word in words]
            for name, spec in specs.items()
            for kind, words in COMMANDS.items()
        }
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder, "NO_COLOR": "1"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        found: dict[tuple[str, str], list[float]] = {key: [] for key in commands}
        for number in range(rounds + 1):
            for key, arguments in commands.items():
                seconds = user_seconds(arguments, environment)
                if number:
                    found[key].append(seconds)
    middle = {key: median(row) for key, row in found.items()}
    head = f"median of {rounds} fresh processes, user time"
    print(f"{head:46} {'check':>8} {'compile':>8} {'ratio':>6}")
    worst = 0.0
    for name, kind in commands:
        if kind != CHECK:
            check, seconds = middle[name, CHECK], middle[name, kind]
            worst = max(worst, seconds / check)
            print(f"{f'{name}, {kind}':46} {check:>6.3f} s {seconds:>6.3f} s {seconds / check:>5.2f}×")
    print(f"aim: {AIM} × checking")
    return int(worst > AIM)


if __name__ == "__main__":
    sys.exit(main())
