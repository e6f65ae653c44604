"""Times `netspec train` against a loop that is written by hand: one framework, one network, the same samples.

    python benchmarks/bench_training.py [--frameworks torch,keras] [--networks lenet5,resnet18] [--rounds 8]

Ours is what `netspec train` runs: bytes that become floats on the device, the trainer, the accuracy, and every loss
written to `metrics.jsonl`. Theirs is on PyTorch a plain loop with `loss.item()` and the accuracy, on Keras `model.fit`
with the accuracy, on floats in memory. Both train the generated model, so that only the loops differ. They take turns
in one process: a round is some steps of each, and every other round begins with the other one. The ratio is the median
of the rounds' ratios; that of processor time depends least on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import repeat
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np

RATE = 2.0**-10
Round = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What one process is to time."""

    framework: str
    network: str
    batch: int
    steps: int
    rounds: int
    threads: int


PARAMS: dict[str, dict[str, Any]] = {"lenet5": {}, "resnet18": {"size": 32, "classes": 10}}


def graph_of(network: str) -> Any:
    """The network of the zoo, up to its logits."""
    from netspec.loading import load
    from netspec.passes import logits

    return logits(load(f"zoo:{network}", **PARAMS[network]))


def samples(asked: Request, graph: Any) -> tuple[Any, Any]:
    """Bytes and labels for one round."""
    draw = np.random.default_rng(0)
    count = asked.batch * asked.steps
    images = draw.integers(0, 256, (count, *graph.inputs[0].type.shape), dtype=np.uint8)
    return images, draw.integers(0, 10, count)


def ours(asked: Request, graph: Any, folder: Path) -> Round:
    """A round of what `netspec train` runs."""
    from netspec.backend import Trains, usable
    from netspec.data.samples import checked
    from netspec.fit import Conversion, Task, Term
    from netspec.recipe.losses import CrossEntropy
    from netspec.recipe.metrics import Accuracy, Measured
    from netspec.recipe.optimizers import Adam
    from netspec.training.claim import Claim
    from netspec.training.classic import parts_of
    from netspec.training.feed import Feed, Sourced
    from netspec.training.folder import Folder
    from netspec.weights import initialise

    name, output = graph.inputs[0].name, graph.outputs[0].name
    images, labels = samples(asked, graph)
    source = parts_of(checked("bytes", images, labels, images[:1], labels[:1], where="here")).train
    feed = Feed({"train": Sourced(source, {name: "images"}, {"label": "labels"})}, asked.batch, 0)
    task = Task(
        graph,
        initialise(graph),
        (Term(output, "label", CrossEntropy()),),
        Adam(learning_rate=RATE),
        (Measured("accuracy", output, "label", Accuracy()),),
        {name: Conversion(unit=255.0)},
        device="cpu",
    )
    trainer = usable([asked.framework], Trains)[0].trainer(task)
    kept = Folder.make(Claim.take(folder), {}, {})

    def run() -> None:
        trainer.run(feed.train(1), repeat(RATE), lambda losses: kept.steps(1, 1, losses[:, 0].tolist()), {})

    return run


def by_hand_torch(asked: Request, graph: Any) -> Round:
    """A round of a plain loop."""
    import torch
    import torch.nn.functional as F

    from netspec.weights import initialise
    from netspec_torch.runtime import build

    model = build(graph, initialise(graph), device="cpu").train()
    optimizer = torch.optim.Adam(model.parameters(), RATE)
    stored, labels = samples(asked, graph)
    images, targets = torch.from_numpy(stored), torch.from_numpy(labels)

    def run() -> None:
        total, right = 0.0, 0
        order = torch.randperm(len(images))
        for at in range(0, len(order), asked.batch):
            chosen = order[at : at + asked.batch]
            x, y = images[chosen].float() / 255, targets[chosen]
            optimizer.zero_grad()
            result = model(x)
            loss = F.cross_entropy(result, y)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += loss.item()
            right += int((result.argmax(1) == y).sum())

    return run


def by_hand_keras(asked: Request, graph: Any) -> Round:
    """A round of `model.fit`."""
    from netspec.weights import initialise
    from netspec_keras.framework import keras
    from netspec_keras.runtime import build

    model = build(graph, initialise(graph), device="cpu")
    model.compile(
        keras.optimizers.Adam(RATE),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    stored, labels = samples(asked, graph)
    images = np.ascontiguousarray(np.moveaxis(stored, 1, -1)).astype("float32") / 255

    def run() -> None:
        model.fit(images, labels, batch_size=asked.batch, epochs=1, verbose=0)

    return run


BY_HAND = {"torch": by_hand_torch, "keras": by_hand_keras}


def contest(asked: Request) -> dict[str, Any]:
    """Let both take turns, in this process."""
    graph = graph_of(asked.network)
    if asked.framework == "torch":
        import torch

        torch.set_num_threads(asked.threads)
    with tempfile.TemporaryDirectory() as folder:
        rivals = (ours(asked, graph, Path(folder) / "run"), BY_HAND[asked.framework](asked, graph))
        for rival in rivals * 2:
            rival()
        seconds: tuple[list[float], list[float]] = ([], [])
        worked: tuple[list[float], list[float]] = ([], [])
        for number in range(asked.rounds):
            for which in (0, 1) if number % 2 else (1, 0):
                start, busy = perf_counter(), process_time()
                rivals[which]()
                seconds[which].append((perf_counter() - start) / asked.steps)
                worked[which].append((process_time() - busy) / asked.steps)
    ratios = sorted(a / b for a, b in zip(*seconds, strict=True))
    return {
        **asdict(asked),
        "version": version(asked.framework, graph),
        "ours": median(seconds[0]),
        "theirs": median(seconds[1]),
        "ratio": median(ratios),
        "least": ratios[0],
        "most": ratios[-1],
        "processor": median(a / b for a, b in zip(*worked, strict=True)),
    }


def version(framework: str, graph: Any) -> str:
    """The framework with its version, as in the facts of a run, and the size of the network."""
    from netspec.backend import Trains, usable

    count = sum(int(np.prod(each.shape)) for each in graph.weights)
    return f"{usable([framework], Trains)[0].status().detail}, {count:,} weights"


def apart(asked: Request) -> dict[str, Any]:
    """The same in a process of its own, with so many threads.

    Raises:
        RuntimeError: it failed; with the end of what it said.
    """
    count = str(asked.threads)
    fixed = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    environment = {**os.environ, **dict.fromkeys(fixed, count), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, __file__, "--request", json.dumps(asdict(asked))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise RuntimeError(f"{asked.framework}, {asked.network}: {done.stderr.strip()[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Time all that is asked for, and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", default="lenet5,resnet18")
    parser.add_argument("--frameworks", default="torch,keras")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, help="steps of a round (default: 40, of ResNet-18 3)")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--request", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.request:
        print(json.dumps(contest(Request(**json.loads(given.request)))))
        return
    print(
        f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}, {given.threads} threads, "
        f"batches of {given.batch}, {given.rounds} rounds; medians of a step"
    )
    print(
        f"{'network':10} {'framework':10} {'netspec':>10} {'by hand':>10}  ratio (least – most)  of processor time"
    )
    for framework in given.frameworks.split(","):
        for network in given.networks.split(","):
            steps = given.steps or (3 if network == "resnet18" else 40)
            found = apart(Request(framework, network, given.batch, steps, given.rounds, given.threads))
            times = f"{found['ours'] * 1e3:7.2f} ms {found['theirs'] * 1e3:7.2f} ms"
            spread = f"{found['ratio']:.3f} ({found['least']:.3f} – {found['most']:.3f})"
            print(
                f"{network:10} {framework:10} {times}  {spread}  {found['processor']:.3f}  {found['version']}",
                flush=True,
            )


if __name__ == "__main__":
    main()
