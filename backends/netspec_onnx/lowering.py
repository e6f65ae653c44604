"""The table op → ONNX: for each op the function that emits its nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from netspec.backend import Limit
from netspec.backend.table import on, table
from netspec.graph import Graph, Node
from netspec.ops.activation import Prelu
from netspec.ops.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from netspec.ops.arrange import ChannelShuffle, Tile
from netspec.ops.attention import Attention
from netspec.ops.base import Op
from netspec.ops.contrast import LocalContrastNorm
from netspec.ops.conv import Conv, DepthwiseConv, SeparableConv
from netspec.ops.conv_recurrent import ConvGru, ConvLstm
from netspec.ops.dense import Dense, Rbf
from netspec.ops.gate import Gated
from netspec.ops.gather import Gather
from netspec.ops.indices import Embedding, OneHot
from netspec.ops.merge import Add, Average, Concat, Divide, Maximum, Minimum, Multiply, Subtract, Where
from netspec.ops.norm import BatchNorm, GroupNorm, InstanceNorm, L2Norm, LayerNorm, LocalResponseNorm, RmsNorm
from netspec.ops.pool import AvgPool, ChannelPool, GlobalAvgPool, GlobalMaxPool, MaxPool, MaxUnpool
from netspec.ops.product import Contract, Matmul
from netspec.ops.recurrent import Gru, Lstm, Rnn
from netspec.ops.reduce import Reduce
from netspec.ops.regularize import Dropout, DropPath, GaussianNoise, MaskInput, SpatialDropout
from netspec.ops.resample import Resize, Upsample
from netspec.ops.reshape import DepthToSpace, Flatten, Identity, Permute, Reshape, SpaceToDepth
from netspec.ops.resize import Crop, Pad
from netspec.ops.rotary import Rotary
from netspec.ops.sample import Sample
from netspec.ops.scale import Scale, ScaleBy
from netspec.ops.slices import RepeatVector, Reverse, Roll, Slice, Take
from netspec.ops.split import Split
from netspec.ops.tensors import Constant, Parameter, Positions
from netspec.ops.transpose import ConvTranspose
from netspec_onnx import (
    attention,
    conv_recurrence,
    functions,
    moves,
    norms,
    products,
    recurrence,
    rotary,
    slices,
    tensors,
    windows,
)
from netspec_onnx.site import Lowering, Site

LOWERINGS: Mapping[type[Op], Lowering] = table(
    on(Conv, windows.conv),
    on(ConvTranspose, windows.conv_transpose),
    on(DepthwiseConv, windows.depthwise_conv),
    on(SeparableConv, windows.separable_conv),
    on(MaxPool, windows.max_pool),
    on(MaxUnpool, windows.max_unpool),
    on(AvgPool, windows.avg_pool),
    on((AdaptiveAvgPool, AdaptiveMaxPool), windows.adaptive_pool),
    on(GlobalAvgPool, windows.global_avg_pool),
    on(GlobalMaxPool, windows.global_max_pool),
    on(ChannelPool, windows.channel_pool),
    on(Dense, norms.dense),
    on(Rbf, norms.rbf),
    on(tuple(functions.ACTIVATIONS), functions.activation),
    on((Rnn, Lstm, Gru), recurrence.recurrent),
    on((ConvLstm, ConvGru), conv_recurrence.recurrent),
    on(Attention, attention.attention),
    on(Prelu, functions.prelu),
    on(BatchNorm, norms.batch_norm),
    on(LayerNorm, norms.layer_norm),
    on(GroupNorm, norms.group_norm),
    on(InstanceNorm, norms.instance_norm),
    on(RmsNorm, norms.rms_norm),
    on(LocalContrastNorm, norms.local_contrast_norm),
    on(LocalResponseNorm, norms.local_response_norm),
    on(L2Norm, norms.l2_norm),
    on(Scale, norms.scale),
    on(ScaleBy, norms.scale_by),
    on(Dropout, norms.noise),
    on(SpatialDropout, norms.noise),
    on(DropPath, norms.noise),
    on(Sample, norms.sample),
    on(GaussianNoise, norms.noise),
    on(MaskInput, norms.noise),
    on(Add, moves.merge("Sum")),
    on(Subtract, moves.chain("Sub")),
    on(Multiply, moves.chain("Mul")),
    on(Divide, moves.chain("Div")),
    on(Maximum, moves.merge("Max")),
    on(Minimum, moves.merge("Min")),
    on(Average, moves.average),
    on(Where, products.where),
    on(Matmul, products.matmul),
    on(Contract, products.contract),
    on(Reduce, products.reduce_),
    on(ChannelShuffle, products.channel_shuffle),
    on(Tile, slices.tile),
    on(Concat, moves.concat),
    on((Upsample, Resize), moves.resize),
    on(Pad, moves.pad),
    on(Crop, moves.crop),
    on(Flatten, moves.flatten),
    on(Reshape, moves.reshape),
    on(Permute, moves.permute),
    on(SpaceToDepth, moves.space_to_depth),
    on(DepthToSpace, moves.depth_to_space),
    on(Identity, moves.identity),
    on(Parameter, tensors.parameter),
    on(Constant, tensors.constant),
    on(Positions, tensors.positions),
    on(Rotary, rotary.rotary),
    on(Gated, tensors.gated),
    on(Embedding, slices.embedding),
    on(OneHot, slices.one_hot),
    on(Slice, slices.slice_),
    on(Split, slices.split),
    on(Take, slices.take),
    on(Reverse, slices.reverse),
    on(Roll, slices.roll),
    on(Gather, slices.gather),
    on(RepeatVector, slices.repeat_vector),
)

REFUSALS: Mapping[type[Op], str] = {}

FLOAT32_ONLY = frozenset({
    "AveragePool", "Conv", "ConvTranspose", "Elu", "GRU", "Gelu", "HardSigmoid", "HardSwish", "LRN", "LSTM",
    "LeakyRelu", "MaxUnpool", "PRelu", "RNN", "Resize", "Selu", "Softplus",
})  # fmt: skip
"""The operators that onnxruntime computes in float32 but not in float64."""


def site(graph: Graph, node: Node, training: bool = False, double: bool = False) -> Site:
    """The site of a node of a graph, before its lowering; its values have the names of the graph."""
    return Site(
        node,
        node.inputs,
        tuple(graph.types[value] for value in node.inputs),
        {node.local(weight): weight.name for weight in node.weights},
        training,
        double,
        node.values[1:],
    )


def _float32_only(graph: Graph) -> Iterator[tuple[str, str]]:
    refused = {name for name, _ in recurrence.projects(graph)}
    for node in (each for each in graph.nodes if each.name not in refused):
        made = site(graph, node, training=True, double=True)
        LOWERINGS[type(node.op)](node.op, made)
        for operator in sorted({each.operator for each in made.emitted} & FLOAT32_ONLY):
            yield node.name, f"onnxruntime computes {operator} in float32 only; compare in float32"


def _counted_with_padding(graph: Graph) -> Iterator[tuple[str, str]]:
    for node in graph.nodes:
        if node.ports and isinstance(node.op, MaxPool) and windows.pads_apart(node.op):
            yield (
                node.name,
                f"`{node.name}` pads by its kernel or more, which is a layer of its own in ONNX, and its indices would "
                "count that padding; pad by less than the kernel",
            )


def _draws(graph: Graph) -> Iterator[tuple[str, str]]:
    for node in graph.nodes:
        if isinstance(node.op, Sample) and node.op.noise == "normal":
            yield (
                node.name,
                f"`{node.name}` draws, also outside training, and onnxruntime has no RandomNormalLike of this version "
                "of ONNX",
            )


LIMITS: Sequence[Limit] = (
    Limit("A `sample` that draws: onnxruntime has no RandomNormalLike of this version of ONNX.", _draws),
    Limit("An `lstm` with a `projection`, which the LSTM of ONNX lacks.", recurrence.projects),
    Limit(
        "A max pool that pads by its kernel or more, and whose indices a layer takes.", _counted_with_padding
    ),
    Limit(
        f"A layer that needs one of the ONNX operators {', '.join(sorted(FLOAT32_ONLY))}, which onnxruntime computes "
        "in float32 only.",
        _float32_only,
        "float64",
    ),
)
