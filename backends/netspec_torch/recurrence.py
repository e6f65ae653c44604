"""Recurrent layers in PyTorch: `nn.RNN`, `nn.LSTM` or `nn.GRU` if they compute the same, else a loop over the steps."""

from __future__ import annotations

from collections.abc import Mapping

from netspec.dataclass import replace
from netspec.graph import Node
from netspec.lowering.parts import Argument, Call, Part, Slot, joined, seq
from netspec.ops.recurrent import Gru, Lstm, Recurrent, Rnn
from netspec_torch.orders import canonical, channels_last, steps_last
from netspec_torch.site import OWN, Lowered, Site

NAMES: dict[type[Recurrent], str] = {Rnn: "RNN", Lstm: "LSTM", Gru: "GRU"}
"""The name of each layer in `torch.nn`."""


def recurrent(op: Recurrent, site: Site) -> Lowered:
    """A helper class that runs the layer: the shortest one that has all that the op uses.

    It takes and gives the axis of the steps and then the channels last.
    """
    has_lengths = any(type_.kind == "indices" for type_ in site.inputs)
    native = is_native(op) and not (has_lengths and op.direction == "backward")
    direction = Slot(op.direction, "direction", default="forward")
    if _resets_first(op, site):
        return replace(_module("ResetFirstGRU", op, site, {"direction": direction}), parts=_parts(op, site))
    bidirectional = Slot(op.direction == "both", "bidirectional", default=False)
    layers: dict[str, Part] = {
        "dropout": Slot(op.dropout, "dropout", default=0.0),
        "bias": Slot(op.bias, "bias", default=True),
    }
    if _is_lean(op, site):
        prefix = "Last" if op.returns == "last" else ""
        number = Slot(op.layers, "num_layers", default=1)
        settings = {
            "num_layers": number,
            "bidirectional": bidirectional,
            **_cell(op, native),
            **layers,
        }
        lowered = _module(prefix + NAMES[type(op)], op, site, settings)
        return replace(lowered, result=_turned_round(op, site)) if op.direction == "backward" else lowered
    directions: dict[str, Part] = {
        "bidirectional": bidirectional,
        "backward": Slot(op.direction == "backward", "backward", default=False),
    }
    loop: dict[str, Part] = {
        "direction": direction,
        "variational": Slot(op.variational, "variational", default=False),
    }
    prefix = ("Padded" if has_lengths else "Recurrent") if native else "Stepwise"
    settings = {
        "num_layers": Slot(op.layers, "num_layers", default=1),
        **(directions if native else loop),
        "merge": Slot(op.merge, "merge", default="concat"),
        **_cell(op, native),
        **layers,
        "gives": Slot((op.returns, *site.ports), "gives", default=("sequence",)),
    }
    return replace(_module(prefix + NAMES[type(op)], op, site, settings), parts=_parts(op, site, prefix))


def _parts(op: Recurrent, site: Site, prefix: str = "") -> frozenset[str]:
    """The parts of the helper that the op needs."""
    gives = (op.returns, *site.ports)
    needs = {
        "whole": prefix == "Recurrent",
        "states": any(type_.channels for type_ in site.inputs[1:]),
        "lengths": any(type_.kind == "indices" for type_ in site.inputs),
        "gives": gives != ("sequence",),
        "several": len(gives) > 1,
        "single": len(gives) == 1,
        "merge": op.merge != "concat",
        "both": op.direction == "both",
        "backward": op.direction == "backward",
        "dropout": op.dropout > 0 or op.variational,
        "variational": op.variational,
        "unbiased": not op.bias,
        **{name: bool(getattr(op, name, None)) for name in ("peepholes", "coupled", "projection")},
    }
    return frozenset({*gives, *(part for part, needed in needs.items() if needed)})


def _module(name: str, op: Recurrent, site: Site, settings: Mapping[str, Part]) -> Lowered:
    """The construction of a module of the class `name`, and its call on all inputs."""
    sizes = (
        Argument(Slot(site.channels, "in_channels", channels=True)),
        Argument(Slot(op.units, "units", channels=True)),
    )
    keywords = (Argument(part, keyword) for keyword, part in settings.items())
    steps = steps_last(len(site.inputs[0].shape), 2 + op.dimension(site.inputs))
    states = channels_last(len(site.inputs[0].shape) - 1)
    return Lowered(
        seq(OWN, "(", joined(", ", site.variables), ")"),
        Call(name, (*sizes, *keywords)),
        takes=(
            steps,
            *(states if type_.channels else canonical(len(type_.shape)) for type_ in site.inputs[1:]),
        ),
        makes=tuple(steps if each == "sequence" else states for each in (op.returns, *site.ports)),
    )


def _turned_round(op: Recurrent, site: Site) -> Part:
    """The call of a layer on the steps from the last to the first."""
    called = seq(OWN, "(", site.x, ".flip(-2))")
    return called if op.returns == "last" else seq(called, ".flip(-2)")


def _resets_first(op: Recurrent, site: Site) -> bool:
    """Whether `ResetFirstGRU` is enough: one layer with `reset: before`, initial states of 0, all steps as output."""
    plain = len(site.inputs) == 1 and not site.ports and op.returns == "sequence" and op.merge == "concat"
    first = isinstance(op, Gru) and op.reset == "before"
    return plain and first and op.layers == 1 and op.bias and not op.variational


def _is_lean(op: Recurrent, site: Site) -> bool:
    """Whether a plain layer of `torch.nn` is enough: initial states of 0, all steps or the last as output."""
    plain = len(site.inputs) == 1 and not site.ports and op.returns != "state"
    return plain and is_native(op) and (op.direction != "both" or op.merge == "concat")


def is_native(op: Recurrent) -> bool:
    """Whether a layer of `torch.nn` computes the same, if all samples have the full length."""
    if op.variational or (op.layers > 1 and op.merge != "concat"):
        return False
    match op:
        case Rnn(activation=activation):
            return activation != "sigmoid"
        case Gru(reset=reset):
            return reset == "after"
        case Lstm(peepholes=peepholes, coupled=coupled, projection=projection):
            return not peepholes and not coupled and (projection or 0) < op.units
    return False


def second_biases(node: Node) -> list[str]:
    """The names of the second biases (`bias_hh`), which a layer of `torch.nn` has and the node does not; they are 0."""
    assert isinstance(node.op, Recurrent)
    names = [node.local(weight) for weight in node.weights]
    firsts = [name for name in names if name.startswith("bias_ih")] if is_native(node.op) else []
    seconds = [name.replace("bias_ih", "bias_hh") for name in firsts]
    return [name for name in seconds if name not in names]


def _cell(op: Recurrent, native: bool) -> dict[str, Part]:
    """The arguments that only this kind of layer has. Raises TypeError if the op is not a recurrent layer."""
    match op:
        case Rnn():
            return {"nonlinearity": Slot(op.activation, "nonlinearity", default="tanh")}
        case Gru():
            return {} if native else {"reset": Slot(op.reset, "reset", default="after")}
        case Lstm():
            projection: dict[str, Part] = {"proj_size": Slot(op.projection or 0, "projection", default=0)}
            if native:
                return projection
            return {
                "peepholes": Slot(op.peepholes, "peepholes", default=False),
                "coupled": Slot(op.coupled, "coupled", default=False),
                **projection,
            }
    raise TypeError(f"no recurrent layer: {op}")
