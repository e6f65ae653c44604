"""Other libraries' words: each leads to something real, and none to something else.

`names.txt` lists names of other libraries; `leads.txt` is what is said about each, to be read by a person whenever it
changes (`--update-golden` writes it).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from netspec.check import check_text
from netspec.diagnostics.render import as_text
from netspec.language.document.fields import fields_of
from netspec.ops import OPS
from netspec.ops.activation import ACTIVATIONS
from netspec.ops.base import Op
from netspec.ops.description import describe, example
from netspec.ops.fields import WORDS as PADDINGS
from netspec.ops.initializers import SETTINGS
from netspec.ops.nearest import fold, nearest
from netspec.ops.words import Lead, WordTable, lead, ops, values
from netspec.ops.words.fields import for_op
from tests.language.author import FILE
from tests.language.follow import follow, follow_all

HERE = Path(__file__).parent
HEAD = "netspec: 1\nname: spec\ninput: [32, 8, 8]\nlayers:\n"
INPUTS: dict[str, str] = {
    "rotary": "[32, 8]",
    **dict.fromkeys(("embedding", "one_hot"), "{shape: [8], vocabulary: 9}"),
    "repeat_vector": "[32]",
}
"""The inputs of ops that do not take an image."""

# Fields that a spec of the op needs, where the plainest value of each required one does not do.
FIELDS: dict[str, dict[str, Any]] = {
    "reshape": {"shape": [2048]},
    "permute": {"axes": ["channels", "width", "height"]},
    "crop": {"amount": 1},
    "upsample": {"factor": 2},
    "resize": {"size": 5},
    "take": {"axis": "height"},
    "reverse": {"axis": "height"},
    "roll": {"axis": "height"},
    "constant": {"values": [1, 0]},
    "gather": {"positions": [0], "axis": "height"},
    "repeat_vector": {"size": 3},
    "pad": {"amount": 1},
    **{word: {"units": 4, "axis": "height"} for word in ("rnn", "lstm", "gru")},
    **{word: {"filters": 4, "kernel": 1} for word in ("conv_lstm", "conv_gru")},
    "positions": {"kind": "learned"},
    "clip": {"min": 0},
    "contract": {"axes": '"c h w, c h w -> c"'},
    "reduce": {"by": "sum", "axes": "height"},
    "tile": {"times": 2, "axis": "height"},
    "power": {"exponent": 2},
}
VALUES: dict[str, Any] = {
    "kernel": 1,
    "filters": 4,
    "units": 4,
    "stride": 1,
    "padding": 0,
    "dilation": 1,
    "groups": 2,
    "bias": True,
    "init": "ones",
    "bias_init": "ones",
    "activation": "relu",
    "rate": 0.5,
    "std": 0.5,
    "slope": 0.5,
    "epsilon": 0.5,
    "momentum": 0.5,
    "multiplier": 1,
    "count_padding": True,
    "factor": 2,
    "block": 2,
    "output_padding": 0,
    "axis": "channels",
    "over": "channels",
    "temperature": 2.0,
    "amount": 1,
    "shape": [2048],
    "axes": ["channels", "width", "height"],
    "size": 2,
    "value": 0.5,
    "branches": [[], []],
    "kind": "average",
    "scale": True,
    "center": True,
    "alpha": 0.5,
    "approximate": "tanh",
}


BESIDE = {"sample": "    from: [input, input]\n"}
"""What stands beside an op that takes several tensors."""


def libraries() -> Iterator[tuple[str, list[str]]]:
    for part in (HERE / "names.txt").read_text(encoding="utf-8").split("# ")[1:]:
        library, *names = part.split()
        yield library, names


def words_for(library: str) -> tuple[list[str], WordTable]:
    if library.endswith("activations"):
        return [*ACTIVATIONS, "none"], values.ACTIVATIONS
    if library.endswith(("initializers", "init")):
        return list(SETTINGS), values.INITIALIZERS
    return list(OPS), ops.WORDS


def shown(found: Lead | None) -> str:
    if found is None:
        return "-"
    return f"{'=' if found.exact else '?' if found.ours else ' '} {found.help}"


def plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value).replace("'", "")


FIELDS_OF_WHOLE = {"activation": "relu"}
"""What stands behind an op whose whole value is one field."""


def usage(keyword: str, **more: object) -> str:
    """What stands behind an op in the plainest item that calls it."""
    needed = {field.name: example(field.schema) for field in describe(keyword).fields if field.required}
    fields = {**needed, **FIELDS.get(keyword, {}), **more}
    if OPS[keyword].whole:
        return FIELDS_OF_WHOLE[keyword]
    if OPS[keyword].merges:
        fields = {"branches": [[], ["relu"]], **fields}
    return "{" + ", ".join(f"{name}: {plain(value)}" for name, value in fields.items()) + "}"


def head(keyword: str) -> str:
    """The start of a spec, up to the item that calls this op."""
    return HEAD.replace("[32, 8, 8]", INPUTS.get(keyword, "[32, 8, 8]"))


def graph_text(text: str) -> str:
    graph, diagnostics = check_text(text, FILE)
    assert graph is not None, as_text(diagnostics, {FILE: text})
    return str(graph)


def test_what_is_said_about_the_names_of_other_libraries(request: pytest.FixtureRequest) -> None:
    lines = []
    for library, names in libraries():
        known, words = words_for(library)
        lines += [f"# {library}"]
        lines += [f"{name}: {shown(lead(name, known, words))}" for name in names if name not in known]
    text, golden = "\n".join(lines) + "\n", HERE / "leads.txt"
    if request.config.getoption("--update-golden"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_distance_suggests_no_name_of_another_library() -> None:
    """A name that another library has is no misspelling of ours: the table knows it, or nothing is said."""
    for library, names in libraries():
        known, words = words_for(library)
        found = {name: lead(name, known, words) for name in names if name not in known}
        assert not {
            name: each.help for name, each in found.items() if each and each.help.startswith("did you mean")
        }, library


def test_a_word_that_means_an_op_of_ours_can_be_followed() -> None:
    for word, entry in ops.WORDS.items():
        found = entry if isinstance(entry, Lead) else entry(2)
        if not found.exact or word in OPS:
            continue
        assert found.ours is not None
        beside = BESIDE.get(found.ours, "")
        text = f"{head(found.ours)}  - {word}: {usage(found.ours)}\n{beside}"
        graph, diagnostics = check_text(text, FILE)
        assert graph is None
        assert [each.code.id for each in diagnostics] == ["NS0105"], as_text(diagnostics)
        step = follow(text, diagnostics[0])
        assert not step.left, as_text(step.left)
        assert str(step.graph) == graph_text(
            f"{head(found.ours)}  - {found.ours}: {usage(found.ours)}\n{beside}"
        )


@pytest.mark.parametrize("keyword", OPS)
def test_a_word_that_means_a_field_of_ours_can_be_followed(keyword: str) -> None:
    op: type[Op] = OPS[keyword]
    known = ["branches", *fields_of(op)] if op.merges else fields_of(op)
    followed: set[str] = set()
    for word, entry in for_op(keyword, known).items():
        if fold(word) in {fold(each) for each in known} or not isinstance(entry, Lead) or entry.ours is None:
            continue
        assert entry.ours in known
        if entry.ours in followed or entry.ours not in VALUES:
            continue
        followed.add(entry.ours)
        want = usage(keyword, **{entry.ours: VALUES[entry.ours]})
        if check_text(f"{head(keyword)}  - {keyword}: {want}\n", FILE)[0] is None:
            continue  # the field stands with others only
        text = f"{head(keyword)}  - {keyword}: {want.replace(f'{entry.ours}: ', f'{word}: ', 1)}\n"
        result = follow_all(text)
        assert not result.left, as_text(result.left)
        assert str(result.graph) == graph_text(f"{head(keyword)}  - {keyword}: {want}\n")


CHOICES: dict[str, tuple[WordTable, str, list[str]]] = {
    "activation": (
        values.ACTIVATIONS,
        "conv: {{filters: 4, kernel: 3, activation: {}}}",
        [*ACTIVATIONS, "none"],
    ),
    "initialiser": (values.INITIALIZERS, "conv: {{filters: 4, kernel: 3, init: {}}}", list(SETTINGS)),
    "padding": (values.PADDINGS, "conv: {{filters: 4, kernel: 3, padding: {}}}", list(PADDINGS)),
    "pad mode": (values.MODES, "pad: {{amount: 1, mode: {}}}", ["constant", "reflect", "replicate"]),
    "upsample mode": (values.MODES, "upsample: {{factor: 2, mode: {}}}", ["nearest", "linear"]),
    "axis": (values.MODES, "concat: {{branches: [[], [relu]], axis: {}}}", ["channels", "height", "width"]),
    "rounding": (values.MODES, "max_pool: {{kernel: 3, rounding: {}}}", ["floor", "ceil"]),
    "kind": (values.MODES, "channel_pool: {{size: 2, kind: {}}}", ["max", "average"]),
    "over": (values.MODES, "layer_norm: {{over: {}}}", ["channels", "everything"]),
    "return": (
        values.CHOICES["sequence"],
        "lstm: {{units: 4, axis: height, return: {}}}",
        ["sequence", "last", "state"],
    ),
    "merge": (
        values.CHOICES["concat"],
        "gru: {{units: 4, axis: height, direction: both, merge: {}}}",
        ["concat", "sum", "average", "multiply"],
    ),
}


@pytest.mark.parametrize("kind", CHOICES)
def test_a_word_that_means_a_value_of_ours_can_be_followed(kind: str) -> None:
    table, item, known = CHOICES[kind]
    for word, entry in table.items():
        if word in known or not isinstance(entry, Lead) or entry.ours not in known:
            continue
        text = f"{HEAD}  - {item.format(word)}\n"
        _, diagnostics = check_text(text, FILE)
        assert [each.code.id for each in diagnostics] == ["NS0104"], as_text(diagnostics, {FILE: text})
        step = follow(text, diagnostics[0])
        assert not step.left, as_text(step.left, {FILE: step.text})
        assert str(step.graph) == graph_text(f"{HEAD}  - {item.format(entry.ours)}\n")


SEQUENCE, TOKENS = "[8, 20]", "{shape: [20], vocabulary: 50}"


@pytest.mark.parametrize(
    ("shape", "item", "codes", "advice"),
    [
        # The parts of a split as its fields: one more error would say that `parts` is missing.
        (SEQUENCE, "split: {class: 2, for: 6}", ["NS0103", "NS0103"], "`parts: {NAME: 2, …}`"),
        (SEQUENCE, "lstm: {units: 4, return: both}", ["NS0104"], "`return: sequence`, and take the last states"),
        (SEQUENCE, "lstm: {units: 4, return: [sequence, state]}", ["NS0104"], "`NAME.state`"),
        (SEQUENCE, "lstm: {units: 4, return: cell}", ["NS0104"], "`NAME.cell`"),
        (SEQUENCE, "lstm: {units: 4, unit_forget_bias: false}", ["NS0103"], "`forget_bias: 0`"),
        (SEQUENCE, "rnn: {units: 4, cell: GRU}", ["NS0103"], "`gru: …`"),
        # Keras' default is what `reset: after` is here; the default of `conv_gru` is the other one.
        (SEQUENCE, "gru: {units: 4, reset_after: true}", ["NS0103"], "`reset: after` is the default"),
        (SEQUENCE, "gru: {units: 4, reset_after: false}", ["NS0103"], "`reset: before`"),
        ("[8, 5, 9, 9]", "conv_gru: {filters: 4, kernel: 3, reset_after: true}", ["NS0103"], "`reset: after`"),
        (SEQUENCE, "gru: {units: 4, projection: 2}", ["NS0103"], "fields of `lstm`"),
        (SEQUENCE, "rnn: {units: 4, forget_bias: 2}", ["NS0103"], "fields of `lstm`"),
        (SEQUENCE, "lstm: {units: 4, reset: before}", ["NS0103"], "a field of `gru`"),
        ("[8, 5, 9, 9]", "conv_lstm: {filters: 4, kernel: 3, reset: after}", ["NS0103"], "a field of `conv_gru`"),
        ("[8, 5, 9, 9]", "conv_gru: {filters: 4, kernel: 3, forget_bias: 2}", ["NS0103"], "field of `conv_lstm`"),
        (SEQUENCE, "slice: {start: 2, length: 5}", ["NS0103"], "the start plus the length"),
        (SEQUENCE, "slice: {start: 2, axis: 1}", ["NS0104"], "the name of the axis"),
        (SEQUENCE, "take: last", ["NS0104"], "`take: -1`"),
        (SEQUENCE, "Masking", ["NS0105"], "`from: [NAME, LENGTHS]`"),
        (SEQUENCE, "pack_padded_sequence", ["NS0105"], "`from: [NAME, LENGTHS]`"),
        (SEQUENCE, "pad_sequence", ["NS0105"], "`from: [NAME, LENGTHS]`"),
        (SEQUENCE, "elman: 4", ["NS0105"], "write `rnn`"),
        (SEQUENCE, "TimeDistributedDense: 4", ["NS0105"], "write `dense`"),
        (SEQUENCE, "peephole_lstm: 4", ["NS0105"], "`lstm: {units: …, peepholes: true}`"),
        (SEQUENCE, "take: {indices: [1, 2]}", ["NS0102", "NS0103"], "`gather: …`"),
        (TOKENS, "embedding: {units: 8, input_length: 20}", ["NS0103"], "computes it"),
        (TOKENS, "one_hot: {depth: 50}", ["NS0103"], "the vocabulary is that of the input"),
    ],
)  # fmt: skip
def test_what_sequences_are_called_elsewhere(shape: str, item: str, codes: list[str], advice: str) -> None:
    text = f"netspec: 1\nname: a\ninput: {shape}\nlayers:\n  - {item}\n"
    _, found = check_text(text, FILE)
    assert [each.code.id for each in found] == codes
    assert any(advice in (each.help or "") for each in found), as_text(found, {FILE: text})


@pytest.mark.parametrize(
    ("name", "known", "ours"),
    [
        ("covn", OPS, "conv"), ("softmx", OPS, "softmax"), ("Conv-Transpose", OPS, "conv_transpose"),
        ("batch norm", OPS, "batch_norm"), ("dropouts", OPS, "dropout"), ("avg_pol", OPS, "avg_pool"),
        ("relu7", OPS, None), ("max_unpol", OPS, "max_unpool"), ("minpool", OPS, None), ("global_sum_pool", OPS, None),
        ("transformer", OPS, None), ("heatmap", OPS, None),
        ("selu", ["gelu", "elu"], None), ("stage3", ["stage2"], None),
        ("adamw", ["adam", "sgd"], "adam"),
        ("a" * 5000, OPS, None), ("", OPS, None), ("form", ["from", "name"], "from"),
    ],
)  # fmt: skip
def test_only_what_is_close_is_suggested(name: str, known: list[str], ours: str | None) -> None:
    """`adamw` shows why other libraries' words are looked up first: no distance can tell it from a slip."""
    assert nearest(name, known) == ours


def test_a_word_of_the_author_is_no_word_of_another_library() -> None:
    text = "netspec: 1\nname: spec\ninput: [8]\nblocks:\n  transformer: {layers: [relu]}\nlayers:\n  - Transformer\n"
    _, diagnostics = check_text(text, FILE)
    assert [each.help for each in diagnostics] == ["write `transformer`"]


def test_no_word_is_looked_up_where_nothing_is_wrong() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from netspec.check import check_text; "
        f"g, d = check_text({HEAD + '  - conv: {filters: 4, kernel: 3}'!r}, 'a.yaml'); assert g and not d; "
        "print([m for m in sys.modules if m.startswith('netspec') and 'words' in m])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['netspec.ops.words']"


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("zeros", "remove it: the padding is always zeros"),
        (
            "reflect",
            "put a `pad` with `mode: reflect` before this layer: its `amount` is the `padding` given here",
        ),
        (
            "replicate",
            "put a `pad` with `mode: replicate` before this layer: its `amount` is the `padding` given here",
        ),
        ("circular", "this version of netspec has no circular padding"),
    ],
)
def test_the_mode_of_a_padding_is_an_op_of_its_own(mode: str, words: str) -> None:
    text = f"{HEAD}  - conv: {{filters: 4, kernel: 3, padding: 1, padding_mode: {mode}}}\n"
    _, diagnostics = check_text(text, FILE)
    assert [(each.help or "")[: len(words)] for each in diagnostics] == [words]
