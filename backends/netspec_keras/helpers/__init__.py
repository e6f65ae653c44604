"""The classes and functions that Keras does not have, as source; a generated module defines the ones that it uses."""

from __future__ import annotations

from collections.abc import Collection

from netspec_keras.helpers import (
    attention,
    conv_recurrence,
    convolutions,
    functions,
    merges,
    norms,
    pools,
    products,
    recurrence,
    resizing,
    rotary,
    slices,
    starts,
    tensors,
)
from netspec_keras.helpers.helper import Helper
from netspec_keras.helpers.sweeps import SINGLE

__all__ = ["HELPERS", "STARTERS", "Helper", "required"]

STARTERS = frozenset({*starts.HELPERS, "GateBias", "LiftedGates"})
"""The helpers that initialise weights."""

HELPERS: dict[str, Helper] = {
    **starts.HELPERS,
    **convolutions.HELPERS,
    **resizing.HELPERS,
    **pools.HELPERS,
    **functions.HELPERS,
    **norms.HELPERS,
    **merges.HELPERS,
    **slices.HELPERS,
    **products.HELPERS,
    **recurrence.HELPERS,
    **tensors.HELPERS,
    **conv_recurrence.HELPERS,
    **rotary.HELPERS,
    **attention.HELPERS,
}
"""Every helper by name; ops and functions of a spec cannot have these names."""


def required(names: set[str], parts: Collection[str] = ()) -> dict[str, str]:
    """The texts of these helpers and of all that they need, in the order of the table: definitions come first.

    `parts` are the parts of the helpers that the network needs.
    """
    if len(names & recurrence.KINDS) == 1:
        parts = {*parts, SINGLE}
    wanted = set(names)
    for name in reversed(HELPERS):
        if name in wanted:
            wanted.update(HELPERS[name].needs_of(parts))
    texts = {name: HELPERS[name].of(parts) for name in HELPERS if name in wanted}
    return {name: text for name, text in texts.items() if text}
