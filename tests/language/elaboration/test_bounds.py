"""Numbers that nothing can hold are refused where they arise: counts from 2⁶³ on, constants beyond float32."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from netspec.check import check_text
from netspec.diagnostics import Problems
from netspec.loading import ParameterError, graph_of_text
from netspec.ops import OPS
from netspec.ops.activation import ACTIVATIONS
from netspec.ops.bounds import shown
from netspec.ops.initializers import SETTINGS
from netspec.types import LARGEST_FLOAT
from tests.language.author import graph_of, hold_refusals, spec, types_of

BIG = 2**62
MOST = 2**63 - 1

REFUSED = {
    "a size": (f"layers: [«upsample»: {BIG}]", "height of the output of `upsample` is 36,893"),
    "a size, repetition by repetition": ("layers: [{«upsample»: 1000, repeat: 99}]", "`upsample1.2`"),
    "channels": (f"layers: [{{«depthwise_conv»: {{kernel: 1, multiplier: {BIG}}}}}]", "channels of the output"),
    "a joined axis": (
        "netspec: 1\nname: x\ninput: [1, 4]\nlayers:\n"
        f"  - pad: {2**59}\n  - {{«concat»: {{axis: time}}, from: [{', '.join(['pad1'] * 9)}]}}",
        "time of the output of `concat`",
    ),
    "elements": (f"layers: [{{«conv»: {{filters: {BIG}, kernel: 1}}}}]", "number of elements of the output"),
    "a border": (f"layers: [{{«pad»: {MOST}}}]", "height of the output of `pad`"),
    "a window's reach": (
        f"layers: [{{«conv»: {{filters: 1, kernel: 3, dilation: {MOST}, padding: same}}}}]",
        "the padded input of `conv`",
    ),
    "a window's values": (
        f"layers: [{{«avg_pool»: {{kernel: {2**40}, padding: {2**39}, stride: {2**40}}}}}]",
        "the number of values of a window",
    ),
    "a weight": (
        f"layers: [global_avg_pool, {{dense: {{units: {2**30}}}}}, {{«dense»: {2**40}}}]",
        "the number of elements of `weight`",
    ),
    "products": (
        f"layers: [{{«conv_transpose»: {{filters: 1, kernel: {2**28}}}}}]",
        "the number of multiply-accumulates",
    ),
    "what padding takes away again": (
        f"layers: [{{«conv_transpose»: {{filters: 1, kernel: 1, stride: {2**61}, padding: {7 * 2**60}}}}}]",
        "before its padding is removed",
    ),
    "all products": (
        f"layers: [{{pad: {2**20}}}, {{«conv»: {{filters: 4, kernel: 127, padding: same}}, repeat: 9}}]",
        "2⁶³ multiply-accumulates or more",
    ),
    "all bytes": (f"layers: [{{pad: {2**28}}}, {{«relu»: , repeat: 9}}]", "2⁶³ bytes of weights and of outputs"),
    "a slope": ("layers: [{leaky_relu: «1e39»}]", "the largest number of float32 is 3.4e38"),
    "a slope of an activation": (
        "layers: [{conv: {filters: 4, kernel: 1, activation: «{leaky_relu: 1e39}»}}]",
        "`activation` of `conv` is 1e+39",
    ),
    "a starting value": ("layers: [{prelu: {init: «{constant: 1e39}»}}]", "`init` of `prelu`"),
    "a distance between two values": (
        "layers: [{prelu: {init: «{uniform: {low: -3e38, high: 3e38}}»}}]",
        "larger than the largest float32",
    ),
    "a slope from an expression": ("layers: [{leaky_relu: «'${10.0 ** 39}'»}]", "1e+39"),
    "what is calculated of a constant": (
        "layers: [{local_response_norm: {size: 5, alpha: «3e38»}}]",
        "alpha · size",
    ),
    "a divisor that float32 takes for 0": ("layers: [{softmax: «1e-60»}]", "below 1.4e-45"),
    "a number in the text": ("layers: [{elu: «1e400»}]", "the largest is about 1.8e308"),
    "one below 0": ("layers: [{elu: «-1e400»}]", "the largest is about 1.8e308"),
    "a tiny one": ("layers: [{elu: «1e-400»}]", "this number is too small"),
    "a whole number": ("layers: [{dense: «9223372036854775808»}]", "the largest is 2⁶³ − 1"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_too_large_is_refused_where_it_arises(text: str, words: str) -> None:
    plain = text.replace("«", "").replace("»", "")
    found = check_text(spec(plain), "spec.yaml")[1]
    assert found, "nothing is wrong with it"
    hold_refusals(text, (found[0].code.id, words))
    assert found[0].code.id in ("NS0315", "NS0023", "NS0104")


@pytest.mark.parametrize(
    "head",
    [
        f"input: «[{MOST}, 2]»",
        f"inputs: {{a: «[{2**40}, {2**40}]»}}",
        f"inputs: {{a: {{shape: «[{2**40}, {2**40}]», vocabulary: 3}}}}",
        f"input: «[{2**62}]»",
    ],
)
def test_an_input_that_cannot_be_counted_is_refused(head: str) -> None:
    from_ = "a" if "inputs" in head else "input"
    hold_refusals(
        f"netspec: 1\nname: x\n{head}\nlayers: [{{identity: , from: {from_}}}]", ("NS0315", "below 2⁶³")
    )


def test_what_lies_just_below_is_taken() -> None:
    # 2⁶⁰ elements of 4 bytes are 2⁶² bytes; the input of as many and this output are 2⁶³ less the rest.
    graph = graph_of(f"netspec: 1\nname: x\ninput: [{2**60 - 1}]\nlayers: [relu]")
    assert types_of(graph) == {"relu1": str(2**60 - 1)}


def floats() -> Iterator[tuple[str, str]]:
    """Every place where an op takes a number that is no count."""
    for keyword, op in OPS.items():
        for name, field in op.model_fields.items():
            if "float" in str(field.annotation):
                yield f"{keyword}.{name}", f"{{{keyword}: {{{name}: VALUE, MORE}}}}"
    for keyword, op in ACTIVATIONS.items():
        for name in op.model_fields:
            if "float" in str(op.model_fields[name].annotation):
                yield (
                    f"activation {keyword}.{name}",
                    f"{{scale: {{activation: {{{keyword}: {{{name}: VALUE}}}}}}}}",
                )
    for kind, settings in SETTINGS.items():
        for name in settings:
            yield f"init {kind}.{name}", f"{{prelu: {{init: {{{kind}: {{{name}: VALUE}}}}}}}}"


FLOATS = dict(floats())
RECURRENT = "units: 2, axis: 0, layers: 2"
REQUIRED = {
    "pad": "amount: 1",
    "attention": "heads: 1",
    "rotary": "heads: 1",
    "group_norm": "groups: 2",
    "constant": "shape: [4]",
    "constant.base": "values: sinusoid, shape: [4, 4]",
    **dict.fromkeys(("rnn", "lstm", "gru"), RECURRENT),
    **dict.fromkeys(("conv_lstm", "conv_gru"), "filters: 2, kernel: 1"),
}
BEFORE = dict.fromkeys(("positions", "rotary"), "{reshape: [4, -1]}, ")
"""What an op needs before it, where it does not take a map."""


@pytest.mark.parametrize("value", [".inf", "-.inf", ".nan", "1e400", "1e39", "'${10.0 ** 300}'"])
def test_no_op_takes_a_number_that_a_network_cannot_hold(value: str) -> None:
    assert len(FLOATS) > 20
    for place, item in FLOATS.items():
        keyword = place.split(".")[0]
        text = item.replace("VALUE", value).replace("MORE", REQUIRED.get(place, REQUIRED.get(keyword, "")))
        text = BEFORE.get(keyword, "") + text.replace(", }", "}")
        graph, diagnostics = check_text(spec(f"layers: [{text}]"), "spec.yaml")
        assert graph is None, place
        assert [each.code.id for each in diagnostics] in (["NS0104"], ["NS0315"], ["NS0023"]), place


@pytest.mark.parametrize("value", [2**63, -(2**63), [1, [2**64]]], ids=str)
def test_a_parameter_from_outside_is_a_count_too(value: object) -> None:
    with pytest.raises(ParameterError, match="below 2⁶³"):
        graph_of_text(spec("params: {n: 1}\nlayers: [dense: $n]"), "spec.yaml", Problems(), {"n": value})


def test_counts_are_shown_by_their_digits_or_their_order() -> None:
    assert shown(2**63) == "9,223,372,036,854,775,808"
    assert shown(10**30) == "about 10^30"
    assert float.fromhex("0x1.fffffep127") == LARGEST_FLOAT
