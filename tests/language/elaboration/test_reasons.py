"""Diagnostics that say why: the values in an expression, the line that gave them, the layers that changed a size."""

from __future__ import annotations

import pytest

from netspec.check import check_text
from netspec.diagnostics import Diagnostic
from netspec.diagnostics.render import as_text
from tests.language.author import FILE, graph_of, hold_refusals, spec, types_of


def only(text: str) -> Diagnostic:
    _, found = check_text(spec(text), FILE)
    assert len(found) == 1, as_text(found, {FILE: spec(text)})
    return found[0]


NOTES: dict[str, tuple[str, tuple[str, ...]]] = {
    "a call that gives 0": (
        "blocks: {u: {params: {n: }, layers: [dense: $n]}}\nlayers:\n  - u: 0",
        ("`n` is 0 (line 6)",),
    ),
    "a call that calculates 0": (
        "params: {w: 16}\nblocks: {u: {params: {n: }, layers: [dense: $n]}}\nlayers:\n  - u: ${w // 32}",
        ("`n` is 0 (`${w // 32}`, line 7)", "`${w // 32}`: `w` is 16 (line 4)"),
    ),
    "a default that calculates 0": (
        "blocks: {u: {params: {m: , n: '${m // 8}'}, layers: [dense: $n]}}\nlayers:\n  - u: {m: 7}",
        ("`n` is 0 (`${m // 8}`, by default in line 4)", "`${m // 8}`: `m` is 7"),
    ),
    "a size that is divided away": (
        "layers: [dense: '${in.channels // 16}']",
        ("`${in.channels // 16}`: `in.channels` is 4",),
    ),
    "a chain of calls": (
        "blocks: {u: {params: {n: }, layers: [dense: $n]}, v: {params: {k: }, layers: [u: '${k - 3}']}}\n"
        "layers:\n  - v: 3",
        ("`n` is 0 (`${k - 3}`, line 4)", "`${k - 3}`: `k` is 3 (line 6)"),
    ),
    "a division by zero": (
        "params: {r: 0}\nlayers: [dense: '${in.channels // r}']",
        ("here `in.channels` is 4, `r` is 0",),
    ),
    "a place outside a list": ("params: {w: [8, 16]}\nlayers: [dense: '${w[2]}']", ("here `w` is [8, 16]",)),
    "a repeat below 0": (
        "params: {n: 2}\nlayers: [{relu: , repeat: '${n - 3}'}]",
        ("`${n - 3}`: `n` is 2 (line 4)",),
    ),
    "a condition that is a number": ("params: {n: 2}\nlayers: [{relu: , when: $n}]", ("`n` is 2 (line 4)",)),
    "a word of another branch": (
        "params: {c: other}\n"
        "blocks: {u: {params: {k: }, layers: [{relu: , when: '${k == \"b\"}'}, gated: {gate: $k}]}}\n"
        "layers:\n"
        "  - relu:\n"
        '    when: ${"lstm" == c}\n'
        "    else:\n"
        '      - {tanh: , when: \'${c != "gru" and c == "lstm"}\'}\n'
        "      - u: $c",
        (
            "`k` is `other` (`$c`, line 11)",
            "the spec compares `k` with `b` (line 5)",
            "`c` is `other` (line 4)",
            "the spec compares `c` with `lstm` (line 8), `gru` (line 10)",
        ),
    ),
    "a field that does not fit": (
        "params: {g: 3}\nlayers: [{conv: {filters: 4, kernel: 1, groups: $g}}]",
        ("the input is 4@8×8, with 4 filters", "`g` is 3 (line 4)"),
    ),
}


def test_a_value_from_outside_is_named_so() -> None:
    text = spec("params: {n: 2, m: }\nlayers: [dense: $n, dense: $m]")
    _, found = check_text(text, FILE, {"n": 0, "m": -1})
    assert [each.notes for each in found] == [
        ("`n` is 0 (set from outside instead of line 4)",),
        ("`m` is −1 (set from outside)",),
    ]


@pytest.mark.parametrize("kind", NOTES)
def test_an_error_of_a_calculated_value_shows_the_values_and_their_lines(kind: str) -> None:
    text, notes = NOTES[kind]
    assert only(text).notes == notes


def test_the_advice_for_a_calculated_value_is_about_the_expression() -> None:
    assert only("layers: [dense: '${in.channels / 3}']").help == (
        "`//` divides and drops the rest; `round(…)`, `floor(…)` and `ceil(…)` give whole numbers"
    )
    assert only("layers: [dense: '${in.channels // 16}']").help is None


def test_a_default_of_a_block_sees_the_input_of_the_block() -> None:
    text = spec(
        'blocks: {u: {params: {n: "${in.channels}"}, layers: [conv: {filters: $n, kernel: 1}]}}\nlayers: [u]'
    )
    assert types_of(graph_of(text)) == {"u1.conv1": "4@8×8"}
    assert types_of(graph_of(text.replace("in.", "block.in."))) == {"u1.conv1": "4@8×8"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("layers: [dense: '${«index»}']", "add `repeat: …` to the item"),
        ("layers: [dense: '${«block.in».channels}']", "write `in`"),
        (
            "blocks: {u: {layers: [dense: '${«index» + 1}']}}\nlayers: [{u: , repeat: 2}]",
            'pass it in the call: `n: "${index}"`',
        ),
        ("params: {n: '${«in».channels}'}\nlayers: [dense: $n]", "write the expression in the item that uses it"),
    ],
)  # fmt: skip
def test_a_name_that_is_not_known_here_says_what_to_do(text: str, words: str) -> None:
    hold_refusals(text, ("NS0214", words))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "blocks: {u: {layers: [relu, «u»]}}\nlayers: [u]",
            "write how often where `u` is called: `repeat: 3`",
        ),
        ("blocks: {u: {layers: [«u», relu]}}\nlayers: [u]", "let it end: `depth: ${depth - 1}`"),
        ("blocks: {u: {layers: [add: [[], [«u»]]]}}\nlayers: [u]", "let it end: `depth: ${depth - 1}`"),
        ("blocks: {u: {layers: [v]}, v: {layers: [relu, «u»]}}\nlayers: [u]", "let it end"),
    ],
)
def test_a_block_in_itself_is_told_what_can_help(text: str, words: str) -> None:
    hold_refusals(text, ("NS0111", words))


U_NET = """\
netspec: 1
name: unet
input: [1, {height}, {width}]
layers:
  - conv: {{filters: 8, kernel: 3, padding: same}}
    name: left1
  - max_pool: 2
    name: down1
  - conv: {{filters: 16, kernel: 3, padding: same}}
    name: left2
  - max_pool: 2
    name: down2
  - conv_transpose: {{filters: 16, kernel: 2, stride: 2}}
    name: up2
  - concat:
    from: [up2, {left2}]
  - conv_transpose: {{filters: 8, kernel: 2, stride: 2}}
    name: up1
  - concat:
    from: [up1, {left1}]
"""


def test_an_odd_pool_of_a_u_net_is_named_with_a_fix_that_works() -> None:
    text = U_NET.format(height=66, width=64, left1="left1", left2="left2")
    (found,) = check_text(text, FILE)[1]
    assert found.code.id == "NS0302"
    assert "sizes change in `down2` (line 11: 33×32 → 16×16), `up2` (line 13: 16×16 → 32×32)" in found.notes
    assert found.help == (
        "crop `left2` first: `- crop: {size: 32}` with `from: left2` and a `name`, and merge that name; "
        "or give `down2` sizes that are multiples of 2"
    )
    cropped = text.replace(
        "  - concat:\n    from: [up2, left2]",
        "  - crop: {size: 32}\n    from: left2\n    name: cropped\n  - concat:\n    from: [up2, cropped]",
    )
    (next_,) = check_text(cropped, FILE)[1]
    assert "sizes change in `down1` (line 7: 66×64 → 33×32)" in " ".join(next_.notes)
    graph, left = check_text(U_NET.format(height=64, width=64, left1="left1", left2="left2"), FILE)
    assert graph is not None
    assert not left


MERGES: dict[str, tuple[str, str, str]] = {
    "a border": ("add: [[], [conv: {filters: 4, kernel: 3}]]", "- crop: {size: 6}", "first"),
    "a stride": (
        "add: [[], [conv: {filters: 4, kernel: 1, stride: 2}]]",
        "conv: {filters: 4, kernel: 1, stride: 2}",
        "first",
    ),
    "channels": ("add: [[], [conv: {filters: 6, kernel: 1}]]", "conv: {filters: 4, kernel: 1}", "second"),
    "both": (
        "add: [[], [conv: {filters: 6, kernel: 1, stride: 3}]]",
        "conv: {filters: 6, kernel: 1, stride: 3}",
        "first",
    ),
    "a border of a concat": ("concat: [[], [conv: {filters: 6, kernel: 3}]]", "- crop: {size: 6}", "first"),
    "one position": ("multiply: [[], [global_avg_pool: {keep: true}]]", "flatten", "second"),
    "an odd pool": ("concat: [[], [max_pool: 3, upsample: 3]]", "- crop: {size: 6}", "first"),
}


@pytest.mark.parametrize("kind", MERGES)
def test_what_makes_branches_equal_does(kind: str) -> None:
    merge, quoted, branch = MERGES[kind]
    found = only(f"layers: [{merge}]")
    assert f"`{quoted}`" in (found.help or ""), found.help
    item = quoted.removeprefix("- ")
    start = merge.index("[[], [") + 1
    mended = (
        merge[:start] + f"[{item}]" + merge[start + 2 :] if branch == "first" else merge[:-2] + f", {item}]]"
    )
    graph, left = check_text(spec(f"layers: [{mended}]"), FILE)
    assert not left, as_text(left)
    assert graph is not None


def test_a_vector_beside_a_map_is_spread_first() -> None:
    found = only("layers: [concat: [[], [global_avg_pool]]]")
    assert found.help == (
        "repeat the vector over the positions first: `- reshape: [4, 1, 1]`, then `- upsample: {size: 8}`"
    )
    graph, left = check_text(
        spec("layers: [concat: [[], [global_avg_pool, reshape: [4, 1, 1], upsample: {size: 8}]]]"), FILE
    )
    assert not left
    assert graph is not None
