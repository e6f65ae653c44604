"""The classes and functions that Keras lacks, as source text; a generated module holds those that it uses."""

from __future__ import annotations

from netspec_keras.helpers import (
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

STARTERS = frozenset({*starts.HELPERS, "GateBias"})
"""The helpers that give weights their first values."""

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
}
"""Every helper by its name; no op is called so, and a function of the spec that is gives way."""


def required(names: set[str]) -> list[str]:
    """These helpers and all that they need, in the order of the table, which is one of definition."""
    wanted = set(names)
    for name in reversed(HELPERS):
        if name in wanted:
            wanted.update(HELPERS[name].needs)
    return [name for name in HELPERS if name in wanted]
