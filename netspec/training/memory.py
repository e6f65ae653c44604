"""A device that has no memory for a step: finds the batch that fits by trying, and says how to go on."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice, repeat
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from netspec.backend import shortage

if TYPE_CHECKING:
    from netspec.backend import Trains
    from netspec.fit import Numbers
    from netspec.training.plan import Plan

LONGEST = 120.0
"""The time in seconds after which no further batch is tried."""
STEPS = 2
"""At least so many steps are tried: an optimiser takes memory in the first one, beside which the second must fit."""


class OutOfMemory(MemoryError):
    """The device has no memory for what the training calculates. `str()` says what it tried, and what fits.

    `settings` are those with which the training goes on, in the form of options; empty if no batch was found.
    """

    def __init__(self, message: str, settings: str = "") -> None:
        super().__init__(message)
        self.settings = settings

    def to_go_on(self, path: Path) -> str:
        """How to go on with the run in a folder."""
        if self.settings:
            return (
                f"to go on with the same steps, each in parts: netspec train --resume {path} {self.settings}"
            )
        return f"to go on on a device with more memory: netspec train --resume {path}"

    def to_start(self) -> str:
        """How to start again, if nothing is kept."""
        if self.settings:
            return (
                f"nothing was trained yet: start again with {self.settings}, which takes each step in parts"
            )
        return "nothing was trained yet"


@dataclass(frozen=True, slots=True)
class Tried:
    """The largest batch that fits, and the smallest one that does not; None if it is not known."""

    fits: int | None
    lacks: int


def out_of_memory(lacks: str, plan: Plan, backend: Trains, epochs: int) -> OutOfMemory:
    """The error for a training that ran out of memory after so many epochs; `lacks` is what the framework said.

    Nothing of the training may be in memory any more, for smaller batches are tried on the device.
    """
    batch, task = plan.feed.batch, plan.task
    where = f"in epoch {epochs + 1}" if epochs < plan.epochs else "in the test"
    tail = f": {lacks}" if lacks else ""
    message = (
        f"not enough memory {where}, with batches of {batch:,} {_samples(batch)} on {backend.name}{tail}"
    )
    if task.world.size > 1 or task.devices > 1:
        half = next(parts(batch), 0)
        how = "no smaller batch was tried, because several devices calculate together"
        return OutOfMemory(f"{message}\n{how}", _options(plan, half) if half else "")
    tried = find(plan, backend)
    if tried.fits is None:
        return OutOfMemory(f"{message}\n{_found_none(plan, tried)}")
    found = f"tried on the device: a batch of {tried.fits:,} fits, one of {tried.lacks:,} does not"
    measures = any(weight.statistic for node in task.graph.nodes if node.trainable for weight in node.weights)
    apart = "; batch norm then measures each part of a step by itself" if measures else ""
    return OutOfMemory(f"{message}\n{found}{apart}", _options(plan, tried.fits))


def find(plan: Plan, backend: Trains) -> Tried:
    """Take steps of the same samples in smaller and smaller parts, until one fits."""
    # The trainer that ran out of memory can be part of a cycle of references, which only a collection frees.
    gc.collect()
    lacks, began = plan.feed.batch, monotonic()
    for size in parts(plan.feed.batch):
        if monotonic() - began > LONGEST:
            break
        try:
            _step(plan, backend, size)
        except Exception as error:
            if shortage(error, [backend]) is None:
                break  # it cannot be tried: this is not the error to report
        else:
            return Tried(size, lacks)
        finally:
            gc.collect()  # what a failed step has left
        lacks = size
    return Tried(None, lacks)


def parts(batch: int) -> Iterator[int]:
    """Smaller and smaller parts of a batch, of equal sizes: each is at most half of the one before."""
    size = batch
    while size > 1:
        size = next(each for each in range(size // 2, 0, -1) if batch % each == 0)
        yield size


def _step(plan: Plan, backend: Trains, size: int) -> None:
    """Take steps in parts of this size, and measure once."""
    feed = replace(plan.feed, batch=size, accumulate=_count(plan, size), ahead=0)
    trainer = backend.trainer(plan.task)
    feed = feed.held_by(trainer)
    count = max(STEPS, plan.task.steps_per_call, trainer.warm_up())
    steps = islice(chain.from_iterable(map(feed.train, range(1, count + 1))), count)
    trainer.run(steps, repeat(plan.task.optimizer.learning_rate), _ignore, {})
    for part in feed.parts:
        if part != "train":
            trainer.evaluate(islice(feed.part(part), 1))


def _ignore(losses: Numbers) -> None:
    """Drop the losses: these steps are not those of the training."""


def _count(plan: Plan, size: int) -> int:
    """The number of batches of this size, a part of a batch, in a step."""
    return plan.feed.batch * plan.feed.accumulate // size


def _options(plan: Plan, size: int) -> str:
    return f"--set train.batch={size} --set train.accumulate={_count(plan, size)}"


def _found_none(plan: Plan, tried: Tried) -> str:
    if plan.feed.batch == 1:
        return f"a batch has only one sample, so no part of it can be tried; {_smaller(plan)}"
    if tried.lacks == 1:
        return f"tried on the device: a batch of 1 does not fit either; {_smaller(plan)}"
    return f"no batch was found that fits, down to {tried.lacks:,}; {_smaller(plan)}"


def _smaller(plan: Plan) -> str:
    """What else takes less memory."""
    ways = ["a device with more memory", "a smaller network", "smaller samples"]
    if plan.task.average is not None:
        ways.append("no `average`")
    return f"try {', '.join(ways[:-1])} or {ways[-1]}"


def _samples(count: int) -> str:
    return "sample" if count == 1 else "samples"
