"""Why a loss is not a number: repeats the steps since the last checkpoint, and examines the last ones by layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from netspec.backend import shortage
from netspec.fit import World
from netspec.training.checkpoint import Checkpoint, Damaged, Moment
from netspec.training.loop import Diverged
from netspec.training.report import Epoch

if TYPE_CHECKING:
    from netspec.backend import Trains
    from netspec.fit import Numbers, Step
    from netspec.training.plan import Plan

LONGEST = 60.0
"""The time in seconds for which steps are repeated."""


class CheckpointKeeper(Protocol):
    """Has the last checkpoint, and the epochs so far."""

    epochs: list[Epoch]

    def last(self) -> Checkpoint:
        """The last checkpoint."""
        ...


def explain(error: Diverged, plan: Plan, backend: Trains, holder: CheckpointKeeper) -> None:
    """Add notes to the error: what is not finite first, and where the last checkpoint is."""
    try:
        checkpoint = holder.last()
    except Damaged:
        return
    place = checkpoint.place
    try:
        found = _cause(error, plan, backend, checkpoint, holder.epochs)
    except Exception as further:
        if shortage(further, [backend]) is None:
            raise
        found = "there is no memory for a second network, which would show what is not finite first"
    if found:
        error.add_note(found)
    if place != Moment(written=place.written, seconds=place.seconds):
        error.add_note(f"the last checkpoint has all up to {_at(place)}")


def _at(place: Moment) -> str:
    return (
        f"step {place.step} of epoch {place.epoch}" if place.step else f"the end of epoch {place.epoch - 1}"
    )


def _cause(
    error: Diverged, plan: Plan, backend: Trains, checkpoint: Checkpoint, epochs: Sequence[Epoch]
) -> str:
    """What is not finite first. The step before the one with the loss can have had gradients that are not finite."""
    if checkpoint.place.epoch != error.epoch:
        return ""
    # One process repeats what all did: the others wait.
    alone = World()
    plan = replace(plan, task=replace(plan.task, world=alone), feed=replace(plan.feed, world=alone))
    trainer = backend.trainer(plan.task)
    trainer.restore(checkpoint.state)
    trainer.freeze(plan.frozen_in(error.epoch))
    began = monotonic()
    rates = plan.rates(error.epoch, checkpoint.place.step, epochs)
    steps = plan.feed.train(error.epoch, checkpoint.place.step)
    for number, step in enumerate(steps, checkpoint.place.step + 1):
        if number >= error.step - 1 and (found := trainer.diagnose(step)):
            return f"in step {number}, the first that is not finite is {found}"
        if number == error.step or monotonic() - began > LONGEST:
            break
        trainer.run(_one(step), rates, _ignore, {})
    return ""


def _one(step: Step) -> Iterator[Step]:
    yield step


def _ignore(losses: Numbers) -> None:
    """The losses were reported before."""
