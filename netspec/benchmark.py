"""Times several backends, each in a separate process, so that they do not affect each other.

`python -m netspec.benchmark REQUEST RESULT` is this process: it reads the first file and writes the second.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

from netspec.backend import Timed, Unavailable, Unsupported, shortage, usable

if TYPE_CHECKING:
    from netspec.backend import Arrays
    from netspec.graph import Graph

WARM_UP = 3


class Failed(Exception):
    """A backend could not be timed. `str()` says why."""


@dataclass(frozen=True, slots=True)
class Times:
    """The times of all runs, in seconds."""

    median: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """The measurements of one backend, whose framework is already loaded.

    `ready` is the time from the start of building the model to the end of the first training step, in seconds.
    `memory` is the growth of the process from this start to its peak, and `device_memory` the peak of the device's own
    allocator, in bytes. None: unknown.
    """

    backend: str
    versions: str
    device: str
    ready: float
    forward: Times
    training: Times
    memory: int | None
    device_memory: int | None


def race(
    spec: Path,
    params: Mapping[str, object],
    backends: Sequence[str],
    batch: int,
    steps: int,
    device: str = "auto",
    tell: Callable[[str], None] = lambda line: None,
) -> list[Measurement]:
    """Time each backend on the same network, weights and data, one after the other.

    Raises:
        Unavailable: a backend cannot be used here.
        Unsupported: a backend cannot express the network, or cannot train.
        Failed: a process ended with another error.
    """
    usable(backends, Timed)
    found = []
    for name in backends:
        tell(f"{name}: {WARM_UP} runs to warm up, {steps} to measure, forward and training")
        request = {"spec": str(spec), "params": params, "backend": name, "batch": batch}
        found.append(_apart({**request, "steps": steps, "device": device}))
    return found


def _apart(request: Mapping[str, object]) -> Measurement:
    """Measure in a separate process."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder, "request.json"), Path(folder, "result.json")
        asked.write_text(json.dumps(request), encoding="utf-8")
        command = [sys.executable, "-P", "-m", "netspec.benchmark", str(asked), str(answered)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace")
        answer = json.loads(answered.read_text(encoding="utf-8")) if answered.exists() else {}
    for refusal in (Unsupported, Unavailable, MemoryError):
        if refusal.__name__ in answer:
            raise refusal(*answer[refusal.__name__])
    if "backend" not in answer:
        raise Failed(f"{request['backend']}: {_reason(done)}")
    times = {key: Times(**answer[key]) for key in ("forward", "training")}
    return Measurement(**{**answer, **times})


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode < 0:
        return f"its process was ended by signal {-done.returncode}; is there enough memory?"
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return lines[-1] if lines else f"its process ended with {done.returncode}"


def measure(
    graph: Graph, backend: str, batch: int, steps: int, device: str = "auto", seed: int = 0
) -> Measurement:
    """Time one backend in this process."""
    from netspec.weights import initialise

    (framework,) = usable([backend], Timed)
    versions = framework.status().detail
    weights, inputs, targets = initialise(graph, seed), *sample(graph, batch, seed)
    workload = framework.workload(graph, weights, inputs, targets, device)
    memory = _Memory()
    start = perf_counter()
    workload.prepare()
    workload.train()
    ready = perf_counter() - start
    forward = _timed(workload.forward, steps)
    training = _timed(workload.train, steps)
    growth, own = memory.growth(), workload.peak_bytes()
    return Measurement(backend, versions, workload.device, ready, forward, training, growth, own)


def sample(graph: Graph, batch: int, seed: int) -> tuple[Arrays, Arrays]:
    """Inputs and targets: normal values, or indices of a vocabulary; they do not affect the time."""
    import numpy as np

    generator = np.random.default_rng(seed)
    inputs: dict[str, Any] = {}
    for each in graph.inputs:
        shape = (batch, *each.type.shape)
        drawn = generator.standard_normal(shape, "float32")
        inputs[each.name] = (
            drawn if each.vocabulary is None else generator.integers(0, each.vocabulary, shape)
        )
    targets = {
        each.name: generator.standard_normal((batch, *graph.types[each.value].shape), "float32")
        for each in graph.outputs
    }
    return inputs, targets


def _timed(run: Callable[[], None], steps: int) -> Times:
    for _ in range(WARM_UP):
        run()
    seconds = []
    for _ in range(steps):
        start = perf_counter()
        run()
        seconds.append(perf_counter() - start)
    return Times(median(seconds), min(seconds), max(seconds))


class _Memory:
    """Measures the growth of the process to its peak, from now on; only on Linux."""

    STATUS = Path("/proc/self/status")

    def __init__(self) -> None:
        self.start = None
        try:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # reset the peak
            self.start = self._read("VmRSS")
        except OSError:
            pass

    def growth(self) -> int | None:
        """The growth in bytes. None: unknown."""
        peak = None if self.start is None else self._read("VmHWM")
        return None if self.start is None or peak is None else max(0, peak - self.start)

    def _read(self, field: str) -> int | None:
        for line in self.STATUS.read_text(encoding="ascii").splitlines():
            name, _, value = line.partition(":")
            if name == field:
                return int(value.split()[0]) * 1024
        return None


def main(request: str, result: str) -> None:
    """Run the process of one backend."""
    from netspec.diagnostics import Problems
    from netspec.loading import graph_of_file

    asked = json.loads(Path(request).read_text(encoding="utf-8"))
    graph = graph_of_file(Path(asked["spec"]), Problems(), asked["params"])
    assert graph is not None, "the spec was valid a moment ago"
    answer: dict[str, Any]
    try:
        found = measure(graph, asked["backend"], asked["batch"], asked["steps"], asked["device"])
        answer = asdict(found)
    except Unsupported as error:
        answer = {Unsupported.__name__: [str(error), error.layer]}
    except Unavailable as error:
        answer = {Unavailable.__name__: [str(error), error.fix, error.backend]}
    except Exception as error:
        lacks = shortage(error)
        if lacks is None:
            raise
        answer = {MemoryError.__name__: [lacks]}
    Path(result).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main(*sys.argv[1:])
