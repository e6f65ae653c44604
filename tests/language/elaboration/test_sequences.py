"""Ops on indices and along one axis: what they give, how their parts are named, and what is refused."""

from __future__ import annotations

import re

import pytest

from netspec.check import check_text
from netspec.ops.rotary import Rotary
from tests.language.author import graph_of, hold_refusals, types_of, wires_of


def words(items: str) -> str:
    """A spec with these layers on 20 indices of a vocabulary of 50."""
    return f"netspec: 1\nname: a\ninput: {{shape: [20], vocabulary: 50}}\nlayers: [{items}]"


def sequence(items: str) -> str:
    """A spec with these layers on a sequence of 6@9."""
    return f"netspec: 1\nname: a\ninput: [6, 9]\nlayers: [{items}]"


def image(items: str) -> str:
    """A spec with these layers on an image of 3@8×6."""
    return f"netspec: 1\nname: a\ninput: [3, 8, 6]\nlayers: [{items}]"


def counted(items: str) -> str:
    """A spec with these layers on a sequence of 6@9 and its length."""
    inputs = "{x: [6, 9], lengths: {shape: [], vocabulary: 10}}"
    return f"netspec: 1\nname: a\ninputs: {inputs}\nlayers: [{items}]"


def picked(items: str, shape: str = "[4]", vocabulary: int = 9) -> str:
    """A spec with these layers on a sequence of 6@9 and indices of its positions."""
    inputs = f"{{x: [6, 9], places: {{shape: {shape}, vocabulary: {vocabulary}}}}}"
    return f"netspec: 1\nname: a\ninputs: {inputs}\nlayers: [{items}]"


PICK = "{gather: , from: [x, places]}"
GIVEN = {
    picked(PICK): "6@4",
    picked(PICK, "[]"): "6",
    picked("{gather: {axis: channels}, from: [x, places]}", vocabulary=5): "4@9",
    counted("{take: -1, from: [x, lengths]}"): "6",
    words("{embedding: 16}"): "16@20",
    words("one_hot"): "50@20",
    words("{slice: {start: 5}}, one_hot"): "50@15",
    words("{take: -1}, {embedding: 4}"): "4",
    words("{gather: [0, 1]}, reverse, {roll: 3}, one_hot"): "50@2",
    sequence("{slice: {start: 1, stop: -1}}"): "4@9",
    sequence("{slice: {axis: time, step: 4}}"): "6@3",
    sequence("{take: 0}"): "6",
    sequence("{gather: [0, 0, -1]}"): "6@3",
    image("{take: {position: 2, axis: height}}"): "3@6",
    image("{reverse: width}"): "3@8×6",
    image("{roll: {shift: -1, axis: channels}}"): "3@8×6",
    image("global_avg_pool, {repeat_vector: [4, 5]}"): "3@4×5",
    words("{parameter: [8, 1]}"): "8@1",
    words("{constant: [1, 0.5]}"): "2",
    image("{constant: {values: 0.5, shape: [2, 3, 4]}}"): "2@3×4",
    image("{constant: [[[1, 2]], [[3, 4]]]}"): "2@1×2",
    sequence("positions"): "6@9",
    image("{positions: learned}"): "3@8×6",
    sequence("{rotary: 3}, {rotary: {heads: 1, pairs: neighbours, fraction: 0.7}}"): "6@9",
    sequence("gated"): "3@9",
    image("{identity: , name: map}, global_avg_pool, {repeat_vector: {like: map}}"): "3@8×6",
}


@pytest.mark.parametrize("text", GIVEN)
def test_an_op_gives(text: str) -> None:
    assert list(types_of(graph_of(text)).values())[-1] == GIVEN[text]


def test_parts_are_outputs_with_names() -> None:
    graph = graph_of(sequence("{split: [a, b, c], name: s}, {add: , from: [s.c, s.a, s.b, s]}"))
    assert wires_of(graph)["add1"] == ("s.c", "s", "s.b", "s")
    graph = graph_of(
        sequence("{layers: [tanh, {split: {parts: {a: 2, b: 4}}}], name: g}, {dense: 3, from: g.b}")
    )
    assert wires_of(graph)["dense1"] == ("g.split1.b",)


def test_a_layer_of_a_scope_comes_before_a_part_of_its_name() -> None:
    graph = graph_of(
        sequence(
            "{layers: [{tanh: , name: b}, {split: [a, b]}], name: g}, {add: , from: [g.b, g.b]}, "
            "{concat: , from: [g.a, add1]}"
        )
    )
    assert wires_of(graph)["add1"] == ("g.b", "g.b")


def test_a_dense_layer_uses_the_vectors_of_an_embedding() -> None:
    graph = graph_of(
        words(
            "{embedding: 8, name: v}, {dense: {units: 50, bias: false}, share: v}, {dense: {units: 8, bias: false}}"
        )
    )
    assert [weight.name for weight in graph.weights] == ["v.weight", "dense2.weight"]
    assert graph.by_name["dense1"].shares == "v"


REFUSED = {
    # Indices are not numbers.
    words("«dense»: 4"): ("NS0304", "put `embedding: …` or `one_hot` before it"),
    words("{add: [[], [{embedding: 4}]]}").replace("add", "«add»"): ("NS0304", "indices 20 of 50"),
    sequence("{«embedding»: 4}"): ("NS0304", "it needs an input with a vocabulary"),
    sequence("«one_hot»"): ("NS0304", "it needs an input with a vocabulary"),
    words("{embedding: {units: 4, padding_index: «50»}}"): ("NS0314", "from 0 to 49"),
    words("{embedding: 8, name: v}, {dense: {units: 50}, share: «v»}"): ("NS0309", "bias"),
    # A part of an axis.
    sequence("{slice: {stop: «7»}}"): ("NS0314", "outside of channels, which has 6 positions"),
    sequence("{slice: {start: «-7»}}"): ("NS0314", "from -6 to 5"),
    sequence("{slice: {start: 3, stop: «3»}}"): ("NS0314", "use a `stop` from 4 to 6"),
    sequence("{slice: {axis: «height»}}"): ("NS0303", "its axes are `channels`, `time`"),
    sequence("{slice: {step: «0»}}"): ("NS0104", ""),
    words("{slice: {axis: «channels»}}").replace("[20]", "[20, 3]"): (
        "NS0303",
        "its axes are `height`, `width`",
    ),
    # Parts that do not fill their axis.
    sequence("{split: {parts: «{a: 2, b: 3}»}}"): ("NS0314", "2 + 3 = 5, and the axis has 6"),
    sequence("{split: {parts: «{a: 5, b: 3}»}}"): ("NS0314", "write `parts: {a: 5, b: 1}`"),
    sequence("{split: {parts: «{a: 7, b: 3}»}}"): ("NS0314", "{a: 3, b: 3}"),
    sequence("{split: «[a, b, c, d]»}"): (
        "NS0314",
        "give each part a size: `parts: {a: 2, b: 2, c: 1, d: 1}`",
    ),
    sequence("{split: {parts: «[a, b]», axis: time}}"): ("NS0314", "{a: 5, b: 4}"),
    sequence("{split: «[a, a]»}"): ("NS0104", "two parts have one name"),
    sequence("{split: «[a]»}"): ("NS0104", "at least two"),
    sequence("{split: {parts: {a: 1, «output»: 5}}}"): ("NS0104", "cannot be the name of a part"),
    sequence("{split: [a, b], name: s}, {relu: , from: «s.c»}"): ("NS0109", "it contains a, b"),
    # One position, and others.
    sequence("{take: «9»}"): ("NS0314", "use a number from -9 to 8"),
    image("{«take»: 0}"): ("NS0303", "has 2 spatial axes, so `axis` must say"),
    sequence("{take: {position: 0, axis: «channels»}}"): ("NS0303", "use `slice`"),
    sequence("flatten, {«take»: 0}"): ("NS0303", "has no spatial axes"),
    counted("{take: «0», from: [x, lengths]}"): ("NS0314", "use `take: -1`"),
    counted("{«take»: -1, from: [x, lengths]}").replace("[6, 9]", "[6, 8]"): ("NS0314", "`vocabulary: 9`"),
    counted("{«take»: -1, from: [x, lengths]}").replace("[]", "[2]"): ("NS0303", "one whole number"),
    counted("{take: {position: -1, axis: width}, from: [x, lengths]}")
    .replace("[6, 9]", "[6, 9, 9]")
    .replace("take", "«take»"): ("NS0303", "6@9×9"),
    sequence("{gather: «[0, 9]»}"): ("NS0314", "`positions: 9` is outside of time"),
    sequence("{«gather»: , name: g}"): ("NS0314", "`gather` needs the positions to take"),
    picked(PICK, vocabulary=10).replace("gather", "«gather»"): ("NS0314", "give that input `vocabulary: 9`"),
    picked(PICK, "[2, 3]").replace("gather", "«gather»"): ("NS0303", "at most one axis; it gets indices 2×3"),
    picked("{«gather»: {axis: channels}, from: [x, places]}", "[]", 5): ("NS0303", "with an axis"),
    picked("{gather: «[0, 1]», from: [x, places]}"): ("NS0314", "leave one of them out"),
    picked("{«gather»: , from: [places, x]}"): ("NS0304", "swap them: `from` names `input`, then `indices`"),
    picked("{tanh: , from: x, name: y}, {one_hot: , from: places}, {«gather»: , from: [y, one_hot1]}"): (
        "NS0304",
        "it needs an input with a vocabulary",
    ),
    sequence("{«repeat_vector»: 3}"): ("NS0303", "takes a vector"),
    sequence("flatten, {repeat_vector: «0»}"): ("NS0104", ""),
    sequence("{«repeat_vector»: , name: r}"): ("NS0314", "needs the sizes"),
    # Tensors that do not come from the input, and gates.
    sequence("{parameter: «[]»}"): ("NS0104", ""),
    sequence("{parameter: {shape: [3, 2], init: «bilinear»}}"): ("NS0314", "has no kernel"),
    words("{embedding: {units: 3, init: «bilinear»}}"): ("NS0314", "has no kernel"),
    words("{embedding: {units: 3, «num_embeddings»: 50}}"): ("NS0103", "the vocabulary is that of the input"),
    words("{embedding: {«embedding_dim»: 3}}"): ("NS0103", "write `units`"),
    words("{embedding: {units: 3, «mask_zero»: true}}"): ("NS0103", "`from: [NAME, LENGTHS]`"),
    words("{embedding: {units: 3, «mask_zero»: false}}"): ("NS0103", "remove it"),
    words("{embedding: 3, name: e}, {dense: 50, share: «e»}"): ("NS0309", "give `dense1` `bias: false`"),
    words("{embedding: 3, name: e}, {dense: {units: 49, bias: false}, share: «e»}"): (
        "NS0309",
        "give `dense1` `units: 50`",
    ),
    words("{embedding: 3, name: e}, {dense: 49, share: «e»}"): (
        "NS0309",
        "give `dense1` `units: 50` and `bias: false`",
    ),
    sequence("{rnn: {units: 4, activation: «gelu»}}"): ("NS0104", "`gelu` is an op of its own"),
    sequence("{split: {parts: «[{a: 3}]»}}"): ("NS0104", "write `[a, b]` for equal parts"),
    sequence("{constant: «0.5»}"): ("NS0314", "one number needs a `shape`"),
    sequence("{constant: «[[1, 2], [3]]»}"): ("NS0104", "must have equal lengths"),
    sequence("{constant: «[[[[[1]]]]]»}"): ("NS0104", "up to 3 spatial axes"),
    sequence("{constant: «[1, .inf]»}"): ("NS0104", "not a finite number"),
    sequence("{constant: {values: [1, 2], shape: «[3]»}}"): ("NS0314", "remove `shape`"),
    image("{positions: «sinusoid»}"): ("NS0303", "use `positions: learned`"),
    sequence("flatten, «positions»"): ("NS0303", "a vector has no positions"),
    sequence("{positions: {kind: learned, base: «50»}}"): ("NS0314", "only for `kind: sinusoid`"),
    sequence("{positions: {init: «zeros»}}"): ("NS0314", "only for `kind: learned`"),
    image("{«rotary»: 3}"): ("NS0303", "reshape: [CHANNELS, -1]"),
    sequence("flatten, {«rotary»: 2}"): ("NS0303", "a vector has no positions"),
    sequence("{rotary: «4»}"): ("NS0325", "use a divisor of 6, such as 3 or 6"),
    sequence("{rotary: «6»}"): ("NS0325", "give each head at least 2 channels"),
    sequence("{rotary: «2»}"): ("NS0325", "turn 2 of them, `rotary: {heads: 2, fraction: 0.7}`"),
    sequence("{rotary: {heads: 1, fraction: «0.5»}}"): (
        "NS0325",
        "turn 2 of them, `fraction: 0.4` or 4 of them, `fraction: 0.7`",
    ),
    sequence("{rotary: {heads: 1, fraction: «0.1»}}"): ("NS0325", "turn 2 of them, `fraction: 0.4`"),
    sequence("{rotary: {heads: 1, fraction: «0»}}"): ("NS0104", "greater than 0"),
    sequence("{rotary: {heads: 1, start: «-1»}}"): ("NS0104", "at least 0"),
    image("«gated»"): ("NS0306", "3 channels cannot be divided into two halves"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_does_not_fit_is_refused(text: str) -> None:
    hold_refusals(text, REFUSED[text])


@pytest.mark.parametrize("size", range(1, 70))
def test_the_fraction_that_is_offered_turns_so_many_channels(size: int) -> None:
    """What the advice names is a fraction, and it is read as the number of channels that it is for."""
    for fraction in (0.01, 0.3, 0.77, 1):
        text = f"netspec: 1\nname: a\ninput: [{size}, 4]\nlayers: [{{rotary: {{heads: 1, fraction: {fraction}}}}}]"
        said = [each for each in check_text(text, "a.yaml")[1] if each.severity == "error"]
        for turned, other in (
            re.findall(r"(\d+) of them, `fraction: ([0-9.]+)`", str(said[0].help)) if said else []
        ):
            graph, _ = check_text(text.replace(f"fraction: {fraction}", f"fraction: {other}"), "a.yaml")
            assert graph is not None
            op = graph.nodes[0].op
            assert isinstance(op, Rotary)
            assert op.turning(size).turned == int(turned)
