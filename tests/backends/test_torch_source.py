"""The text for PyTorch: formatted, free of netspec, of dtypes and of code from a spec."""

from __future__ import annotations

import ast
import builtins
import re
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from netspec.backend import Source, Unsupported
from netspec.diagnostics import Problems
from netspec.graph import Graph
from netspec.loading import graph_of_text
from netspec.lowering.names import UnsafeName
from netspec.ops.activation import Relu
from netspec_torch import backend, cells, conv_cells
from netspec_torch.helpers import NAMES, helpers
from netspec_torch.lowering import TEMPORARIES
from netspec_torch.reserved import VARIABLES
from tests.building import Sketch
from tests.cases import CASES
from tests.language.author import graph_of
from tests.structures import STRUCTURES, structure

TORCH = backend()
GOLDEN = Path(__file__).parent.parent / "lowering" / "golden"
GOLDENS = (
    "residual",
    "growing",
    "branches",
    "names",
    "tied",
    "trunk",
    "frozen",
    "many_skips",
    "stacks",
    "dwindling",
    "heads",
    "alike_heads",
    "kept",
    "passing_on",
)


TEXTS = [value for module in (cells, conv_cells) for value in vars(module).values() if isinstance(value, str)]
CALLS = [f"{name}(4)" for name in (*cells.CELLS, *conv_cells.CELLS)]


@pytest.fixture(scope="module")
def graphs() -> dict[str, Graph]:
    """Every op and every structure."""
    return {case.name: case.graph() for case in CASES} | {name: structure(name) for name in STRUCTURES}


@pytest.fixture(scope="module")
def sources(graphs: dict[str, Graph]) -> dict[str, Source]:
    return {name: TORCH.source(graph) for name, graph in graphs.items()}


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run([sys.executable, *command], cwd=cwd, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_the_text_is_as_the_formatter_leaves_it(sources: dict[str, Source], tmp_path: Path) -> None:
    for name, source in sources.items():
        (tmp_path / f"{name}.py").write_text(source.text, encoding="utf-8")
    options = ("--isolated", "--line-length", "100", ".")
    assert run("-m", "ruff", "format", "--diff", *options, cwd=tmp_path) == ""
    assert run("-m", "ruff", "check", "--select", "E,F,W,I,B,C4,PIE,UP", *options, cwd=tmp_path) == ""


ALONE = """
import importlib.util, json, sys
sys.path[:] = [each for each in sys.path if "netspec" not in each]
sys.modules["netspec"] = None
import torch
for name, (model, shapes, expected) in json.load(open("wanted.json")).items():
    spec = importlib.util.spec_from_file_location(name, f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    result = getattr(module, model)()(
        *(torch.randn(2, *shape) if most is None else torch.randint(most, (2, *shape)) for shape, most in shapes)
    )
    outputs = list(result.values()) if isinstance(result, dict) else [result]
    assert [list(each.shape[1:]) for each in outputs] == expected, name
    assert not any(each.startswith("netspec") for each in sys.modules if sys.modules[each] is not None)
"""


def test_the_text_runs_without_netspec(
    graphs: dict[str, Graph], sources: dict[str, Source], tmp_path: Path
) -> None:
    import json

    from netspec_torch.source import class_name

    wanted = {}
    for name, source in sources.items():
        (tmp_path / f"{name}.py").write_text(source.text, encoding="utf-8")
        graph = graphs[name]
        shapes = [(each.type.shape, each.vocabulary) for each in graph.inputs]
        wanted[name] = (class_name(graph), shapes, [graph.types[each.value].shape for each in graph.outputs])
    (tmp_path / "wanted.json").write_text(json.dumps(wanted), encoding="utf-8")
    (tmp_path / "alone.py").write_text(ALONE, encoding="utf-8")
    assert run("-W", "error", "alone.py", cwd=tmp_path) == ""


def test_the_text_names_no_dtype_and_no_device(sources: dict[str, Source]) -> None:
    for name, source in sources.items():
        # What is made beside an input is made where that is, in its type, or in single precision beside a half.
        text = source.text.replace("device=x.device", "").replace('"device": x.device', "")
        text = text.replace('"dtype": torch.promote_types(x.dtype, torch.float32)', "").replace("x.dtype", "")
        for word in ("float32", "float64", "dtype", "cuda", "device", "netspec."):
            assert word not in text, name


def test_the_text_holds_only_imports_classes_and_what_starts_the_weights(sources: dict[str, Source]) -> None:
    for source in sources.values():
        docstring, *others = ast.parse(source.text).body
        assert isinstance(docstring, ast.Expr)
        functions = [each.name for each in others if isinstance(each, ast.FunctionDef)]
        assert set(functions) <= {"init_weights", "bilinear_", "given_", "gates_", "lift_gates_"}
        kinds = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef)
        assert all(isinstance(each, kinds) for each in others)


def test_no_variable_hides_a_built_in_function_that_the_text_calls(sources: dict[str, Source]) -> None:
    """The variables have the author's names, such as `range`. What the helpers call is in functions of their own."""
    called: set[str] = set()
    for source in sources.values():
        for each in ast.parse(source.text).body:
            if isinstance(each, ast.ClassDef) and each.name not in NAMES:
                calls = [each.func for each in ast.walk(each) if isinstance(each, ast.Call)]
                called |= {each.id for each in calls if isinstance(each, ast.Name)}
    assert called & set(dir(builtins)) <= VARIABLES | TEMPORARIES


def test_every_layer_can_be_watched(graphs: dict[str, Graph], sources: dict[str, Source]) -> None:
    for name, source in sources.items():
        lines = source.text.splitlines()
        assert source.taps, name
        for tap in source.taps:
            # A statement may end lines after the name that it assigns. A layer that does nothing can be a parameter.
            above = "\n".join(lines[max(0, tap.line - 12) : tap.line])
            assert any(f"{tap.variable or 'return'}{end}" in above for end in (" ", ", ", "):")), name


@pytest.mark.parametrize("name", GOLDENS)
def test_the_text_is_the_golden_one(name: str, request: pytest.FixtureRequest) -> None:
    path = GOLDEN / f"{name}_torch.py.txt"
    text = TORCH.source(structure(name)).text
    if request.config.getoption("--update-golden"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_a_description_cannot_leave_its_docstring() -> None:
    for text in (
        '"""\nimport os\n"""',
        'ends in a quote"',
        "back\\slash \\",
        "\\N{BULLET} \x00 \x1b[31m",
        '""""""',
    ):
        graph = replace(structure("chain"), description=text)
        tree = ast.parse(TORCH.source(graph).text)
        assert len(tree.body) == 6  # the docstring, three imports, what starts the weights and the class
        assert isinstance(tree.body[0], ast.Expr)


@pytest.mark.parametrize("name", ["a b", "x;import os", "1x", "x.y()", "", "ﬁ", "a-b"])
def test_a_name_that_is_no_identifier_does_not_reach_the_text(name: str) -> None:
    graph = structure("chain")
    first, *others = graph.nodes
    broken = replace(first, name=name)
    rest = tuple(
        replace(node, inputs=tuple(name if each == first.name else each for each in node.inputs))
        for node in others
    )
    with pytest.raises(UnsafeName):
        TORCH.source(replace(graph, nodes=(broken, *rest)))


def test_an_op_without_a_lowering_is_refused_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    sketch = Sketch("refused", input=(3,))
    sketch.add("relu1", Relu())
    kept = {op: lowering for op, lowering in TORCH.lowerings.items() if op is not Relu}
    monkeypatch.setattr(type(TORCH), "lowerings", kept)
    with pytest.raises(Unsupported, match="no lowering of relu"):
        TORCH.source(sketch.graph())


@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_writing_text_imports_only_the_families_of_ops_that_the_network_has(backend: str) -> None:
    code = f"""
import sys, netspec
graph = netspec.load("zoo:char_rnn")
before = set(sys.modules)
netspec.compile(graph, {backend!r})
print({{name for name in set(sys.modules) - before if name.startswith("netspec.ops.")}})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("set()", "{'netspec.ops.fans'}")


def test_writing_text_imports_no_framework() -> None:
    code = """
import sys, netspec
netspec.compile(netspec.load("zoo:resnet34"), "torch")
print(set(sys.modules) & {"torch", "keras", "tensorflow", "numpy"})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_repeat_that_shares_one_module_is_a_loop_over_it() -> None:
    text = TORCH.source(structure("carried")).text
    loop = "        for _ in range(2):\n            again, again_state = self.first(again, again_state)\n"
    assert loop in text


LOOPS = {
    "layers": (
        "input: [4, 8]",
        "{gru: 4, repeat: 3, carry: {sequence: sequence}}",
        "y = layer(x.movedim(1, -1))",
    ),
    "groups": ("input: [4, 8]", "{repeat: 3, layers: [{dense: 4, from: input}]}", "y = layer(x)"),
    "unused": (
        "input: [4]",
        "{dense: 4, name: a}, {repeat: 3, layers: [{dense: 4, from: input}]}, {dense: 3, from: a}",
        "y = layer(x)",
    ),
    "blocks": (
        "input: [4]",
        "{dense: 4}, {blk: , from: [input, dense1], repeat: 3, carry: {a: a, b: b}}",
        "z = blk(x, y)",
    ),
    "named": (
        "input: [4]",
        "{dense: 4, name: range}, {dense: 4, from: input, repeat: 3, share: range, name: r}, {add: , from: [r, range]}",
        "for _ in range(3):",
    ),
    "collected": (
        "input: [4, 8]",
        "{gru: 4, name: s}, {rnn: 4, from: [input, s.state], repeat: 3, carry: {sequence: sequence}, name: r},"
        "{concat: , from: [r.*.state]}",
        "= layer(x, state2)",
    ),
}
"""Inputs, layers, and the line of the loop over a repeat."""


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_keeps_what_each_repetition_takes(name: str) -> None:
    inputs, layers, line = LOOPS[name]
    block = "{inputs: [a, b], outputs: [y], layers: [{add: , from: [a, b]}, {dense: 4, name: y}]}"
    text = f"netspec: 1\nname: loop\n{inputs}\nblocks: {{blk: {block}}}\nlayers: [{layers}]\n"
    problems = Problems()
    graph = graph_of_text(text, "loop.yaml", problems)
    assert graph is not None, problems.in_order()
    assert line in TORCH.source(graph).text  # a text that is not folded warns


GROUPED = """\
netspec: 1
name: grouped
input: [4, 8, 8]
blocks:
  unit:
    params: {filters: , groups: 1}
    layers:
      - add:
          - - conv: {filters: $filters, kernel: 3, padding: half, groups: $groups}
          - - conv: {filters: $filters, kernel: 1}
              when: ${in.channels != filters}
layers:
  - unit: 4
  - unit: 6
"""


def test_an_argument_that_the_text_leaves_out_is_no_parameter() -> None:
    """Only some uses have the second convolution, and its groups are as many as those of the block."""
    problems = Problems()
    graph = graph_of_text(GROUPED, "grouped.yaml", problems)
    assert graph is not None, problems.in_order()
    assert "    def __init__(self, filters, projection=False):\n" in TORCH.source(graph).text


def test_uses_that_differ_in_a_condition_or_in_repetitions_are_one_class() -> None:
    text = TORCH.source(structure("one_definition")).text
    classes = [line[6:-1].split("(")[0] for line in text.splitlines() if line.startswith("class ")]
    assert classes == ["Patches", "Unit", "Inverted", "Turns", "Scaled", "DenseSigmoid", "OneDefinition"]
    for part in (
        "        self.conv1 = nn.Conv2d(in_channels * patch**2, filters, 1)\n",
        "        if self.patch > 1:\n            x = F.pixel_unshuffle(x, self.patch)\n",
        "        if expansion > 1:\n            self.expand = nn.Conv2d(in_channels, expansion * in_channels, 1)\n",
        "                Unit(filters, in_channels, 1) if i % 2 else Unit(in_channels, filters, 3)\n"
        "                for i in range(count)\n",
        "        if self.first:\n            y = torch.tanh(y)\n        y = self.conv1(y)\n",
        "        y = self.factor * y\n",
    ):
        assert part in text


@pytest.mark.parametrize("number", range(2))
def test_a_helper_with_some_parts_is_as_the_formatter_leaves_it(number: int, tmp_path: Path) -> None:
    """Recurrent layers have only the parts that a network needs; the numbers of each are tested with all the cases."""
    draw = Random(number)
    words = re.compile(r"(?<=  #: ).*")
    marked = {word.strip("!") for text in TEXTS for row in words.findall(text) for word in row.split()}
    every = sorted({*marked, "both"} - {"|"})
    assert "peepholes" in every
    text = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n"
    for _ in range(40):
        parts = {part for part in every if draw.random() < 0.4}
        parts |= {"single"} - ({"single"} if "several" in parts and draw.random() < 0.5 else set())
        parts |= {"gives", "last"} if parts & {"gives", "last", "state", "cell", "several"} else set()
        parts |= {"sequence"} if "gives" not in parts else set()
        parts |= {"dropout"} if "variational" in parts else set()
        text += "".join(f"\n\n{each}\n" for each in helpers(CALLS, parts).values())
    (tmp_path / "text.py").write_text(text, encoding="utf-8")
    ruff = ("-m", "ruff")
    assert run(*ruff, "format", "--diff", "--isolated", "--line-length", "100", "text.py", cwd=tmp_path) == ""
    rules = ("--select", "E,F,W", "--ignore", "F811", "--isolated", "--line-length", "100")
    assert run(*ruff, "check", *rules, "text.py", cwd=tmp_path) == ""


def test_layers_of_a_block_that_start_in_the_same_way_are_one_loop() -> None:
    loop = """
    elif isinstance(module, Rare):
        for layer in (*module.first, *module.second, module.last):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
"""
    assert loop in TORCH.source(structure("starts_alike")).text


def test_a_branch_that_may_begin_with_another_layer_has_its_variable_before() -> None:
    text = TORCH.source(structure("first_optional")).text
    assert text.count("class ") == 2
    assert (
        """
    def forward(self, x):
        y = x
        if self.first:
            y = F.relu(y)
        y = self.conv1(y)
        y = F.relu(y)
        return y + x
"""
        in text
    )


@pytest.mark.parametrize(
    ("field", "values"), [("bias", (1.0, 0.5)), ("beta", (0.75, 0.5)), ("alpha", (1e-4, 1e-3))]
)
def test_a_block_with_the_default_of_a_function_in_one_call_is_one_class(
    field: str, values: tuple[float, float]
) -> None:
    mean = ", average: true" if field == "alpha" else ""
    graph = graph_of(
        f"blocks:\n  part: {{params: {{s: }}, layers: [{{local_response_norm: {{{field}: $s{mean}}}}}]}}\n"
        f"layers: [part: {values[0]}, part: {values[1]}, part: {values[0]}]"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text = backend().source(graph).text
    assert text.count("(nn.Module)") == 2
