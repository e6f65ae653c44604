"""ONNX files: what is in one, what onnxruntime gives for it in inference, and every network of the zoo."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from docs.proofs import ROWS, Row
from netspec.backend import refused
from netspec.graph import Graph
from netspec.passes.still import still
from netspec.proof.comparison import compare
from netspec.proof.conditions import start
from netspec.weights import initialise
from netspec_cli.main import app
from netspec_numpy import forward
from netspec_onnx import backend
from netspec_onnx.lowering import FLOAT32_ONLY
from tests.building import without_draws
from tests.cases import CASES
from tests.structures import STRUCTURES, structure

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def run(content: bytes, inputs: dict[str, Any]) -> dict[str, Any]:
    """The outputs of a file."""
    from netspec_onnx.trial import session

    made = session(content)
    names = [each.name for each in made.get_outputs()]
    return dict(zip(names, made.run(names, inputs), strict=True))


def _measured(
    graph: Graph, weights: Mapping[str, Any], inputs: Mapping[str, Any], draw: Any
) -> dict[str, Any]:
    """The weights, with running statistics near those of this batch: far from them a deep network only grows."""
    made = {**inputs, **forward(graph, weights, inputs, training=True)}
    found = dict(weights)
    for node in graph.nodes:
        for weight in node.weights:
            if weight.statistic:
                x = np.asarray(made[node.inputs[0]], "float64")
                axes = (0, *range(2, x.ndim))
                value = x.mean(axis=axes) if weight.name.endswith("mean") else x.var(axis=axes) + 1e-3
                found[weight.name] = (value * draw.uniform(0.9, 1.1, weight.shape)).astype("float32")
    return found


def check_inference(graph: Graph, batch: int) -> None:
    """The file's outputs are the oracle's in inference: batch norms take the statistics that they kept."""
    draw = np.random.default_rng(0)
    inputs: dict[str, Any] = {
        each.name: draw.standard_normal((batch, *each.type.shape)).astype("float32")
        if each.vocabulary is None
        else draw.integers(0, each.vocabulary, (batch, *each.type.shape))
        for each in graph.inputs
    }
    weights = _measured(still(graph), start(graph, 1, "float32"), inputs, draw)
    wanted = forward(graph, weights, inputs, training=False)
    found = run(backend().file(graph, weights), inputs)
    assert set(found) == {each.name for each in graph.outputs}
    for each in graph.outputs:
        value = np.asarray(wanted[each.value], "float64")
        far = float(np.abs(np.subtract(found[each.name], value)).max()) / max(
            float(np.abs(value).max()), 1e-3
        )
        assert far <= 1e-4, f"{each.name}: {far:.1e}"


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_file_gives_what_the_oracle_gives_in_inference(name: str) -> None:
    check_inference(structure(name), 2)


@pytest.mark.parametrize("name", [each.name for each in CASES if each.name.endswith("started_lengths")])
@pytest.mark.parametrize("lengths", [(0, 0), (0, 1), (5, 0)])
def test_a_sample_without_steps_keeps_its_initial_state(name: str, lengths: tuple[int, ...]) -> None:
    (case,) = (each for each in CASES if each.name == name)
    graph = case.graph()
    draw = np.random.default_rng(0)
    inputs: dict[str, Any] = {
        each.name: draw.standard_normal((len(lengths), *each.type.shape)).astype("float32")
        for each in graph.inputs
        if each.vocabulary is None
    }
    inputs["lengths"] = np.array(lengths)
    weights = start(graph, 1, "float32")
    wanted = forward(graph, weights, inputs, training=False)
    found = run(backend().file(graph, weights), inputs)
    for each in graph.outputs:
        np.testing.assert_allclose(
            found[each.name], np.asarray(wanted[each.value], "float64"), rtol=0, atol=1e-6
        )


def test_a_file_says_what_it_is() -> None:
    graph = structure("heads")
    model = onnx.load_from_string(backend().file(graph, initialise(graph)))
    onnx.checker.check_model(model, full_check=True)
    assert [each.name for each in model.graph.input] == [each.name for each in graph.inputs]
    assert {each.name for each in model.graph.output} == {each.name for each in graph.outputs}
    for each in (*model.graph.input, *model.graph.output):
        assert each.type.tensor_type.shape.dim[0].dim_param == "N"
    assert {weight.name for weight in graph.weights} <= {each.name for each in model.graph.initializer}
    assert {node.name for node in graph.nodes} <= {
        node.name.removesuffix("/layer") for node in model.graph.node
    }
    about = {each.key: each.value for each in model.metadata_props}
    assert about["netspec.spec"] == graph.name
    assert len(about["netspec.digest"]) == 32


def idle(graph: Graph) -> list[str]:
    """What a file has and nothing uses: nodes beside the layers themselves, and initialisers."""
    from netspec_onnx.model import model

    made = model(graph, initialise(graph)).graph
    used = {each.name for each in made.output} | {node.name for node in graph.nodes}
    found = []
    for node in reversed(made.node):
        if used.isdisjoint(node.output):
            found.append(node.name)
        else:
            used.update(node.input)
    return found + [each.name for each in made.initializer if each.name not in used]


@pytest.mark.parametrize("keyword", sorted({case.keyword for case in CASES}))
def test_a_file_has_nothing_that_is_not_used(keyword: str) -> None:
    rows = [case for case in CASES if case.keyword == keyword]
    graphs = {case.name: graph for case in rows if not refused(backend(), graph := case.graph())}
    assert {name: found for name, graph in graphs.items() if (found := idle(graph))} == {}


def test_weights_of_another_network_are_refused() -> None:
    graph = structure("chain")
    with pytest.raises(ValueError, match="these are not the weights"):
        backend().file(graph, {})


SPEC = """\
netspec: 1
name: small
input: [1, 8, 8]
layers: [{conv: {filters: 2, kernel: 3}}, relu, flatten, {dense: 3}]
"""


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a spec, to work in."""
    (tmp_path / "small.yaml").write_text(SPEC, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(*words: str) -> Any:
    return CliRunner().invoke(app, list(words))


def test_a_file_is_written_over_only_if_nobody_edited_it(small: Path) -> None:
    words = ("compile", "small.yaml", "-b", "onnx", "-o", "x.onnx")
    assert command(*words).exit_code == 0
    first = Path("x.onnx").read_bytes()
    assert command(*words).exit_code == 0
    assert Path("x.onnx").read_bytes() == first, "the same network is the same file"
    Path("x.onnx").write_bytes(first + b"\n")
    refused = command(*words)
    assert (refused.exit_code, "edited since" in refused.stderr) == (2, True)
    assert command(*words, "--force").exit_code == 0
    assert Path("x.onnx").read_bytes() == first


def test_a_file_has_the_weights_that_are_given(small: Path) -> None:
    from safetensors.numpy import save_file

    import netspec

    weights = {
        name: np.full_like(array, 0.5) for name, array in initialise(netspec.load("small.yaml")).items()
    }
    save_file(weights, "w.safetensors")
    done = command("compile", "small.yaml", "-b", "onnx", "-o", "x.onnx", "--weights", "w.safetensors")
    assert done.exit_code == 0, done.stderr
    found = {each.name: onnx.numpy_helper.to_array(each) for each in onnx.load("x.onnx").graph.initializer}
    assert all(np.array_equal(found[name], array) for name, array in weights.items())


@pytest.mark.parametrize(
    ("words", "said"),
    {
        ("compile", "small.yaml", "-b", "onnx"): "name it with --out NAME.onnx",
        ("compile", "small.yaml", "-b", "onnx", "-o", "x.py"): "name it with --out NAME.onnx",
        ("compile", "small.yaml", "-b", "onnx", "-o", "x.onnx", "--weights", "no"): "no",
        ("compile", "small.yaml", "-b", "torch", "--weights", "no"): "source of torch contains no weights",
        ("train", "small.yaml", "-b", "onnx"): "onnx cannot train",
        (
            "compare",
            "small.yaml",
            "--backends",
            "onnx",
            "--device",
            "nope",
        ): "does not have a device called `nope`",
    }.items(),
)
def test_what_cannot_be_is_worth_2(words: tuple[str, ...], said: str, small: Path) -> None:
    done = command(*words)
    assert (done.exit_code, done.stdout) == (2, ""), done.output + repr(done.exception)
    assert said in done.stderr
    assert not list(small.glob("x.*"))


def test_a_runtime_that_fails_to_import_is_worth_2(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not imported to write a file, but a file that nothing here runs is not checked."""
    (small / "onnxruntime.py").write_text("raise ImportError('libfoo.so is missing')\n")
    monkeypatch.syspath_prepend(str(small))
    for name in [*sys.modules]:
        if name.partition(".")[0] == "onnxruntime" or name == "netspec_onnx.trial":
            monkeypatch.delitem(sys.modules, name)
    for words in ("compile small.yaml -b onnx -o x.onnx", "compare small.yaml --backends onnx"):
        done = command(*words.split())
        said = "onnx is broken: onnxruntime fails to import: ImportError: libfoo.so is missing\n  fix: pip install "
        assert (done.exit_code, said in done.stderr) == (2, True), done.stderr
    assert not list(small.glob("x.*"))


def test_float64_is_refused_with_the_operator(small: Path) -> None:
    done = command("compare", "small.yaml", "--backends", "onnx")
    assert done.exit_code == 1
    assert "onnxruntime computes Conv in float32 only; compare in float32 (`conv1`)" in done.stderr


def test_the_operators_without_float64_are_those_of_onnxruntime() -> None:
    """One that gains float64 leaves the list: a network is not refused for nothing."""
    from netspec_onnx.model import model
    from tests.cases import CASES

    seen = set()
    for case in CASES:
        graph = case.graph()
        if refused(backend(), graph):
            continue
        names = {node.op_type for node in model(graph, initialise(graph)).graph.node}
        seen |= names & FLOAT32_ONLY
    assert seen == FLOAT32_ONLY


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.spec)
def test_a_network_of_the_zoo_is_the_oracles(row: Row) -> None:
    graph = without_draws(row.graph(full=False))
    found = compare(graph, ["onnx"], "float32", batch=row.batch, gradients=False)
    assert found.ok, found.first_difference
    check_inference(graph, row.batch)
