"""The loop of a training, the same for every backend: epochs, validation, the best weights, checkpoints, the test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from math import isfinite
from time import monotonic
from typing import TYPE_CHECKING, NoReturn, Protocol

from netspec.fit import Trainer
from netspec.scoring import Figure
from netspec.stops import StopRequest, patient
from netspec.training.checkpoint import Checkpoint, Moment
from netspec.training.plan import Figures, Plan
from netspec.training.report import Epoch, Report

if TYPE_CHECKING:
    from netspec.backend import Array
    from netspec.fit import Batch, Numbers, Step, Tallies


TOGETHER = 8
"""After so many steps or batches, several processes agree whether to go on: a signal can reach any of them."""


class Diverged(Exception):
    """The loss is infinite or NaN, so the training ends."""

    def __init__(self, loss: float, epoch: int, step: int) -> None:
        super().__init__(f"the loss is {loss} at step {step} of epoch {epoch}")
        self.epoch, self.step = epoch, step


class Keeper(Report, Protocol):
    """A report that also keeps weights and checkpoints."""

    def save(self, weights: Mapping[str, Array], epoch: int) -> None:
        """Keep the weights after an epoch, as the last ones."""
        ...

    def propose(self, weights: Mapping[str, Array], epoch: int) -> None:
        """Keep the weights after an epoch as the best ones, as soon as a checkpoint has its place behind it."""
        ...

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint in the place of the one before."""
        ...

    def best(self, epoch: int) -> Mapping[str, Array]:
        """The kept weights of the best epoch, which is this one."""
        ...

    @property
    def written(self) -> int:
        """The length of `metrics.jsonl`."""
        ...


@dataclass(frozen=True, slots=True)
class Ended:
    """All epochs of a training, the best one if one was selected, and the figures of the test part."""

    epochs: tuple[Epoch, ...]
    best: Epoch | None
    test: Epoch | None


class TrainingLoop:
    """One training from its beginning, or from a checkpoint, to its end."""

    def __init__(
        self,
        plan: Plan,
        trainer: Trainer,
        keeper: Keeper,
        reports: Sequence[Report] = (),
        begun: tuple[Checkpoint, Sequence[Epoch]] | None = None,
    ) -> None:
        self.plan = replace(plan, feed=plan.feed.held_by(trainer))
        self.trainer, self.keeper = trainer, keeper
        self.reports: tuple[Report, ...] = (keeper, *reports)
        self.place = Moment()
        self.tallies: Tallies = {}
        self.epochs: list[Epoch] = []
        if begun is not None:
            checkpoint, epochs = begun
            trainer.restore(checkpoint.state)
            self.place, self.tallies = checkpoint.place, checkpoint.tallies
            self.epochs = list(epochs)
        self._asked = StopRequest()
        self._signal = 0
        self._saved = self._resumed = monotonic()

    def run(self) -> Ended:
        """Train to the end.

        Raises:
            Diverged: the loss became infinite or NaN.
            KeyboardInterrupt: the user stopped the training; a checkpoint is kept.
        """
        with patient() as self._asked:
            if self.place == Moment():
                self._checkpoint()  # the start: a training can be resumed from any moment on
            while self.place.epoch <= self.plan.epochs and not self._is_over():
                self._epoch()
            return self._ended()

    def _is_over(self) -> bool:
        return self.plan.patience is not None and self.plan.patience.is_over(self.epochs)

    # An epoch.

    def _epoch(self) -> None:
        plan, trainer = self.plan, self.trainer
        epoch, end = self.place.epoch, plan.steps_of(self.place.epoch)
        trainer.freeze(plan.frozen_in(epoch))
        self._resumed = monotonic()
        with closing(plan.feed.train(epoch, self.place.step)) as source:
            while self.place.step < end:
                segment = self._segment(source, end - self.place.step)
                rates = plan.rates(epoch, self.place.step, self.epochs)
                self.tallies = trainer.run(segment, rates, self._done, self.tallies)
                self._stop_if_asked()
                if self.place.step < end:
                    self._checkpoint()
        figures = plan.figures("train", self.tallies)
        if "validation" in plan.feed.parts:
            figures |= plan.figures("validation", self._measured("validation"))
        self._close(figures)

    def _segment(self, source: Iterator[Step], left: int) -> Iterator[Step]:
        """The next steps, up to the end of the epoch, the next checkpoint, or the wish to stop."""
        saving = self.plan.saving
        total = (self.place.epoch - 1) * self.plan.feed.steps + self.place.step
        due = float("inf") if saving.minutes is None else self._saved + 60 * saving.minutes
        for number, step in enumerate(source, 1):
            yield step
            at_count = saving.steps is not None and (total + number) % saving.steps == 0
            if number == left or at_count or self._is_time(number, due):
                return

    def _is_time(self, number: int, due: float) -> bool:
        """Whether the user asks to stop, or a checkpoint is due; all processes say the same."""
        if self.plan.task.world.size > 1 and number % TOGETHER:
            return False
        is_due = self._agree(int(monotonic() > due))
        return self._is_asked() or bool(is_due)

    def _agree(self, number: int) -> int:
        return number if self.plan.task.world.size == 1 else self.trainer.agree(number)

    def _is_asked(self) -> bool:
        """Whether the user asks any process to stop.

        The signal of another process is not noted as one of this process: its own, which perhaps comes later, would be
        the second one, which stops at once.
        """
        self._signal = self._agree(self._asked.number or 0)
        return bool(self._signal)

    def _done(self, losses: Numbers) -> None:
        """Report the losses of the next steps."""
        values = [float(value) for value in losses[:, 0]]
        wrong = next((at for at, value in enumerate(values) if not isfinite(value)), None)
        if wrong is not None:
            del values[wrong + 1 :]
        first = self.place.step + 1
        self.place = replace(self.place, step=self.place.step + len(values))
        for report in self.reports:
            report.steps(self.place.epoch, first, values)
        if wrong is not None:
            raise Diverged(values[wrong], self.place.epoch, self.place.step)

    def _close(self, figures: Figures) -> None:
        """The end of an epoch: what is best is kept, then it is reported, then comes the checkpoint."""
        plan, number = self.plan, self.place.epoch
        known = {name: _finite(value) for name, value in figures.items()}
        epoch = Epoch(number, known, self._seconds())
        self.epochs.append(epoch)
        last = number == plan.epochs or self._is_over()
        saved = last or (plan.saving.epochs is not None and number % plan.saving.epochs == 0)
        is_best = plan.goal is not None and plan.goal.best(self.epochs) is epoch
        if saved or is_best:
            weights = self.trainer.weights()
            if saved:
                self.keeper.save(weights, number)
            if is_best:
                self.keeper.propose(weights, number)
        for report in self.reports:
            report.epoch(epoch)
        self.place, self.tallies = Moment(number + 1), {}
        self._resumed = monotonic()
        if saved:
            self._checkpoint()

    # Measuring.

    def _measured(self, part: str) -> Tallies:
        return self.trainer.evaluate(self._interruptible(part))

    def _interruptible(self, part: str) -> Iterator[Batch]:
        several = self.plan.task.world.size > 1
        for number, batch in enumerate(self.plan.feed.part(part)):
            if not (several and number % TOGETHER) and self._is_asked():
                if part == "test":
                    self._raise()  # the last checkpoint has all; the trainer perhaps has other weights
                self._stop()
            yield batch

    def _ended(self) -> Ended:
        """Test once: the best weights, or the last ones if none were selected."""
        goal = self.plan.goal
        best = None if goal is None else goal.best(self.epochs)
        if "test" not in self.plan.feed.parts or not self.epochs:
            return Ended(tuple(self.epochs), best, None)
        began = monotonic()
        if best is not None and best is not self.epochs[-1]:
            self.trainer.load(self.keeper.best(best.number))
        figures = self.plan.figures("test", self._measured("test"))
        known = {name: _finite(value) for name, value in figures.items()}
        test = Epoch((best or self.epochs[-1]).number, known, monotonic() - began)
        for report in self.reports:
            report.tested(test)
        return Ended(tuple(self.epochs), best, test)

    # Checkpoints.

    def _stop_if_asked(self) -> None:
        if self._is_asked():
            self._stop()

    def _stop(self) -> None:
        self._checkpoint()
        self._raise()

    def _raise(self) -> NoReturn:
        self._asked.number = self._signal
        self._asked.raise_()

    def _checkpoint(self) -> None:
        place = replace(self.place, written=self.keeper.written, seconds=self._seconds())
        self.keeper.checkpoint(Checkpoint(place, self.trainer.state(), self.tallies))
        self._saved = monotonic()

    def _seconds(self) -> float:
        """The time that this epoch has taken, also before the training was resumed."""
        return self.place.seconds + monotonic() - self._resumed


def _finite(value: Figure) -> Figure:
    """The figure, or None for NaN and infinity, which JSON does not have."""
    return None if isinstance(value, float) and not isfinite(value) else value
