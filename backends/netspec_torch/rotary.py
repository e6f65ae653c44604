"""Rotations by position in PyTorch."""

from __future__ import annotations

from netspec.lowering.parts import Argument, Call, Slot
from netspec.ops.rotary import Rotary, TurnedHead
from netspec_torch.orders import channels_last
from netspec_torch.site import Lowered, Site, run

CLASSES = {"halves": "Rotary", "neighbours": "NeighbourRotary"}
"""The class for each kind of pairs."""


def rotary(op: Rotary, site: Site) -> Lowered:
    """The helper class for its pairs; it takes and gives the channels last."""
    how = op.turning(site.channels // op.heads)
    order = (channels_last(len(site.inputs[0].shape)),)
    module = Call(CLASSES[how.pairs], (Argument(Slot(op.heads, "heads")), *settings(how)))
    return Lowered(run(site.x), module, takes=order, makes=order, parts=parts(how))


def settings(how: TurnedHead) -> tuple[Argument, ...]:
    """The settings that are not the defaults of the class."""
    turned = 0 if how.turned == how.size else how.turned
    found = {
        "base": Slot(how.base, "base", default=10000.0),
        "turned": Slot(turned, "turned", default=0),
        "start": Slot(how.start, "start", default=0),
    }
    return tuple(Argument(slot, name) for name, slot in found.items())


def parts(how: TurnedHead) -> frozenset[str]:
    """The parts of the helper that are needed."""
    needs = {
        "turned": how.turned < how.size,
        "start": how.start > 0,
    }
    return frozenset(part for part, needed in needs.items() if needed)
