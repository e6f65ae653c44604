"""Times `netspec check` and `shapes` beside bare imports and beside what people use today, side by side in one run.

    python benchmarks/bench_check.py [--rounds N] [--ours]

One check of a spec that holds is to cost at most 1.5 times the user time of the bare imports of pydantic, PyYAML,
typer and rich.console. Paths only are checked without pydantic and typer; with an option typer reads the command line.
`import pydantic` loads only a small part of it: two further programs load its base class, and define one class with one
field, as typer does for each option. Every figure is the median of N fresh processes, which
take turns, so that a busy machine slows all alike; the first round, in which Python writes its bytecode, is not
counted. `torchinfo` and Keras' `summary` show the same ResNet-34, from source that was compiled beforehand, so that
their rows hold no time of netspec's. With
`--ours` they are left out. A row whose package is not installed says so.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import netspec
from netspec.language.reading.locations import zoo_folder

AIM = 1.5
IMPORTS = "import pydantic, yaml, typer, rich.console"
BARE = (
    ("bare imports: pydantic, yaml, typer, rich.console", IMPORTS),
    ("the same, with pydantic.BaseModel", f"{IMPORTS}; pydantic.BaseModel"),
    ("the same, and one class with one field", f"{IMPORTS}\nclass One(pydantic.BaseModel):\n    field: int"),
)
"""What any program pays that uses these packages; the first is the measure of the aim."""
SPEC = "zoo:resnet34"
ONE = ("zoo:lenet5", SPEC, "zoo:googlenet", "zoo:unet")
"""The specs that are checked one by one."""
TEXT = "--format text"
"""An option, which typer reads with the help of pydantic; both are not loaded for paths only."""

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
TORCH = """
import sys
sys.path.insert(0, {folder!r})
import torchinfo
from resnet34_torch import Resnet34
torchinfo.summary(Resnet34(), (1, 3, 224, 224), verbose=1)
"""
KERAS = """
import sys
sys.path.insert(0, {folder!r})
from resnet34_keras import resnet34
resnet34().summary()
"""

Row = tuple[str, str, tuple[str, ...]]
"""What is timed: its name, the program, and the packages that it needs."""


def rows(folder: Path) -> list[Row]:
    """The programs, the bare imports first."""
    for backend in ("torch", "keras"):
        source = netspec.compile(netspec.load(SPEC), backend)
        (folder / f"resnet34_{backend}.py").write_text(source, encoding="utf-8")
    return [
        *((name, program, ()) for name, program in BARE),
        *((f"netspec check {spec}", _command("check", spec), ()) for spec in ONE),
        *((f"netspec check {spec} {TEXT}", _command("check", spec, *TEXT.split()), ()) for spec in ONE),
        ("netspec check, the whole zoo", _command("check", str(zoo_folder())), ()),
        (f"netspec shapes {SPEC}", _command("shapes", SPEC), ()),
        ("torchinfo, the same ResNet-34", TORCH.format(folder=str(folder)), ("torch", "torchinfo")),
        ("Keras summary, the same ResNet-34", KERAS.format(folder=str(folder)), ("keras", "tensorflow")),
    ]


def _command(*arguments: str) -> str:
    return RUN.format(arguments=["netspec", *arguments])


def timed(program: str, environment: dict[str, str]) -> tuple[float, float]:
    """Seconds of a fresh process: by the clock, and of user time."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    clock, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{program}\nended with {done.returncode}:\n{done.stderr}")
    return clock, after.ru_utime - before.ru_utime


def main() -> None:
    """Print a row a program, with its ratio to the bare imports."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--ours", action="store_true", help="only netspec and the bare imports")
    options = parser.parse_args()
    rounds = options.rounds
    with tempfile.TemporaryDirectory() as folder:
        # Bytecode is written as on any machine, to a place of its own; one thread, as all have the same.
        settings = {"PYTHONPYCACHEPREFIX": folder, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
        environment = {**os.environ, **settings, "NO_COLOR": "1", "KERAS_BACKEND": "tensorflow"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        all_rows = [row for row in rows(Path(folder)) if not (options.ours and row[2])]
        ready = [row for row in all_rows if all(find_spec(package) for package in row[2])]
        found: dict[str, list[tuple[float, float]]] = {name: [] for name, _, _ in ready}
        for number in range(rounds + 1):
            for name, program, _ in ready:
                seconds = timed(program, environment)
                if number:
                    found[name].append(seconds)
    middle = {
        name: tuple(median(column) for column in zip(*runs, strict=True)) for name, runs in found.items()
    }
    bare = middle[all_rows[0][0]]
    width = max(len(name) for name, _, _ in all_rows)
    head = f"median of {rounds} fresh processes"
    print(f"{head:{width}} {'clock':>9} {'ratio':>7} {'user':>9} {'ratio':>7}")
    for name, _, packages in all_rows:
        if name not in middle:
            print(f"{name:{width}} unavailable: {' and '.join(packages)} not installed")
            continue
        cells = [f"{own:>7.3f} s {own / base:>6.2f}×" for own, base in zip(middle[name], bare, strict=True)]
        print(f"{name:{width}} {' '.join(cells)}")
    print(f"aim: one check within {AIM} × the user time of the bare imports")
    for what, end in (("paths only", ""), ("with an option", f" {TEXT}")):
        ratio = max(middle[f"netspec check {spec}{end}"][1] for spec in ONE) / bare[1]
        print(f"  {what}: at most {ratio:.2f}×, {'reached' if ratio <= AIM else 'missed'}")


if __name__ == "__main__":
    main()
