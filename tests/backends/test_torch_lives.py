"""Generated PyTorch in its framework: copied, exported, compiled, and run on an input of another size."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import nn

from docs.proofs import ROWS, Row
from netspec.graph import Graph
from netspec.weights import initialise
from netspec_torch import backend
from netspec_torch.source import class_name
from tests.backends.sizes import LAYERS, ONE_SIZE, at_another_size, of_layers
from tests.building import without_draws
from tests.cases import CASES
from tests.language.author import graph_of

BY_SPEC = {row.spec: row for row in ROWS}
QUICK = ("lenet5_1998", "siamese")
"""In the default suite: a table, a learnt scale, two inputs that share all weights."""
ZOO = [pytest.param(row, id=row.spec, marks=() if row.spec in QUICK else pytest.mark.slow) for row in ROWS]


def alone(graph: Graph) -> nn.Module:
    """The model that the text defines, by itself, to predict with."""
    space: dict[str, Any] = {"__name__": "alone"}
    exec(compile(backend().source(graph).text, graph.name, "exec"), space)
    torch.manual_seed(0)
    model: nn.Module = space[class_name(graph)]()
    return model.eval()


def batch(graph: Graph) -> list[torch.Tensor]:
    torch.manual_seed(1)
    return [
        torch.randn(2, *each.type.shape)
        if each.vocabulary is None
        else torch.randint(each.vocabulary, (2, *each.type.shape))
        for each in graph.inputs
    ]


def outputs(model: Callable[..., Any], inputs: list[torch.Tensor]) -> dict[str, torch.Tensor]:
    with torch.no_grad():
        found = model(*inputs)
    return dict(found) if isinstance(found, Mapping) else {"output": found}


def close(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> None:
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-4, atol=1e-5)


PACKED = ("sentiment",)
"""PyTorch neither exports nor traces packed sequences, by which its own layers read lengths (docs/proof.md)."""


# PyTorch's own recurrent layers keep a list of their weights, which an export does not register.
@pytest.mark.filterwarnings("ignore:The tensor attributes self:UserWarning")
@pytest.mark.parametrize("row", ZOO)
def test_it_is_copied_exported_and_compiled_whole(row: Row) -> None:
    """Its own recurrent layers are traced where the switch for them is set: without it dynamo refuses them."""
    graph = without_draws(row.graph(full=False))
    model, inputs = alone(graph), batch(graph)
    wanted = outputs(model, inputs)
    close(outputs(copy.deepcopy(model), inputs), wanted)
    if row.spec in PACKED:
        with pytest.raises(Exception, match="FakeTensor"):
            torch.export.export(model, tuple(inputs))
        return
    native = any(isinstance(each, nn.RNNBase) for each in model.modules())
    close(outputs(torch.export.export(model, tuple(inputs)).module(), inputs), wanted)
    torch.compiler.reset()
    with torch._dynamo.config.patch(allow_rnn=native):
        close(outputs(torch.compile(model, fullgraph=True, backend="eager"), inputs), wanted)


def test_a_layer_can_have_the_name_of_an_attribute_of_an_exported_model() -> None:
    """`torch.export` gives a module with further attributes, which would hide such a layer and its weights."""
    names = "".join(f"  - {{dense: 3, name: {name}}}\n" for name in ("code", "graph", "meta", "recompile"))
    graph = graph_of(f"netspec: 1\nname: hidden\ninput: [3]\nlayers:\n{names}")
    model, inputs = alone(graph), batch(graph)
    close(outputs(torch.export.export(model, tuple(inputs)).module(), inputs), outputs(model, inputs))


LIMITS = {
    # a case: whether it is exported, compiled whole, and compiled whole with the switch
    "gru_1d_before_lengths": (True, True, True),  # stepped through by the text
    "lstm_1d_back_once": (True, False, True),
    "lstm_1d_state_lengths": (False, False, False),
}


# Dynamo warns where it leaves a call out of its graph.
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", LIMITS)
def test_the_limits_on_recurrent_layers_are_as_documented(name: str) -> None:
    """If a PyTorch can do more, docs/proof.md says too little."""
    (case,) = (case for case in CASES if case.name == name)
    model, inputs = alone(case.graph()), batch(case.graph())
    wanted = outputs(model, inputs)

    def works(run: Callable[[], Any]) -> bool:
        torch.compiler.reset()
        try:
            found = run()
        except Exception as error:
            if not re.search("RNN, GRU, or LSTM|marked as skipped|FakeTensor", str(error)):
                raise
            return False
        close(found, wanted)
        return True

    def whole() -> dict[str, torch.Tensor]:
        return outputs(torch.compile(model, fullgraph=True, backend="eager"), inputs)

    exported = works(lambda: outputs(torch.export.export(model, tuple(inputs)).module(), inputs))
    compiled = works(whole)
    with torch._dynamo.config.patch(allow_rnn=True):
        assert (exported, compiled, works(whole)) == LIMITS[name]
    if not compiled:
        torch.compiler.reset()
        close(outputs(torch.compile(model, backend="eager"), inputs), wanted)


# The inductor itself uses what PyTorch has given up.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.slow
@pytest.mark.parametrize("name", ["lenet5_1998", "mobilenet_v2", "siamese"])
def test_the_inductor_compiles_it(name: str) -> None:
    graph = BY_SPEC[name].graph(full=False)
    model, inputs = alone(graph), batch(graph)
    wanted = outputs(model, inputs)
    torch.compiler.reset()
    close(outputs(torch.compile(model, fullgraph=True), inputs), wanted)


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=row.spec, marks=() if row.spec in ("ssd300", "yolov2") else pytest.mark.slow)
        for row in ROWS
        if row.spec not in ONE_SIZE
    ],
)
def test_another_size_of_the_input_runs_through_the_same_text(row: Row) -> None:
    """A model that was written for one size gives what the text for the other size gives."""
    graph, other = row.graph(full=False), at_another_size(row)
    weights, inputs = initialise(graph), batch(other)
    models = [backend().build(each, weights, device="cpu") for each in (graph, other)]
    close(outputs(models[0], inputs), outputs(models[1], inputs))


@pytest.mark.parametrize("name", LAYERS)
def test_the_text_of_a_layer_runs_at_another_size(name: str) -> None:
    """Without netspec, and in half precision too."""
    graph, other = of_layers(name)
    models, inputs = [alone(each) for each in (graph, other)], batch(other)
    close(outputs(models[0], inputs), outputs(models[1], inputs))
    for kind in (torch.float64, torch.bfloat16):
        (output,) = outputs(models[0].to(kind), [each.to(kind) for each in inputs]).values()
        assert output.dtype == kind
