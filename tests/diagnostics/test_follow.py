"""A newcomer who follows each help to the letter ends with a valid spec."""

from __future__ import annotations

import pytest

from netspec.check import check_text
from netspec.diagnostics.catalogue import CODES
from netspec.diagnostics.code import Code
from netspec.diagnostics.render import as_text
from tests.language.author import FILE
from tests.language.follow import can_be_followed, follow_all


def first_help(code: Code) -> str:
    return check_text(code.example, FILE)[1][0].help or ""


SHOWN = [code for code in CODES.values() if code.example]
FOLLOWED = [code for code in SHOWN if can_be_followed(check_text(code.example, FILE)[1][0])]


@pytest.mark.parametrize("code", FOLLOWED, ids=str)
def test_what_the_help_says_to_write_is_right(code: Code) -> None:
    result = follow_all(code.example)
    errors = [each for each in result.left if each.severity == "error"]
    assert not errors, f"{result.text}\n{as_text(errors, {FILE: result.text})}"


# What is done by hand where a help leaves something to the author: the change of the example that it asks for.
DEEP = CODES["NS0019"].example.count("[") - 1  # one stands before
BY_HAND: dict[str, tuple[str, str]] = {
    "NS0007": ("\t- relu", "  - relu"),
    "NS0008": ("input: [4", "input: [4]"),
    "NS0009": ('name: "open', 'name: "open"'),
    "NS0010": ("name: again\n", ""),
    "NS0011": ("{3: 4}", "{n3: 4}"),
    "NS0012": ("{<<: *first, stride: 2}", "{filters: 4, kernel: 3, stride: 2}"),
    "NS0013": ("!!str tagged", '"tagged"'),
    "NS0014": ("---\nnetspec: 1\nname: second\n", ""),
    "NS0017": ("  - tanh", "    - tanh"),
    "NS0019": ("[" * DEEP + "]" * DEEP, "[relu]"),
    "NS0022": ("*shape", "[4]"),
    "NS0023": ("99999999999999999999", "10"),
    "NS0024": ("bell\x07", "bell"),
    "NS0102": ("{kernel: 3}", "{filters: 8, kernel: 3}"),
    "NS0106": ("  - {relu: , tanh: }", "  - relu\n  - tanh"),
    "NS0108": ("  - tanh:\n    name: act", "  - tanh:\n    name: act_two"),
    "NS0110": (
        "  - relu:\n    from: later\n  - tanh:\n    name: later",
        "  - tanh:\n    name: later\n  - relu:\n    from: later",
    ),
    "NS0111": (
        "      - relu\n      - unit\nlayers:\n  - unit",
        "      - relu\nlayers:\n  - unit:\n    repeat: 3",
    ),
    "NS0112": ("blocks: {include: ../../../../../../../etc/parts.yaml}\n", ""),
    "NS0114": ("  relu:\n", "  own:\n"),
    "NS0115": ("  - relu\n", "  - relu:\n    from: left\n    name: x\n"),
    "NS0117": ("    from: input\n", ""),
    "NS0119": ("1000000", "3"),
    "NS0120": ("conv: 8", "conv: {kernel: 3, filters: 8}"),
    "NS0121": ("    from: left\n", "    from: left\n  - add:\n    from: [left, right]\n"),
    "NS0123": ("layers:\n  - join", "layers:\n  - join:\n    from: [input, input]"),
    "NS0124": ("'a b'", "input"),
    "NS0127": ("momentum: 0.1", "momentum: 0.9"),
    "NS0130": (", bias_init: ones", ""),
    "NS0201": ("${width *}", "${width * 2}"),
    "NS0202": ("1${width}", "${10 + width}"),
    "NS0204": (
        'params: {width: 8}\ninput: [4]\nlayers:\n  - dense: "${[8, 16][0]}"',
        'params: {width: [8, 16]}\ninput: [4]\nlayers:\n  - dense: "${width[0]}"',
    ),
    "NS0205": ("width.__class__", "in.channels"),
    "NS0206": ("${sqrt(width)}", "${floor(width ** 0.5)}"),
    "NS0207": ("// ratio", "// max(1, ratio)"),
    "NS0208": ("** 99", "** 2"),
    "NS0209": ("widths + 1", "widths[0]"),
    "NS0210": ("widths[2]", "widths[1]"),
    "NS0211": ("width ** 0.5", "floor(max(1, width) ** 0.5)"),
    "NS0212": ("-" * 60 + "8", "8"),
    "NS0213": ("in.height", "in.channels"),
    "NS0214": ("  - dense: ${index + 1}", "  - dense: ${index + 1}\n    repeat: 2"),
    "NS0302": (
        "      - - conv: {filters: 32, kernel: 3, padding: same}",
        "      - - conv: {filters: 32, kernel: 3, padding: same}\n        - conv: {filters: 16, kernel: 1}",
    ),
    "NS0303": (
        "  - flatten\n  - conv: {filters: 8, kernel: 3}",
        "  - conv: {filters: 8, kernel: 3}\n  - flatten",
    ),
    "NS0304": ("{shape: [20], vocabulary: 8000}", "[20]"),
    "NS0305": ("[3, 3, 3]", "3"),
    "NS0307": ("padding: 2", "padding: 1"),
    "NS0308": ("      - - relu\n", "      - - relu\n      - []\n"),
    "NS0309": ("  - dense: 4\n", "  - dense: 8\n"),
    "NS0310": ("input: [3, H, W]", "params: {h: 224, w: 224}\ninput: [3, $h, $w]"),
    "NS0311": ("  - relu:\n    from: [a, b]", "  - concat:\n    from: [a, b]\n  - relu"),
    "NS0312": ("[2, 3]]", "[2, 0]]"),
    "NS0314": ("{size: 9}", "{size: 8}"),
    "NS0316": ("{kernel: 3, stride: 2}", "{kernel: 3}"),
    "NS0317": ("lstm: 32", "lstm: 64"),
    "NS0320": ("      - dense: 16", "      - dense: 8"),
    "NS0402": ("max_params: 5k", "max_params: 8k"),
    "NS0405": ("{hiden:", "{hidden:"),
    "NS0005": ("# nothing here yet\n", "netspec: 1\nname: a\ninput: [4]\nlayers: [relu]\n"),
    "NS0006": ("tiny: net", "tiny_net"),
    "NS0020": (
        "  d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n"
        "  e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\n"
        "  f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]\n",
        "",
    ),
    "NS0021": ("&all\n  - relu\n  - layers: *all", "\n  - relu\n  - layers: [relu]"),
    "NS0122": ("repeat: -1", "repeat: 3"),
    "NS0125": ("    repeat: 3\n", "    repeat: 3\n    carry: {h: state}\n"),
    "NS0128": ("{h: stat}", "{h: state}"),
    "NS0129": ("[3]", "[y]"),
    "NS0315": ("upsample: 1000", "upsample: 2"),
    "NS0503": ("{mean: 0.5}", "{mean: 0.5, std: 0.25}"),
    "NS0505": ("{learning_rate: 0.1}", "{sgd: {learning_rate: 0.1}}"),
    "NS0507": ("{data: mnist}", "{data: mnist, pad: 2}"),
    "NS0508": ("dense: 12", "dense: 10"),
    "NS0509": ("softmax]", "global_avg_pool, softmax]"),
    "NS0510": ("train_size: 65", "train_size: 64"),
}


@pytest.mark.parametrize("id", BY_HAND)
def test_what_the_help_asks_for_is_right(id: str) -> None:
    old, new = BY_HAND[id]
    example = CODES[id].example
    assert old in example
    left = check_text(example.replace(old, new, 1), FILE)[1]
    assert not [each for each in left if each.code.id == id or each.severity == "error"], as_text(left)


def test_every_help_is_followed_one_way_or_the_other() -> None:
    """A code whose help nobody has followed is one that nobody knows to be right."""
    unfollowed = {code.id for code in SHOWN} - {code.id for code in FOLLOWED} - set(BY_HAND)
    assert unfollowed == set()
