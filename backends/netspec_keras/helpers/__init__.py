"""The classes and functions that Keras does not have, as source; a generated module defines the ones that it uses."""

from __future__ import annotations

from netspec_keras.helpers import (
    conv_recurrence,
    convolutions,
    functions,
    merges,
    norms,
    pools,
    recurrence,
    slices,
    starts,
    tensors,
)
from netspec_keras.helpers.helper import Helper

__all__ = ["HELPERS", "STARTERS", "Helper", "required"]

STARTERS = frozenset({*starts.HELPERS, "GateBias", "LiftedGates"})
"""The helpers that initialise weights."""

HELPERS: dict[str, Helper] = {
    **starts.HELPERS,
    **convolutions.HELPERS,
    **pools.HELPERS,
    **functions.HELPERS,
    **norms.HELPERS,
    **merges.HELPERS,
    **slices.HELPERS,
    **recurrence.HELPERS,
    **tensors.HELPERS,
    **conv_recurrence.HELPERS,
}
"""Every helper by name; ops and functions of a spec cannot have these names."""


def required(names: set[str]) -> list[str]:
    """These helpers and all that they need, in the order of the table, in which definitions come first."""
    wanted = set(names)
    for name in reversed(HELPERS):
        if name in wanted:
            wanted.update(HELPERS[name].needs)
    return [name for name in HELPERS if name in wanted]
