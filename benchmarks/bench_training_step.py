"""Times a step of training of generated networks against hand-written ones, side by side in one run.

    python benchmarks/bench_training_step.py [--batch 8] [--size 96] [--rounds 10] [--format json]

On Keras the other side is `keras.applications`, on PyTorch `handwritten_torch.py`. Each framework and network
has a process of its own, in which the two models take turns: a round is one step of each, and every other round
begins with the other one, so that what else the machine does meanwhile falls on both. The ratio is the median
of the rounds' ratios; that of processor time tells least of what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from platform import machine, python_version, system
from statistics import median
from time import perf_counter, process_time
from typing import Any

from netspec.benchmark import WARM_UP, Times

# As the other side has it: Keras' ResNet-50 has biases before batch normalisation.
SPECS: dict[str, dict[str, dict[str, Any]]] = {
    "torch": {"resnet50": {"version": 1.5}, "mobilenet_v2": {}},
    "keras": {"resnet50": {"version": 1, "bias": True}, "mobilenet_v2": {}},
}
APPLICATIONS = {"resnet50": "ResNet50", "mobilenet_v2": "MobileNetV2"}
RATE, MOMENTUM, CLASSES = 2.0**-10, 0.9, 1000

Step = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What one process is to time."""

    framework: str
    network: str
    batch: int
    size: int
    rounds: int
    threads: int


@dataclass(frozen=True, slots=True)
class Contest:
    """What one process found.

    Times are in seconds; `ratio` is ours to theirs, round by round, `processor` the same of the time that
    all cores together spent on it.
    """

    framework: str
    network: str
    versions: str
    theirs_is: str
    parameters: int
    ours: Times
    theirs: Times
    ratio: Times
    processor: Times


@dataclass(frozen=True, slots=True)
class Rival:
    """A model that is ready to be trained: one step, and how many numbers it learns."""

    step: Step
    parameters: int


def torch_rivals(asked: Request) -> tuple[Rival, Rival, str]:
    """Ours, theirs, and what theirs is: eager, cross entropy of logits, SGD with momentum."""
    import torch
    import torch.nn.functional as F
    from handwritten_torch import NETWORKS

    from netspec_torch.runtime import build

    torch.set_num_threads(asked.threads)
    torch.manual_seed(0)
    inputs = torch.randn(asked.batch, 3, asked.size, asked.size)
    targets = torch.randint(0, CLASSES, (asked.batch,))

    def rival(model: Any) -> Rival:
        model.train()
        optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)

        def step() -> None:
            optimizer.zero_grad()
            F.cross_entropy(model(inputs), targets).backward()  # type: ignore[no-untyped-call]
            optimizer.step()

        return Rival(step, sum(each.numel() for each in model.parameters()))

    ours = build(*_ours(asked), device="cpu")
    return rival(ours), rival(NETWORKS[asked.network]()), "handwritten_torch.py"


def keras_rivals(asked: Request) -> tuple[Rival, Rival, str]:
    """Ours, theirs, and what theirs is: `train_on_batch`, cross entropy of logits, SGD with momentum."""
    from netspec_keras.framework import keras, ops
    from netspec_keras.runtime import build

    keras.utils.set_random_seed(0)
    inputs = ops.convert_to_tensor(keras.random.normal((asked.batch, asked.size, asked.size, 3)))
    targets = ops.convert_to_tensor(keras.random.randint((asked.batch,), 0, CLASSES))

    def rival(model: Any) -> Rival:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(RATE, momentum=MOMENTUM), loss=loss)

        def step() -> None:
            model.train_on_batch(inputs, targets)

        return Rival(step, sum(each.value.shape.num_elements() for each in model.trainable_variables))

    name = APPLICATIONS[asked.network]
    shape = (asked.size, asked.size, 3)
    theirs = getattr(keras.applications, name)(weights=None, input_shape=shape, classifier_activation=None)
    return rival(build(*_ours(asked))), rival(theirs), f"keras.applications.{name}"


RIVALS = {"torch": torch_rivals, "keras": keras_rivals}


def _ours(asked: Request) -> tuple[Any, Any]:
    """The graph of the zoo's spec, up to its logits, and weights."""
    from netspec.loading import load
    from netspec.passes import logits
    from netspec.weights import initialise

    params = {**SPECS[asked.framework][asked.network], "size": asked.size}
    graph = logits(load(f"zoo:{asked.network}", **params))
    return graph, initialise(graph, 0)


def contest(asked: Request) -> Contest:
    """Let both take turns, in this process."""
    from netspec.backend import Builds, usable

    (framework,) = usable([asked.framework], Builds)
    ours, theirs, theirs_is = RIVALS[asked.framework](asked)
    if ours.parameters != theirs.parameters:
        sys.exit(f"not the same network: {ours.parameters:,} weights against {theirs.parameters:,}")
    for rival in (ours, theirs) * WARM_UP:
        rival.step()
    seconds: tuple[list[float], list[float]] = ([], [])
    worked: tuple[list[float], list[float]] = ([], [])
    for number in range(asked.rounds):
        order = ((ours, seconds[0], worked[0]), (theirs, seconds[1], worked[1]))
        for rival, found, spent in order if number % 2 else order[::-1]:
            start, busy = perf_counter(), process_time()
            rival.step()
            found.append(perf_counter() - start)
            spent.append(process_time() - busy)
    return Contest(
        asked.framework,
        asked.network,
        framework.status().detail,
        theirs_is,
        ours.parameters,
        _times(seconds[0]),
        _times(seconds[1]),
        _times([a / b for a, b in zip(*seconds, strict=True)]),
        _times([a / b for a, b in zip(*worked, strict=True)]),
    )


def _times(values: list[float]) -> Times:
    return Times(median(values), min(values), max(values))


def apart(asked: Request) -> Contest:
    """The same in a process of its own, with so many threads.

    Raises:
        RuntimeError: it failed; with the end of what it said.
    """
    count = str(asked.threads)
    fixed = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    command = [sys.executable, __file__, "--request", json.dumps(asdict(asked))]
    environment = {**os.environ, **dict.fromkeys(fixed, count), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise RuntimeError(f"{asked.framework}, {asked.network}: {done.stderr.strip()[-2000:]}")
    found: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
    times = {key: Times(**found[key]) for key in ("ours", "theirs", "ratio", "processor")}
    return Contest(**{**found, **times})


def table(found: list[Contest]) -> list[str]:
    """The figures, a contest a row."""
    titles = ("generated (ms)", "hand-written (ms)", "ratio", "of processor time", "against")
    rows = [["network", "framework", *titles]]
    for each in found:
        ours, theirs = (_spread(times, 1e3, 0) for times in (each.ours, each.theirs))
        ratios = (_spread(times, 1, 2) for times in (each.ratio, each.processor))
        rows.append([each.network, each.framework, ours, theirs, *ratios, each.theirs_is])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _spread(times: Times, unit: float, digits: int) -> str:
    least, most = (f"{value * unit:.{digits}f}" for value in (times.least, times.most))
    return f"{times.median * unit:.{digits}f} ({least} – {most})"


def hardware(threads: int) -> dict[str, Any]:
    """What it ran on, as far as the figures depend on it."""
    return {
        "system": f"{system()} {machine()}",
        "cores": os.cpu_count(),
        "threads": threads,
        "python": python_version(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def main() -> None:
    """Time all that is asked for, and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", default="resnet50,mobilenet_v2")
    parser.add_argument("--frameworks", default="torch,keras")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, default=96, help="height and width of an image")
    parser.add_argument("--rounds", type=int, default=10, help="steps of each that are measured")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--request", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.request:
        print(json.dumps(asdict(contest(Request(**json.loads(given.request))))))
        return
    before = hardware(given.threads)
    found = []
    for framework in given.frameworks.split(","):
        for network in given.networks.split(","):
            print(f"{network} on {framework} …", file=sys.stderr, flush=True)
            asked = Request(framework, network, given.batch, given.size, given.rounds, given.threads)
            found.append(apart(asked))
    if given.format == "json":
        head = {"netspec": 1, "batch": given.batch, "size": given.size, "rounds": given.rounds}
        print(json.dumps({**head, "machine": before, "contests": [asdict(each) for each in found]}, indent=2))
        return
    cores, load = before["cores"], before["load"]
    print(
        f"A step of training: batch {given.batch}, {given.size}×{given.size}, float32, {given.rounds} rounds;"
    )
    print(
        f"{before['system']}, {cores} cores, {given.threads} threads, load before {load}, Python {before['python']};"
    )
    print("; ".join(dict.fromkeys(each.versions for each in found)) + ". Median (least – most).")
    print()
    print("\n".join(table(found)))


if __name__ == "__main__":
    main()
