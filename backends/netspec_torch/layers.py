"""Dense layers, normalisations, scalings and noise in PyTorch."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from netspec.dataclass import replace
from netspec.lowering.parts import Call, Slot, call, seq
from netspec.lowering.tree import LiteralValue
from netspec_torch.functions import activate, is_open
from netspec_torch.orders import channels_last
from netspec_torch.site import Lowered, Site, compact, run

if TYPE_CHECKING:
    from netspec.ops.contrast import LocalContrastNorm
    from netspec.ops.dense import Dense, Rbf
    from netspec.ops.norm import (
        BatchNorm,
        GroupNorm,
        InstanceNorm,
        L2Norm,
        LayerNorm,
        LocalResponseNorm,
        Normalisation,
        RmsNorm,
    )
    from netspec.ops.regularize import Dropout, DropPath, GaussianNoise, MaskInput, SpatialDropout
    from netspec.ops.sample import Sample
    from netspec.ops.scale import Scale, ScaleBy


def dense(op: Dense, site: Site) -> Lowered:
    """`nn.Linear`; on a map, it acts on the channels of every position, which must be the last axis."""
    module = call(
        "nn.Linear",
        Slot(site.channels, "in_channels", channels=True),
        Slot(op.units, "units", channels=True),
        bias=Slot(op.bias, "bias", default=True),
    )
    result = activate(run(site.x), op.activation, dim=-1 if site.rank else 1)
    lowered = Lowered(result, module, open=is_open(op.activation))
    return _on_channels_last(site, lowered)


def _on_channels_last(site: Site, lowered: Lowered) -> Lowered:
    """A layer that acts on the last axis, so the channels must be the last one; the others can have any order."""
    order = site.order if site.order.axes[-1] == 1 else channels_last(len(site.inputs[0].shape))
    return replace(lowered, takes=(order,), makes=(order,))


def _channels(site: Site) -> Slot:
    return Slot(site.channels, "in_channels", channels=True)


def _run(site: Site, module: Call) -> Lowered:
    return Lowered(run(site.x), module)


def rbf(op: Rbf, site: Site) -> Lowered:
    """A helper class with the weight vectors."""
    return _run(site, call("Rbf", _channels(site), Slot(op.units, "units", channels=True)))


def _without(op: Normalisation, name: str, frozen: bool = False) -> str:
    """The class of a normalisation: PyTorch's own, or a helper without scale or shift, or frozen."""
    words = ("Frozen" if frozen else "", "" if op.scale else "Unscaled", "" if op.center else "Uncentred")
    prefix = "".join(words)
    return f"{prefix}{name}" if prefix else f"nn.{name}"


def batch_norm(op: BatchNorm, site: Site) -> Lowered:
    """`nn.BatchNorm…d`, which also uses the unbiased running variance."""
    module = call(
        _without(op, f"BatchNorm{max(site.rank, 1)}d", not site.trainable),
        _channels(site),
        eps=Slot(op.epsilon, "eps", default=1e-5),
        # PyTorch's momentum is the share of the new batch. In decimals 1 − 0.9 is 0.1, in binary floats it is not.
        momentum=Slot(float(1 - Decimal(repr(op.momentum))), "momentum", default=0.1),
    )
    return _run(site, module)


def _over(op: LayerNorm | RmsNorm, site: Site) -> Slot:
    """The shape of the last axes, over which a layer of PyTorch normalises: all axes, or the channels."""
    shape: LiteralValue = (
        site.channels if op.over == "channels" or not site.rank else tuple(site.inputs[0].shape)
    )
    return Slot(shape, "in_channels", channels=isinstance(shape, int))


def _on_last(op: LayerNorm | RmsNorm, site: Site, module: Call) -> Lowered:
    """A normalisation of the last axes: the channels must be the last one, unless it is over everything."""
    if op.over == "everything" or not site.rank:
        return _run(site, module)
    return _on_channels_last(site, _run(site, module))


def layer_norm(op: LayerNorm, site: Site) -> Lowered:
    """`nn.LayerNorm`."""
    module = call(_without(op, "LayerNorm"), _over(op, site), eps=Slot(op.epsilon, "eps", default=1e-5))
    return _on_last(op, site, module)


def rms_norm(op: RmsNorm, site: Site) -> Lowered:
    """`nn.RMSNorm`, whose own epsilon depends on the number type."""
    affine = Slot(op.scale, "scale", default=True)
    module = call("nn.RMSNorm", _over(op, site), eps=Slot(op.epsilon, "eps"), elementwise_affine=affine)
    return _on_last(op, site, module)


def instance_norm(op: InstanceNorm, site: Site) -> Lowered:
    """`nn.InstanceNorm…d`, which has a scale and a shift, or neither; else a helper."""
    cls, affine = f"nn.InstanceNorm{site.rank}d", op.scale and op.center
    if op.scale is not op.center:
        cls, affine = _without(op, f"InstanceNorm{site.rank}d"), True
    eps = Slot(op.epsilon, "eps", default=1e-5)
    return _run(site, call(cls, _channels(site), eps=eps, affine=Slot(affine, "affine", default=False)))


def group_norm(op: GroupNorm, site: Site) -> Lowered:
    """`nn.GroupNorm` on contiguous memory.

    Otherwise its derivative crashes the process on a map in another memory order whose values need no gradient (PyTorch
    2.13).
    """
    module = call(
        _without(op, "GroupNorm"),
        Slot(op.groups, "groups", channels=True),
        _channels(site),
        eps=Slot(op.epsilon, "eps", default=1e-5),
    )
    return Lowered(run(seq(site.x, ".contiguous()") if site.rank > 1 else site.x), module)


def local_contrast_norm(op: LocalContrastNorm, site: Site) -> Lowered:
    """A helper class with the window."""
    module = call(
        f"LocalContrastNorm{site.rank}d",
        Slot(compact(op.kernel), "kernel"),
        spread=Slot(op.spread, "spread", default=0.25),
        divide=Slot(op.divide, "divide", default=True),
        eps=Slot(op.epsilon, "eps", default=1e-4),
    )
    return _run(site, module)


def local_response_norm(op: LocalResponseNorm, site: Site) -> Lowered:
    """`F.local_response_norm`; its alpha multiplies the mean of the squares.

    Over three axes it joins height and width in a view, which needs contiguous memory; the result of a `permute` is not
    contiguous.
    """
    alpha = op.alpha if op.average else op.alpha * op.size
    values = {"alpha": (alpha, 1e-4), "beta": (op.beta, 0.75), "k": (op.bias, 1.0)}
    settings = {name: Slot(value, name, default, kept=True) for name, (value, default) in values.items()}
    x = {0: seq(site.x, "[:, :, None]"), 3: seq(site.x, ".contiguous()")}.get(site.rank, site.x)
    tail = "" if site.rank else ".squeeze(2)"
    return Lowered(call("F.local_response_norm", x, Slot(op.size, "size", kept=True), tail=tail, **settings))


def l2_norm(op: L2Norm, site: Site) -> Lowered:
    """A helper class with the scale."""
    return _run(site, call("L2Norm", _channels(site), eps=Slot(op.epsilon, "eps", default=1e-12)))


def scale(op: Scale, site: Site) -> Lowered:
    """A helper class with the coefficients."""
    module = call("Scale", _channels(site), bias=Slot(op.bias, "bias", default=True))
    return Lowered(activate(run(site.x), op.activation), module)


def scale_by(op: ScaleBy, site: Site) -> Lowered:
    """A multiplication by a number."""
    return site.as_given(Lowered(seq(Slot(op.factor, "factor", kept=True), " * ", site.x), open=True))


def dropout(op: Dropout, site: Site) -> Lowered:
    """PyTorch's own."""
    return site.as_given(_run(site, call("nn.Dropout", Slot(op.rate, "rate"))))


def spatial_dropout(op: SpatialDropout, site: Site) -> Lowered:
    """`nn.Dropout…d`; a vector has no positions, so it uses `nn.Dropout`."""
    name = f"nn.Dropout{site.rank}d" if site.rank else "nn.Dropout"
    return _run(site, call(name, Slot(op.rate, "rate")))


def drop_path(op: DropPath, site: Site) -> Lowered:
    """A helper class that uses its training mode."""
    return site.as_given(_run(site, call("DropPath", Slot(op.rate, "rate"))))


def gaussian_noise(op: GaussianNoise, site: Site) -> Lowered:
    """A helper class that uses its training mode."""
    return site.as_given(_run(site, call("GaussianNoise", Slot(op.std, "std"))))


def mask_input(op: MaskInput, site: Site) -> Lowered:
    """A helper class that uses its training mode."""
    return site.as_given(_run(site, call("MaskInput", Slot(op.rate, "rate"))))


def sample(op: Sample, site: Site) -> Lowered:
    """The mean plus as many deviations as `torch.randn_like` draws; it draws in evaluation, too."""
    mean, log_variance = site.variables
    noise = call("torch.randn_like" if op.noise == "normal" else "torch.ones_like", mean)
    deviation = call("torch.exp", seq("0.5 * ", log_variance))
    return site.as_given(Lowered(seq(mean, " + ", noise, " * ", deviation), open=True))
