"""Parameters, constants, positions and gated activations in PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from netspec.lowering.parts import Part, Slot, call, literal, seq
from netspec_torch.site import Lowered, Site, run

if TYPE_CHECKING:
    from netspec.ops.gate import Gated
    from netspec.ops.tensors import Constant, Parameter, Positions


def parameter(op: Parameter, site: Site) -> Lowered:
    """A helper class that holds the parameter."""
    return Lowered(run(site.x), call("Learned", Slot(op.shape, "shape")))


def constant(op: Constant, site: Site) -> Lowered:
    """A helper class that holds the values, or one value and a shape."""
    if isinstance(op.values, str):
        channels, length = op.shape or ()
        sizes = (Slot(channels, "channels"), Slot(length, "length"))
        return Lowered(run(site.x), call("Sinusoid", *sizes, base=_base(op)))
    if not isinstance(op.numbers, tuple):
        return Lowered(run(site.x), call("Filled", Slot(op.shape or (), "shape"), Slot(op.numbers, "value")))
    return Lowered(run(site.x), call("Fixed", Slot(op.numbers, "values")))


def positions(op: Positions, site: Site) -> Lowered:
    """A helper class that adds sines, which fits every length; the input plus a tensor that is learned."""
    if op.kind == "sinusoid":
        return Lowered(run(site.x), call("SinusoidPositions", base=_base(op)))
    module = call("Learned", Slot(site.inputs[0].shape, "shape"))
    return Lowered(seq(site.x, " + ", run(site.x)), module, open=True)


def _base(op: Constant | Positions) -> Slot:
    return Slot(op.base, "base", default=10000.0)


FUNCTIONS: Mapping[str, Callable[[str], Part]] = {
    "tanh": lambda x: call("torch.tanh", x),
    "sigmoid": lambda x: call("torch.sigmoid", x),
    "relu": lambda x: call("F.relu", x),
    "silu": lambda x: call("F.silu", x),
    "gelu": lambda x: call("F.gelu", x),
    "none": lambda x: x,
}


def gated(op: Gated, site: Site) -> Lowered:
    """`F.glu` for the gated linear unit; else the product of both halves of the channels, from `torch.chunk`."""
    dim = site.channels_dim
    if (op.activation, op.gate) == ("none", "sigmoid"):
        return site.as_given(Lowered(call("F.glu", site.x, dim=literal(dim))))
    halves = seq("halves = ", call("torch.chunk", site.x, "2", dim=literal(dim)))
    result = seq(FUNCTIONS[op.activation]("halves[0]"), " * ", FUNCTIONS[op.gate]("halves[1]"))
    return site.as_given(Lowered(result, before=(halves,), open=True))
