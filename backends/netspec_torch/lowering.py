"""The table op → PyTorch: the module of each op, and the expression that runs it."""

from __future__ import annotations

from collections.abc import Mapping

from netspec.backend.table import Families, on, table
from netspec.graph import Graph, Node
from netspec.lowering.parts import call
from netspec.ops.base import Op
from netspec_torch.orders import Interface, Order, canonical
from netspec_torch.site import Lowered, Lowering, Site

TEMPORARIES = frozenset({"halves", "inside", "windows", "sum", "math"})
"""Names that lowerings use: variables and functions."""


def _rows(module: str) -> Mapping[type[Op], Lowering]:
    """The rows of the ops of a module of `netspec/ops`, which imports only what they need."""
    match module:
        case "conv":
            from netspec.ops.conv import Conv, DepthwiseConv, SeparableConv
            from netspec_torch import windows

            return table(
                on(Conv, windows.conv),
                on(DepthwiseConv, windows.depthwise_conv),
                on(SeparableConv, windows.separable_conv),
            )
        case "transpose":
            from netspec.ops.transpose import ConvTranspose
            from netspec_torch import windows

            return table(
                on(ConvTranspose, windows.conv_transpose),
            )
        case "pool":
            from netspec.ops.pool import (
                AvgPool,
                ChannelPool,
                GlobalAvgPool,
                GlobalMaxPool,
                MaxPool,
                MaxUnpool,
            )
            from netspec_torch import windows

            return table(
                on(MaxPool, windows.max_pool),
                on(MaxUnpool, windows.max_unpool),
                on(AvgPool, windows.avg_pool),
                on(GlobalAvgPool, windows.global_avg_pool),
                on(GlobalMaxPool, windows.global_max_pool),
                on(ChannelPool, windows.channel_pool),
            )
        case "adaptive":
            from netspec.ops.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
            from netspec_torch import windows

            return table(
                on(AdaptiveAvgPool, windows.adaptive_pool("nn.AdaptiveAvgPool")),
                on(AdaptiveMaxPool, windows.adaptive_pool("nn.AdaptiveMaxPool")),
            )
        case "dense":
            from netspec.ops.dense import Dense, Rbf
            from netspec_torch import layers

            return table(
                on(Dense, layers.dense),
                on(Rbf, layers.rbf),
            )
        case "recurrent":
            from netspec.ops.recurrent import Gru, Lstm, Rnn
            from netspec_torch import recurrence

            return table(
                on((Rnn, Lstm, Gru), recurrence.recurrent),
            )
        case "conv_recurrent":
            from netspec.ops.conv_recurrent import ConvGru, ConvLstm
            from netspec_torch import conv_recurrence

            return table(
                on((ConvLstm, ConvGru), conv_recurrence.recurrent),
            )
        case "attention":
            from netspec.ops.attention import Attention
            from netspec_torch import attention

            return table(
                on(Attention, attention.attention),
            )
        case "activation":
            from netspec.ops.activation import Prelu
            from netspec_torch import functions

            return table(
                on(functions.of_module("activation"), functions.activation),
                on(Prelu, functions.prelu),
            )
        case "function":
            from netspec_torch import functions

            return table(
                on(functions.of_module("function"), functions.activation),
            )
        case "gate":
            from netspec.ops.gate import Gated
            from netspec_torch import tensors

            return table(
                on(Gated, tensors.gated),
            )
        case "tensors":
            from netspec.ops.tensors import Constant, Parameter, Positions
            from netspec_torch import tensors

            return table(
                on(Parameter, tensors.parameter),
                on(Constant, tensors.constant),
                on(Positions, tensors.positions),
            )
        case "rotary":
            from netspec.ops.rotary import Rotary
            from netspec_torch import rotary

            return table(
                on(Rotary, rotary.rotary),
            )
        case "norm":
            from netspec.ops.norm import (
                BatchNorm,
                GroupNorm,
                InstanceNorm,
                L2Norm,
                LayerNorm,
                LocalResponseNorm,
                RmsNorm,
            )
            from netspec_torch import layers

            return table(
                on(BatchNorm, layers.batch_norm),
                on(LayerNorm, layers.layer_norm),
                on(GroupNorm, layers.group_norm),
                on(InstanceNorm, layers.instance_norm),
                on(RmsNorm, layers.rms_norm),
                on(LocalResponseNorm, layers.local_response_norm),
                on(L2Norm, layers.l2_norm),
            )
        case "contrast":
            from netspec.ops.contrast import LocalContrastNorm
            from netspec_torch import layers

            return table(
                on(LocalContrastNorm, layers.local_contrast_norm),
            )
        case "scale":
            from netspec.ops.scale import Scale, ScaleBy
            from netspec_torch import layers

            return table(
                on(Scale, layers.scale),
                on(ScaleBy, layers.scale_by),
            )
        case "regularize":
            from netspec.ops.regularize import Dropout, DropPath, GaussianNoise, MaskInput, SpatialDropout
            from netspec_torch import layers

            return table(
                on(Dropout, layers.dropout),
                on(SpatialDropout, layers.spatial_dropout),
                on(DropPath, layers.drop_path),
                on(GaussianNoise, layers.gaussian_noise),
                on(MaskInput, layers.mask_input),
            )
        case "sample":
            from netspec.ops.sample import Sample
            from netspec_torch import layers

            return table(
                on(Sample, layers.sample),
            )
        case "merge":
            from netspec.ops.merge import (
                Add,
                Average,
                Concat,
                Divide,
                Maximum,
                Minimum,
                Multiply,
                Subtract,
                Where,
            )
            from netspec_torch import moves, products

            return table(
                on(Add, moves.total),
                on(Subtract, moves.difference),
                on(Multiply, moves.product),
                on(Divide, moves.quotient),
                on(Maximum, moves.maximum),
                on(Minimum, moves.minimum),
                on(Average, moves.average),
                on(Where, products.where),
                on(Concat, moves.concat),
            )
        case "product":
            from netspec.ops.product import Contract, Matmul
            from netspec_torch import products

            return table(
                on(Matmul, products.matmul),
                on(Contract, products.contract),
            )
        case "reduce":
            from netspec.ops.reduce import Reduce
            from netspec_torch import products

            return table(
                on(Reduce, products.reduce_),
            )
        case "arrange":
            from netspec.ops.arrange import ChannelShuffle, Tile
            from netspec_torch import products, slices

            return table(
                on(ChannelShuffle, products.channel_shuffle),
                on(Tile, slices.tile),
            )
        case "resample":
            from netspec.ops.resample import Resize, Upsample
            from netspec_torch import resizing

            return table(
                on((Upsample, Resize), resizing.resize),
            )
        case "resize":
            from netspec.ops.resize import Crop, Pad
            from netspec_torch import moves

            return table(
                on(Pad, moves.pad),
                on(Crop, moves.crop),
            )
        case "reshape":
            from netspec.ops.reshape import DepthToSpace, Flatten, Identity, Permute, Reshape, SpaceToDepth
            from netspec_torch import moves

            return table(
                on(Flatten, lambda op, site: Lowered(call("torch.flatten", site.x, "1"))),
                on(Reshape, moves.reshape),
                on(Permute, moves.permute),
                on(SpaceToDepth, moves.space_to_depth),
                on(DepthToSpace, moves.depth_to_space),
                on(Identity, lambda op, site: site.as_given(Lowered(site.x))),
            )
        case "slices":
            from netspec.ops.slices import RepeatVector, Reverse, Roll, Slice, Take
            from netspec_torch import slices

            return table(
                on(Slice, slices.slice_),
                on(Take, slices.take),
                on(Reverse, slices.reverse),
                on(Roll, slices.roll),
                on(RepeatVector, slices.repeat_vector),
            )
        case "split":
            from netspec.ops.split import Split
            from netspec_torch import slices

            return table(
                on(Split, slices.split),
            )
        case "gather":
            from netspec.ops.gather import Gather
            from netspec_torch import slices

            return table(
                on(Gather, slices.gather),
            )
        case "indices":
            from netspec.ops.indices import Embedding, OneHot
            from netspec_torch import slices

            return table(
                on(Embedding, slices.embedding),
                on(OneHot, slices.one_hot),
            )
    return {}


LOWERINGS: Mapping[type[Op], Lowering] = Families(_rows)

REFUSALS: Mapping[type[Op], str] = {}


class Lowerings(dict[str, Lowered]):
    """The lowering of every node, for inputs in their canonical order; equal nodes have one."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self._made: dict[object, Lowered] = {}
        self._same: dict[tuple[object, ...], Lowered] = {}
        self._turned: dict[tuple[object, ...], Lowered] = {}
        self._interfaces: dict[int, Interface] = {}
        self._graph = graph
        for node in graph.nodes:
            self[node.name] = self.given(node)

    def given(self, node: Node, order: Order | None = None) -> Lowered:
        """The lowering for inputs that have an order. It may ask for another order, in `takes`."""
        if (order is None or order.is_canonical) and node.name in self:
            return self[node.name]  # its inputs can be lists in the tree
        if order is None:
            return self._lowered(node)
        turned = (node.name, order.axes, order.along)
        if turned not in self._turned:
            self._turned[turned] = self._lowered(node, order)
        return self._turned[turned]

    def interface(self, node: Node, order: Order | None = None) -> Interface:
        """The orders in which it takes and gives its values then."""
        lowered = self.given(node, order)
        if id(lowered) not in self._interfaces:
            types = self._graph.types
            takes, makes = (
                tuple(canonical(types[value].rank) for value in row) for row in (node.inputs, node.values)
            )
            self._interfaces[id(lowered)] = Interface(lowered.takes or takes, lowered.makes or makes)
        return self._interfaces[id(lowered)]

    def _lowered(self, node: Node, order: Order | None = None) -> Lowered:
        types = tuple([self._graph.types[value] for value in node.inputs])
        kind = None if order is None else (order.axes, order.along)
        # Layers often hold the same op and types, whose contents then need not be compared.
        same = (id(node.op), node.trainable, node.ports, kind, *map(id, types))
        made = self._same.get(same)
        if made is None:
            key = (node.op, types, node.trainable, node.ports, kind)
            made = self._made.get(key)
            if made is None:
                site = Site(types, node.output, node.trainable, node.ports, order)
                made = LOWERINGS[type(node.op)](node.op, site)
                if made.result == site.x and not made.takes:
                    made = site.as_given(made)  # the input itself, in any order
                self._made[key] = made
            self._same[same] = made
        return made
