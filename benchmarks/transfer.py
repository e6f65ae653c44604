"""Measures transfer learning in two phases beside a head on random features, and writes docs/transfer.json.

    python benchmarks/transfer.py [--backends torch,keras] [--seeds 5] [--images 200] [--epochs 20] [--out FILE]

As in the textbook (Géron 2019, chapter 11), Fashion-MNIST is divided: task A has most classes, task B has the others
with few images. The textbook's task B, sandals or shirts, is too easy to show a difference: a head on random features
reaches nearly all of the test images. Here task B is pullover, coat or shirt, which look alike, and task A the other
seven classes. `zoo:lecture_cnn` learns task A for two epochs. For task B, its trunk gets a new head:

    random    the trunk stays as it is initialised; the head learns
    frozen    the trunk stays as task A left it; the head learns
    two phases  as `frozen` for the first half of the epochs; then all learns, the trunk at a tenth of the rate

Each seed draws other images for training, another head and another trunk at random. The test images are the same.
Fashion-MNIST is found as by `netspec train`: in `$NETSPEC_DATA`, else in the user's cache.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from netspec.data.datasets import default_folder
from netspec.data.idx import read

DOCS = Path(__file__).parents[1] / "docs"
TASK_B = [2, 4, 6]  # pullover, coat, shirt
VARIANTS = ("random", "frozen", "two phases")
SPEC = """netspec: 1
name: pullover_coat_or_shirt
input: [1, 28, 28]
layers:
  - network: {{spec: "zoo:lecture_cnn", until: dense1, params: {{classes: 7}}}}
    name: trunk
  - dense: 3
  - softmax
train:
  data: {data}
  batch: 20
  epochs: {epochs}
  optimizer: {{adam: {{learning_rate: 0.001}}}}
  groups: [{{layers: "trunk*", rate: 0.1, freeze: {freeze}}}]
  metrics: [accuracy]
"""


def main() -> None:
    """Train task A once a backend, and task B for each seed and variant."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--backends", default="torch,keras")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--images", type=int, default=200, help="training images of task B")
    parser.add_argument("--epochs", type=int, default=20, help="epochs of task B, an even number")
    parser.add_argument("--task-a", type=int, help="training images of task A (default: all), for a trial")
    parser.add_argument("--out", type=Path, default=DOCS / "transfer.json")
    given = parser.parse_args()
    if given.epochs < 2 or given.epochs % 2:
        parser.error("--epochs is an even number from 2: a half of them for each phase")
    record: dict[str, Any] = {
        "images": given.images,
        "epochs": given.epochs,
        "task_a_images": given.task_a,
        "machine": f"{os.cpu_count()} cores of {platform.machine()}, {platform.system()}",
        "python": platform.python_version(),
        "backends": {},
    }
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_data(folder, given.images, given.seeds, given.task_a)
        for backend in given.backends.split(","):
            record["backends"][backend] = measured(folder, backend, given.seeds, given.epochs)
    given.out.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(f"{record['machine']}, Python {record['python']}; {given.images} images, {given.epochs} epochs")
    print(f"{'':10} {'task A':>8} " + " ".join(f"{variant:>22}" for variant in VARIANTS))
    for backend, told in record["backends"].items():
        cells = [
            f"{mean(values):.2%} ({min(values):.1%} – {max(values):.1%})"
            for values in told["test_accuracies"].values()
        ]
        print(
            f"{backend:10} {told['task_a']:8.2%} "
            + " ".join(f"{cell:>22}" for cell in cells)
            + f"  {told['framework']}"
        )


def write_data(folder: Path, images: int, seeds: int, task_a: int | None) -> None:
    """Write task A, and task B once a seed."""
    base = default_folder() / "fashion-mnist"
    parts = {}
    for part, prefix in (("train", "train"), ("test", "t10k")):
        pixels, _ = read(found(base, f"{prefix}-images-idx3-ubyte"), 3)
        labels, _ = read(found(base, f"{prefix}-labels-idx1-ubyte"), 1)
        parts[part] = pixels[:, None], labels.astype(np.int64)
    others = [label for label in range(10) if label not in TASK_B]
    write_set(folder / "a.npz", parts, others, task_a, 0)
    for seed in range(seeds):
        write_set(folder / f"b{seed}.npz", parts, TASK_B, images, seed)


def found(folder: Path, name: str) -> Path:
    """The idx file of this name, packed or not."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.exists():
            return path
    sys.exit(f"{folder / name} is missing: `netspec data fashion-mnist --fetch` fetches the set")


def write_set(path: Path, parts: dict[str, Any], classes: list[int], images: int | None, seed: int) -> None:
    """Write the images of some classes, of which the training part has only so many, drawn by the seed."""
    arrays = {}
    for part, (pixels, labels) in parts.items():
        chosen = np.flatnonzero(np.isin(labels, classes))
        if part == "train" and images is not None:
            chosen = np.random.default_rng(seed).permutation(chosen)[:images]
        arrays[f"{part}_images"] = pixels[chosen]
        arrays[f"{part}_labels"] = np.searchsorted(np.array(classes), labels[chosen])
    np.savez(path, **arrays)


def measured(folder: Path, backend: str, seeds: int, epochs: int) -> dict[str, Any]:
    """The test accuracies of the variants, one a seed, and their means."""
    trunk = ["train", "zoo:lecture_cnn", "--set", "classes=7", "--data", "a.npz", "--epochs", "2"]
    learned = train(folder, f"a-{backend}", [*trunk, "--backend", backend])
    print(f"{backend}: task A {learned:.4f}", file=sys.stderr)
    accuracies: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    frozen: dict[str, bool | int] = {"random": True, "frozen": True, "two phases": epochs // 2}
    for seed in range(seeds):
        for variant in VARIANTS:
            spec = folder / f"{variant.replace(' ', '-')}-{seed}.yaml"
            freeze = json.dumps(frozen[variant])
            text = SPEC.format(data=f"b{seed}.npz", epochs=epochs, freeze=freeze)
            spec.write_text(text, encoding="utf-8")
            words = ["train", spec.name, "--backend", backend, "--seed", str(seed)]
            if variant != "random":
                words += ["--weights", f"trunk=a-{backend}/weights.safetensors"]
            accuracies[variant].append(train(folder, f"{spec.stem}-{backend}", words))
            print(f"{backend}: seed {seed}, {variant} {accuracies[variant][-1]:.4f}", file=sys.stderr)
    facts = json.loads((folder / f"a-{backend}" / "run.json").read_text(encoding="utf-8"))
    means = {variant: round(mean(values), 4) for variant, values in accuracies.items()}
    return {
        "framework": facts["framework"],
        "task_a": learned,
        "test_accuracies": accuracies,
        "means": means,
    }


def train(folder: Path, out: str, words: list[str]) -> float:
    """The test accuracy of one training."""
    command = [sys.executable, "-P", "-c", "from netspec_cli.main import run; run()", *words]
    done = subprocess.run(
        [*command, "-o", out, "--format", "json"],
        check=False,
        capture_output=True,
        cwd=folder,
        encoding="utf-8",
    )
    if done.returncode:
        sys.exit(f"netspec {' '.join(words)}\n{done.stderr}")
    return float(json.loads(done.stdout)["test"]["test_accuracy"])


if __name__ == "__main__":
    main()
