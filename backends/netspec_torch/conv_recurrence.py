"""Convolutional recurrent layers in PyTorch: helpers that convolve all inputs at once, then loop over the steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from netspec.lowering.parts import Argument, Call, Part, Slot, joined, seq
from netspec.ops.conv_recurrent import ConvGru, ConvLstm, ConvRecurrent
from netspec_torch.site import OWN, PADDED, Border, Lowered, Site, border, symmetric, windowed


def recurrent(op: ConvRecurrent, site: Site) -> Lowered:
    """The helper class. If the padding differs between the two ends of an axis, the input is padded before it."""
    at = op.dimension(site.inputs)
    pads = (*op.of_input.pads[:at], (0, 0), *op.of_input.pads[at:])
    _, *states = site.variables

    def run(x: Part, padding: Sequence[int]) -> Lowered:
        called = seq(OWN, "(", joined(", ", (x, *states)), ")")
        return Lowered(called, _module(op, site, padding), parts=_parts(op, site))

    apart = replace(run(PADDED, (0,)), border=Border(pads))
    padding = symmetric(op.of_input, op.others(site.inputs))
    if padding is None:
        return replace(apart, apart=apart)
    return replace(run(site.x, padding), apart=apart)


def is_plain(op: ConvRecurrent, site: Site) -> bool:
    """Whether `ConvLSTM1d` or `ConvLSTM2d` is enough: a forward LSTM, initial states of 0, and all steps as output."""
    plain = ConvLstm.model_construct(
        **{name: getattr(op, name) for name in ("filters", "kernel", "stride", "padding", "dilation")},
        **{name: getattr(op, name) for name in ("axis", "recurrent_kernel", "init", "recurrent_init")},
        forget_bias=getattr(op, "forget_bias", 1.0),
    )
    return (
        op == plain
        and op.recurrent == op.kernel
        and all(k % 2 for k in op.kernel)
        and not (op.dimension(site.inputs) or site.ports or len(site.inputs) > 1)
    )


def _parts(op: ConvRecurrent, site: Site) -> frozenset[str]:
    """The parts of the helper that the op needs."""
    gives = (op.returns, *site.ports)
    needs = {
        "states": len(site.inputs) > 1,
        "gives": gives != ("sequence",),
        "several": len(gives) > 1,
        "single": len(gives) == 1,
        "merge": op.merge != "concat",
        "both": op.direction == "both",
        "backward": op.direction == "backward",
        "activation": op.activation != "tanh",
        "hard": op.recurrent_activation != "sigmoid",
        "unbiased": not op.bias,
        "even": any(k % 2 == 0 for k in op.recurrent),
        "peepholes": isinstance(op, ConvLstm) and op.peepholes,
        "after": isinstance(op, ConvGru) and op.reset == "after",
    }
    return frozenset({*gives, *(part for part, needed in needs.items() if needed)})


def _module(op: ConvRecurrent, site: Site, padding: Sequence[int]) -> Call:
    fields = windowed(op.of_input)
    sizes = (
        Argument(Slot(site.channels, "in_channels", channels=True)),
        Argument(Slot(op.filters, "filters", channels=True)),
        Argument(Slot(op.kernel, "kernel")),
    )
    if is_plain(op, site):
        window = {"stride": fields["stride"], "padding": border(padding), "dilation": fields["dilation"]}
        arguments = (Argument(part, keyword) for keyword, part in window.items())
        return Call(f"ConvLSTM{len(op.kernel)}d", (*sizes, *arguments))
    settings: dict[str, Part] = {
        "axis": Slot(2 + op.dimension(site.inputs), "axis", default=2),
        "recurrent_kernel": Slot(
            () if op.recurrent == op.kernel else op.recurrent, "recurrent_kernel", default=()
        ),
        "stride": fields["stride"],
        "padding": border(padding),
        "dilation": fields["dilation"],
        "direction": Slot(op.direction, "direction", default="forward"),
        "merge": Slot(op.merge, "merge", default="concat"),
        "activation": Slot(op.activation, "activation", default="tanh"),
        "recurrent_activation": Slot(op.recurrent_activation, "recurrent_activation", default="sigmoid"),
        "bias": Slot(op.bias, "bias", default=True),
        **_cell(op, site),
        "gives": Slot((op.returns, *site.ports), "gives", default=("sequence",)),
    }
    name = "ConvLSTM" if isinstance(op, ConvLstm) else "ConvGRU"
    return Call(name, (*sizes, *(Argument(part, keyword) for keyword, part in settings.items())))


def _cell(op: ConvRecurrent, site: Site) -> dict[str, Part]:
    """The arguments that only this kind of layer has."""
    if isinstance(op, ConvGru):
        return {"reset": Slot(op.reset, "reset", default="before")}
    has_peepholes = isinstance(op, ConvLstm) and op.peepholes
    sizes = op.ends(site.inputs) if has_peepholes else ()
    return {"peepholes": Slot(sizes, "peepholes", default=())}
