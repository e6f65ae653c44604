"""What frameworks and papers call an op, for messages: somebody who writes `linear` means `dense`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from netspec.ops import OPS
from netspec.ops.nearest import did_you_mean

_CALLED: dict[str, tuple[str, ...]] = {
    "conv": ("convolution", "convolutional"),
    "conv_transpose": ("deconv", "deconvolution", "convtransposed", "transposedconv", "upconv", "upconvolution"),
    "depthwise_conv": ("depthwise", "dwconv", "depthwiseconvolution"),
    "separable_conv": ("sepconv", "separableconvolution"),
    "max_pool": ("maxpooling",),
    "avg_pool": ("avgpooling", "averagepooling", "meanpool", "subsample", "subsampling"),
    "global_avg_pool": ("gap", "globalaveragepooling", "adaptiveavgpool", "globalpool", "globalpooling"),
    "global_max_pool": ("globalmaxpooling", "adaptivemaxpool"),
    "channel_pool": ("maxout",),
    "dense": ("linear", "fc", "fullyconnected", "innerproduct", "affine"),
    "batch_norm": ("bn", "batchnormalization", "batchnormalisation"),
    "layer_norm": ("ln", "layernormalization", "layernormalisation"),
    "group_norm": ("gn", "groupnormalization", "instancenorm", "instancenormalization"),
    "local_response_norm": ("lrn", "crossmaplrn", "localresponsenormalization"),
    "l2_norm": ("normalize", "l2normalization", "unitnormalization"),
    "spatial_dropout": ("featuredropout", "channeldropout"),
    "add": ("sum", "eltwise", "addition", "shortcut"),
    "multiply": ("mul", "product"),
    "subtract": ("sub", "minus"),
    "average": ("mean",),
    "concat": ("cat", "concatenate", "route", "stack"),
    "upsample": ("upsampling", "interpolate", "resize", "unpool"),
    "pad": ("zeropad", "zeropadding", "reflectionpad", "replicationpad", "constantpad"),
    "crop": ("cropping", "centercrop"),
    "flatten": ("view", "ravel"),
    "permute": ("transpose",),
    "depth_to_space": ("pixelshuffle", "subpixel"),
    "space_to_depth": ("pixelunshuffle", "reorg", "passthrough"),
    "identity": ("noop", "none"),
}  # fmt: skip
_BY_NAME = {name: op for op, names in _CALLED.items() for name in names}


def called_elsewhere(name: str) -> str | None:
    """The op that others call so, whatever the case, underscores and a `2d` at the end; `Conv2D` is `conv`."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    bare = re.sub(r"[123]d$", "", plain)
    own = {op.replace("_", ""): op for op in OPS}
    return next((found[each] for found in (own, _BY_NAME) for each in (plain, bare) if each in found), None)


def hint(name: str, known: Iterable[str] = OPS) -> str:
    """What an unknown op may mean: `; here that is …`, `; did you mean …?`, or nothing."""
    elsewhere = called_elsewhere(name)
    return f"; here that is `{elsewhere}`" if elsewhere else did_you_mean(name, known)
