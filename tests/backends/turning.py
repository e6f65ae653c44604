"""Finds moves of axes that undo each other, by running a text: also across the borders of its classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np

if TYPE_CHECKING:
    from netspec.graph import Graph

MOVES = frozenset({"movedim", "moveaxis", "transpose", "swapaxes", "permute"})
VIEWS = frozenset({"reshape", "flatten", "unflatten", "view", "squeeze", "unsqueeze", "contiguous"})
PLACEWISE = frozenset(
    {
        *("dropout", "relu", "tanh", "sigmoid", "gelu", "silu", "elu", "leaky_relu"),
        *("exp", "log", "sqrt", "pow", "square", "abs", "clamp", "sign"),
    }
)
"""Functions of each number by itself: a move before them is one after them."""

PLACEWISE_LAYERS = frozenset(
    {
        *(
            "ReLU",
            "Activation",
            "ExactLeakyReLU",
            "LeakyReLU",
            "ELU",
            "SELUFromBelow",
            "ExactGELU",
            "PReLUFromBelow",
        ),
        *(
            "Dropout",
            "SpatialDropout1D",
            "SpatialDropout2D",
            "SpatialDropout3D",
            "GaussianNoise",
            "MaskInput",
        ),
        *(
            "UnbiasedBatchNormalization",
            "GroupNormalization",
            "L2Normalization",
            "Scale",
            "Rescaling",
            "Identity",
        ),
        *(
            "Add",
            "SpreadingAdd",
            "Average",
            "Subtract",
            "Multiply",
            "Divide",
            "EvenMaximum",
            "EvenMinimum",
            "Where",
        ),
        *(
            "Softmax",
            "Logarithm",
            "SquareRoot",
            "Square",
            "Absolute",
            "Power",
            "Clip",
            "Step",
            "ScaledSoftplus",
            "Sampling",
            "OneDeviation",
        ),
    }
)
"""Layers of Keras of which the same holds, if the channels stay where they are; and merges of values in one order."""

Order = Any
"""The numbers of a tensor by their places in the tensor that the first move took; any array."""


def _has(trail: Sequence[Any], row: Any) -> bool:
    return any(np.array_equal(row, each) for each in trail)


class Trails:
    """For each tensor that moves and views alone made, the orders of its numbers since the first of them.

    A move is superfluous if it gives an order again that the tensor had before another move. For a tensor with an axis
    of size 1, that can be so by chance. A move of the batch makes another tensor: helpers do that with the states of
    several layers.
    """

    def __init__(self, numbers: Callable[[Sequence[int]], Order], flat: Callable[[Order], Any]) -> None:
        self.numbers, self.flat = numbers, flat
        self.kept: dict[int, tuple[Any, Order, list[Any]]] = {}
        """The tensor, so that its identity stays its own; its numbers, and their orders so far."""
        self.found: list[str] = []

    def merge(self, taken: Sequence[Any], made: Any) -> None:
        """Note that a tensor was made of tensors place by place."""
        rows = [self.kept[id(each)] for each in taken if id(each) in self.kept]
        if len(rows) == len(taken) and all(np.array_equal(row[2][-1], rows[0][2][-1]) for row in rows):
            _, order, trail = rows[0]
            # An order that some of them never had would need a move of those.
            common = [each for each in trail if all(_has(other, each) for _, _, other in rows)]
            self.kept[id(made)] = made, order, common

    def follow(self, name: str, before: Any, after: Any, apply: Callable[[Order], Order]) -> None:
        """Note that a function of this name made a tensor of another one."""
        if name not in MOVES | VIEWS | PLACEWISE:
            return
        sizes = range(2, 2 + len(before.shape))
        if name in MOVES and apply(self.numbers(sizes)).shape[0] != sizes[0]:
            return
        start = self.kept.get(id(before))
        if start is None:
            if name not in MOVES:
                return
            order = self.numbers(tuple(before.shape))
            start = before, order, [self.flat(order)]
        _, order, trail = start
        if name not in PLACEWISE:
            order = apply(order)
        row = self.flat(order)
        changes = not np.array_equal(row, trail[-1])
        if name in MOVES and changes and 1 not in before.shape[1:] and _has(trail, row):
            self.found.append(f"{name} of {tuple(before.shape)} to {tuple(after.shape)}")
        self.kept[id(after)] = after, order, [*trail, row] if changes else trail


def undone_in_keras(text: str, function: str, graph: Graph) -> list[str]:
    """The moves in a text of Keras that undo an earlier one; it runs on zeros."""
    import keras
    from keras.src import ops as inner

    trails = Trails(lambda shape: np.arange(int(np.prod(shape))).reshape(shape), np.ravel)

    def following(name: str) -> Callable[..., Any]:
        run, change = getattr(keras.ops, name), getattr(np, name)

        def call(x: Any, *further: Any, **keywords: Any) -> Any:
            made = run(x, *further, **keywords)

            def apply(order: Order) -> Order:
                return order.reshape(made.shape) if name == "reshape" else change(order, *further, **keywords)

            trails.follow(name, x, made, apply)
            return made

        return call

    calls = {name: following(name) for name in ("transpose", "swapaxes", "moveaxis", "reshape")}
    plain = keras.layers.Layer.__call__

    def layer(self: Any, *given: Any, **keywords: Any) -> Any:
        made = plain(self, *given, **keywords)
        if type(self).__name__ in PLACEWISE_LAYERS:
            trails.merge(given[0] if isinstance(given[0], list) else given[:1], made)
        return made

    space: dict[str, Any] = {"__name__": "text"}
    exec(compile(text, "<text>", "exec"), space)
    model = space[function]()
    kinds = {each.name: "int32" if each.type.kind == "indices" else None for each in graph.inputs}
    zeros = {each.name: keras.ops.zeros((1, *each.shape[1:]), kinds[each.name]) for each in model.inputs}
    with ExitStack() as stack:
        for module in (keras.ops, inner):
            for name, call in calls.items():
                stack.enter_context(patch.object(module, name, call))
        stack.enter_context(patch.object(keras.layers.Layer, "__call__", layer))
        model(zeros if len(zeros) > 1 else next(iter(zeros.values())))
    return trails.found


def undone_in_torch(text: str, cls: str, graph: Graph) -> list[str]:
    """The moves in a text of PyTorch that undo an earlier one. Nothing is computed, unless lengths decide."""
    import torch
    from torch.overrides import TorchFunctionMode

    def numbers(shape: Sequence[int]) -> torch.Tensor:
        return torch.arange(int(np.prod(shape))).reshape(*shape)

    trails = Trails(numbers, lambda order: order.flatten().numpy())

    class Following(TorchFunctionMode):
        def __torch_function__(
            self,
            function: Any,
            types: Sequence[type],
            args: Sequence[Any] = (),
            kwargs: Mapping[str, Any] | None = None,
        ) -> Any:
            made = function(*args, **(kwargs or {}))
            if isinstance(made, torch.Tensor) and args and isinstance(args[0], torch.Tensor):
                with torch._C.DisableTorchFunction():
                    rest = args[1:]
                    trails.follow(
                        function.__name__,
                        args[0],
                        made,
                        lambda order: function(order, *rest, **(kwargs or {})),
                    )
            return made

    space: dict[str, Any] = {"__name__": "text"}
    exec(compile(text, "<text>", "exec"), space)
    with torch.device("cpu" if "pack_padded_sequence" in text else "meta"), torch.no_grad():
        inputs = [
            torch.ones((1, *each.type.shape), dtype=torch.long if each.type.kind == "indices" else None)
            for each in graph.inputs
        ]
        model = space[cls]()
        for module in model.modules():
            # In evaluation, layers that draw would give their inputs. A norm needs more than one sample in training.
            module.train(not hasattr(module, "running_mean"))
    with torch.no_grad(), Following():
        model(*inputs)
    return trails.found
