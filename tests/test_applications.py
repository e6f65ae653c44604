"""The zoo against networks that nobody here wrote: `keras.applications`, their random weights carried into ours.

Which layer is which stands here. Logits are compared, since a softmax would hide what is small.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from netspec.backend import Builds
from netspec.graph import Graph, Node
from netspec.loading import load
from netspec.ops.conv import DepthwiseConv
from netspec.ops.reshape import Flatten
from netspec.passes import logits
from netspec.types import Float
from netspec.weights import relayout
from tests.backends.native import NATIVE
from tests.having import ready

Array = NDArray[Any]
TOLERANCES: dict[Float, float] = {"float32": 1e-4, "float64": 1e-12}

pytestmark = pytest.mark.slow


def as_they_stand(names: Sequence[str]) -> list[str]:
    """The author of the application and of the spec wrote the layers in the same order."""
    return list(names)


def shortcut_last(names: Sequence[str]) -> list[str]:
    """ResNet: `conv2_block1_0_conv` is the shortcut, which our block writes behind the three convolutions."""

    def place(name: str) -> tuple[int, int, int, bool]:
        found = re.match(r"conv(\d)_block(\d+)_(\d)_(conv|bn)", name)
        if found is None:
            return (9 if name == "predictions" else 0, 0, 0, name.endswith("bn"))
        stage, block, number = int(found[1]), int(found[2]), int(found[3])
        return (stage, block, number or 4, found[4] == "bn")

    return sorted(names, key=place)


def pre_activated(names: Sequence[str]) -> list[str]:
    """ResNetV2: as `shortcut_last`, and `conv2_block1_preact_bn` stands before the convolutions."""

    def place(name: str) -> tuple[int, int, int, bool]:
        found = re.match(r"conv(\d)_block(\d+)_(preact|\d)_(conv|bn)", name)
        if found is None:
            return ({"conv1_conv": 0, "post_bn": 8}.get(name, 9), 0, 0, False)
        number = 0 if found[3] == "preact" else int(found[3]) or 4
        return (int(found[1]), int(found[2]), number, found[4] == "bn")

    return sorted(names, key=place)


def by_number(names: Sequence[str]) -> list[str]:
    """Inception: layers are numbered as they were written, convolution and normalisation in turn."""

    def place(name: str) -> tuple[int, bool]:
        found = re.match(r"(conv2d|batch_normalization)(?:_(\d+))?\Z", name)
        return (10**6, False) if found is None else (int(found[2] or 0), found[1] != "conv2d")

    return sorted(names, key=place)


@dataclass(frozen=True)
class Application:
    """An application, the spec that it is held against, and the order of its layers in that spec."""

    name: str
    spec: str
    order: Callable[[Sequence[str]], list[str]] = as_they_stand
    sets: dict[str, object] = field(default_factory=dict)
    options: dict[str, object] = field(default_factory=dict)
    dtypes: tuple[Float, ...] = ("float32",)
    scale: float = 1.0
    """What the application multiplies its image by, in a layer that is no part of the network."""


RAW: dict[str, object] = {"include_preprocessing": False}
BOTH: tuple[Float, ...] = ("float32", "float64")
NOT_OURS = ("normalization",)
"""Layers of an application that prepare its images."""
APPLICATIONS = (
    Application("VGG16", "vgg16"),
    Application("VGG19", "vgg19"),
    Application("ResNet50", "resnet50", shortcut_last, {"bias": True}),
    Application("Xception", "xception"),
    Application("MobileNet", "mobilenet"),
    Application("MobileNetV2", "mobilenet_v2"),
    Application("InceptionV3", "inception_v3", by_number),
    Application("DenseNet121", "densenet121"),
    Application("MobileNetV3Large", "mobilenet_v3_large", sets={"size": 64}, options=RAW, dtypes=BOTH),
    Application("MobileNetV3Small", "mobilenet_v3_small", sets={"size": 64}, options=RAW, dtypes=BOTH),
)


@pytest.mark.parametrize(
    ("each", "dtype"),
    [pytest.param(each, to, id=f"{each.name}-{to}") for each in APPLICATIONS for to in each.dtypes],
)
def test_an_application_and_our_spec_compute_the_same(each: Application, dtype: Float) -> None:
    keras = pytest.importorskip("keras")
    keras.backend.clear_session()
    keras.utils.set_random_seed(11)
    graph = logits(load(f"zoo:{each.spec}", **each.sets))
    channels, height, width = graph.inputs[0].type.shape
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        model = getattr(keras.applications, each.name)(
            weights=None, classifier_activation=None, input_shape=(height, width, channels), **each.options
        )
    finally:
        keras.config.set_dtype_policy(policy)
    unsettle(model)
    weights = carried(model, graph, each.order)

    # An input of Keras is a float32, whatever the layers compute in.
    shape = (2, *graph.inputs[0].type.shape)
    given = (np.random.default_rng(13).standard_normal(shape) / each.scale).astype("float32").astype(dtype)
    image = given * np.asarray(each.scale, dtype)
    expected = np.asarray(model(np.moveaxis(given, 1, -1), training=False)).reshape(2, -1)
    for name in ready(Builds, count=2):
        (ours,) = NATIVE[name](graph, weights, dtype).outputs({graph.inputs[0].name: image}).values()
        check(ours.reshape(2, -1), expected, TOLERANCES[dtype], f"{each.name}: {name}")


def check(ours: Array, expected: Array, tolerance: float, where: str) -> None:
    """Equal relative to the largest logit, and no trivial agreement of constants."""
    assert ours.shape == expected.shape
    assert expected.std() > 1e-3 * abs(expected).max() > 0, "the application's own output says nothing"
    difference = abs(ours - expected).max() / abs(expected).max()
    assert difference <= tolerance, f"{where}: {difference:.1e}"


def unsettle(model: Any) -> None:
    """Statistics and biases that are neither 0 nor 1, so that one in the wrong place shows."""
    generator = np.random.default_rng(12)
    for layer in model.layers:
        for variable in layer.weights:
            kind = variable.name
            if kind in ("gamma", "moving_variance"):
                variable.assign(generator.uniform(0.5, 1.5, variable.shape))
            elif kind in ("beta", "moving_mean", "bias"):
                variable.assign(generator.normal(0, 0.1, variable.shape))


def carried(model: Any, graph: Graph, order: Callable[[Sequence[str]], list[str]]) -> dict[str, Array]:
    """The weights of an application under our names and in our layout; every one of both is used once."""
    theirs = order([layer.name for layer in model.layers if layer.weights and layer.name not in NOT_OURS])
    ours = [node for node in graph.nodes if node.weights]
    assert len(theirs) == len(ours), (len(theirs), len(ours))
    weights: dict[str, Array] = {}
    for name, node in zip(theirs, ours, strict=True):
        weights.update(_layer(model.get_layer(name), node, graph))
    shapes = {each.name: each.shape for each in graph.weights}
    assert {name: array.shape for name, array in weights.items()} == shapes
    return weights


_PLACES = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
    "bias": "bias",
    "kernel": "weight",
    "depthwise_kernel": "depthwise.weight",
    "pointwise_kernel": "pointwise.weight",
}


def _layer(layer: Any, node: Node, graph: Graph) -> Iterator[tuple[str, Array]]:
    shapes = {node.local(each): each.shape for each in node.weights}
    for variable in layer.weights:
        local = _PLACES[variable.name]
        if isinstance(node.op, DepthwiseConv) and variable.name == "kernel":
            local = "weight"
        array = np.asarray(variable)
        if array.ndim == 4 and (isinstance(node.op, DepthwiseConv) or local == "depthwise.weight"):
            array = relayout(array, "HWIO", "IOHW")
        elif array.ndim == 4:
            array = relayout(array, "HWIO", "OIHW")
        elif array.ndim == 2:
            array = np.ascontiguousarray(_channels_first(array, node, graph).T)
        # A classifier that is a 1×1 convolution there and a dense layer here, and the reverse.
        if array.size == np.prod(shapes[local]):
            array = np.reshape(array, shapes[local])
        yield f"{node.name}.{local}", array


def _channels_first(kernel: Array, node: Node, graph: Graph) -> Array:
    """The rows of a dense kernel on a flattened map: Keras flattens channels last, netspec channels first."""
    before = graph.producers.get(node.inputs[0])
    if before is None or not isinstance(before.op, Flatten):
        return kernel
    channels, height, width = graph.types[before.inputs[0]].shape
    rows = kernel.reshape(height, width, channels, -1)
    return relayout(rows, "HWCO", "CHWO").reshape(kernel.shape)
