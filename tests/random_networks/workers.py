"""Processes that run networks, each some hundred: so that a crash or a hang is one network's, and memory comes back."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from time import monotonic
from typing import Any

from tests.random_networks.one import Batches, Outcome, run

LIFE = 250
"""After so many networks a process ends: TensorFlow keeps what it compiled."""
HANG = 300.0
"""Seconds after which a network counts as hung, its shrinking included."""
SETTINGS = {
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "KERAS_BACKEND": "tensorflow",
}


@dataclass(frozen=True)
class Work:
    """What is to be run, the same for all processes."""

    seed: int
    batches: Batches
    backends: tuple[str, ...]
    shrinks: bool = True


@dataclass
class Worker:
    """One process, and what it has still to do."""

    process: Any
    line: Connection
    numbers: list[int]
    since: float = field(default_factory=monotonic)
    ended: bool = False
    """Whether it has sent all that it will ever send."""


def outcomes(work: Work, numbers: Sequence[int], jobs: int) -> Iterator[Outcome]:
    """The outcome of every number, as it comes."""
    os.environ.update(SETTINGS)
    waiting = [list(numbers[at : at + LIFE]) for at in range(0, len(numbers), LIFE)]
    waiting.reverse()
    busy: list[Worker] = []
    while waiting or busy:
        while waiting and len(busy) < jobs:
            busy.append(_start(work, waiting.pop()))
        ready = wait([each.line for each in busy], timeout=5.0)
        for worker in list(busy):
            if worker.line not in ready:
                _end_if_late(worker)
                continue
            outcome = _heard(worker)
            if outcome is not None:
                worker.numbers.remove(outcome.number)
                worker.since = monotonic()
                yield outcome
            if worker.ended:
                worker.process.join()
                busy.remove(worker)
                if worker.numbers:
                    yield Outcome(
                        worker.numbers.pop(0), "process died", f"exit code {worker.process.exitcode}"
                    )
                if worker.numbers:
                    waiting.append(worker.numbers)


def _start(work: Work, numbers: list[int]) -> Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(work, list(numbers), theirs), daemon=True)
    process.start()
    theirs.close()
    return Worker(process, ours, numbers)


def _serve(work: Work, numbers: list[int], line: Connection) -> None:
    import warnings

    warnings.simplefilter("ignore")
    for number in numbers:
        line.send(run(work.seed, number, work.batches, work.backends, work.shrinks))
    line.close()


def _heard(worker: Worker) -> Outcome | None:
    try:
        outcome: Outcome = worker.line.recv()
    except EOFError:
        worker.ended = True
        return None
    return outcome


def _end_if_late(worker: Worker) -> None:
    """Kill a process whose network hangs; its line then ends."""
    if monotonic() - worker.since > HANG:
        worker.process.kill()
