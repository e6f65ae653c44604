"""Accuracy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from netspec.fit import Measured
from netspec_keras.framework import ops


def tallies(measured: Measured) -> Callable[[Any, Any], dict[str, Any]]:
    """The tallies of a batch for this metric."""

    def function(output: Any, target: Any) -> dict[str, Any]:
        same = ops.equal(ops.argmax(output, axis=-1), ops.cast(target, "int32"))
        right = ops.sum(ops.cast(same, "int32"))
        return {f"{measured.output}/right": ops.stack([right, ops.size(target)])}

    return function
