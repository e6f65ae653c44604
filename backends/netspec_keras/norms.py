"""Dense layers, normalisations, scalings and noise in Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from netspec.ops.window import KERNEL_AXES
from netspec_keras.arguments import Arguments, Types, count, first, is_single, option
from netspec_keras.functions import behind, by_name
from netspec_keras.layer import Holder, LayerText, Lowered

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

EPSILON = 1e-3
"""The epsilon of Keras' normalisations by default."""


def dense(op: Dense, types: Types) -> Lowered:
    """`layers.Dense`, which acts on the last axis, the channels."""
    named, activation = by_name(op.activation)
    bias = option("use_bias", op.bias, True, "bias")
    layer = LayerText("layers.Dense", (count(op.units, "units"), named, bias))
    held = {"weight": Holder("kernel", "OI", "IO"), **({"bias": Holder("bias", "O", "O")} if op.bias else {})}
    return Lowered((layer, *activation), held, keeps="channels")


def rbf(op: Rbf, types: Types) -> Lowered:
    """A helper with the weight vectors."""
    layer = LayerText("RBF", (count(op.units, "units"),))
    return Lowered((layer,), {"weight": Holder("centers", "OI", "IO")}, keeps="channels")


def _flags(op: Normalisation) -> Arguments:
    return (option("center", op.center, True), option("scale", op.scale, True))


def _learnt(op: Normalisation, axes: str = "C", wanted: str = "C") -> dict[str, Holder]:
    """The homes of the scale and the shift, if they exist."""
    there = {"weight": ("gamma", op.scale), "bias": ("beta", op.center)}
    return {name: Holder(variable, axes, wanted) for name, (variable, has) in there.items() if has}


def batch_norm(op: BatchNorm, types: Types) -> Lowered:
    """A batch norm; a helper keeps the running variance unbiased."""
    settings = (option("momentum", op.momentum, 0.9), option("epsilon", op.epsilon, 1e-5), *_flags(op))
    statistics = {"running_mean": "moving_mean", "running_var": "moving_variance"}
    held = {name: Holder(variable, "C", "C") for name, variable in statistics.items()}
    layer = LayerText("UnbiasedBatchNormalization", settings)
    return Lowered((layer,), {**_learnt(op), **held}, keeps="channels")


def layer_norm(op: LayerNorm, types: Types) -> Lowered:
    """`layers.LayerNormalization`, which normalises the last axis by default."""
    rank = len(types[0].spatial)
    epsilon = option("epsilon", op.epsilon, EPSILON)
    if op.over == "channels" or not rank:
        layer = LayerText("layers.LayerNormalization", (epsilon, *_flags(op)))
        return Lowered((layer,), _learnt(op), keeps="channels")
    letters = KERNEL_AXES[rank]
    everything = option("axis", tuple(range(1, rank + 2)))
    layer = LayerText("layers.LayerNormalization", (everything, epsilon, *_flags(op)))
    return Lowered((layer,), _learnt(op, "C" + letters, letters + "C"))


def group_norm(op: GroupNorm, types: Types) -> Lowered:
    """Keras' own."""
    arguments = (first(op.groups, "groups"), option("epsilon", op.epsilon, EPSILON), *_flags(op))
    return Lowered((LayerText("layers.GroupNormalization", arguments),), _learnt(op), keeps="channels")


def instance_norm(op: InstanceNorm, types: Types) -> Lowered:
    """`layers.GroupNormalization` with one group a channel."""
    arguments = (first(-1, "groups"), option("epsilon", op.epsilon, EPSILON), *_flags(op))
    return Lowered((LayerText("layers.GroupNormalization", arguments),), _learnt(op), keeps="channels")


def rms_norm(op: RmsNorm, types: Types) -> Lowered:
    """`layers.RMSNormalization`, which always has its scale; else a helper."""
    rank = len(types[0].spatial) if op.over == "everything" else 0
    letters = KERNEL_AXES[rank] if rank else ""
    cls = "layers.RMSNormalization" if op.scale else "UnscaledRMSNormalization"
    axis = option("axis", tuple(range(1, rank + 2)) if rank else -1, -1)
    holder = {"weight": Holder("scale", "C" + letters, letters + "C")} if op.scale else {}
    layer = LayerText(cls, (axis, option("epsilon", op.epsilon, 1e-6)))
    return Lowered((layer,), holder, keeps="nothing" if rank else "channels")


def local_contrast_norm(op: LocalContrastNorm, types: Types) -> Lowered:
    """A helper with the window."""
    arguments = (
        first(op.kernel, "kernel_size"),
        option("spread", op.spread, 0.25),
        option("divide", op.divide, True),
        option("epsilon", op.epsilon, 1e-4),
    )
    return Lowered((LayerText("LocalContrastNormalization", arguments),))


def local_response_norm(op: LocalResponseNorm, types: Types) -> Lowered:
    """A helper; its alpha multiplies the sum of the squares."""
    arguments = (
        first(op.size, "size"),
        option("alpha", op.alpha / op.size if op.average else op.alpha),
        option("beta", op.beta),
        option("bias", op.bias),
    )
    return Lowered((LayerText("LocalResponseNormalization", arguments),), keeps="channels")


def l2_norm(op: L2Norm, types: Types) -> Lowered:
    """A helper with the scale."""
    layer = LayerText("L2Normalization", (option("epsilon", op.epsilon, 1e-12),))
    return Lowered((layer,), {"weight": Holder("scale", "C", "C")}, keeps="channels")


def scale(op: Scale, types: Types) -> Lowered:
    """A helper with the coefficients."""
    held = {"weight": Holder("scale", "C", "C"), **({"bias": Holder("bias", "C", "C")} if op.bias else {})}
    layer = LayerText("Scale", (option("use_bias", op.bias, True, "bias"),))
    return Lowered((layer, *behind(op.activation)), held, keeps="channels")


def scale_by(op: ScaleBy, types: Types) -> Lowered:
    """`layers.Rescaling` if it is exact, else a helper."""
    cls = "layers.Rescaling" if is_single(op.factor) else "ExactRescaling"
    return Lowered((LayerText(cls, (first(op.factor, "factor"),)),), keeps="all")


def noise(cls: str) -> Callable[[Dropout | MaskInput, Types], Lowered]:
    """A lowering to a layer that draws with a rate."""
    return lambda op, types: Lowered((LayerText(cls, (first(op.rate, "rate"),)),), keeps="all")


def spatial_dropout(op: SpatialDropout, types: Types) -> Lowered:
    """`layers.SpatialDropout…D`; a vector has no positions, so it uses `layers.Dropout`."""
    rank = len(types[0].spatial)
    cls = f"layers.SpatialDropout{rank}D" if rank else "layers.Dropout"
    return Lowered((LayerText(cls, (first(op.rate, "rate"),)),), keeps="channels")


def drop_path(op: DropPath, types: Types) -> Lowered:
    """`layers.Dropout` that draws once a sample; a sample without positions or channels has no such layer."""
    once = option("noise_shape", (None, *(1 for _ in types[0].shape)))
    return Lowered((LayerText("layers.Dropout", (first(op.rate, "rate"), once)),), keeps="all")


def gaussian_noise(op: GaussianNoise, types: Types) -> Lowered:
    """`layers.GaussianNoise`, which accepts at most 1; else a helper."""
    cls = "layers.GaussianNoise" if op.std <= 1 else "LoudGaussianNoise"
    return Lowered((LayerText(cls, (first(op.std, "std"),)),), keeps="all")


def sample(op: Sample, types: Types) -> Lowered:
    """A helper that draws; it draws outside training, too."""
    return Lowered((LayerText("Sampling" if op.noise == "normal" else "OneDeviation"),), keeps="all")
