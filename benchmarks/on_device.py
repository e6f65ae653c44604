"""Compares and times networks on a device; prints one JSON document with the hardware and the versions.

`python benchmarks/on_device.py --device cuda` runs, for each network, `netspec compare` in float32 and `netspec bench`
on it, each in a process of its own. Keras runs on the engine that KERAS_BACKEND names. Exit code 1 when a comparison
differs or a command fails.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SPECS = (
    "lenet5",
    "lenet5_1998",
    "vgg16",
    "resnet50",
    "mobilenet_v2",
    "inception_v3",
    "densenet121",
    "unet",
    "yolov3",
)
PACKAGES = ("torch", "keras", "jax", "jaxlib", "tensorflow", "tensorflow-cpu", "onnx", "onnxruntime", "numpy")
ENTRY = "import sys; from netspec_cli.entry import run; run()"


def registered(folder: Path) -> None:
    """Register the backends of this tree in a folder for the path, so that nothing need be installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    points = project["entry-points"]["netspec.backends"]
    home = folder / "netspec_here-0.dist-info"
    home.mkdir()
    (home / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: netspec-here\nVersion: 0\n", encoding="utf-8"
    )
    lines = ["[netspec.backends]", *(f"{name} = {value}" for name, value in points.items())]
    (home / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")


def command(*words: str, path: Path, seconds: float) -> dict[str, Any]:
    """The JSON that a netspec command prints, its exit code and its seconds."""
    paths = [*(str(ROOT / part) for part in ("", "backends", "cli")), str(path)]
    settings = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
    given = os.environ.get("PYTHONPATH")
    environment = {
        **settings,
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*paths, *([given] if given else [])]),
    }
    start = time.perf_counter()
    try:
        done = subprocess.run(
            [sys.executable, "-c", ENTRY, *words, "--format", "json"],
            capture_output=True, text=True, check=False, timeout=seconds, env=environment,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"command": " ".join(words), "code": None, "error": f"not ready after {seconds:.0f} s"}
    found: dict[str, Any] = {"command": " ".join(words), "code": done.returncode}
    found["seconds"] = round(time.perf_counter() - start, 1)
    try:
        found |= json.loads(done.stdout)
    except ValueError:
        found["error"] = done.stderr.strip().splitlines()[-5:]
    found.pop("layers", None)
    return found


def hardware() -> dict[str, Any]:
    """The processor, and the GPUs as their driver names them."""
    try:
        query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
        gpus = subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        gpus = []
    return {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "gpus": gpus,
    }


def _results(asked: argparse.Namespace, path: Path) -> Iterator[dict[str, Any]]:
    start = time.perf_counter()
    for spec in asked.specs.split(","):
        common = (f"zoo:{spec}", "--backends", asked.backends, "--device", asked.device)
        for words in (
            ("compare", *common, "--dtype", "float32", "--steps", "2"),
            ("bench", *common, "--batch", asked.batch),
        ):
            if time.perf_counter() - start < asked.budget:
                found = command(*words, path=path, seconds=asked.seconds)
                print(json.dumps(found)[:300], file=sys.stderr, flush=True)
                yield found


def main() -> None:
    """Run all, and print what came of it; each result also goes to stderr when it is known."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--device", default="cuda")
    options.add_argument("--backends", default="torch,keras")
    options.add_argument("--specs", default=",".join(SPECS))
    options.add_argument("--batch", default="16", help="of the networks that are timed")
    options.add_argument("--seconds", type=float, default=120, help="the most that one command may take")
    options.add_argument(
        "--budget", type=float, default=540, help="no command starts after this many seconds"
    )
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        registered(Path(folder))
        results = list(_results(asked, Path(folder)))
    installed = {each.name.lower(): each.version for each in distributions()}
    versions = {name: installed[name] for name in PACKAGES if name in installed}
    engine = os.environ.get("KERAS_BACKEND")
    print(
        json.dumps({"hardware": hardware(), "versions": versions, "keras_engine": engine, "results": results})
    )
    sys.exit(any(each["code"] != 0 for each in results))


if __name__ == "__main__":
    main()
