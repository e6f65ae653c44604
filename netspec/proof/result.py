"""The result of a comparison: every difference, what counts as equal, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any

from netspec.proof.difference import Difference, over, worst


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The largest `max_rel` that counts as equal. None: measured, but not judged."""

    forward: float
    gradients: float | None
    steps: float | None


# Float64 is the proof. In float32, a rounding error can move the input of a relu across 0 and so change a gradient; no
# tolerance for gradients would be meaningful, so only outputs are judged.
TOLERANCES: dict[str, Tolerance] = {
    "float64": Tolerance(1e-10, 1e-10, 1e-9),
    "float32": Tolerance(1e-4, None, None),
}


@dataclass(frozen=True, slots=True)
class Steps:
    """The weights after some steps of one optimiser."""

    optimizer: str
    count: int
    learning_rate: float
    found: tuple[Difference, ...]


@dataclass(frozen=True)
class Comparison:
    """The result: the worst pair for every layer, gradient and weight, and the worst layer for every pair."""

    spec: str
    name: str
    dtype: str
    device: str
    backends: tuple[str, ...]
    oracles: tuple[str, ...]
    """The oracles that take part."""
    absent: Mapping[str, str]
    """The oracles that cannot take part, each with the reason."""
    batch: int
    others: tuple[int, ...]
    """Further batch sizes at which the outputs were compared; a layer's difference is the largest of all sizes."""
    tolerance: Tolerance
    layers: tuple[Difference, ...]
    pairs: tuple[Difference, ...]
    gradients: tuple[Difference, ...]
    steps: tuple[Steps, ...]
    vanished: bool = False
    """Whether every gradient is zero in theory, and was compared as zero: all values are rounding errors."""
    two_valued: tuple[str, ...] = ()
    """Batch norms over two values per channel. Except for the epsilon, their outputs are −1 and 1 whatever the values
    are, and the two swap where the values are nearly equal: steps through them are chaotic."""
    undecided: tuple[str, ...] = ()
    """Layers whose outputs are not judged in float32: rounding errors decide to which positions values go back."""

    @cached_property
    def failures(self) -> tuple[Difference, ...]:
        """All differences over their tolerance: layers in the order of the graph, then gradients, then weights."""
        stepped = [each for steps in self.steps for each in over(steps.found, self.tolerance.steps)]
        return (*self._unequal, *over(self.gradients, self.tolerance.gradients), *stepped)

    @property
    def ok(self) -> bool:
        return not self.failures

    @property
    def first_difference(self) -> Difference | None:
        """The first layer, in the order of the graph, whose outputs differ."""
        return next(iter(self._unequal), None)

    @property
    def judged(self) -> tuple[Difference, ...]:
        """The layers whose outputs are judged."""
        return tuple(each for each in self.layers if each.name not in self.undecided)

    @cached_property
    def _unequal(self) -> tuple[Difference, ...]:
        """The layers that differ; of those that are not judged, the ones that differ in more than their values."""
        wrong = {each.name for each in over(self.judged, self.tolerance.forward)}
        wrong |= {each.name for each in over(self.layers, None)}
        return tuple(each for each in self.layers if each.name in wrong)

    def as_dict(self) -> dict[str, Any]:
        """The JSON of `netspec compare --format json`; an infinite difference is "inf", a missing one null."""
        first = self.first_difference
        forward, gradients = worst(self.judged), worst(self.gradients)
        return {
            "spec": self.spec,
            "name": self.name,
            "dtype": self.dtype,
            "device": self.device,
            "backends": list(self.backends),
            "absent_oracles": dict(self.absent),
            "batch": self.batch,
            "learning_rate": self.steps[0].learning_rate if self.steps else None,
            "ok": self.ok,
            "tolerance": {
                "forward": self.tolerance.forward,
                "gradients": self.tolerance.gradients,
                "steps": self.tolerance.steps,
            },
            "forward": {"max_rel": _number(forward), "layer": _name(forward)},
            "undecided": list(self.undecided),
            "pairs": [
                {"backends": list(each.backends), "max_rel": _number(each), "layer": each.name}
                for each in self.pairs
            ],
            "gradients": {"max_rel": _number(gradients), "weight": _name(gradients)},
            "steps": [
                {
                    "optimizer": steps.optimizer,
                    "count": steps.count,
                    "learning_rate": steps.learning_rate,
                    "max_rel": _number(worst(steps.found)),
                    "weight": _name(worst(steps.found)),
                }
                for steps in self.steps
            ],
            "first_difference": None if first is None else {"layer": first.name, "max_rel": _number(first)},
            "layers": [{"name": each.name, "max_rel": _number(each)} for each in self.layers],
        }


def _number(found: Difference | None) -> float | str | None:
    if found is None:
        return None
    return "inf" if found.max_rel == inf else found.max_rel


def _name(found: Difference | None) -> str | None:
    return None if found is None else found.name
