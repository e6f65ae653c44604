"""Limits of gradients as data. Gradients are of the mean loss of the whole batch, before decay and momentum."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from netspec.recipe.model import GradientClip, family


class Norm(GradientClip):
    """All gradients are multiplied by limit / n if n, the norm over all of them, is larger. Pascanu et al. 2013."""

    kind: ClassVar[Literal["norm"]] = "norm"


class Value(GradientClip):
    """Every number of a gradient is limited to −limit … limit."""

    kind: ClassVar[Literal["value"]] = "value"


class Each(GradientClip):
    """The gradient of each weight is multiplied by limit / n if n, its own norm, is larger."""

    kind: ClassVar[Literal["each"]] = "each"


CLIPS: dict[str, type[Any]] = family(Norm, Value, Each)
