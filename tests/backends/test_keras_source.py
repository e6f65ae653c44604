"""The text that the Keras backend writes: as a formatter leaves it, as an engineer reads it, and without netspec."""

from __future__ import annotations

import ast
import builtins
import json
import random
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from netspec.diagnostics import Problems
from netspec.graph import Graph
from netspec.language.reading import locations
from netspec.loading import graph_of_text, load
from netspec.lowering.layout import WIDTH
from netspec.ops.activation import Elu, Relu6, Selu
from netspec.ops.base import Op
from netspec.ops.conv import Conv, DepthwiseConv, SeparableConv
from netspec.ops.norm import BatchNorm, GroupNorm, LayerNorm
from netspec.ops.pool import MaxPool
from netspec.ops.regularize import GaussianNoise
from netspec.ops.resample import Upsample
from netspec.ops.reshape import Reshape
from netspec.ops.resize import Crop, Pad
from netspec.ops.scale import ScaleBy
from netspec.ops.transpose import ConvTranspose
from netspec_keras.helpers import HELPERS, required, sweeps
from netspec_keras.source import TAKEN, function_name, source
from tests.building import Sketch
from tests.cases import CASES
from tests.language.author import graph_of
from tests.structures import STRUCTURES, structure

DTYPE = re.compile(r'\bb?float\d+\b|\bint(?!32\b)\d+\b|dtype=(?!None\b|"int32"|self\.)')
"""A dtype of values; indices are whole numbers, and an inner layer takes the precision of the layer that holds it."""
# Built without netspec, these tell what shapes they give.
ALONE = """
import json, numpy, sys
from pathlib import Path

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("netspec", "netspec_keras", "netspec_torch", "netspec_numpy"):
            raise ImportError(f"{name} is not here")

sys.meta_path.insert(0, Absent())
told = {}
for path in sys.argv[1:]:
    module = {"__name__": "alone"}
    exec(compile(Path(path).read_text("utf-8"), path, "exec"), module)
    model = module[Path(path).stem]()
    given = model.output if isinstance(model.output, dict) else {"output": model.output}
    told[model.name] = {name: list(tensor.shape[1:]) for name, tensor in given.items()}
    batch = {each.name: numpy.zeros((2, *each.shape[1:])) for each in model.inputs}
    model.predict_on_batch(batch if len(batch) > 1 else next(iter(batch.values())))
print(json.dumps(told))
"""


def zoo() -> list[Graph]:
    return [load(path) for path in locations.zoo().values()]


@cache
def texts() -> list[tuple[str, str]]:
    """The name and the text of every row, every structure, and every network of the zoo."""
    graphs = [*(case.graph() for case in CASES), *map(structure, STRUCTURES), *zoo()]
    return [(graph.name, source(graph).text) for graph in graphs]


def body(text: str, function: str) -> str:
    """The lines of one function."""
    (found,) = (
        each for each in ast.parse(text).body if isinstance(each, ast.FunctionDef) and each.name == function
    )
    return "\n".join(text.splitlines()[found.lineno - 1 : found.end_lineno])


def test_all_text_is_as_the_formatter_leaves_it_and_the_linter_likes_it(tmp_path: Path) -> None:
    ruff = pytest.importorskip("ruff").find_ruff_bin()
    for number, (name, text) in enumerate(texts()):
        (tmp_path / f"{name}_{number}.py").write_text(text, encoding="utf-8")
    for command in (["format", "--diff"], ["check"]):
        done = subprocess.run(
            [ruff, *command, "--isolated", "--line-length", "100", str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[:4000]


def test_no_text_names_a_dtype() -> None:
    for name, text in texts():
        assert not DTYPE.search(text), name


def test_text_imports_keras_alone() -> None:
    for _, text in texts():
        lines = list(ast.walk(ast.parse(text)))
        imported = [each for each in lines if isinstance(each, ast.Import)]
        taken = [each for each in lines if isinstance(each, ast.ImportFrom)]
        assert [alias.name for each in imported for alias in each.names] == ["keras"]
        assert {each.module for each in taken} <= {"keras"}
        assert {alias.name for each in taken for alias in each.names} <= {"layers", "ops"}


def test_every_layer_is_tapped_once() -> None:
    for name in ("chain", "heads", "two_inputs", "branches"):
        graph = structure(name)
        written = source(graph)
        lines = written.text.splitlines()
        for tap in written.taps:
            assert (tap.variable or "return") in lines[tap.line - 1] or lines[
                tap.line - 1
            ].strip().startswith(")")
    nodes = [tap.node for tap in source(structure("chain")).taps]
    assert nodes == [("conv1",), ("relu1",), ("flatten1",), ("dense1",)]


def test_text_runs_where_there_is_no_netspec(tmp_path: Path) -> None:
    pytest.importorskip("keras")
    paths, wanted = [], {}
    for graph in map(structure, ("residual", "siamese", "heads", "names", "growing", "tied", "frozen")):
        path = tmp_path / f"{function_name(graph)}.py"
        path.write_text(source(graph).text, encoding="utf-8")
        paths.append(str(path))
        types = {each.name: graph.types[each.value] for each in graph.outputs}
        wanted[graph.name] = {name: [*type_.sizes, type_.channels] for name, type_ in types.items()}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ALONE, *paths], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert {name: list(each.values()) for name, each in told.items()} == {
        name: list(each.values()) for name, each in wanted.items()
    }


def test_blocks_are_functions_and_repeats_are_loops() -> None:
    """Keras' `same` does not pad a convolution with a stride as `half` does: so all units pad before it."""
    text = source(structure("residual")).text
    assert body(text, "unit").splitlines() == [
        "def unit(x, filters, stride=1, projection=False, *, name):",
        '    """Block `unit`: stage1.0 … unit3.3, 12 in all."""',
        '    y = layers.ZeroPadding2D(1, name=f"{name}-conv1-pad")(x)',
        '    y = layers.Conv2D(filters, 3, strides=stride, name=f"{name}-conv1")(y)',
        '    y = UnbiasedBatchNormalization(name=f"{name}-batch_norm1")(y)',
        '    y = layers.ReLU(name=f"{name}-relu1")(y)',
        '    y = layers.Conv2D(filters, 3, padding="same", name=f"{name}-conv2")(y)',
        "    if projection:",
        '        x = layers.Conv2D(filters, 1, strides=stride, name=f"{name}-conv3")(x)',
        '    x = layers.Add(name=f"{name}-add1")([y, x])',
        '    return layers.ReLU(name=f"{name}-relu2")(x)',
    ]
    assert "    for i in range(1, 5):\n" + '        x = unit(x, 6, name=f"unit2-{i}")\n' in text


def test_a_word_for_padding_is_no_parameter_where_one_serves_all() -> None:
    text = source(structure("points")).text
    assert 'layers.Conv2D(4, kernel, padding="same", use_bias=False' in body(text, "unit")
    assert 'def mixed(x, kernel, padding="valid", *, name):' in text


def test_padding_that_some_uses_lack_is_optional() -> None:
    text = source(structure("half_padded")).text
    assert body(text, "unit").splitlines()[2:5] == [
        "    if kernel > 1:",
        '        x = layers.ZeroPadding1D(1, name=f"{name}-conv1-pad")(x)',
        '    x = layers.Conv1D(2, kernel, strides=stride, name=f"{name}-conv1")(x)',
    ]
    assert "def edge(x, padding=0, stride=1, *, name):" in text
    assert "    if padding > 0:\n        x = layers.ZeroPadding1D(padding, " in text
    assert '    x = edge(x, padding=1, stride=2, name="edge2")  # 2×2\n' in text


def test_uses_that_differ_in_a_condition_or_in_repetitions_are_one_function() -> None:
    text = source(structure("one_definition")).text
    names = [line[4:].split("(")[0] for line in text.splitlines() if line.startswith("def ")]
    assert names == ["uniform_by_fan", "patches", "unit", "inverted", "turns", "scaled", "one_definition"]
    assert '        x = layers.ZeroPadding2D(kernel // 2, name=f"{name}-conv1-pad")(x)\n' in body(
        text, "unit"
    )
    assert body(text, "patches").splitlines()[2:4] == [
        "    if patch > 1:",
        '        x = SpaceToDepth(patch, name=f"{name}-space_to_depth1")(x)',
    ]
    assert "unit(x, filters // 2 if i % 2 else filters, 1 if i % 2 else 3, " in body(text, "turns")
    assert body(text, "scaled").splitlines()[2:7] == [
        "    y = x",
        "    if first:",
        '        y = layers.Activation("tanh", name=f"{name}-tanh1")(y)',
        '    y = layers.Conv2D(8, 1, name=f"{name}-conv1")(y)',
        '    y = ExactRescaling(factor, name=f"{name}-scale_by1")(y)',
    ]


def test_a_section_of_several_layers_has_a_heading_and_an_end() -> None:
    lines = body(source(structure("alike_heads")).text, "alike_heads").splitlines()
    assert [line.partition(" = ")[0].strip() for line in lines[2:]] == [
        "fine", "coarse", "small", "", "# deep", "x", "deep", "", "large",
        'return keras.Model(inputs, {"small": small, "deep": deep, "large": large}, name="alike_heads")',
    ]  # fmt: skip


def test_a_block_that_is_shared_is_made_once_and_called_twice() -> None:
    text = source(structure("siamese")).text
    assert body(text, "siamese").splitlines()[1:7] == [
        '    left = keras.Input(shape=(8, 8, 1), name="left")',
        '    right = keras.Input(shape=(8, 8, 1), name="right")',
        '    shared_one = tower(name="one")',
        "    one = shared_one(left)  # 144",
        "    two = shared_one(right)  # 144",
        "    three = shared_one(right)  # 144",
    ]
    assert "    def call(x):\n" in body(text, "tower")


def test_repetitions_that_share_their_weights_are_a_loop() -> None:
    lines = body(source(structure("shared_again")).text, "shared_again").splitlines()
    assert lines[2:-1] == [
        '    shared_step = layers.Dense(4, name="step")',
        "    x = shared_step(inputs)  # 6×4",
        "    for _ in range(3):",
        "        x = shared_step(x)",
        '    shared_first = unit(name="first")',
        "    x = shared_first(x)  # 6×4",
        "    for _ in range(4):",
        "        x = shared_first(x)",
        "    for i in range(2):",
        "        x = shared_step(x)",
        "        x = shared_first(x)",
        '        x = layers.Dense(4, name=f"both-{i}-dense2")(x)',
    ]


def test_a_loop_of_several_layers_in_a_branch_takes_every_repetition(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "netspec: 1\nname: spec\ninput: [3, 4]\nlayers: [{add: [[], [{repeat: 3, layers: [relu, {dense: 3}]}]]}]\n",
        encoding="utf-8",
    )
    lines = body(source(load(spec)).text, "spec").splitlines()
    assert lines[2:4] == ["    x = inputs", "    for i in range(3):"]


def test_what_an_author_calls_by_a_taken_name_is_renamed_in_the_text_alone() -> None:
    text = source(structure("names")).text
    for name in ("class", "lambda", "keras", "layers", "ops", "name"):
        assert re.search(rf'name="([a-z]+-)*{name}"', text)
    assert not re.search(r"^\s*(keras|layers|ops|super|name) = ", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("op", "sizes", "line"),
    [
        (Conv(filters=3, kernel=(3,), padding="same", stride=(2,)), (8, 8), 'padding="same"'),
        (Conv(filters=3, kernel=(3,), padding="half", stride=(2,)), (8, 8), "layers.ZeroPadding2D(1,"),
        (Conv(filters=3, kernel=(3,), padding="half", stride=(2,)), (9, 9), "layers.ZeroPadding2D(1,"),
        (Conv(filters=3, kernel=(3,), padding="same", stride=(2,)), (9, 9), 'padding="same"'),
        (Conv(filters=3, kernel=(3,), padding="causal"), (9,), 'padding="causal"'),
        (Conv(filters=4, kernel=(3,), groups=4), (9, 9), "layers.DepthwiseConv2D(3,"),
        (Conv(filters=4, kernel=(3,), groups=2), (9, 9), "GroupedConv2D(4, 3,"),
        (
            Conv(filters=4, kernel=(3,), stride=(2,), dilation=(2,)),
            (9, 9),
            "layers.MaxPooling2D(1, strides=2,",
        ),
        (MaxPool(kernel=(3,), stride=(2,), padding="half"), (8, 8), "LowestPadding(((1, 1), (1, 1)),"),
        (MaxPool(kernel=(2,)), (8, 8), 'layers.MaxPooling2D(2, name="layer")'),
        (MaxPool(kernel=(2,)), (4, 4, 4), 'PlanewiseMaxPooling3D(2, name="layer")'),
        (DepthwiseConv(kernel=(3,), multiplier=2), (8,), "layers.DepthwiseConv1D(3, depth_multiplier=2,"),
        (DepthwiseConv(kernel=(3,)), (5, 5, 5), "GroupedConv3D(4, 3, groups=4,"),
        (SeparableConv(filters=3, kernel=(3,)), (8, 8), "layers.SeparableConv2D(3, 3,"),
        (
            ConvTranspose(filters=3, kernel=(2,), stride=(2,)),
            (4, 4),
            "layers.Conv2DTranspose(3, 2, strides=2, name",
        ),
        (
            ConvTranspose(filters=3, kernel=(4,), stride=(2,), padding=1),
            (4, 4),
            'strides=2, padding="same", name',
        ),
        (
            ConvTranspose(filters=3, kernel=(3,), stride=(2,), padding=1, output_padding=(1,)),
            (4, 4),
            "layers.Cropping2D(((1, 0), (1, 0)),",
        ),
        (
            ConvTranspose(filters=4, kernel=(3,), groups=2),
            (4, 4),
            "GeneralConvTranspose(4, (3, 3), groups=2,",
        ),
        (LayerNorm(), (8, 8), "layers.LayerNormalization(epsilon=1e-5, name"),
        (GroupNorm(groups=2), (8, 8), "layers.GroupNormalization(2, epsilon=1e-5, name"),
        (ScaleBy(factor=0.5), (8, 8), "= layers.Rescaling(0.5,"),
        (ScaleBy(factor=0.17), (8, 8), "= ExactRescaling(0.17,"),
        (GaussianNoise(std=0.5), (8, 8), "= layers.GaussianNoise(0.5,"),
        (GaussianNoise(std=2.0), (8, 8), "= LoudGaussianNoise(2.0,"),
        (Upsample(factor=(2,)), (8, 8), "layers.UpSampling2D(2,"),
        (Upsample(size=(9,)), (8, 8), "NearestUpsampling(size=(9, 9),"),
        (Upsample(factor=(2,), mode="linear"), (8, 8), "LinearResizing(factor=(2, 2),"),
        (Crop(size=(5,)), (8, 8), "CroppingTo(size=(5, 5),"),
        (Crop(amount=((1, 2), (1, 2))), (8, 8), "layers.Cropping2D(((1, 2), (1, 2)),"),
        (Crop(amount=0), (8, 8), "    layer = inputs  # 8×8×4"),
        (Pad(amount=0), (8, 8), "    layer = inputs  # 8×8×4"),
        (BatchNorm(), (8, 8), "BatchNormalization(name"),
        (
            BatchNorm(momentum=0.99, epsilon=1e-3),
            (8, 8),
            "BatchNormalization(momentum=0.99, epsilon=0.001, name",
        ),
        (Reshape(shape=(1, 4, 64)), (8, 8), "layers.Reshape((4, 64, 1),"),
        (Relu6(), (8, 8), 'layers.Activation("relu6",'),
        (Conv(filters=2, kernel=(1,), activation=Elu()), (8, 8), 'activation="elu"'),
        (Conv(filters=2, kernel=(1,), activation=Selu()), (8, 8), 'SELUFromBelow(name="layer-selu")'),
    ],
    ids=str,
)
def test_the_native_layer_is_taken_where_it_means_the_same(op: Op, sizes: tuple[int, ...], line: str) -> None:
    sketch = Sketch("sketch", x=(4, *sizes))
    sketch.add("layer", op)
    text = body(source(sketch.graph()).text, "sketch")
    assert line in text or line in re.sub(r"\(\s+", "(", re.sub(r"\s+", " ", text))


def test_no_helper_is_wider_than_the_rest() -> None:
    lines = [line for each in HELPERS.values() for line in each.text.split("\n")]
    assert [line for line in lines if len(line) > WIDTH] == []


def test_no_helper_is_called_as_something_of_keras_is() -> None:
    keras = pytest.importorskip("keras")
    rooms = (keras, keras.layers, keras.initializers, keras.activations, keras.ops)
    assert [name for name in HELPERS for room in rooms if hasattr(room, name)] == []


def test_only_the_helpers_that_are_used_are_there() -> None:
    assert "class " not in source(structure("chain")).text
    assert "register_keras_serializable" not in source(structure("chain")).text
    assert [*required({"PaddedAveragePooling3D"})] == [
        "pool_planewise",
        "PlanewiseAveragePooling3D",
        "PaddedAveragePooling3D",
    ]


@pytest.mark.parametrize("number", range(3))
def test_a_helper_with_some_parts_is_as_the_formatter_leaves_it(number: int, tmp_path: Path) -> None:
    """The classes of recurrent layers have only the parts that a network needs; tests of the numbers have them all."""
    draw = random.Random(number)
    text = "from keras import layers, ops\n"
    for _ in range(40):
        parts = {each for each in sweeps.ALL if draw.random() < 0.4}
        calls = {"axis": sweeps.AXES, "direction": sweeps.BACKWARD, "merge": sweeps.MERGE}
        parts |= {part for name, part in calls.items() if sweeps.CALLS[name] in parts}
        parts |= {sweeps.BACKWARD, sweeps.BOTH} if sweeps.MERGE in parts else set()
        parts |= {sweeps.BACKWARD} if sweeps.BOTH in parts else set()
        parts |= {sweeps.AXES} if sweeps.UNMOVED in parts else set()
        parts |= {sweeps.DROPOUT} if sweeps.VARIATIONAL in parts else set()
        parts |= {sweeps.GIVES} if parts & {sweeps.LAST, sweeps.STATE, sweeps.CELL} else set()
        for name in ("RecurrentLSTM", "RecurrentGatedLSTM"):
            helpers = required({name, "RecurrentGRU"} if draw.random() < 0.5 else {name}, parts)
            cut = ("Recurrent", "GatedLSTMCell")
            text += "".join(f"\n{each}" for key, each in helpers.items() if key.startswith(cut))
    (tmp_path / "text.py").write_text(text, encoding="utf-8")
    for command in (["format", "--diff"], ["check", "--select", "E,F,W", "--ignore", "F811,F821"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--line-length", "100", "text.py"],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout


def test_every_helper_says_why_it_is_there_and_needs_what_stands_before_it() -> None:
    seen: set[str] = set()
    for name, helper in HELPERS.items():
        (definition,) = ast.parse(helper.text).body
        assert isinstance(definition, ast.ClassDef | ast.FunctionDef)
        assert definition.name == name
        assert ast.get_docstring(definition)
        assert set(helper.needs) <= seen
        seen.add(name)


def test_no_function_of_an_author_takes_the_place_of_what_a_helper_calls() -> None:
    for helper in HELPERS.values():
        read = {each.id for each in ast.walk(ast.parse(helper.text)) if isinstance(each, ast.Name)}
        assert read & set(dir(builtins)) <= TAKEN
        assert read & set(HELPERS) <= {*helper.needs}


@pytest.mark.parametrize("name", ["x", "y", "z", "x4", "i", "inputs"])
def test_no_function_of_an_author_is_hidden_by_a_variable(name: str, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        f"netspec: 1\nname: spec\ninput: [3]\nblocks: {{{name}: {{layers: [relu]}}, joined: {{inputs: [a, b, c, d], "
        f"layers: [{{add: , from: [a, b, c, d]}}]}}}}\nlayers: [{{{name}: , repeat: 3}}, {{joined: , from: "
        f"[{name}1.0, {name}1.1, {name}1.2, input]}}]\n",
        encoding="utf-8",
    )
    functions = re.findall(r"^def (\w+)", source(load(spec)).text, re.MULTILINE)
    assert functions == [f"{name}_", "joined", "spec"]


def test_a_description_cannot_become_code() -> None:
    hostile = replace(structure("chain"), description='x"""\nimport os  # \\')
    tree = ast.parse(source(hostile).text)
    assert not [
        each for each in ast.walk(tree) if isinstance(each, ast.Import) and each.names[0].name != "keras"
    ]


def test_a_loop_takes_every_repetition_though_its_ends_are_kept() -> None:
    text = source(structure("kept_ends")).text
    loop = """\
    x = half
    for i in range(3):
        x = layers.Conv2D(4, 3, padding="same", activation="relu", name=f"deep-{i}")(x)
"""
    assert loop in text
    assert '(x, 64, name=f"{name}-stage1-{i}")\n    stage1 = x\n' in source(load("zoo:skip_taps")).text
    # Two are as short without one.
    assert "short-0" in text
    assert "two-0" in text


def test_two_functions_of_a_block_can_have_a_layer_that_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "pads.yaml"
    path.write_text(
        """
netspec: 1
name: pads
input: [3, 8]
blocks:
  unit:
    params: {last: }
    layers: [{pad: 0}, {conv: {filters: 3, kernel: 3, padding: same}}, {activation: $last}]
layers: [{unit: relu}, {unit: gelu}]
""",
        encoding="utf-8",
    )
    assert source(load(str(path))).text.count("def unit") == 2


def test_a_layer_on_a_further_output_of_the_last_repetition_is_returned() -> None:
    graph = graph_of(
        """
        blocks:
          coder:
            layers:
              - {tanh: , name: x}
              - {rnn: {units: 3, axis: 0, direction: both, return: last}, name: first}
              - {rnn: {units: 3, axis: 0, direction: both}, from: [x, first.state], name: y,
                 repeat: 2, carry: {state: state}}
              - {relu: , from: y.state}
        layers: [flatten, {reshape: [4, -1]}, coder]
        """
    )
    (returned,) = (line for line in source(graph).text.splitlines() if "relu1" in line)
    assert returned.strip().startswith("return layers.ReLU(")


def _graph(text: str) -> Graph:
    problems = Problems()
    graph = graph_of_text(text, "net.yaml", problems)
    assert graph is not None, problems.errors
    return graph


@pytest.mark.parametrize("name", ["y", "c", "x"])
def test_what_a_loop_collects_replaces_neither_an_input_nor_what_comes_later(name: str) -> None:
    """The proof accepts the folded text: a text that it refuses would be written without a loop, with a warning."""
    graph = _graph(
        f"""
netspec: 1
name: net
inputs: {{a: [3, 4, 4], {name}: [3]}}
layers:
  - {{identity: , from: a}}
  - layers: [{{conv: {{filters: "${{2 + index}}", kernel: 1}}, name: c}}, {{conv: {{filters: 3, kernel: 1}}}}]
    repeat: 3
    name: all
  - multiply: [[], [{{concat: , from: all.*.c}}, {{conv: {{filters: 3, kernel: 1}}}}]]
  - add: [[], [{{identity: , from: {name}}}]]
"""
    )
    assert source(graph).text.count(".append(") == 3


def test_a_layer_of_a_shared_block_is_not_called_as_the_values_there() -> None:
    graph = _graph(
        """
netspec: 1
name: net
inputs: {p: [3, 4], q: [3, 4]}
blocks:
  unit:
    inputs: [a, b]
    layers:
      - {add: , from: [a, b], name: x}
      - {conv: {filters: 3, kernel: 1}}
      - relu
layers:
  - {unit: , from: [p, q], name: one}
  - {unit: , from: [one, q], name: two, share: one}
"""
    )
    assert "    x2 = layers.Add(" in source(graph).text
