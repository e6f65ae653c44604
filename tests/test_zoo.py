"""Every spec of the zoo: it holds what it expects of itself, and its backends are proven equal.

In float64 a spec is made small by its own parameters, whole network, nothing left out; in float32 it runs at
full size. A spec without its row fails here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from netspec.check import check_file
from netspec.comparison import compare
from netspec.diagnostics.render import as_text
from netspec.graph import verify
from netspec.language.places import zoo
from netspec.loading import load


@dataclass(frozen=True)
class Row:
    """How small a spec is made for its proof, and whether that is quick enough for every run of the tests."""

    spec: str
    small: dict[str, object] = field(default_factory=dict)
    batch: int = 2
    quick: bool = False


ROWS = (
    Row("lenet5", quick=True),
    Row("lenet5_1998"),
    Row("lecture_cnn", quick=True),
    Row("fashion_cnn"),
    Row("mlp", quick=True),
    Row("alexnet", {"size": 67, "shrink": 16, "classes": 10}, quick=True),
    Row("alexnet_two_tower", {"size": 67, "shrink": 16, "classes": 10}),
    Row("zfnet", {"size": 47, "shrink": 16, "classes": 10}),
    Row("vgg16", {"size": 32, "shrink": 16, "classes": 10}, quick=True),
    Row("vgg19", {"size": 32, "shrink": 16, "classes": 10}),
    Row("googlenet", {"size": 64, "shrink": 8, "classes": 10}),
    Row("googlenet_aux", {"size": 79, "shrink": 8, "classes": 10}),
    Row("inception_module", {"size": 7}, quick=True),
    Row("inception_v3", {"size": 139, "shrink": 16, "classes": 10}, batch=4),
    Row("inception_v4", {"size": 107, "shrink": 16, "classes": 10}),
    Row("inception_resnet_v2", {"size": 107, "shrink": 16, "classes": 10}),
    Row("se_inception", {"size": 64, "shrink": 8, "ratio": 4, "classes": 10}, batch=8),
    Row("resnet18", {"size": 33, "shrink": 16, "classes": 10}),
    Row("resnet34", {"size": 64, "classes": 10}),
    Row("resnet50", {"size": 65, "shrink": 16, "classes": 10}),
    Row("resnet101", {"size": 65, "shrink": 16, "classes": 10}),
    Row("resnet152", {"size": 65, "shrink": 16, "classes": 10}),
    Row("se_resnet34", {"size": 64, "classes": 10}),
    Row("se_resnet50", {"size": 33, "shrink": 8, "ratio": 4, "classes": 10}),
    Row("xception", {"size": 39, "shrink": 8, "classes": 10}),
    Row("mobilenet", {"size": 33, "alpha": 0.125, "classes": 10}),
    Row("mobilenet_v2", {"size": 33, "shrink": 8, "classes": 10}),
    Row("densenet121", {"size": 61, "growth": 4, "classes": 10}),
    Row("unet", {"size": 188, "shrink": 16}),
    Row("segnet", {"height": 17, "width": 19, "shrink": 16}),
    Row("skip_taps", {"size": 64}),
    Row("fcn32s", {"size": 32, "shrink": 16, "classes": 5}),
    Row("fcn16s", {"size": 32, "shrink": 16, "classes": 5}),
    Row("fcn8s", {"size": 32, "shrink": 16, "classes": 5}),
    # A slope that float32 holds: TensorFlow's own leaky rectifier keeps it so.
    Row("darknet19", {"size": 64, "shrink": 8, "slope": 0.25, "classes": 10}),
    Row("darknet53", {"size": 33, "shrink": 8, "slope": 0.25, "classes": 10}),
    Row("yolov2", {"size": 64, "shrink": 8, "slope": 0.25, "classes": 3}),
    Row("yolov3", {"size": 64, "shrink": 8, "slope": 0.25, "classes": 3}),
    Row("ssd300", {"size": 257, "shrink": 16, "classes": 5}),
    Row("localiser", {"size": 39, "shrink": 8}),
    Row("siamese", quick=True),
    Row("autoencoder", quick=True),
    Row("dcgan_generator", {"size": 32, "shrink": 16, "latent": 10}),
    Row("super_resolution", {"size": 8, "shrink": 4}, quick=True),
)
SMALL = [pytest.param(row, id=row.spec, marks=() if row.quick else pytest.mark.slow) for row in ROWS]
BY_SPEC = {row.spec: row for row in ROWS}


def test_every_spec_has_its_row_and_every_row_its_spec() -> None:
    assert sorted(zoo()) == sorted(BY_SPEC)


@pytest.mark.parametrize("name", sorted(zoo()))
def test_a_spec_holds_what_it_expects(name: str) -> None:
    graph, diagnostics = check_file(zoo()[name])
    assert not diagnostics, as_text(diagnostics)
    assert graph is not None
    verify(graph)
    assert graph.expect is not None, "a spec of the zoo states what it expects of itself"
    assert {"output", "params"} <= graph.expect.entries.keys()
    assert graph.description
    assert graph.name == name


@pytest.mark.parametrize("row", SMALL)
def test_backends_are_equal_in_float64(row: Row) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    found = compare(load(f"zoo:{row.spec}", **row.small), batch=row.batch, steps=3)
    assert found.ok, found.as_dict()["first_difference"] or found.as_dict()
    assert found.tolerance.forward == 1e-10
    assert found.tolerance.gradients == 1e-10
    assert found.tolerance.steps == 1e-9


def at_full_size(name: str) -> object:
    """One test at a time: the largest networks take 10 GB with every layer's output of two backends."""
    return pytest.param(name, marks=[pytest.mark.slow, pytest.mark.xdist_group("full size")])


@pytest.mark.parametrize("name", [at_full_size(name) for name in sorted(BY_SPEC)])
def test_backends_are_equal_at_full_size_in_float32(name: str) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    # Batch normalisation wants two samples; the FCNs have none, and their maps are of 700 pixels.
    batch = 1 if name.startswith("fcn") else 2
    found = compare(load(f"zoo:{name}"), dtype="float32", batch=batch, oracle=False, gradients=False)
    assert found.ok, found.as_dict()["first_difference"]
    assert found.tolerance.forward == 1e-4
