"""Trains recipes of the zoo and writes what they reach to docs/figures.json and docs/figures.md.

    python benchmarks/train_figures.py NAME… [--backends torch,keras] [--epochs N] [--set train.SETTING=VALUE]

NAME is a spec of the zoo with a recipe, or `recipes/NAME`. Data are found as by `netspec train` (`NETSPEC_DATA`). A row
takes the place of the one with the same spec, parameters and backend; nothing is written for a run that fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"


def main() -> None:
    """Train, and put each run on record as soon as it is done."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--backends", default="torch,keras")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    given = parser.parse_args()
    for name in given.names:
        for backend in given.backends.split(","):
            words = ["train", f"zoo:{name}", "--backend", backend]
            words += [] if given.epochs is None else ["--epochs", str(given.epochs)]
            words += [word for each in given.set for word in ("--set", each)]
            write(f"{name} {backend}" + "".join(f" {each}" for each in given.set), measured(name, words))
    subprocess.run([sys.executable, DOCS / "generate.py"], check=True, stdout=subprocess.DEVNULL)


def measured(name: str, words: list[str]) -> dict[str, Any]:
    """The figures of one training; its progress goes to stderr."""
    print(f"netspec {' '.join(words)}", file=sys.stderr, flush=True)
    with TemporaryDirectory() as folder:
        run = Path(folder, "run")
        command = [sys.executable, "-P", "-c", "from netspec_cli.main import run; run()", *words]
        done = subprocess.run(
            [*command, "-o", str(run), "--format", "json"],
            check=True,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        facts = json.loads((run / "run.json").read_text(encoding="utf-8"))
    told = json.loads(done.stdout)
    best, by = told["best"], facts["best"].removeprefix("by ")
    return {
        "spec": name,
        "backend": told["backend"],
        "command": f"netspec {' '.join(words)}",
        "framework": facts["framework"],
        "machine": f"{os.cpu_count()} cores of {processor()}",
        "data": told["data"],
        "epochs": len(told["epochs"]),
        "seconds": round(sum(each["seconds"] for each in told["epochs"]), 1),
        "best": None if best is None else {"epoch": best["epoch"], "figure": by, "value": best[by]},
        "test": {
            key: value
            for key, value in (told["test"] or {}).items()
            if key.startswith("test_") and is_number(value)
        },
    }


def is_number(value: object) -> bool:
    """Whether a figure is one number."""
    return isinstance(value, int | float)


def processor() -> str:
    """The name of the processor."""
    lines = (
        Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if Path("/proc/cpuinfo").exists()
        else []
    )
    return next(
        (line.partition(": ")[2] for line in lines if line.startswith("model name")), "an unknown processor"
    )


def write(key: str, run: dict[str, Any]) -> None:
    """Put one row on record."""
    path = DOCS / "figures.json"
    record = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"runs": {}}
    record["runs"][key] = run
    record["runs"] = dict(sorted(record["runs"].items()))
    path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
