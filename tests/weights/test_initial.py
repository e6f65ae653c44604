"""Weights: the same bits whatever the order, the right spread, and files that hold exactly them."""

from __future__ import annotations

from math import sqrt
from pathlib import Path

import numpy as np
import pytest

import netspec.backend
from netspec import weights
from netspec.backend import native_names
from netspec.graph import Graph
from netspec.ops.base import Weight
from netspec.ops.conv import Conv
from netspec.ops.dense import Dense
from netspec.ops.fans import constant
from netspec.ops.initializers import SETTINGS, Initializer
from netspec.ops.norm import BatchNorm
from netspec.weights import WeightsError, fans, initialise, load, relayout, save
from netspec.weights.initial import _orthogonal
from tests.building import Sketch
from tests.oracle import Oracle


def small(first: str = "conv1") -> Graph:
    sketch = Sketch(image=(3, 8, 8))
    sketch.add(first, Conv.model_validate({"filters": 4, "kernel": 3}))
    sketch.add("norm", BatchNorm())
    return sketch.graph()


def drawn(init: object, units: int = 300, channels: int = 200) -> np.ndarray:
    sketch = Sketch(x=(channels,))
    sketch.add("dense", Dense.model_validate({"units": units, "init": init}))
    return np.asarray(initialise(sketch.graph(), 3, "float64")["dense.weight"])


def test_every_weight_and_statistic_once_by_name() -> None:
    arrays = initialise(small())
    assert {name: array.shape for name, array in arrays.items()} == {
        "conv1.weight": (4, 3, 3, 3),
        "conv1.bias": (4,),
        "norm.weight": (4,),
        "norm.bias": (4,),
        "norm.running_mean": (4,),
        "norm.running_var": (4,),
    }
    assert {str(array.dtype) for array in arrays.values()} == {"float32"}
    assert not arrays["norm.running_mean"].any()
    assert (arrays["norm.running_var"] == np.float32(1)).all()


def test_a_weight_depends_on_its_seed_and_its_own_name_alone() -> None:
    alone = Sketch(image=(3, 8, 8))
    alone.add("first", Conv.model_validate({"filters": 9, "kernel": 1}))
    alone.add("conv1", Conv.model_validate({"filters": 4, "kernel": 3}), "image")
    same = initialise(alone.graph())["conv1.weight"]
    np.testing.assert_array_equal(same, initialise(small())["conv1.weight"])
    assert not np.array_equal(same, initialise(small(), seed=1)["conv1.weight"])
    assert not np.array_equal(same, initialise(small("other"))["other.weight"])


# What is published about a trained network names a seed; it must go on meaning the same weights.
PINNED = [-0.0802781268587544, 0.008261683122797958]


def test_the_bits_stay_from_version_to_version() -> None:
    first = initialise(small(), 0, "float64")["conv1.weight"].ravel()[:2].tolist()
    assert first == PINNED


def test_float32_is_the_rounded_float64() -> None:
    double, single = initialise(small(), 5, "float64"), initialise(small(), 5, "float32")
    for name, array in double.items():
        np.testing.assert_array_equal(array.astype("float32"), single[name])


# With 200 inputs and 300 units: variance, and bound of the uniform ones.
SPREADS: dict[str, float] = {
    "glorot_uniform": 2 / 500,
    "glorot_normal": 2 / 500,
    "he_uniform": 2 / 200,
    "he_normal": 2 / 200,
    "lecun_uniform": 1 / 200,
    "lecun_normal": 1 / 200,
    "uniform": 0.1**2 / 12,
    "normal": 0.05**2,
}


@pytest.mark.parametrize(("kind", "variance"), SPREADS.items())
def test_the_spread_is_the_formula(kind: str, variance: float) -> None:
    values = drawn(kind)
    assert values.std() == pytest.approx(sqrt(variance), rel=0.01)
    assert abs(values.mean()) < 5 * sqrt(variance / values.size)
    largest = np.abs(values).max() / sqrt(variance)
    assert largest <= sqrt(3) if kind.endswith("uniform") else largest > 3.5


def test_settings_are_heard() -> None:
    assert set(np.unique(drawn({"constant": 0.5}))) == {0.5}
    assert set(np.unique(drawn("ones"))) == {1.0}
    assert set(np.unique(drawn("zeros"))) == {0.0}
    values = drawn({"uniform": {"low": 2.0, "high": 3.0}})
    assert (values.min() >= 2, values.max() <= 3) == (True, True)
    assert drawn({"normal": {"std": 0.5, "mean": 7.0}}).mean() == pytest.approx(7, abs=0.01)


@pytest.mark.parametrize(("units", "channels"), [(30, 20), (20, 30), (25, 25)])
def test_orthogonal(units: int, channels: int) -> None:
    matrix = drawn({"orthogonal": 2.0}, units, channels)
    gram = matrix @ matrix.T if units <= channels else matrix.T @ matrix
    np.testing.assert_allclose(gram, 4 * np.eye(min(units, channels)), atol=1e-12)


@pytest.mark.parametrize(("units", "channels"), [(6, 4), (4, 6)])
def test_an_orthogonal_start_is_the_gram_schmidt_of_the_drawn_numbers(units: int, channels: int) -> None:
    """Its signs do not depend on a library's QR: each vector has a positive product with the one that it comes from."""
    tall = np.random.default_rng(5).standard_normal((max(units, channels), min(units, channels)))
    found: list[np.ndarray] = []
    for vector in tall.T:
        rest = vector - sum((np.dot(vector, each) * each for each in found), np.zeros(len(vector)))
        found.append(rest / np.linalg.norm(rest))
    weight = Weight(
        "weight", (units, channels), "OI", Initializer(kind="orthogonal", settings=(("gain", 1.0),))
    )
    rows = np.array(found)
    drawn_by_netspec = _orthogonal(weight, np.random.default_rng(5))
    np.testing.assert_allclose(drawn_by_netspec, rows if units < channels else rows.T, atol=1e-12)


def test_the_number_that_every_value_starts_at() -> None:
    plain = (Initializer(kind="zeros"), Initializer(kind="ones"), Initializer(kind="he_normal"))
    assert [constant(each) for each in plain] == [0.0, 1.0, None]
    assert constant(Initializer(kind="constant", settings=(("value", 0.25),))) == 0.25


def test_bilinear_of_a_number_a_channel_is_one() -> None:
    weight = Weight("weight", (3,), "C", Initializer(kind="bilinear"))
    np.testing.assert_array_equal(weights.drawn(weight, 0), np.ones(3))


def test_bilinear_is_a_triangle_along_each_axis_from_a_channel_to_itself() -> None:
    four, three = np.array([0.25, 0.75, 0.75, 0.25]), np.array([0.5, 1.0, 0.5])
    found = weights.drawn(Weight("weight", (2, 2, 4, 3), "OIHW", Initializer(kind="bilinear")), 0)
    assert np.array_equal(found[0, 0], np.outer(four, three))
    assert np.array_equal(found[1, 1], np.outer(four, three))
    assert not found[0, 1].any()
    assert not found[1, 0].any()


def test_every_initialiser_draws() -> None:
    for kind in SETTINGS:
        assert drawn(kind, 3, 4).shape == (3, 4)


def test_fans_are_read_off_the_letters() -> None:
    init = Initializer(kind="zeros")
    assert fans(Weight("w", (8, 3, 5, 2), "OIHW", init)) == (30, 80)
    assert fans(Weight("w", (8, 3), "OI", init)) == (3, 8)
    assert fans(Weight("b", (8,), "O", init)) == (8, 8)
    assert fans(Weight("g", (8,), "C", init)) == (1, 1)
    assert fans(Weight("w", (8, 3, 5, 2), "OIHW", init, groups=4)) == (30, 20)
    assert fans(Weight("w", (8, 3, 5, 2), "IOHW", init, groups=4)) == (20, 30)


def test_relayout_moves_axes_by_their_letters() -> None:
    array = np.arange(120.0).reshape(2, 3, 4, 5)
    moved = relayout(array, "OIHW", "HWIO")
    assert moved.shape == (4, 5, 3, 2)
    assert moved[3, 1, 2, 0] == array[0, 2, 3, 1]
    assert moved.flags.c_contiguous
    np.testing.assert_array_equal(relayout(moved, "HWIO", "OIHW"), array)


@pytest.mark.parametrize(("axes", "wanted"), [("OI", "OH"), ("OO", "OO"), ("OI", "O"), ("OIH", "HIO")])
def test_relayout_refuses_letters_that_do_not_match(axes: str, wanted: str) -> None:
    with pytest.raises(ValueError, match=axes):
        relayout(np.zeros((2, 3)), axes, wanted)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_file_holds_the_same_bits(dtype: str, tmp_path: Path) -> None:
    graph = small()
    arrays = {name: array.astype(dtype) for name, array in initialise(graph, 1).items()}
    save(tmp_path / "deep" / "w.safetensors", arrays, {"seed": "1"})
    back = load(tmp_path / "deep" / "w.safetensors", graph)
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        assert back[name].dtype == dtype
        np.testing.assert_array_equal(back[name], array)


def test_a_file_is_readable_by_whom_other_files_are(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    save(tmp_path / "w.safetensors", {"dense.weight": np.ones((2, 3))})
    assert (tmp_path / "w.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_transposed_view_is_saved_as_it_reads(tmp_path: Path) -> None:
    sketch = Sketch(x=(3,))
    sketch.add("dense", Dense.model_validate({"units": 2, "bias": False}))
    view = np.arange(6.0).reshape(3, 2).T
    save(tmp_path / "w.safetensors", {"dense.weight": view})
    np.testing.assert_array_equal(load(tmp_path / "w.safetensors", sketch.graph())["dense.weight"], view)


def test_every_mismatch_is_told_at_once(tmp_path: Path) -> None:
    arrays = dict(initialise(small()))
    arrays["norm.wieght"] = arrays.pop("norm.weight")
    arrays["conv1.bias"] = np.zeros(5, "float32")
    del arrays["norm.bias"]
    save(tmp_path / "w.safetensors", arrays)
    with pytest.raises(WeightsError) as caught:
        load(tmp_path / "w.safetensors", small())
    assert str(caught.value).splitlines()[1:] == [
        "  conv1.bias: its shape is 5, but it must be 4 (O)",
        "  norm.bias: missing",
        "  norm.weight: missing",
        "  norm.wieght: not in the network; did you mean `norm.weight`?",
    ]


def test_what_is_no_such_file_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no weights")
    for name in ("text", "absent", "."):
        with pytest.raises(WeightsError, match="cannot be read as safetensors"):
            load(tmp_path / name, small())


@pytest.mark.parametrize(
    ("head", "kind"),
    [(b"PK\x03\x04", "a zip archive"), (b"\x80\x04", "a pickle"), (b"\x89HDF\r\n", "an HDF5 file")],
)
def test_a_file_of_another_format_is_named(head: bytes, kind: str, tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(head + bytes(100))
    with pytest.raises(WeightsError, match=f"it is {kind}.*; save its tensors with the library safetensors"):
        load(tmp_path / "w", small())


def test_a_tensor_beside_all_weights_is_an_error_that_names_the_nearest(tmp_path: Path) -> None:
    """Where a weight is missing, only a missing one can be meant; where none is, any."""
    whole = initialise(small())
    save(tmp_path / "w.safetensors", {**whole, "norm.wieght": whole["norm.weight"]})
    with pytest.raises(
        WeightsError, match=r"norm\.wieght: not in the network; did you mean `norm\.weight`\?"
    ):
        load(tmp_path / "w.safetensors", small())
    lacking = {name: array for name, array in whole.items() if name != "norm.bias"}
    save(tmp_path / "w.safetensors", {**lacking, "norm.wieght": whole["norm.weight"]})
    with pytest.raises(WeightsError, match=r"norm\.wieght: not in the network(\n|$)"):
        load(tmp_path / "w.safetensors", small())


def test_a_key_that_two_backends_read_differently_names_no_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    class Reads(Oracle):
        def __init__(self, **keys: str | None) -> None:
            self.by_key = keys

        def keys(self, graph: Graph) -> dict[str, str | None]:
            return self.by_key

    both = [Reads(a="x", b="y", c="z", d=None), Reads(a="x", b="z", d="y")]
    for found in (both, both[::-1]):
        monkeypatch.setattr(netspec.backend.discovery, "backends", lambda found=found: found)
        assert native_names(small()) == {"a": "x", "c": "z"}
