"""Runs trials in processes with limits on time and memory: a hang, a crash or a greedy one is found, not waited for."""

from __future__ import annotations

import multiprocessing
import resource
import signal
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType

from tests.mutate.trial import derive, examine, mutant

SECONDS = 2.0
"""Of processor time, for one text; twice for one that holds."""
PATIENCE = 20.0
"""The same, for tests, which must not depend on how quick a machine is: what counts up to a size takes longer."""
MEGABYTES = 500
HANG = 60.0
"""Seconds on the clock after which a worker that reports nothing is killed: it is in code that no signal stops."""
_BATCH = 50


class TooSlow(BaseException):
    """A text took more processor time than it may."""


@dataclass(frozen=True)
class Failure:
    """A text that broke a promise."""

    number: int
    kind: str
    """The exception and the first line of what it says: what shrinking must keep."""
    details: str


@dataclass
class Tally:
    """What a run found."""

    count: int = 0
    held: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, -1)
    seconds: float = 0.0

    def add(self, other: Tally) -> None:
        self.count += other.count
        self.held += other.held
        self.codes += other.codes
        self.failures += other.failures
        self.slowest = max(self.slowest, other.slowest)


def attempt(
    text: str, number: int = -1, limit: float = SECONDS
) -> tuple[Failure | None, float, tuple[bool, frozenset[str]]]:
    """Examine a text within a limit of time; the failure if there is one, the seconds, the outcome."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise TooSlow(f"more than {limit:g} s of processor time")

    signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, limit)
    began = time.process_time()
    try:
        outcome, graph = examine(text)
        seconds = time.process_time() - began
        if graph is not None:
            signal.setitimer(signal.ITIMER_VIRTUAL, limit)
            derive(graph)
        return None, seconds, (outcome.holds, outcome.codes)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        first = str(error).partition("\n")[0]
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = (
            ""
            if isinstance(error, AssertionError | TooSlow)
            else f" in {Path(place.filename).name}:{place.name}"
        )
        kind = f"{type(error).__name__}{where}: {first[:80]}"
        return (
            Failure(number, kind, traceback.format_exc(limit=-4)),
            time.process_time() - began,
            (False, frozenset()),
        )
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def limit_memory() -> None:
    """Let this process take no more than it has and MEGABYTES."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + MEGABYTES * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def run(seed: str, numbers: Sequence[int], limit: float = SECONDS) -> Tally:
    """Examine these mutants, in this process."""
    tally = Tally()
    for number in numbers:
        failure, seconds, (holds, codes) = attempt(mutant(seed, number), number, limit)
        tally.count += 1
        tally.held += holds
        tally.codes.update(codes)
        tally.slowest = max(tally.slowest, (seconds, number))
        if failure is not None:
            tally.failures.append(failure)
    return tally


def _serve(seed: str, jobs: Connection, limit: float) -> None:
    """A worker: takes numbers, gives a tally of each; the number is told first, so that a hang has a name."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    mutant(seed, 0)  # the corpus is read before memory is limited
    limit_memory()
    while (numbers := jobs.recv()) is not None:
        for number in numbers:
            jobs.send(number)
            jobs.send(run(seed, [number], limit))
        jobs.send(None)


@dataclass
class _Worker:
    process: BaseProcess
    jobs: Connection
    left: list[int]
    number: int = -1
    since: float = 0.0


def run_all(seed: str, count: int, jobs: int, start: int = 0, limit: float = SECONDS) -> Iterator[Tally]:
    """Examine `count` mutants in so many processes; gives the tally so far after every batch."""
    context = multiprocessing.get_context("spawn")
    todo = [list(range(at, min(at + _BATCH, start + count))) for at in range(start, start + count, _BATCH)][
        ::-1
    ]
    tally, began = Tally(), time.monotonic()
    workers: list[_Worker] = []

    def hire(numbers: list[int]) -> None:
        mine, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(seed, theirs, limit), daemon=True)
        process.start()
        theirs.close()
        mine.send(numbers)
        workers.append(_Worker(process, mine, list(numbers), since=time.monotonic()))

    while todo and len(workers) < jobs:
        hire(todo.pop())
    while workers:
        ready = wait([each.jobs for each in workers], timeout=1.0)
        for worker in list(workers):
            lost = worker.jobs not in ready and time.monotonic() - worker.since > HANG
            try:
                news = worker.jobs.recv() if worker.jobs in ready else False
            except EOFError:
                news, lost = False, True
            if lost:
                if news is False and worker.jobs not in ready:
                    worker.process.kill()
                worker.process.join()
                workers.remove(worker)
                how = f"the worker said nothing for {HANG:g} s, or ended by itself: exit {worker.process.exitcode}"
                tally.add(Tally(count=1, failures=[Failure(worker.number, "Lost", how)]))
                rest = (
                    worker.left[worker.left.index(worker.number) + 1 :]
                    if worker.number in worker.left
                    else []
                )
                if rest or todo:
                    hire(rest or todo.pop())
            elif isinstance(news, int) and news is not False:
                worker.number, worker.since = news, time.monotonic()
            elif isinstance(news, Tally):
                tally.add(news)
                worker.since = time.monotonic()
            elif news is None:
                tally.seconds = time.monotonic() - began
                yield tally
                worker.left, worker.since = (todo.pop() if todo else []), time.monotonic()
                worker.jobs.send(worker.left or None)
                if not worker.left:
                    worker.process.join()
                    workers.remove(worker)
    tally.seconds = time.monotonic() - began
    yield tally
