"""Models that others wrote in Keras: their files come in, and their outputs come out. Reading needs only h5py."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from netspec import load, tensors
from netspec.backend import Unavailable
from netspec.exchange import converted, held, imported
from netspec.graph import Graph
from netspec.weights import WeightsError, initialise
from netspec.weights.containers import as_npz
from netspec_cli.main import app
from tests.oracle import forward

h5py = pytest.importorskip("h5py")
Array = np.ndarray[Any, Any]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def quiet(line: str) -> None:
    """No conversion is expected to matter here."""


# Files as Keras writes them, written by hand.

SPEC = """\
netspec: 1
name: own
input: [2, 4, 4]
layers:
  - conv: {filters: 3, kernel: 3}
  - batch_norm: {center: false}
  - flatten
  - dense: 6
  - reshape: [3, 2]
  - gru: {units: 4, direction: both}
"""
LAYERS: dict[str, tuple[str, str, tuple[tuple[int, ...], ...]]] = {
    "conv2d": ("first", "Conv2D", ((3, 3, 2, 3), (3,))),
    "batch_normalization": ("norm", "BatchNormalization", ((3,), (3,), (3,))),
    "dense": ("head", "Dense", ((12, 6), (6,))),
}
CELL = ((3, 12), (4, 12), (2, 12))
CONFIG = {
    "class_name": "Functional",
    "config": {
        "layers": [
            {"class_name": "InputLayer", "config": {"name": "input_layer"}},
            {"class_name": "Conv2D", "config": {"name": "first"}},
            {"class_name": "BatchNormalization", "config": {"name": "norm", "center": False, "scale": True}},
            {"class_name": "Flatten", "config": {"name": "flatten", "data_format": "channels_last"}},
            {"class_name": "Dense", "config": {"name": "head"}},
            {"class_name": "Reshape", "config": {"name": "reshape"}},
            {"class_name": "Bidirectional", "config": {"name": "both"}},
        ]
    },
}


def new(extra: Mapping[str, Array] | None = None) -> bytes:
    """A `.weights.h5` of Keras 3."""
    stream, random = io.BytesIO(), np.random.default_rng(0)
    with h5py.File(stream, "w") as file:
        for path, (name, _, shapes) in LAYERS.items():
            group = file.create_group(f"layers/{path}/vars")
            group.attrs["name"] = name
            for at, shape in enumerate(shapes):
                group[str(at)] = random.uniform(0.5, 1.5, shape)
        file.create_group("layers/bidirectional/vars").attrs["name"] = "both"
        for way in ("forward", "backward"):
            for at, shape in enumerate(CELL):
                file[f"layers/bidirectional/{way}_layer/cell/vars/{at}"] = random.normal(size=shape)
        for name, array in (extra or {}).items():
            file[name] = array
    return stream.getvalue()


def whole(config: object = CONFIG, **changes: bytes) -> bytes:
    """A `.keras` file."""
    stream = io.BytesIO()
    members = {"config.json": json.dumps(config).encode(), "model.weights.h5": new(), **changes}
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def test_the_file_of_a_model_says_order_variables_and_flattening() -> None:
    Path("own.yaml").write_text(SPEC)
    Path("net.keras").write_bytes(whole())
    found = imported(load("own.yaml"), Path("net.keras"), tell=pytest.fail)
    lines = {line.ours: (*line.theirs, line.how) for line in found.lines}
    assert lines["batch_norm1.weight"] == ("norm/gamma", "")
    assert lines["batch_norm1.running_var"] == ("norm/moving_variance", "")
    assert lines["dense1.weight"] == ("head/kernel", "IO → OI, channels last → first")
    assert lines["gru1.bias_hh_l0_reverse"] == (
        "both/backward_layer/cell/bias",
        "row 1 of 2, gates reordered",
    )
    theirs = held(Path("net.keras")).tensors
    kernel = theirs["head/kernel"].reshape(2, 2, 3, 2, 3)  # height, width, channels; steps, channels
    wanted = np.transpose(kernel, (4, 3, 2, 0, 1)).reshape(6, 12)
    np.testing.assert_array_equal(found.weights["dense1.weight"], wanted)


def test_weights_alone_leave_questions() -> None:
    Path("own.yaml").write_text(SPEC)
    Path("net.weights.h5").write_bytes(new())
    run = CliRunner()
    done = run.invoke(app, ["weights", "import", "own.yaml", "net.weights.h5", "--map-template", "map.yaml"])
    # Three variables of a batch norm: the file does not say which one is missing.
    assert done.exit_code == 2
    assert "batch_norm1 (gamma 3, moving_mean 3, moving_variance 3): no layer of the file" in done.stderr
    text = Path("map.yaml").read_text()
    for at, leaf in enumerate(("weight", "running_mean", "running_var")):
        text = text.replace(f"batch_norm1.{leaf}:", f"batch_norm1.{leaf}: norm/{at}")
    Path("map.yaml").write_text(text)
    command = ["weights", "import", "own.yaml", "net.weights.h5", "--map", "map.yaml", "-o", "w.safetensors"]
    done = run.invoke(app, command)
    assert "does not say in which order its model flattens maps, on which dense1.weight" in done.stderr
    done = run.invoke(app, [*command, "--flatten", "last"])
    assert done.exit_code == 0, done.output
    Path("net.keras").write_bytes(whole())
    told = imported(load("own.yaml"), Path("net.keras"), tell=pytest.fail).weights
    for name, array in tensors.read("w.safetensors")[0].items():
        np.testing.assert_array_equal(array, told[name])


def test_a_map_between_vectors_can_be_of_either_order() -> None:
    """With the channels first, no layer of such a model moves them, so the file does not show it."""
    Path("own.yaml").write_text(SPEC.split("  - gru")[0] + "  - relu\n  - flatten\n")
    Path("net.keras").write_bytes(whole())
    with pytest.raises(
        WeightsError, match=r"does not say in which order .* --flatten last .* or --flatten first"
    ):
        imported(load("own.yaml"), Path("net.keras"), skip=["both/*"], tell=quiet)
    found = imported(load("own.yaml"), Path("net.keras"), skip=["both/*"], flatten="first", tell=quiet)
    np.testing.assert_array_equal(
        found.weights["dense1.weight"], held(Path("net.keras")).tensors["head/kernel"].T
    )


def test_what_is_beside_weights_is_left_out_and_told() -> None:
    extra = {"optimizer/vars/0": np.zeros(3), "layers/dropout/seed_generator/vars/0": np.zeros(2, "uint32")}
    Path("net.weights.h5").write_bytes(new(extra))
    found = held(Path("net.weights.h5"))
    assert found.notes == (
        "1 tensor of the generators of random numbers left out: not weights",
        "1 tensor of the optimizer left out: not weights",
    )
    assert not [name for name in found.tensors if "optimizer" in name or "seed" in name]


@pytest.mark.parametrize("divided", [False, True])
def test_an_old_file_has_names_and_their_order(divided: bool) -> None:
    """Of Keras 2, also where its lists of names are divided because they are long."""
    Path("own.yaml").write_text(
        "netspec: 1\nname: own\ninput: [3]\nlayers: [{dense: 4}, {dense: 4}, {dense: 4}]\n"
    )
    random = np.random.default_rng(0)
    names = ["z", "b", "a"]
    with h5py.File("net.h5", "w") as file:
        root = file.create_group("model_weights")
        for layer, rows in zip(names, (3, 4, 4), strict=True):
            root[f"{layer}/{layer}/kernel:0"] = random.normal(size=(rows, 4))
            root[f"{layer}/{layer}/bias:0"] = random.normal(size=4)
            root[layer].attrs["weight_names"] = [f"{layer}/kernel:0".encode(), f"{layer}/bias:0".encode()]
        if divided:
            root.attrs["layer_names0"], root.attrs["layer_names1"] = [b"z"], [b"b", b"a"]
        else:
            root.attrs["layer_names"] = names
        kernel = root["b/b/kernel:0"][()]
    found = imported(load("own.yaml"), Path("net.h5"), tell=pytest.fail)
    assert [line.theirs for line in found.lines][::2] == [("z/kernel",), ("b/kernel",), ("a/kernel",)]
    np.testing.assert_array_equal(found.weights["dense2.weight"], kernel.T)


def linked() -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["layers/dense/vars/0"] = h5py.ExternalLink("/etc/passwd", "x")
    return stream.getvalue()


def virtual() -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        layout = h5py.VirtualLayout((2,), "f8")
        layout[:] = h5py.VirtualSource("other.h5", "x", (2,))
        file.create_virtual_dataset("layers/dense/vars/0", layout)
    return stream.getvalue()


def hollow(**settings: Any) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_dataset("layers/dense/vars/0", (1 << 35,), "f8", **settings)
    return stream.getvalue()


def looped() -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_group("layers/dense")
        file["layers/dense/again"] = file["layers"]
    return stream.getvalue()


def strange() -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_group(b"layers/d\xffense/vars")
    return stream.getvalue()


def texts() -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["layers/dense/vars/0"] = np.array([b"a", b"b"])
    return stream.getvalue()


BAD: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "an empty file": ("net.h5", lambda: b"", "it is not an HDF5 file of Keras, or it is damaged"),
    "cut off": ("net.weights.h5", lambda: new()[:2000], "it is not an HDF5 file of Keras, or it is damaged"),
    "no tensor": ("net.h5", lambda: new()[:0] + empty(), "it holds no tensor"),
    "a link to another file": ("net.h5", linked, "0 is a link to another place, which netspec does not follow"),
    "values in another file": ("net.h5", virtual, "are in another file, which netspec does not open"),
    "more than it has": ("net.h5", hollow, "says that it has 274,877,906,944 bytes, but the file has 0"),
    "more than it has, in blocks": ("net.h5", lambda: hollow(chunks=(1 << 20,)), "but the file has 0"),
    "a group in itself": ("net.h5", looped, "its groups are nested too deeply"),
    "a name that is not UTF-8": ("net.h5", strange, "a name in layers is not UTF-8"),
    "texts": ("net.h5", texts, "holds values of the type |S1, not numbers"),
    "no archive": ("net.keras", new, "it is not a model of Keras, or it is damaged"),
    "no weights": ("net.keras", lambda: as_npz({"a": np.ones(1)}), "it has no `model.weights.h5`"),
    "no JSON": ("net.keras", lambda: whole(**{"config.json": b"{"}), "it is not a model of Keras, or it is damaged"),
    "nested JSON": ("net.keras", lambda: whole(**{"config.json": b"[" * 100_000}), "cannot be read"),
}  # fmt: skip


def empty() -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_group("layers")
    return stream.getvalue()


@pytest.mark.parametrize(("name", "make", "says"), BAD.values(), ids=BAD)
def test_what_is_not_weights_is_refused_with_a_reason(
    name: str, make: Callable[[], bytes], says: str
) -> None:
    Path(name).write_bytes(make())
    with pytest.raises(WeightsError) as caught:
        held(Path(name))
    assert says in str(caught.value)


def test_strange_settings_of_layers_say_nothing() -> None:
    strange: tuple[object, ...] = (
        None,
        [],
        {"config": 3},
        {"config": {"layers": [3, {"config": {"name": 3}}]}},
    )
    for config in strange:
        Path("net.keras").write_bytes(whole(config))
        assert len(held(Path("net.keras")).tensors) == 13


def test_without_h5py_one_line_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("net.h5").write_bytes(new())
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(Unavailable, match="h5py is not installed") as caught:
        held(Path("net.h5"))
    assert "[h5]" in caught.value.fix


# Models of Keras itself.

MODEL = """\
netspec: 1
name: k
input: [3, 12, 12]
layers:
  - conv: {filters: 4, kernel: 3}
  - batch_norm: {epsilon: 1e-3}
  - relu
  - separable_conv: {filters: 6, kernel: 3, padding: same}
  - conv_transpose: {filters: 5, kernel: 3, stride: 2}
  - depthwise_conv: {kernel: 3, multiplier: 2}
  - max_pool: 4
  - flatten
  - batch_norm: {epsilon: 1e-3}
  - dropout: 0.3
  - dense: {units: 24, activation: relu}
  - reshape: [6, 4]
  - lstm: {units: 3, direction: both}
  - gru: {units: 5, return: last}
  - dense: 2
"""


HELPED = """\
netspec: 1
name: helped
input: [3, 12]
layers:
  - conv: {filters: 4, kernel: 3}
  - prelu
  - lstm: {units: 3, peepholes: true}
  - gru: {units: 3, layers: 2, direction: both}
  - dense: 2
"""


def functional(keras: Any) -> Any:
    """The same network in the words of Keras, in float64, with weights and statistics of its own."""
    layers = keras.layers
    image = keras.Input((12, 12, 3))
    x = layers.Conv2D(4, 3, name="stem")(image)
    x = layers.ReLU()(layers.BatchNormalization(name="norm")(x))
    x = layers.SeparableConv2D(6, 3, padding="same")(x)
    x = layers.Conv2DTranspose(5, 3, strides=2)(x)
    x = layers.MaxPooling2D(4)(layers.DepthwiseConv2D(3, depth_multiplier=2)(x))
    x = layers.BatchNormalization()(layers.Flatten()(x))
    x = layers.Dense(24, activation="relu", name="head")(layers.Dropout(0.3)(x))
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(layers.Reshape((4, 6))(x))
    model = keras.Model(image, layers.Dense(2)(layers.GRU(5)(x)))
    random = np.random.default_rng(3)
    model.set_weights([random.uniform(0.2, 0.9, each.shape) for each in model.get_weights()])
    return model


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras
def test_a_model_of_keras_computes_the_same_in_every_format() -> None:
    keras = pytest.importorskip("keras")
    Path("k.yaml").write_text(MODEL)
    graph = load("k.yaml")
    policy, floatx = keras.config.dtype_policy(), keras.config.floatx()
    keras.config.set_dtype_policy("float64")
    keras.config.set_floatx("float64")
    try:
        model = functional(keras)
        x = np.random.default_rng(1).normal(size=(2, 12, 12, 3))
        wanted = keras.ops.convert_to_numpy(model(x, training=False))
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)
    model.save("net.keras")
    model.save_weights("net.weights.h5")
    Path("net.npz").write_bytes(as_npz({each.path: keras.ops.convert_to_numpy(each) for each in model.weights
                                        if "seed_generator" not in each.path}))  # fmt: skip
    for name, settings in {
        "net.keras": {},
        "net.weights.h5": {"flatten": "last"},
        "net.npz": {"flatten": "last", "names": "keras"},
    }.items():
        weights = imported(graph, Path(name), tell=quiet, **settings).weights  # type: ignore[arg-type]
        found: dict[str, Any] = forward(graph, weights, {"input": np.moveaxis(x, -1, 1)}, training=False)
        np.testing.assert_allclose(found[graph.outputs[0].value], wanted, rtol=0, atol=1e-12, err_msg=name)
    # The files of our own model go and come back, also of layers that Keras does not have.
    Path("helped.yaml").write_text(HELPED)
    for own in (graph, load("helped.yaml")):
        _go_and_come_back(own)
    Path("other.yaml").write_text(MODEL.replace("filters: 4", "filters: 7"))
    Path("own.weights.h5").write_bytes(
        converted(Path("w.safetensors"), Path("own.weights.h5"), own, None, None, quiet)
    )
    with pytest.raises(WeightsError, match="cannot be read: Keras refuses it for this network"):
        converted(Path("own.weights.h5"), Path("x.npz"), load("other.yaml"), None, None, quiet)


def _go_and_come_back(graph: Graph) -> None:
    start = initialise(graph, 5, "float64")
    tensors.save("w.safetensors", start)
    for target in (Path("own.weights.h5"), Path("own.keras")):
        target.write_bytes(converted(Path("w.safetensors"), target, graph, None, None, quiet))
        Path("back.safetensors").write_bytes(
            converted(target, Path("back.safetensors"), graph, None, None, quiet)
        )
        back = tensors.read("back.safetensors")[0]
        assert back.keys() == start.keys()
        for key, array in start.items():
            np.testing.assert_array_equal(back[key], array, err_msg=f"{target} {key}")
