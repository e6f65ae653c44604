"""The catalogue of ops: one line per op here, one class per op in the modules of this folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netspec.ops.base import Op

# For each family, the keywords of the ops and their classes. The main keyword of an op comes before its aliases.
FAMILIES: dict[str, dict[str, str]] = {
    "indices": {
        "embedding": "indices.Embedding",
        "one_hot": "indices.OneHot",
    },
    "convolution": {
        "conv": "conv.Conv",
        "conv_transpose": "transpose.ConvTranspose",
        "depthwise_conv": "conv.DepthwiseConv",
        "separable_conv": "conv.SeparableConv",
    },
    "pooling": {
        "max_pool": "pool.MaxPool",
        "max_unpool": "pool.MaxUnpool",
        "avg_pool": "pool.AvgPool",
        "adaptive_avg_pool": "adaptive.AdaptiveAvgPool",
        "adaptive_max_pool": "adaptive.AdaptiveMaxPool",
        "global_avg_pool": "pool.GlobalAvgPool",
        "global_max_pool": "pool.GlobalMaxPool",
        "channel_pool": "pool.ChannelPool",
        "reduce": "reduce.Reduce",
    },
    "dense": {
        "dense": "dense.Dense",
        "rbf": "dense.Rbf",
    },
    "recurrence": {
        "rnn": "recurrent.Rnn",
        "lstm": "recurrent.Lstm",
        "gru": "recurrent.Gru",
        "conv_lstm": "conv_recurrent.ConvLstm",
        "conv_gru": "conv_recurrent.ConvGru",
    },
    "attention": {
        "attention": "attention.Attention",
    },
    "activation": {
        "relu": "activation.Relu",
        "leaky_relu": "activation.LeakyRelu",
        "relu6": "activation.Relu6",
        "elu": "activation.Elu",
        "selu": "activation.Selu",
        "prelu": "activation.Prelu",
        "gelu": "activation.Gelu",
        "silu": "activation.Silu",
        "swish": "activation.Silu",
        "mish": "activation.Mish",
        "hard_swish": "activation.HardSwish",
        "sigmoid": "activation.Sigmoid",
        "hard_sigmoid": "activation.HardSigmoid",
        "tanh": "activation.Tanh",
        "softplus": "activation.Softplus",
        "softmax": "activation.Softmax",
        "log_softmax": "activation.LogSoftmax",
        "activation": "activation.AnyActivation",
        "gated": "gate.Gated",
    },
    "function": {
        "exp": "function.Exp",
        "log": "function.Log",
        "sqrt": "function.Sqrt",
        "square": "function.Square",
        "abs": "function.Abs",
        "power": "function.Power",
        "clip": "function.Clip",
        "step": "function.Step",
    },
    "tensor": {
        "parameter": "tensors.Parameter",
        "constant": "tensors.Constant",
        "positions": "tensors.Positions",
        "rotary": "rotary.Rotary",
    },
    "normalisation": {
        "batch_norm": "norm.BatchNorm",
        "layer_norm": "norm.LayerNorm",
        "group_norm": "norm.GroupNorm",
        "instance_norm": "norm.InstanceNorm",
        "rms_norm": "norm.RmsNorm",
        "local_contrast_norm": "contrast.LocalContrastNorm",
        "local_response_norm": "norm.LocalResponseNorm",
        "l2_norm": "norm.L2Norm",
    },
    "scaling": {
        "scale": "scale.Scale",
        "scale_by": "scale.ScaleBy",
    },
    "regularisation": {
        "dropout": "regularize.Dropout",
        "spatial_dropout": "regularize.SpatialDropout",
        "drop_path": "regularize.DropPath",
        "gaussian_noise": "regularize.GaussianNoise",
        "mask_input": "regularize.MaskInput",
    },
    "sampling": {
        "sample": "sample.Sample",
    },
    "merge": {
        "add": "merge.Add",
        "subtract": "merge.Subtract",
        "multiply": "merge.Multiply",
        "divide": "merge.Divide",
        "maximum": "merge.Maximum",
        "minimum": "merge.Minimum",
        "average": "merge.Average",
        "where": "merge.Where",
        "concat": "merge.Concat",
    },
    "product": {
        "matmul": "product.Matmul",
        "contract": "product.Contract",
    },
    "resizing": {
        "upsample": "resample.Upsample",
        "resize": "resample.Resize",
        "pad": "resize.Pad",
        "crop": "resize.Crop",
    },
    "shape": {
        "flatten": "reshape.Flatten",
        "reshape": "reshape.Reshape",
        "permute": "reshape.Permute",
        "slice": "slices.Slice",
        "split": "split.Split",
        "take": "slices.Take",
        "gather": "gather.Gather",
        "reverse": "slices.Reverse",
        "roll": "slices.Roll",
        "tile": "arrange.Tile",
        "channel_shuffle": "arrange.ChannelShuffle",
        "repeat_vector": "slices.RepeatVector",
        "space_to_depth": "reshape.SpaceToDepth",
        "depth_to_space": "reshape.DepthToSpace",
        "identity": "reshape.Identity",
    },
}

PORTS = frozenset({"cell", "indices", "state"})
"""The names of further outputs of ops."""

RESERVED = PORTS - {"cell", "state"}
"""Those that no layer can have. A layer of a network that carries a state may be called `state`: inside its scope the
name means that layer, before an output of the scope's last layer, as for the parts of a `split`."""

FAMILY_OF = {word: family for family, words in FAMILIES.items() for word in words}
"""The family of each keyword."""


class Ops(Mapping[str, "type[Op]"]):
    """All ops by their keywords. The module of an op is imported when the op is first used."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = places
        self._loaded: dict[str, type[Op]] = {}

    def __getitem__(self, word: str) -> type[Op]:
        op = self._loaded.get(word)
        if op is None:
            module, name = self._places[word].split(".")
            op = self._loaded[word] = getattr(import_module(f"netspec.ops.{module}"), name)
        return op

    def module(self, word: str) -> str:
        """The module of an op, which is not imported for this."""
        return self._places[word].partition(".")[0]

    def modules(self) -> list[str]:
        """The modules of all ops, without duplicates."""
        return list(dict.fromkeys(map(self.module, self)))

    def __contains__(self, word: object) -> bool:
        return word in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


OPS = Ops({word: place for words in FAMILIES.values() for word, place in words.items()})
"""All ops by their keywords, including alternative ones."""


def lowered() -> list[type[Op]]:
    """The ops that a graph can contain, without duplicates."""
    return list(dict.fromkeys(op for op in OPS.values() if not op.stands_in))


def members(family: str) -> list[type[Op]]:
    """The ops of a family, without duplicates."""
    return list(dict.fromkeys(OPS[word] for word in FAMILIES[family]))
