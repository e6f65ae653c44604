"""Values: parameters, `$name` and `${…}` wherever a value stands, defaults of ops, `--set`, `expect`."""

from __future__ import annotations

from pathlib import Path

import pytest

import netspec
from netspec.check import check_file, check_text
from netspec.diagnostics import SpecError
from netspec.loading import ParameterError
from netspec.recipe import Recipe
from netspec.recipe.optimizers import Sgd
from tests.language.author import FILE, HEAD, graph_of, hold_refusals, names_of, spec, told, types_of

DEFAULTS: list[tuple[str, str, object]] = [
    ("3", "n", 3),
    ("3.0", "n", 3),
    ("0.5", "n", 0.5),
    ("true", "n", True),
    ("same", "n", "same"),
    ("[1, 2]", "n", [1, 2]),
    ("[[1, 2], [3]]", "n", [[1, 2], [3]]),
    ("[]", "n", []),
    ('"${1 + 1}"', "n", 2),
    ('"${other * 2}"', "n", 14),
    ("$other", "n", 7),
    ('"${7 / 2}"', "n", 3.5),
    ('"${8 / 2}"', "n", 4),
]


@pytest.mark.parametrize(("written", "name", "value"), DEFAULTS)
def test_a_parameter_is_a_number_a_boolean_a_word_or_a_list(written: str, name: str, value: object) -> None:
    graph = graph_of(f"params: {{other: 7, {name}: {written}}}\nlayers: [relu]")
    found = dict(graph.params)[name]
    assert found == value
    assert type(found) is type(value)


PARAMETERS = [
    ("params: {n: «.nan»}", "NS0104", "a finite number"),
    ("params: {n: «.inf»}", "NS0104", "a finite number"),
    ("params: {n: «{a: 1}»}", "NS0104", "a mapping cannot be passed on"),
    ("params: {n: «[1, ~]»}", "NS0104", ""),
    ("params: {«n»: }", "NS0102", "the spec needs `n`"),
    ("params: {n: $«m», m: 1}", "NS0203", "`m` is not a parameter here"),
    ("params: {n: $«n»}", "NS0203", "`n`"),
    ('params: {n: "${1 // «0»}"}', "NS0207", "division by zero"),
    ('params: {n: "${«2 ** 99»}"}', "NS0208", "below 2⁶³"),
    ('params: {n: "${«in».channels}"}', "NS0214", "is not part of an item"),
    ("params: «[n]»", "NS0104", "`params` must be a mapping"),
    ("params: {n: «1e400»}", "NS0023", "this number is too large"),
]


@pytest.mark.parametrize(("line", "code", "words"), PARAMETERS)
def test_a_parameter_that_is_none_is_refused_once(line: str, code: str, words: str) -> None:
    use = "dense: 3" if line.startswith("params: «") else "dense: $n"
    hold_refusals(f"{line}\nlayers: [{{{use}}}, {{add: [[], [{use}]]}}]", (code, words))


def test_a_name_alone_passes_a_parameter_on_anywhere() -> None:
    graph = graph_of(
        """
        netspec: 1
        name: anywhere
        params:
          {size: 8, k: [3, 5], pads: same, act: tanh, times: 2, yes: true, call: mine, low: 0.1, units: 5, tap: mine}
        input: [3, $size, $size]
        defaults: {conv: {padding: $pads, activation: $act}}
        layers:
          - conv: {filters: $units, kernel: $k, init: {uniform: {low: -1, high: $low}}}
            repeat: $times
            when: $yes
            trainable: $yes
            name: $call
          - dense: $units
            from: $tap
        heads: {aux: {from: $tap, layers: [dense: $units]}}
        expect: {output: [$units, $size, $size]}
        """
    )
    assert names_of(graph) == ["mine.0", "mine.1", "dense1", "aux.dense1"]
    op = graph.by_name["mine.0"].op
    assert op.settings()["kernel"] == (3, 5)
    assert "tanh" in str(op)
    assert "0.1" in str(op)


WHERE = [
    ("layers: [{conv: {filters: «'$n'», kernel: 1}}]", "NS0104", "the text `same`"),
    ('layers: [{conv: {filters: "${«m»}", kernel: 1}}]', "NS0203", ""),
    ('layers: [{conv: {filters: "${«in.depth»}", kernel: 1}}]', "NS0213", "`channels`, `height`, `width`"),
    ('layers: [{conv: {filters: "${«open»(1)}", kernel: 1}}]', "NS0206", "not a function"),
    ('layers: [{conv: {filters: "${«in.__class__»}", kernel: 1}}]', "NS0213", "__class__"),
    ('layers: [{conv: {filters: "${«n.__class__»}", kernel: 1}}]', "NS0205", "__class__"),
    ("layers: [{conv: {filters: '«a ${1}»', kernel: 1}}]", "NS0202", "one whole `${…}`"),
]


@pytest.mark.parametrize(("text", "code", "words"), WHERE)
def test_a_mistake_in_an_expression_is_pointed_at(text: str, code: str, words: str) -> None:
    hold_refusals(f"params: {{n: same}}\n{text}", (code, words))


def test_a_result_of_the_wrong_kind_is_pointed_at_whole() -> None:
    hold_refusals("layers: [{dense: «'${1.5 * 2 + 0.5}'»}]", ("NS0104", "takes a whole number, not 3.5"))
    hold_refusals(
        "layers: [{conv: {filters: 2, kernel: [3, «'${in.height - 8}'»]}}]", ("NS0104", "at least 1, not 0")
    )


def test_a_whole_float_counts_as_an_integer() -> None:
    graph = graph_of('layers: [{dense: 4.0}, {dense: "${in.channels / 2}"}, {dense: 1e1}]')
    assert [type_.split("@")[0] for type_ in types_of(graph).values()] == ["4", "2", "10"]


def test_expressions_see_the_axes_by_name() -> None:
    for shape, texts in {
        "[3, 8]": ["in.channels + in.time == 11"],
        "[3, 8, 6]": ["in.channels * 100 + in.height * 10 + in.width == 386"],
        "[3, 2, 8, 6]": ["in.depth * 100 + in.height * 10 + in.width == 286", "in.time == in.depth"],
        "[3]": ["in.channels == 3"],
    }.items():
        for text in texts:
            graph = graph_of(
                f'netspec: 1\nname: a\ninput: {shape}\nlayers: [{{relu: , when: "${{{text}}}"}}]'
            )
            assert names_of(graph) == ["relu1"]


# Defaults of ops


def test_defaults_hold_for_every_item_of_the_file_unless_it_says_otherwise() -> None:
    graph = graph_of(
        """
        defaults:
          conv: {kernel: 3, padding: same, bias: false, activation: relu}
          max_pool: {kernel: 2}
          dropout: {rate: 0.25}
        blocks: {unit: {layers: [{conv: {filters: 2}}]}}
        layers: [{conv: {filters: 4, kernel: 1, activation: none}}, unit, max_pool, dropout, dropout: 0.5]
        """
    )
    assert graph.by_name["conv1"].op.settings()["kernel"] == (1, 1)
    assert "activation" not in graph.by_name["conv1"].op.settings()
    assert "activation" in graph.by_name["unit1.conv1"].op.settings()
    assert types_of(graph)["max_pool1"] == "2@4×4"
    assert [graph.by_name[name].op.settings()["rate"] for name in ("dropout1", "dropout2")] == [0.25, 0.5]
    assert not any(weight.name.endswith("bias") for weight in graph.weights)


@pytest.mark.parametrize(
    "value", ["relu", "{leaky_relu: 0.5}", "{leaky_relu: {slope: 0.5}}", "prelu", "none", "$act"]
)
def test_the_value_of_an_op_that_is_its_main_field_whole_may_also_stand_at_the_key_of_that_field(
    value: str,
) -> None:
    given = "params: {act: elu}\nlayers: [{activation: «}]"
    assert str(graph_of(given.replace("«", value))) == str(
        graph_of(given.replace("«", f"{{function: {value}}}"))
    )


def test_defaults_see_the_parameters_of_their_file_alone() -> None:
    graph = graph_of(
        """
        params: {k: 3}
        defaults: {conv: {kernel: $k, filters: "${in.channels * 2}"}}
        blocks: {unit: {params: {k: 1}, layers: [conv, {max_pool: $k}]}}
        layers: [unit, conv]
        """
    )
    assert types_of(graph)["unit1.conv1"] == "8@6×6"
    assert types_of(graph)["conv1"] == "16@4×4"
    hold_refusals(
        (
            "defaults: {conv: {kernel: $«k»}}\n"
            "blocks: {unit: {params: {k: 1}, layers: [{conv: {filters: 2}}]}}\nlayers: [unit]"
        ),
        ("NS0203", "`k` is not a parameter here"),
    )


WRONG_DEFAULTS = [
    ("{«cnov»: {kernel: 3}}", "NS0105", "did you mean `conv`?"),
    ("{«unit»: {n: 3}}", "NS0105", "`defaults` holds fields by op"),
    ("{conv: {«kernle»: 3}}", "NS0103", "did you mean `kernel`?"),
    ("{conv: {kernel: «0»}}", "NS0104", "at least 1, not 0"),
    ("{conv: {padding: «smae»}}", "NS0104", "did you mean `same`?"),
    ("{«conv»: 3}", "NS0104", "the defaults of `conv` are a mapping"),
    ("{«add»: {branches: []}}", "NS0103", ""),
    ("«[conv]»", "NS0104", "`defaults` must be a mapping"),
]


@pytest.mark.parametrize(("defaults", "code", "words"), WRONG_DEFAULTS)
@pytest.mark.parametrize(
    "layers", ["relu", "{conv: {filters: 4}}, {conv: {filters: 4, kernel: 9}}, {dense: 3}"]
)
def test_wrong_defaults_are_told_once_used_or_not(defaults: str, code: str, words: str, layers: str) -> None:
    if "unit" in defaults or "add" in defaults or "cnov" in defaults or defaults.startswith("«"):
        layers = "relu"
    defaults = defaults.replace("{«add»: {branches: []}}", "{add: {«branches»: []}}")
    hold_refusals(
        f"blocks: {{unit: {{layers: [relu]}}}}\ndefaults: {defaults}\nlayers: [{layers}]", (code, words)
    )


def test_a_default_that_does_not_fit_is_pointed_at_in_the_defaults() -> None:
    hold_refusals(
        "defaults: {conv: {kernel: «9»}}\nlayers: [{conv: {filters: 4}}, {conv: {filters: 4}}]",
        ("NS0301", "9×9"),
    )


# --set


SIZED = (
    'netspec: 1\nname: sized\nparams: {size: 8, units: 4, twice: "${units * 2}", must: }\n'
    "input: [3, $size, $size]\nlayers: [dense: $twice, dense: $must]\nexpect: {output: [3, 8, 8]}\n"
)


def test_a_parameter_is_set_from_outside(tmp_path: Path) -> None:
    path = tmp_path / "sized.yaml"
    path.write_text(SIZED, encoding="utf-8")
    graph = netspec.load(str(path), size=16, units=5, must=2.0)
    assert types_of(graph) == {"dense1": "10@16×16", "dense2": "2@16×16"}
    assert graph.altered == ("size", "units", "must")
    with pytest.raises(SpecError, match="the spec needs `must`"):
        netspec.load(str(path))


@pytest.mark.parametrize(
    "value", [None, float("nan"), float("inf"), {"a": 1}, b"x", [None], [[float("nan")]], object()]
)
def test_a_value_that_no_parameter_holds_is_refused(tmp_path: Path, value: object) -> None:
    path = tmp_path / "sized.yaml"
    path.write_text(SIZED, encoding="utf-8")
    with pytest.raises(ParameterError, match="a finite number, a boolean, a word or a list of them"):
        netspec.load(path, must=value)


def test_an_unknown_parameter_is_refused_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "sized.yaml"
    path.write_text(SIZED, encoding="utf-8")
    with pytest.raises(ParameterError, match="did you mean `size`"):
        netspec.load(path, sise=3)


def test_a_value_that_does_not_fit_is_reported_in_the_spec(tmp_path: Path) -> None:
    path = tmp_path / "sized.yaml"
    path.write_text(SIZED, encoding="utf-8")
    with pytest.raises(SpecError) as raised:
        netspec.load(path, must=1, size="large")
    assert {each.code.id for each in raised.value.diagnostics} == {"NS0310"}
    with pytest.raises(SpecError) as raised:
        netspec.load(path, must=-1)
    assert [each.code.id for each in raised.value.diagnostics] == ["NS0104"]


def test_expect_holds_as_written_and_is_not_held_to_under_set(tmp_path: Path) -> None:
    path = tmp_path / "sized.yaml"
    path.write_text(SIZED, encoding="utf-8")
    graph, diagnostics = check_file(path, {"must": 3})
    assert graph is not None
    assert [(each.code.id, each.severity) for each in diagnostics] == [("NS0406", "warning")]
    path.write_text(SIZED.replace("must: ", "must: 3"), encoding="utf-8")
    assert check_file(path)[1] == []
    path.write_text(SIZED.replace("must: ", "must: 5"), encoding="utf-8")
    assert [each.severity for each in check_file(path)[1]] == ["error"]


def test_expect_and_train_take_parameters() -> None:
    graph, _ = check_text(
        HEAD
        + (
            'params: {n: 3, rate: 0.5}\nlayers: [dense: $n]\nexpect: {output: [$n, "${n + 5}", 8]}\n'
            "train: {optimizer: {sgd: {learning_rate: $rate}}}\n"
        ),
        FILE,
    )
    assert graph is not None
    assert graph.expect is not None
    assert [(each.key, each.wanted) for each in graph.expect.items] == [("output", (3, 8, 8))]
    assert graph.train is not None
    assert graph.train.recipe == Recipe(optimizer=Sgd(learning_rate=0.5))
    assert ("optimizer", "sgd", "learning_rate") in graph.train.places


def test_an_expression_in_expect_is_held_like_any() -> None:
    hold_refusals("layers: [relu]\nexpect: {output: [$«nobody»]}", ("NS0203", "nobody"))
    hold_refusals('layers: [relu]\nexpect: {params: "${«index»}"}', ("NS0214", "repeat"))
    hold_refusals("layers: [relu]\nexpect: «[3]»", ("NS0104", "`expect` must be a mapping"))


def test_the_design_is_an_example(tmp_path: Path) -> None:
    graph = netspec.load("zoo:se_resnet34", size=64)
    assert graph.by_name["stage2.0.squeeze_excite1.dense1"].op.settings()["units"] == 8
    assert told(spec("layers: [relu]")) == []
