"""How many values a weight connects, and the variance that the scaled initialisers take from that."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import Literal, TypeAlias

from netspec.dataclass import dataclass
from netspec.ops.base import Weight
from netspec.ops.initializers import Initializer

Fans: TypeAlias = "tuple[int | Fraction, int | Fraction]"


def fans(weight: Weight) -> Fans:
    """How many inputs an output sees through this weight, and how many outputs see an input.

    Counted in the middle of a map, at stride 1, as the rules of Glorot and He do: I · k and O · k, where I and O are
    the channels of one group and k is the size of the kernel. One value per channel connects each channel to itself:
    1 and 1. A bias, which has no inputs, takes its outputs for both, as in Keras.
    """
    if weight.fans is not None:
        return weight.fans
    sizes = dict(zip(weight.axes, weight.shape, strict=True))
    if "C" in sizes:
        return 1, 1
    sizes[weight.axes[0]] //= weight.groups
    kernel = prod(size for letter, size in sizes.items() if letter not in "OI")
    return sizes.get("I", sizes["O"]) * kernel, sizes["O"] * kernel


@dataclass(frozen=True, slots=True)
class Scaled:
    """A distribution around 0 of variance `scale` / fan, where the fan is the fan-in or the mean of both fans."""

    scale: int
    fan: Literal["fan_in", "fan_avg"]
    form: Literal["uniform", "normal"]

    def of(self, fans: Fans) -> int | Fraction:
        """The fan of this rule."""
        return fans[0] if self.fan == "fan_in" else Fraction(fans[0] + fans[1]) / 2

    def variance(self, fans: Fans) -> float:
        """The variance for these fans."""
        return float(self.scale / Fraction(self.of(fans)))


SCALED: dict[str, Scaled] = {
    "glorot_uniform": Scaled(1, "fan_avg", "uniform"),
    "glorot_normal": Scaled(1, "fan_avg", "normal"),
    "he_uniform": Scaled(2, "fan_in", "uniform"),
    "he_normal": Scaled(2, "fan_in", "normal"),
    "lecun_uniform": Scaled(1, "fan_in", "uniform"),
    "lecun_normal": Scaled(1, "fan_in", "normal"),
}
"""The initialisers whose variance depends on the fans."""


def constant(init: Initializer) -> float | None:
    """The number that every value starts at; None if they differ."""
    return {"zeros": 0.0, "ones": 1.0}.get(init.kind, init["value"] if init.kind == "constant" else None)
