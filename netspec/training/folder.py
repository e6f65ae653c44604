"""Writes the run folder during a training: the network, the recipe, the progress and the results."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml

from netspec import files
from netspec.data.bounds import DataError
from netspec.graph import Graph
from netspec.marks import metadata
from netspec.recipe import Recipe, plain
from netspec.stops import is_stop, undisturbed
from netspec.training.checkpoint import Checkpoint
from netspec.training.claim import BEST, CHECKPOINT, FACTS, LAST, LINES, PROPOSED, CannotKeep, Claim
from netspec.training.memory import OutOfMemory
from netspec.training.report import Epoch

if TYPE_CHECKING:
    from netspec.backend import Array

EPOCH = "epoch"
RECIPE = "recipe.yaml"


_REPAIRABLE = (CannotKeep, DataError, MemoryError, OSError)
"""What ends a training that can go on from its last checkpoint, when its user has repaired it."""


class Folder:
    """A `Keeper` that writes a training to disk: every step as soon as it is known, the weights after an epoch."""

    def __init__(self, claim: Claim, description: Mapping[str, Any]) -> None:
        self.path = claim.path
        self.epochs: list[Epoch] = []
        self.losses: list[float] = []
        self.test: Epoch | None = None
        self._claim = claim
        self._description = description
        self._resumed = False
        self._can_go_on = False

    @classmethod
    def make(cls, claim: Claim, texts: Mapping[str, str | bytes], facts: Mapping[str, Any]) -> Self:
        """Write to the reserved run folder. `texts` are its first files, `facts` the content of `run.json`.

        Raises:
            CannotKeep: the folder cannot be written; then all files of this run are removed.
        """
        folder = cls(claim, facts)
        try:
            folder._say("running")
            for name, text in texts.items():
                folder._write(name, text)
        except BaseException:
            claim.give_back()
            raise
        return folder

    @classmethod
    def again(cls, claim: Claim, facts: Mapping[str, Any], checkpoint: Checkpoint) -> Self:
        """Go on writing to the folder of a run, from this checkpoint on: what was written later is removed.

        Raises:
            CannotKeep: the folder cannot be written.
        """
        folder = cls(claim, facts)
        folder._resumed = folder._can_go_on = True
        claim.cut(checkpoint.place.written)
        folder.epochs, folder.losses = told_in(claim.path / LINES, checkpoint.place.written)
        folder._settle_best()
        folder._say("running")
        return folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Write how the run ended; a training that ends before its first step leaves no folder."""
        with undisturbed(drop=error is not None):
            if error is not None and not self.losses and not self._resumed:
                self._claim.give_back()
                if isinstance(error, OutOfMemory):
                    error.add_note(error.to_start())
                return
            state = "finished" if error is None else "stopped" if is_stop(error) else "failed"
            try:
                self._say(state, _reason(error))
            except CannotKeep as lost:
                if error is None:
                    raise
                error.add_note(str(lost))
            finally:
                self._claim.close()
        if error is not None:
            error.add_note(f"the run is kept in {self.path}: {self.progress()}")
            if self._can_go_on and state == "stopped":
                error.add_note(f"to go on: netspec train --resume {self.path}")
            elif self._can_go_on and isinstance(error, OutOfMemory):
                error.add_note(error.to_go_on(self.path))
            elif self._can_go_on and isinstance(error, _REPAIRABLE):
                error.add_note(f"to go on when that is repaired: netspec train --resume {self.path}")

    def progress(self) -> str:
        """The progress: `2 epochs, 340 steps`."""
        counts = ((len(self.epochs), "epoch"), (len(self.losses), "step"))
        return ", ".join(f"{count} {name}{'s' * (count != 1)}" for count, name in counts)

    def describe(self, recipe: Recipe) -> None:
        """Write the recipe with which the run goes on."""
        self._write(RECIPE, _resolved(recipe))

    # See `netspec.training.loop.Keeper`.

    @property
    def written(self) -> int:
        """The length of `metrics.jsonl`."""
        return self._claim.written

    def steps(self, epoch: int, first: int, losses: Sequence[float]) -> None:
        """Write one line for each step."""
        with undisturbed():
            self.losses.extend(losses)
            self._lines(
                {EPOCH: epoch, "step": step, "loss": loss if isfinite(loss) else None}
                for step, loss in enumerate(losses, first)
            )

    def epoch(self, epoch: Epoch) -> None:
        """Write the line for the epoch."""
        with undisturbed():
            self._lines([{EPOCH: epoch.number, **epoch.metrics, "seconds": round(epoch.seconds, 3)}])
            self.epochs.append(epoch)

    def tested(self, epoch: Epoch) -> None:
        """Write the line of the test part."""
        with undisturbed():
            self.test = epoch
            self._lines([{EPOCH: epoch.number, **epoch.metrics, "seconds": round(epoch.seconds, 3)}])

    def save(self, weights: Mapping[str, Array], epoch: int) -> None:
        """Write the last weights."""
        self._weights(LAST, weights, epoch)

    def propose(self, weights: Mapping[str, Array], epoch: int) -> None:
        """Write the weights beside the best ones."""
        self._weights(PROPOSED, weights, epoch)

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, and let the best weights of this place take the place of the old ones."""
        content = checkpoint.as_bytes()
        with undisturbed():
            self._write(CHECKPOINT, content)
            self._can_go_on = True
            if (self.path / PROPOSED).exists():
                self._move(PROPOSED, BEST)

    def last(self) -> Checkpoint:
        """Read the last checkpoint."""
        return Checkpoint.read(self.path / CHECKPOINT)

    def best(self, epoch: int) -> Mapping[str, Array]:
        """Read the best weights."""
        from netspec.tensors import UnreadableTensors, read

        try:
            return read(self.path / BEST)[0]
        except UnreadableTensors as error:
            raise CannotRead(f"{files.shortened(self.path / BEST)} cannot be read: {error}") from None

    def picture(self, svg: str) -> Path:
        """Write the plot of the curves; return its path."""
        self._write("curves.svg", svg)
        return self.path / "curves.svg"

    def _settle_best(self) -> None:
        """Keep proposed weights only if the checkpoint knows of their epoch: then only the move is missing."""
        from netspec.tensors import metadata_of

        proposed = self.path / PROPOSED
        if not proposed.exists():
            return
        if int(metadata_of(proposed).get(EPOCH, "0")) <= len(self.epochs):
            self._move(PROPOSED, BEST)
        else:
            proposed.unlink()

    def _move(self, name: str, to: str) -> None:
        try:
            (self.path / name).replace(self.path / to)
        except OSError as error:
            raise CannotKeep(self.path / to, error) from error
        files.sync(self.path)

    def _say(self, state: str, reason: str = "") -> None:
        """Write `run.json`: what is trained, and the state of the run."""
        facts: dict[str, Any] = {"state": state, **self._description}
        if state != "running":
            facts["ended"] = datetime.now(UTC).isoformat(timespec="seconds")
            facts |= {"epochs": len(self.epochs), "steps": len(self.losses)}
        if reason:
            facts["reason"] = reason
        self._write(FACTS, json.dumps(facts, indent=2, ensure_ascii=False, default=str) + "\n")

    def _write(self, name: str, content: str | bytes) -> None:
        """Write a file completely or not at all, whenever the process ends."""
        try:
            files.write(self.path / name, content)
        except OSError as error:
            raise CannotKeep(self.path / name, error) from error

    def _lines(self, lines: Any) -> None:
        self._claim.append("".join(json.dumps(each) + "\n" for each in lines))

    def _weights(self, name: str, arrays: Mapping[str, Array], epoch: int) -> None:
        from netspec.tensors import as_bytes

        content = as_bytes(arrays, {**metadata("train"), EPOCH: str(epoch)})
        with undisturbed():
            self._write(name, content)


class CannotRead(Exception):
    """A file of a run cannot be read. `str()` says which file and why."""


def told_in(path: Path, length: int) -> tuple[list[Epoch], list[float]]:
    """The epochs, and the losses of all steps, in the first bytes of a file of progress."""
    epochs, losses = [], []
    for line in files.read(path)[:length].decode().splitlines():
        told = json.loads(line)
        if "step" in told:
            losses.append(float("nan") if told["loss"] is None else told["loss"])
        else:
            number, seconds = told.pop(EPOCH), told.pop("seconds")
            epochs.append(Epoch(number, told, seconds))
    return epochs, losses


def described(graph: Graph, text: str | None, recipe: Recipe) -> dict[str, str]:
    """The files that describe a training: the spec as written, its printed graph, the resolved recipe."""
    spec = {} if text is None else {"spec.yaml": text}
    return {**spec, "graph.txt": str(graph), RECIPE: _resolved(recipe)}


def _resolved(recipe: Recipe) -> str:
    return yaml.safe_dump({"train": plain(recipe)}, sort_keys=False, allow_unicode=True)


def _reason(error: BaseException | None) -> str:
    """Why the run failed, in one line; empty if it finished or was stopped."""
    if error is None or is_stop(error):
        return ""
    return str(error).partition("\n")[0] or type(error).__name__
