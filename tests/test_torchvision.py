"""The zoo against networks that nobody here wrote: `torchvision.models`, their random weights carried into ours.

Layers are matched in the order in which both name them; what stands elsewhere there is listed here. Logits are
compared, in float32 and in float64. Where torchvision is missing, the tests are skipped.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from netspec.analysis import analyze
from netspec.backend import Builds
from netspec.graph import Graph
from netspec.loading import load
from netspec.passes import logits
from netspec.types import Float
from tests.backends.native import NATIVE
from tests.having import ready

pytestmark = pytest.mark.slow

Array = NDArray[Any]
TOLERANCES: dict[Float, float] = {"float32": 1e-4, "float64": 1e-12}
HELD: list[Any] = []
"""Schemas that must live as long as torchvision is used."""
RENAMED = {"layer_scale": "weight"}
"""Our name of a tensor, where theirs is another one."""


def torchvision() -> Any:
    """The models of torchvision. Its compiled ops may not fit the installed PyTorch: no model here calls one."""
    pytest.importorskip("torch")
    pytest.importorskip("PIL")
    if importlib.util.find_spec("torchvision") is None:
        pytest.skip("torchvision is not installed")
    try:
        importlib.import_module("torchvision")
    except RuntimeError:
        import torch

        for name in [each for each in sys.modules if each.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library: Callable[..., Any] = torch.library.Library
        HELD.append(library("torchvision", "FRAGMENT"))
        for name in ("nms", "qnms"):
            HELD[-1].define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return importlib.import_module("torchvision.models")


def as_they_stand(names: Sequence[str]) -> list[str]:
    """Its author and that of the spec wrote the layers in the same order."""
    return list(names)


def shortcut_last(names: Sequence[str]) -> list[str]:
    """RegNet: `block1-0.proj` is the shortcut, which our block writes behind the convolutions."""

    def place(name: str) -> tuple[str, bool]:
        found = re.match(r"(.*block\d+-\d+)\.(proj)?", name)
        return (found[1], found[2] is not None) if found else (name, False)

    order = list(dict.fromkeys(place(name)[0] for name in names))
    return sorted(names, key=lambda name: (order.index(place(name)[0]), place(name)[1]))


def scale_last(names: Sequence[str]) -> list[str]:
    """ConvNeXt: a block names its factors, which it applies at its end, before its layers."""

    def place(name: str) -> tuple[int, bool]:
        inside = [at for at, other in enumerate(names) if other.startswith(f"{name}.")]
        return (max(inside), True) if inside else (names.index(name), False)

    return sorted(names, key=place)


@dataclass(frozen=True)
class Model:
    """A model of torchvision, the spec that it is held against, and the order of its layers in that spec."""

    name: str
    spec: str
    order: Callable[[Sequence[str]], list[str]] = as_they_stand
    sets: dict[str, object] = field(default_factory=dict)
    size: int = 64
    outputs: dict[str, str] = field(default_factory=dict)
    """Theirs for each of ours, where there are several."""

    @property
    def graph(self) -> Graph:
        """Our network at full size."""
        return load(f"zoo:{self.spec}", **self.sets)


MODELS = (
    Model("squeezenet1_1", "squeezenet", size=49),
    Model("resnext50_32x4d", "resnext50"),
    Model("regnet_y_400mf", "regnet_y_400mf", shortcut_last),
    Model("mobilenet_v3_large", "mobilenet_v3_large", sets={"padding": "half"}),
    Model("mobilenet_v3_small", "mobilenet_v3_small", sets={"padding": "half"}),
)


def scaled(width: float, depth: float, size: int, epsilon: float = 1e-5) -> dict[str, object]:
    """The parameters of an EfficientNet."""
    return {"width": width, "depth": depth, "size": size, "padding": "half", "epsilon": epsilon}


SQUEEZENET_1_0: dict[str, object] = {
    "filters": 96,
    "kernel": 7,
    "pooled": [True, False, False, True, False, False, False, True],
}
RELATED = (
    Model("squeezenet1_0", "squeezenet", sets=SQUEEZENET_1_0),
    Model("resnext101_32x8d", "resnext50", sets={"counts": [3, 4, 23, 3], "width": 8}),
    Model("resnext101_64x4d", "resnext50", sets={"counts": [3, 4, 23, 3], "groups": 64}),
    Model(
        "regnet_y_800mf",
        "regnet_y_400mf",
        shortcut_last,
        {"widths": [64, 144, 320, 784], "counts": [1, 3, 8, 2], "group": 16},
    ),
    Model(
        "regnet_y_1_6gf",
        "regnet_y_400mf",
        shortcut_last,
        {"widths": [48, 120, 336, 888], "counts": [2, 6, 17, 2], "group": 24},
    ),
    Model(
        "regnet_x_400mf",
        "regnet_y_400mf",
        shortcut_last,
        {"widths": [32, 64, 160, 400], "counts": [1, 2, 7, 12], "group": 16, "ratio": 0},
    ),
    Model("densenet169", "densenet121", sets={"counts": [6, 12, 32, 32], "epsilon": 1e-5}),
    Model("densenet201", "densenet121", sets={"counts": [6, 12, 48, 32], "epsilon": 1e-5}),
    Model("densenet161", "densenet121", sets={"counts": [6, 12, 36, 24], "growth": 48, "epsilon": 1e-5}),
)
"""Networks of the same families, which the zoo does not hold, by parameters of those that it holds."""


@pytest.mark.parametrize("each", MODELS + RELATED, ids=lambda each: each.name)
def test_counts_are_those_that_torchvision_publishes(each: Model) -> None:
    weights = torchvision().get_model_weights(each.name)
    published = next(iter(weights)).meta
    totals = analyze(each.graph).totals
    assert totals.params == published["num_params"]
    assert totals.macs is not None
    assert round(totals.macs / 1e9, 3) == published["_ops"]


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("each", MODELS + RELATED, ids=lambda each: each.name)
def test_a_model_of_torchvision_and_our_spec_compute_the_same(each: Model, dtype: Float) -> None:
    models = torchvision()
    import torch

    torch.manual_seed(11)
    model = models.get_model(
        each.name, **({"aux_loss": True, "weights_backbone": None} if each.outputs else {})
    )
    unsettle(model)
    model = model.to(getattr(torch, dtype)).eval()
    graph = logits(load(f"zoo:{each.spec}", **{**each.sets, "size": each.size}))
    weights = carried(model, graph, each.order)

    image = np.random.default_rng(13).standard_normal((2, *graph.inputs[0].type.shape)).astype(dtype)
    with torch.no_grad():
        given = model(torch.as_tensor(image))
    for name in ready(Builds, count=2):
        found = NATIVE[name](graph, weights, dtype).outputs({graph.inputs[0].name: image})
        for output, ours in found.items():
            expected = (given[each.outputs[output]] if each.outputs else given).numpy()
            check(ours.reshape(expected.shape), expected, TOLERANCES[dtype], f"{each.name}: {name} {output}")


def check(ours: Array, expected: Array, tolerance: float, where: str) -> None:
    """Equal relative to the largest logit, and no trivial agreement of constants."""
    assert expected.std() > 1e-3 * abs(expected).max() > 0, "the model's own output says nothing"
    difference = abs(ours - expected).max() / abs(expected).max()
    assert difference <= tolerance, f"{where}: {difference:.1e}"


def unsettle(model: Any) -> None:
    """Statistics and biases that are neither 0 nor 1, so that one in the wrong place shows."""
    import torch

    generator = torch.Generator().manual_seed(12)
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        last = name.rpartition(".")[2]
        with torch.no_grad():
            if last == "running_var" or (last == "weight" and tensor.ndim == 1):
                tensor.uniform_(0.5, 1.5, generator=generator)
            elif last in ("bias", "running_mean"):
                tensor.normal_(0, 0.1, generator=generator)


def carried(model: Any, graph: Graph, order: Callable[[Sequence[str]], list[str]]) -> dict[str, Array]:
    """The weights of a model under our names; every one of both is used once."""
    modules = dict(model.named_modules())
    own = {
        name: {
            key: value.detach().numpy()
            for key, value in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
            if key != "num_batches_tracked"
        }
        for name, module in modules.items()
    }
    theirs = order([name for name, tensors in own.items() if tensors])
    ours = [node for node in graph.nodes if node.weights]
    assert len(theirs) == len(ours), (len(theirs), len(ours))
    weights: dict[str, Array] = {}
    for name, node in zip(theirs, ours, strict=True):
        shapes = {node.local(each): each.shape for each in node.weights}
        tensors = {RENAMED.get(local, local): array for local, array in own[name].items()}
        assert tensors.keys() == shapes.keys(), (name, node.name)
        for local, array in tensors.items():
            # A 1×1 convolution there and a dense layer here.
            assert array.size == prod(shapes[local]), (name, node.name, array.shape, shapes[local])
            weights[f"{node.name}.{local}"] = array.reshape(shapes[local])
    return weights
