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
    "NS0325": ("attention: 6", "attention: 4"),
    "NS0330": ("c c ->", "c k ->"),
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


# Slips in layers over sequences: the layers as written, the help, the layers as the help says, and the last layer of
# the network that the author means.
ADVICE: dict[str, tuple[str, str, str, str]] = {
    "an output at every step as a state": (
        "input: [4, 8]\nlayers:\n  - gru: 4\n    name: e\n  - gru: 4\n    from: [input, e]\n",
        "name its `state`: `from: [input, e.state]`",
        "input: [4, 8]\nlayers:\n  - gru: 4\n    name: e\n  - gru: 4\n    from: [input, e.state]\n",
        "gru(input, e.state) 4@8",
    ),
    "an output at every step as a state and a cell": (
        "input: [4, 8]\nlayers:\n  - lstm: 4\n    name: e\n  - lstm: 4\n    from: [input, e, e]\n",
        "name its `state` and its `cell`: `from: [input, e.state, e.cell]`",
        "input: [4, 8]\nlayers:\n  - lstm: 4\n    name: e\n  - lstm: 4\n    from: [input, e.state, e.cell]\n",
        "lstm(input, e.state, e.cell) 4@8",
    ),
    "an output of a block that ends in a recurrent layer": (
        "blocks:\n  u: {layers: [{gru: 4, name: z}]}\ninput: [4, 8]\nlayers:\n  - u:\n    name: e\n"
        "  - gru: 4\n    from: [input, e]\n",
        "name its `state`: `from: [input, e.state]`",
        "blocks:\n  u: {layers: [{gru: 4, name: z}]}\ninput: [4, 8]\nlayers:\n  - u:\n    name: e\n"
        "  - gru: 4\n    from: [input, e.state]\n",
        "gru(input, e.z.state) 4@8",
    ),
    "an output of a block that ends in another layer": (
        "blocks:\n  u: {layers: [{gru: 4, name: e}, relu]}\ninput: [4, 8]\nlayers:\n  - u:\n    name: e\n"
        "  - gru: 4\n    from: [input, e]\n",
        "take it from a layer with the same units, `layers` and `direction`, or give it 4 channels with `dense: 4`",
        "blocks:\n  u: {layers: [{gru: 4, name: e}, relu]}\ninput: [4, 8]\nlayers:\n  - u:\n    name: e\n"
        "  - gru: 4\n    from: [input, e.e.state]\n",
        "gru(input, e.e.state) 4@8",
    ),
    "an output of a block that names its state": (
        "blocks:\n  u: {outputs: [y, state], layers: [{gru: 4, name: y}, {identity: , from: y.state, name: state}]}\n"
        "input: [4, 8]\nlayers:\n  - u:\n    name: e\n  - gru: 4\n    from: [input, e]\n",
        "name its `state`: `from: [input, e.state]`",
        "blocks:\n  u: {outputs: [y, state], layers: [{gru: 4, name: y}, {identity: , from: y.state, name: state}]}\n"
        "input: [4, 8]\nlayers:\n  - u:\n    name: e\n  - gru: 4\n    from: [input, e.state]\n",
        "gru(input, e.state) 4@8",
    ),
    "a state of other units": (
        "input: [4, 8]\nlayers:\n  - gru: 3\n    name: e\n  - gru: 4\n    from: [input, e.state]\n",
        "take it from a layer with the same units, `layers` and `direction`, or give it 4 channels with `dense: 4`",
        "input: [4, 8]\nlayers:\n  - gru: 3\n    name: e\n  - dense: 4\n    from: e.state\n    name: d\n"
        "  - gru: 4\n    from: [input, d]\n",
        "gru(input, d) 4@8",
    ),
    "a state before the sequence": (
        "inputs: {x: [4, 8], h: [4]}\nlayers:\n  - gru: 4\n    from: [h, x]\n",
        "change their order: `from` names `sequence`, then `state`",
        "inputs: {x: [4, 8], h: [4]}\nlayers:\n  - gru: 4\n    from: [x, h]\n",
        "gru(x, h) 4@8",
    ),
    "a state before the video": (
        "inputs: {x: [4, 3, 8, 8], h: [4, 8, 8]}\nlayers:\n  - conv_gru: {filters: 4, kernel: 3, padding: same}\n"
        "    from: [h, x]\n",
        "change their order: `from` names `sequence`, then `state`",
        "inputs: {x: [4, 3, 8, 8], h: [4, 8, 8]}\nlayers:\n  - conv_gru: {filters: 4, kernel: 3, padding: same}\n"
        "    from: [x, h]\n",
        "conv_gru(x, h) 4@3×8×8",
    ),
    "an axis that a contraction names twice": (
        "input: [4, 8]\nlayers:\n  - contract: {axes: 'c t, c c -> t', branches: [[], []]}\n",
        "each axis of a tensor has a name of its own; write another one here",
        "input: [4, 8]\nlayers:\n  - contract: {axes: 'c t, c k -> t', branches: [[], []]}\n",
        "contract(input, input) 8",
    ),
    "an einsum without spaces": (
        "input: [4, 8]\nlayers:\n  - tanh\n  - contract: 'nct, nck -> tk'\n    from: [input, tanh1]\n",
        "put spaces between the names: `c t`; the batch has none",
        "input: [4, 8]\nlayers:\n  - tanh\n  - contract: 'c t, c k -> t k'\n    from: [input, tanh1]\n",
        "contract(input, tanh1) 8@8",
    ),
    "an axis of the output that is in no input": (
        "input: [4, 8]\nlayers:\n  - contract: {axes: 'c t, c k -> t x', branches: [[], []]}\n",
        "the names are `c`, `t`, `k`",
        "input: [4, 8]\nlayers:\n  - contract: {axes: 'c t, c k -> t k', branches: [[], []]}\n",
        "contract(input, input) 8@8",
    ),
    "sizes that differ under one name": (
        "input: [4, 8]\nlayers:\n  - contract: {axes: 'c t, t k -> c k', branches: [[], []]}\n",
        "axes with one name are equally long; give this one another name, or change its size",
        "input: [4, 8]\nlayers:\n  - contract: {axes: 'c t, d t -> c d', branches: [[], []]}\n",
        "contract(input, input) 4@4",
    ),
    "a text that is not a contraction": (
        "input: [4, 8]\nlayers:\n  - contract: {axes: 'c t, c k', branches: [[], []]}\n",
        "write it like `a b, a c -> b c`: the names of the axes of each input, and those of the output",
        "input: [4, 8]\nlayers:\n  - contract: {axes: 'c t, c k -> t k', branches: [[], []]}\n",
        "contract(input, input) 8@8",
    ),
    "a contraction of more inputs than it has": (
        "input: [4, 8]\nlayers:\n  - contract: {axes: 'c t, c k, k m -> t m', branches: [[], []]}\n",
        "write the names of each input, with commas between them",
        "input: [4, 8]\nlayers:\n  - contract: {axes: 'c t, c k -> t k', branches: [[], []]}\n",
        "contract(input, input) 8@8",
    ),
    "matrices whose sizes do not fit": (
        "input: [4, 8]\nlayers:\n  - matmul: [[], []]\n",
        "`permute` changes the order of axes, or `contract` names the axis that both share",
        "input: [4, 8]\nlayers:\n  - matmul: [[], [permute: [time, channels]]]\n",
        "matmul(input, permute1) 4@4",
    ),
    "a product of a vector and a matrix": (
        "input: [4, 8]\nlayers:\n  - matmul: [[global_avg_pool], []]\n",
        "write `contract: a, a b -> b` for the product of a vector and a matrix, or `dense` for one with weights",
        "input: [4, 8]\nlayers:\n  - contract: {axes: 'a, a b -> b', branches: [[global_avg_pool], []]}\n",
        "contract(global_avg_pool1, input) 8",
    ),
    "a reduction of a vector": (
        "input: [4]\nlayers:\n  - reduce: sum\n",
        "write `reduce: {by: sum, axes: channels}` for its channels",
        "input: [4]\nlayers:\n  - reduce: {by: sum, axes: channels}\n",
        "reduce(input) 1",
    ),
    "an axis that a reduction names twice": (
        "input: [4, 8]\nlayers:\n  - reduce: {by: sum, axes: [time, time]}\n",
        "write `[time]`",
        "input: [4, 8]\nlayers:\n  - reduce: {by: sum, axes: [time]}\n",
        "reduce(input) 4",
    ),
    "groups that do not divide the channels of a shuffle": (
        "input: [4, 8]\nlayers:\n  - channel_shuffle: 3\n",
        "the input is 4@8: use a divisor of 4",
        "input: [4, 8]\nlayers:\n  - channel_shuffle: 2\n",
        "channel_shuffle(input) 4@8",
    ),
    "a clip without a bound": (
        "input: [4]\nlayers:\n  - clip\n",
        "write `{clip: {min: 0, max: 1}}`, or one of the two",
        "input: [4]\nlayers:\n  - {clip: {min: 0, max: 1}}\n",
        "clip(input) 4",
    ),
    "a clip with bounds in the wrong order": (
        "input: [4]\nlayers:\n  - clip: {min: 2, max: 1}\n",
        "use a `max` above 2",
        "input: [4]\nlayers:\n  - clip: {min: 2, max: 3}\n",
        "clip(input) 4",
    ),
    "a power that is always 1": (
        "input: [4]\nlayers:\n  - power: 0\n",
        "write `power: 2`, or another exponent than 0",
        "input: [4]\nlayers:\n  - power: 2\n",
        "power(input) 4",
    ),
    "an activation that is not defined for every number": (
        "input: [4]\nlayers:\n  - dense: {units: 3, activation: sqrt}\n",
        "put it after the layer, as an item: it is not defined for every number",
        "input: [4]\nlayers:\n  - dense: 3\n  - sqrt\n",
        "sqrt(dense1) 3",
    ),
    "an activation without the bounds that it needs": (
        "input: [4]\nlayers:\n  - dense: {units: 3, activation: clip}\n",
        "write `{clip: {min: 0, max: 1}}`, or one of the two",
        "input: [4]\nlayers:\n  - dense: {units: 3, activation: {clip: {min: 0, max: 1}}}\n",
        "dense(input) 3",
    ),
    "a third branch of a division": (
        "input: [4]\nlayers:\n  - divide: [[], [exp], [tanh]]\n",
        "`multiply` the divisors first",
        "input: [4]\nlayers:\n  - divide: [[], [multiply: [[exp], [tanh]]]]\n",
        "divide(input, multiply1) 4",
    ),
    "a step of a vector": (
        "input: [4]\nlayers:\n  - take: 0\n",
        "use `slice` for a part of the channels: `slice: {start: 0, stop: 1}`",
        "input: [4]\nlayers:\n  - slice: {start: 0, stop: 1}\n",
        "slice(input) 1",
    ),
    "the last step of a vector": (
        "input: [4]\nlayers:\n  - take: -1\n",
        "use `slice` for a part of the channels: `slice: {start: -1}`",
        "input: [4]\nlayers:\n  - slice: {start: -1}\n",
        "slice(input) 1",
    ),
    "a convolution of the last step": (
        "input: [4, 8]\nlayers:\n  - lstm: {units: 4, return: last}\n  - relu\n  - conv: {filters: 2, kernel: 3}\n",
        "give the `lstm` of line 5 `return: sequence`: it then has an output at every position",
        "input: [4, 8]\nlayers:\n  - lstm: {units: 4, return: sequence}\n  - relu\n  - conv: {filters: 2, kernel: 3}\n",
        "conv(relu1) 2@6",
    ),
    "a kernel for the axes of a map after the last of its rows": (
        "input: [4, 6, 5]\nlayers:\n  - gru: {units: 4, axis: height, return: last}\n  - relu\n"
        "  - conv: {filters: 2, kernel: [3, 2]}\n",
        "give the `gru` of line 5 `return: sequence`: it then has an output at every position",
        "input: [4, 6, 5]\nlayers:\n  - gru: {units: 4, axis: height, return: sequence}\n  - relu\n"
        "  - conv: {filters: 2, kernel: [3, 2]}\n",
        "conv(relu1) 2@4×4",
    ),
    "a kernel for more axes than a map had": (
        "input: [4, 6, 5]\nlayers:\n  - gru: {units: 4, axis: height, return: last}\n"
        "  - max_pool: [1, 1, 2]\n",
        "give one number for all axes, or a list of 1",
        "input: [4, 6, 5]\nlayers:\n  - gru: {units: 4, axis: height, return: last}\n  - max_pool: [2]\n",
        "max_pool(gru1) 4@2",
    ),
    "a second layer after the last step": (
        "input: [4, 8]\nlayers:\n  - gru: {units: 4, return: state}\n  - lstm: 3\n",
        "give the `gru` of line 5 `return: sequence`: it then has an output at every position",
        "input: [4, 8]\nlayers:\n  - gru: {units: 4, return: sequence}\n  - lstm: 3\n",
        "lstm(gru1) 3@8",
    ),
    "lengths without a vocabulary": (
        "inputs: {x: [4, 8], n: {shape: []}}\nlayers:\n  - lstm: 4\n    from: [x, n]\n",
        "for one whole number for each sample, such as `lengths`, add a vocabulary: `{shape: [], vocabulary: 9}` for "
        "up to 8 steps; a vector is `[784]`, an image `[3, 224, 224]`",
        "inputs: {x: [4, 8], n: {shape: [], vocabulary: 9}}\nlayers:\n  - lstm: 4\n    from: [x, n]\n",
        "lstm(x, n) 4@8",
    ),
    "the last index of sequences with lengths": (
        "inputs: {x: {shape: [8], vocabulary: 5}, n: {shape: [], vocabulary: 9}}\nlayers:\n  - take: -1\n"
        "    from: [x, n]\n  - embedding: 4\n",
        "put `embedding: …` or `one_hot` before it",
        "inputs: {x: {shape: [8], vocabulary: 5}, n: {shape: [], vocabulary: 9}}\nlayers:\n  - embedding: 4\n"
        "    from: x\n    name: e\n  - take: -1\n    from: [e, n]\n",
        "take(e, n) 4",
    ),
    "a step of single indices": (
        "inputs: {n: {shape: [], vocabulary: 9}}\nlayers:\n  - reverse:\n    from: n\n",
        "take a tensor with an axis: an input with `shape: [5]` has five indices for each sample",
        "inputs: {n: {shape: [5], vocabulary: 9}}\nlayers:\n  - reverse:\n    from: n\n",
        "reverse(n) indices 5 of 9",
    ),
    "a name as the only item of a branch": (
        "input: [4, 8]\nlayers:\n  - relu\n  - add:\n      - - tanh\n      - - input\n",
        "write `- input`, with one dash: the name of a layer is a branch by itself",
        "input: [4, 8]\nlayers:\n  - relu\n  - add:\n      - - tanh\n      - input\n",
        "add(tanh1, input) 4@8",
    ),
    "a name of a layer in brackets": (
        "input: [4, 8]\nlayers:\n  - relu:\n    name: r\n  - tanh\n  - add: [[tanh], [r]]\n",
        "a branch that is only the name of a layer has no brackets of its own: `r`",
        "input: [4, 8]\nlayers:\n  - relu:\n    name: r\n  - tanh\n  - add: [[tanh], r]\n",
        "add(tanh2, r) 4@8",
    ),
    "a name as the first of the items of a branch": (
        "input: [4, 8]\nlayers:\n  - relu\n  - add:\n      - - tanh\n      - - input\n        - sigmoid\n",
        "remove it, and write `from: input` beside the item after it",
        "input: [4, 8]\nlayers:\n  - relu\n  - add:\n      - - tanh\n      - - sigmoid:\n          from: input\n",
        "add(tanh1, sigmoid1) 4@8",
    ),
    "one position of a gather": (
        "input: [4, 8]\nlayers:\n  - gather: 3\n",
        "write `[3]` for a list of one; `- take: 3` is the op that also removes the axis",
        "input: [4, 8]\nlayers:\n  - gather: [3]\n",
        "gather(input) 4@1",
    ),
    "no position of a gather": (
        "input: [4, 8]\nlayers:\n  - gather: []\n",
        "write at least one, such as `[0]`",
        "input: [4, 8]\nlayers:\n  - gather: [0]\n",
        "gather(input) 4@1",
    ),
    "the number of an axis in quotes": (
        "input: [4, 8]\nlayers:\n  - gru: {units: 4, axis: '0'}\n",
        "write `axis: 0`, or `axis: time`",
        "input: [4, 8]\nlayers:\n  - gru: {units: 4, axis: 0}\n",
        "gru(input) 4@8",
    ),
    "a list of one axis": (
        "input: [4, 8]\nlayers:\n  - gru: {units: 4, axis: [time]}\n",
        "write `time`",
        "input: [4, 8]\nlayers:\n  - gru: {units: 4, axis: time}\n",
        "gru(input) 4@8",
    ),
    "a broken number as an axis": (
        "input: [4, 8]\nlayers:\n  - gru: {units: 4, axis: 0.5}\n",
        "write one name, or one whole number from 0",
        "input: [4, 8]\nlayers:\n  - gru: {units: 4, axis: 0}\n",
        "gru(input) 4@8",
    ),
    "a part with the name of every first output": (
        "input: [4, 8]\nlayers:\n  - split: {parts: [state, output]}\n",
        "give this part another name, such as `outputs`",
        "input: [4, 8]\nlayers:\n  - split: {parts: [state, outputs]}\n",
        "split(input) 2@8",
    ),
    "the sizes of a layer with fewer axes": (
        "inputs: {x: [4, 8, 8], y: [4, 9]}\nlayers:\n  - tanh:\n    from: y\n  - pad: {like: y}\n    from: x\n"
        "heads: {end: tanh1}\n",
        "name a layer with as many axes as the input",
        "inputs: {x: [4, 8, 8], y: [4, 9, 9]}\nlayers:\n  - tanh:\n    from: y\n  - pad: {like: y}\n    from: x\n"
        "heads: {end: tanh1}\n",
        "pad(x) 4@9×9",
    ),
    "a crop to larger sizes": (
        "input: [4, 8, 8]\nlayers:\n  - max_pool: 2\n  - crop: {like: input}\n",
        "the remaining part must be inside the input; `pad` makes a map larger, with the same `size` or `like`",
        "input: [4, 8, 8]\nlayers:\n  - max_pool: 2\n  - pad: {like: input}\n",
        "pad(max_pool1) 4@8×8",
    ),
    "a pad to smaller sizes": (
        "input: [4, 8, 8]\nlayers:\n  - upsample: 2\n  - pad: {like: input}\n",
        "`crop` makes a map smaller, with the same `size` or `like`",
        "input: [4, 8, 8]\nlayers:\n  - upsample: 2\n  - crop: {like: input}\n",
        "crop(upsample1) 4@8×8",
    ),
    "a default that uses a parameter below": (
        'blocks:\n  b:\n    params: {a: "${n + 1}", n: 2}\n    layers: [dense: $a]\ninput: [4]\nlayers: [b]\n',
        "put `n` above this parameter",
        'blocks:\n  b:\n    params: {n: 2, a: "${n + 1}"}\n    layers: [dense: $a]\ninput: [4]\nlayers: [b]\n',
        "dense(input) 3",
    ),
    "an activation that a recurrent layer lacks": (
        "input: [4, 8]\nlayers:\n  - rnn: {units: 4, activation: none}\n",
        "leave it out for the default, `activation: tanh`",
        "input: [4, 8]\nlayers:\n  - rnn: {units: 4}\n",
        "rnn(input) 4@8",
    ),
    "a base of 1": (
        "input: [4, 8]\nlayers:\n  - positions: {base: 1}\n",
        "leave it out for the default, `base: 10000`",
        "input: [4, 8]\nlayers:\n  - positions: sinusoid\n",
        "positions(input) 4@8",
    ),
    "a rotation of single channels": (
        "input: [6, 8]\nlayers:\n  - rotary: 2\n",
        "turn 2 of them, `rotary: {heads: 2, fraction: 0.7}`",
        "input: [6, 8]\nlayers:\n  - rotary: {heads: 2, fraction: 0.7}\n",
        "rotary(input) 6@8",
    ),
    "a fraction of a head without a pair": (
        "input: [32, 8]\nlayers:\n  - rotary: {heads: 2, fraction: 0.05}\n",
        "turn 2 of them, `fraction: 0.13`",
        "input: [32, 8]\nlayers:\n  - rotary: {heads: 2, fraction: 0.13}\n",
        "rotary(input) 32@8",
    ),
    "a dropout of 1": (
        "input: [4, 8]\nlayers:\n  - dropout: 1\n",
        "write `dropout: 0.01` for 1 %; with 1 there would be nothing left",
        "input: [4, 8]\nlayers:\n  - dropout: 0.01\n",
        "dropout(input) 4@8",
    ),
    "an instance norm of a vector": (
        "input: [4]\nlayers:\n  - instance_norm\n",
        "use `layer_norm`, which normalises over the channels",
        "input: [4]\nlayers:\n  - layer_norm\n",
        "layer_norm(input) 4",
    ),
    "an instance norm of one position": (
        "input: [4, 1, 1]\nlayers:\n  - instance_norm\n",
        "use `layer_norm`, which normalises over the channels",
        "input: [4, 1, 1]\nlayers:\n  - layer_norm\n",
        "layer_norm(input) 4@1×1",
    ),
    "a window of local contrast without a middle": (
        "input: [3, 8, 8]\nlayers:\n  - local_contrast_norm: 8\n",
        "use `local_contrast_norm: 9`",
        "input: [3, 8, 8]\nlayers:\n  - local_contrast_norm: 9\n",
        "local_contrast_norm(input) 3@8×8",
    ),
    "a sample of two types": (
        "input: [4]\nlayers:\n  - dense: 2\n    name: mean\n  - dense: 3\n    name: spread\n    from: input\n"
        "  - sample: null\n    from: [mean, spread]\n",
        "give both one type; a layer that makes 2 channels: `dense: 2`",
        "input: [4]\nlayers:\n  - dense: 2\n    name: mean\n  - dense: 2\n    name: spread\n    from: input\n"
        "  - sample: null\n    from: [mean, spread]\n",
        "sample(mean, spread) 2",
    ),
    "ragged lists of a constant": (
        "input: [4, 8]\nlayers:\n  - constant: [[1, 2], [3]]\n    name: c\n",
        "give each list as many values as the ones beside it",
        "input: [4, 8]\nlayers:\n  - constant: [[1, 2], [3, 0]]\n    name: c\n",
        "constant(input) 2@2",
    ),
    "an endless constant": (
        "input: [4, 8]\nlayers:\n  - constant: [.inf]\n",
        "write a finite number; the largest float32 is 3.4e38",
        "input: [4, 8]\nlayers:\n  - constant: [3.4e38]\n",
        "constant(input) 1",
    ),
    "a misspelt activation in a parameter": (
        "params: {act: rleu}\ninput: [4, 8]\nlayers:\n  - activation: $act\n",
        "did you mean `relu`?",
        "params: {act: relu}\ninput: [4, 8]\nlayers:\n  - activation: $act\n",
        "relu(input) 4@8",
    ),
    "the vocabulary in an embedding": (
        "input: {shape: [8], vocabulary: 50}\nlayers:\n  - embedding: [50, 8]\n",
        "write `8`: only the size of the output is stated, and the input has its own",
        "input: {shape: [8], vocabulary: 50}\nlayers:\n  - embedding: 8\n",
        "embedding(input) 8@8",
    ),
    "a part as in Python": (
        "input: [8, 4]\nlayers:\n  - slice: '2:5'\n",
        "write `slice: {start: 2, stop: 5}`, and `axis` unless the channels are meant",
        "input: [8, 4]\nlayers:\n  - slice: {start: 2, stop: 5}\n",
        "slice(input) 3@4",
    ),
    "a state of a layer that is left out": (
        "input: [4, 8]\nlayers:\n  - gru: 4\n    name: e\n  - gru: 4\n    when: false\n    name: r\n"
        "  - dense: 3\n    from: r.state\n",
        "take it only in items with the same condition, or write `e.state`, which stays",
        "input: [4, 8]\nlayers:\n  - gru: 4\n    name: e\n  - gru: 4\n    when: false\n    name: r\n"
        "  - dense: 3\n    from: e.state\n",
        "dense(e.state) 3",
    ),
    "the positions of a pool that is left out": (
        "input: [4, 8, 8]\nlayers:\n  - max_pool: 2\n  - max_pool: 2\n    repeat: 0\n    name: q\n"
        "  - max_unpool:\n    from: [max_pool1, q.indices]\n",
        "take it only in items with the same condition, or write `max_pool1.indices`, which stays",
        "input: [4, 8, 8]\nlayers:\n  - max_pool: 2\n  - max_pool: 2\n    repeat: 0\n    name: q\n"
        "  - max_unpool:\n    from: [max_pool1, max_pool1.indices]\n",
        "max_unpool(max_pool1, max_pool1.indices) 4@8×8",
    ),
    "the first part of a split that is left out": (
        "input: [4, 8]\nlayers:\n  - split: [a, b]\n    name: s\n  - split: [a, b]\n    name: t\n    when: false\n"
        "  - add:\n    from: [t.a, s.b]\n",
        "take it only in items with the same condition, or write `s.a`, which stays",
        "input: [4, 8]\nlayers:\n  - split: [a, b]\n    name: s\n  - split: [a, b]\n    name: t\n    when: false\n"
        "  - add:\n    from: [s.a, s.b]\n",
        "add(s, s.b) 2@8",
    ),
    "a state of a repeat without a repetition": (
        "input: [4, 8]\nlayers:\n  - gru: 4\n  - gru: 4\n    repeat: 2\n    when: false\n    name: r\n"
        "  - dense: 3\n    from: r.state\n",
        "take it only in items with the same condition, or write `gru1.state`, which stays",
        "input: [4, 8]\nlayers:\n  - gru: 4\n  - gru: 4\n    repeat: 2\n    when: false\n    name: r\n"
        "  - dense: 3\n    from: gru1.state\n",
        "dense(gru1.state) 3",
    ),
    "a state of a group with nothing in it": (
        "input: [4, 8]\nlayers:\n  - relu\n  - layers: [{gru: 4, when: false}]\n    name: g\n"
        "  - dense: 3\n    from: g.state\n",
        "take it only in items with the same condition, or name a layer that stays",
        "input: [4, 8]\nlayers:\n  - relu\n  - layers: [{gru: 4, when: true}]\n    name: g\n"
        "  - dense: 3\n    from: g.state\n",
        "dense(g.gru1.state) 3",
    ),
    "lengths twice": (
        "inputs: {x: [4, 8], n: {shape: [], vocabulary: 9}}\nlayers:\n  - gru: 4\n    from: [n, x, n]\n",
        "keep one of each: `from` names `sequence`, then `lengths`",
        "inputs: {x: [4, 8], n: {shape: [], vocabulary: 9}}\nlayers:\n  - gru: 4\n    from: [x, n]\n",
        "gru(x, n) 4@8",
    ),
    "indices before a state": (
        "inputs: {x: {shape: [8], vocabulary: 7}, h: [4]}\nlayers:\n  - gru: 4\n    from: [x, h]\n",
        "put `embedding: …` or `one_hot` before it, or remove `vocabulary` from the input if it holds numbers",
        "inputs: {x: {shape: [8], vocabulary: 7}, h: [4]}\nlayers:\n  - embedding: 3\n    from: x\n    name: e\n"
        "  - gru: 4\n    from: [e, h]\n",
        "gru(e, h) 4@8",
    ),
    "a count of calls inside the block": (
        "blocks:\n  u:\n    layers:\n      - dense: ${u.count + 1}\ninput: [4]\nlayers: [u, u]\n",
        'give `u` a parameter, `params: {number: "${u.count}"}`, and use `${number}`: a default value counts where `u` '
        "is called",
        'blocks:\n  u:\n    params: {number: "${u.count}"}\n    layers:\n      - dense: ${number + 1}\ninput: [4]\n'
        "layers: [u, u]\n",
        "dense(u1.dense1) 2",
    ),
    "a count of calls that stand in another block": (
        "blocks:\n  v: {layers: [dense: 4]}\n  u: {layers: [v, v]}\ninput: [4]\nlayers:\n  - u\n  - u\n"
        "  - dense: ${v.count}\n",
        "it can count `u`",
        "blocks:\n  v: {layers: [dense: 4]}\n  u: {layers: [v, v]}\ninput: [4]\nlayers:\n  - u\n  - u\n"
        "  - dense: ${u.count}\n",
        "dense(u2.v2.dense1) 2",
    ),
    "a count of calls of another block inside a block": (
        "blocks:\n  u: {layers: [dense: 4]}\n  v: {layers: [{dense: '${u.count + 1}'}]}\ninput: [4]\n"
        "layers: [u, u, v]\n",
        'give `v` a parameter, `params: {number: "${u.count}"}`, and use `${number}`: a default value counts where `v` '
        "is called",
        "blocks:\n  u: {layers: [dense: 4]}\n  v:\n    params: {number: '${u.count}'}\n"
        "    layers: [{dense: '${number + 1}'}]\ninput: [4]\nlayers: [u, u, v]\n",
        "dense(u2.dense1) 3",
    ),
    "a count of calls that no item makes": (
        "blocks: {u: {layers: [dense: 4]}}\ninput: [4]\nlayers:\n  - dense: ${u.count + 1}\n",
        "call `u` here, or write the number",
        "blocks: {u: {layers: [dense: 4]}}\ninput: [4]\nlayers:\n  - u\n  - dense: ${u.count + 1}\n",
        "dense(u1.dense1) 2",
    ),
    "an item with an expression on one line without braces": (
        "params: {a: 3}\ninput: [4, 8]\nlayers:\n  - dense: ${a}, name: q\n",
        'write `- {dense: "${a}", name: q}`, or each key on its own line',
        'params: {a: 3}\ninput: [4, 8]\nlayers:\n  - {dense: "${a}", name: q}\n',
        "dense(input) 3@8",
    ),
    "an item with an expression that has quotes, on one line": (
        "params: {a: x}\ninput: [4, 8]\nlayers:\n  - dense: ${3 if a == \"x\" else 2}, name: 'q' # a, b: c\n",
        "write `- {dense: '${3 if a == \"x\" else 2}', name: 'q'}`, or each key on its own line",
        "params: {a: x}\ninput: [4, 8]\nlayers:\n  - {dense: '${3 if a == \"x\" else 2}', name: 'q'} # a, b: c\n",
        "dense(input) 3@8",
    ),
    "an item on one line that needs more than braces": (
        "params: {a: 3}\ninput: [4, 8]\nlayers:\n  - dense: 2 * ${a}, name: q\n",
        "write each key on its own line",
        "params: {a: 3}\ninput: [4, 8]\nlayers:\n  - dense: ${2 * a}\n    name: q\n",
        "dense(input) 6@8",
    ),
    "a sign before a value, with a comment": (
        "input: [4, 8]\nlayers:\n  - dense: @x  # one, two: three\n",
        "put the value in quotes",
        "input: [4, 8]\nlayers:\n  - dense: 3  # one, two: three\n",
        "dense(input) 3@8",
    ),
    "a second colon on a line, with a comment": (
        "input: [4, 8]\nlayers:\n  - dense: units: 3  # see a, b: c\n",
        'write `"units: 3"`, or put the inner key on its own line',
        "input: [4, 8]\nlayers:\n  - dense:\n      units: 3  # see a, b: c\n",
        "dense(input) 3@8",
    ),
    "a calculation around an expression": (
        'params: {a: 3}\ninput: [4, 8]\nlayers:\n  - dense: "max(${a}, 2)"\n',
        "put the whole calculation inside one pair of braces",
        'params: {a: 3}\ninput: [4, 8]\nlayers:\n  - dense: "${max(a, 2)}"\n',
        "dense(input) 3@8",
    ),
    "a calculation before an expression": (
        'params: {a: 3}\ninput: [4, 8]\nlayers:\n  - dense: "in.channels * ${a}"\n',
        "put the whole calculation inside one pair of braces",
        'params: {a: 3}\ninput: [4, 8]\nlayers:\n  - dense: "${in.channels * a}"\n',
        "dense(input) 12@8",
    ),
    "a factor before an expression": (
        'params: {a: 3}\ninput: [4, 8]\nlayers:\n  - dense: "2${a}"\n',
        "put the whole calculation inside one pair of braces",
        'params: {a: 3}\ninput: [4, 8]\nlayers:\n  - dense: "${2 * a}"\n',
        "dense(input) 6@8",
    ),
    "a name like a size inside of a path": (
        "input: [4, 8]\nlayers:\n  - layers: [{relu: , name: x}]\n    name: c\n  - dense: 3\n    from: c.time.x\n",
        "it contains x",
        "input: [4, 8]\nlayers:\n  - layers: [{relu: , name: x}]\n    name: c\n  - dense: 3\n    from: c.x\n",
        "dense(c.x) 3@8",
    ),
    "an item on one line without braces": (
        "input: [4, 8]\nlayers:\n  - relu:\n    name: p\n  - add: , from: [p, input]\n",
        "write `- {add: , from: [p, input]}`, or each key on its own line",
        "input: [4, 8]\nlayers:\n  - relu:\n    name: p\n  - {add: , from: [p, input]}\n",
        "add(p, input) 4@8",
    ),
    "an item with fields on one line without braces": (
        "input: [4, 8]\nlayers:\n  - conv: {filters: 2, kernel: 1}, name: g\n",
        "write `- {conv: {filters: 2, kernel: 1}, name: g}`, or each key on its own line",
        "input: [4, 8]\nlayers:\n  - {conv: {filters: 2, kernel: 1}, name: g}\n",
        "conv(input) 2@8",
    ),
    "a dash for the identity in brackets": (
        "input: [4, 8]\nlayers:\n  - relu\n  - add: [input, -]\n",
        "write `[]` for the identity: an empty branch",
        "input: [4, 8]\nlayers:\n  - relu\n  - add: [input, []]\n",
        "add(input, relu1) 4@8",
    ),
    "an activation without a value": (
        "input: [4, 8]\nlayers:\n  - activation\n",
        "write `activation: …` with the value",
        "input: [4, 8]\nlayers:\n  - activation: relu\n",
        "relu(input) 4@8",
    ),
    "an unknown activation in a parameter": (
        "params: {act: bend}\ninput: [4, 8]\nlayers:\n  - activation: $act\n",
        "the known ones are `relu`, `leaky_relu`, `relu6`, `elu`, `selu`, `silu`, `swish`, `mish`, `gelu`, "
        "`hard_sigmoid`, `hard_swish`, `softplus`, `sigmoid`, `tanh`, `softmax`, `log_softmax`, `exp`, "
        "`square`, `abs`, `clip`, `step`, `prelu`, `none`",
        "params: {act: mish}\ninput: [4, 8]\nlayers:\n  - activation: $act\n",
        "mish(input) 4@8",
    ),
    "a head that is a layer": (
        "input: [4, 8]\nlayers:\n  - relu:\n    name: mean\n  - tanh\nheads: {mean: {from: mean}}\n",
        "write `mean` for that layer itself, or add `layers: …`",
        "input: [4, 8]\nlayers:\n  - relu:\n    name: mean\n  - tanh\nheads: {mean: mean}\n",
        "tanh(mean) 4@8",
    ),
    "a row of a table as a number": (
        "params: {rows: [[8, 2], [4, 3]]}\ninput: [4, 8]\nlayers:\n  - dense: ${rows[1]}\n",
        "it is a list: take one of its values, such as `${rows[1][0]}`",
        "params: {rows: [[8, 2], [4, 3]]}\ninput: [4, 8]\nlayers:\n  - dense: ${rows[1][0]}\n",
        "dense(input) 4@8",
    ),
    "two indices in one pair of brackets": (
        "params: {rows: [[8, 2], [4, 3]]}\ninput: [4, 8]\nlayers:\n  - dense: ${1 + rows[1, 0]}\n",
        "write `rows[1][0]`, with brackets for each index",
        "params: {rows: [[8, 2], [4, 3]]}\ninput: [4, 8]\nlayers:\n  - dense: ${1 + rows[1][0]}\n",
        "dense(input) 5@8",
    ),
    "a size in place of a layer": (
        "input: [4, 8]\nlayers:\n  - max_pool: 2\n  - pad: {like: input.time}\n",
        "a size is a number, `${input.time}`; write `input` for the layer, also for its sizes in `like`",
        "input: [4, 8]\nlayers:\n  - max_pool: 2\n  - pad: {like: input}\n",
        "pad(max_pool1) 4@8",
    ),
    "a layer in place of a factor": (
        "input: [4, 8]\nlayers:\n  - max_pool: 2\n  - upsample: like input\n",
        "write `upsample: {like: input}` for the sizes of that layer",
        "input: [4, 8]\nlayers:\n  - max_pool: 2\n  - upsample: {like: input}\n",
        "upsample(max_pool1) 4@8",
    ),
    "the number of a repetition after its repeat": (
        "input: [4, 8]\nlayers:\n  - dense: ${index + 1}\n    repeat: 3\n    name: stage\n"
        "  - dense: ${stage.index + 1}\n",
        "`stage` has a number only for the items in it; for the number of its repetitions, use a parameter",
        "params: {n: 3}\ninput: [4, 8]\nlayers:\n  - dense: ${index + 1}\n    repeat: $n\n    name: stage\n"
        "  - dense: $n\n",
        "dense(stage.2) 3@8",
    ),
    "the number of a repetition in a block": (
        "blocks:\n  u:\n    layers: [{dense: '${stage.index + 1}'}]\ninput: [4, 8]\nlayers:\n"
        "  - u:\n    repeat: 3\n    name: stage\n",
        "a block sees no repeat of its caller: give it a parameter, such as `n`, and pass the number in the call: "
        '`n: "${stage.index}"`',
        "blocks:\n  u:\n    params: {n: }\n    layers: [{dense: '${n + 1}'}]\ninput: [4, 8]\nlayers:\n"
        '  - u: {n: "${stage.index}"}\n    repeat: 3\n    name: stage\n',
        "dense(stage.1.dense1) 3@8",
    ),
    "every repetition where one is measured": (
        "input: [4, 8]\nlayers:\n  - relu:\n    repeat: 2\n    name: r\n  - dense: ${r.*.time}\n",
        "one repetition has a size: write its number from 0 in place of `*`",
        "input: [4, 8]\nlayers:\n  - relu:\n    repeat: 2\n    name: r\n  - dense: ${r.1.time}\n",
        "dense(r.1) 8@8",
    ),
    "another item for a layer of several inputs": (
        "params: {short: false}\ninputs: {x: [4, 8], h: [4]}\nlayers:\n  - gru: 4\n    from: [x, h]\n"
        "    when: $short\n    else: [{dense: 3}]\n",
        "write them as an item of its own, `layers: […]`, with its own `from` and the opposite condition, "
        '`when: "${not (short)}"`',
        "params: {short: false}\ninputs: {x: [4, 8], h: [4]}\nlayers:\n  - gru: 4\n    from: [x, h]\n"
        '    when: $short\n  - layers: [{dense: 3}]\n    from: x\n    when: "${not (short)}"\n',
        "dense(x) 3@8",
    ),
    "an input of an op by the name of its tensor": (
        "inputs: {x: [4, 8], h: [4]}\nlayers:\n  - gru: 4\n    from: [x, h]\n    repeat: 2\n"
        "    carry: {h: state}\n",
        "write `state`: the inputs of `gru` are `sequence`, `state`, `lengths`, whatever tensors they get",
        "inputs: {x: [4, 8], h: [4]}\nlayers:\n  - gru: 4\n    from: [x, h]\n    repeat: 2\n"
        "    carry: {state: state}\n",
        "gru(gru1.0, gru1.0.state) 4@8",
    ),
    "an output of another type that goes round": (
        "inputs: {x: [4, 8], h: [4]}\nlayers:\n  - gru: 4\n    from: [x, h]\n    repeat: 2\n"
        "    carry: {state: output}\n",
        "write `state`, which is 4",
        "inputs: {x: [4, 8], h: [4]}\nlayers:\n  - gru: 4\n    from: [x, h]\n    repeat: 2\n"
        "    carry: {state: state}\n",
        "gru(gru1.0, gru1.0.state) 4@8",
    ),
    "an output by its own name": (
        "input: [4, 8]\nlayers:\n  - split: [a, b]\n    name: p\n  - relu:\n    from: b\n",
        "it is an output of a layer: write `p.b`",
        "input: [4, 8]\nlayers:\n  - split: [a, b]\n    name: p\n  - relu:\n    from: p.b\n",
        "relu(p.b) 2@8",
    ),
    "an output of a block that is an output of a layer in it": (
        "blocks:\n  c: {inputs: [x, h], outputs: [y, state], layers: [{gru: 4, name: y, from: [x, h]}]}\n"
        "inputs: {x: [4, 8], h: [4]}\nlayers:\n  - c:\n    from: [x, h]\n    repeat: 2\n    carry: {h: state}\n",
        "it is an output of a layer: write `y.state`",
        "blocks:\n  c: {inputs: [x, h], outputs: [y, y.state], layers: [{gru: 4, name: y, from: [x, h]}]}\n"
        "inputs: {x: [4, 8], h: [4]}\nlayers:\n  - c:\n    from: [x, h]\n    repeat: 2\n    carry: {h: state}\n",
        "gru(c1.0.y, c1.0.y.state) 4@8",
    ),
    "outputs of a block with a name each": (
        "blocks:\n  c: {outputs: {y: y, state: y.state}, layers: [{gru: 4, name: y}]}\ninput: [4, 8]\nlayers:\n"
        "  - c:\n    name: e\n  - dense: 2\n    from: e.state\n",
        "write `[y, y.state]`: the last part of a path is the name of the output",
        "blocks:\n  c: {outputs: [y, y.state], layers: [{gru: 4, name: y}]}\ninput: [4, 8]\nlayers:\n"
        "  - c:\n    name: e\n  - dense: 2\n    from: e.state\n",
        "dense(e.y.state) 2",
    ),
    "inputs of a block with sizes": (
        "blocks:\n  c: {inputs: {x: [4, 8], h: [4]}, layers: [{gru: 4, from: [x, h]}]}\ninputs: {a: [4, 8], b: [4]}\n"
        "layers:\n  - c:\n    from: [a, b]\n    repeat: 2\n    carry: {h: h}\n",
        "write `[x, h]`",
        "blocks:\n  c: {inputs: [x, h], layers: [{gru: 4, from: [x, h]}]}\ninputs: {a: [4, 8], b: [4]}\n"
        "layers:\n  - c:\n    from: [a, b]\n    repeat: 2\n    carry: {h: h}\n",
        "gru(c1.0.gru1, b) 4@8",
    ),
    "what goes round among the fields": (
        "inputs: {x: [4, 8], h: [4]}\nlayers:\n  - gru: {units: 4, carry: {state: state}}\n    from: [x, h]\n"
        "    repeat: 2\n    carry: {state: state}\n",
        "write it beside the op, in its own line below the dash, not among the fields of the op",
        "inputs: {x: [4, 8], h: [4]}\nlayers:\n  - gru: {units: 4}\n    from: [x, h]\n    repeat: 2\n"
        "    carry: {state: state}\n",
        "gru(gru1.0, gru1.0.state) 4@8",
    ),
    "the sizes of parts beside their names": (
        "input: [4, 8]\nlayers:\n  - split: {parts: [a, b], sizes: [1, 3]}\n",
        "put each size into `parts`, with the name of its part: `parts: {a: 1, b: 3}`",
        "input: [4, 8]\nlayers:\n  - split: {parts: {a: 1, b: 3}}\n",
        "split(input) 1@8",
    ),
    "a misspelt size of a layer": (
        "input: [4, 8]\nlayers:\n  - relu:\n    name: a\n  - dense: ${a.chanels}\n",
        "did you mean `a.channels`?",
        "input: [4, 8]\nlayers:\n  - relu:\n    name: a\n  - dense: ${a.channels}\n",
        "dense(a) 4@8",
    ),
    "the filters of a layer": (
        "input: [4, 8]\nlayers:\n  - relu:\n    name: a\n  - dense: ${a.filters + 1}\n",
        "write `a.channels`: this is the name in netspec",
        "input: [4, 8]\nlayers:\n  - relu:\n    name: a\n  - dense: ${a.channels + 1}\n",
        "dense(a) 5@8",
    ),
    "the shape of a layer": (
        "input: [4, 8]\nlayers:\n  - relu:\n    name: a\n  - dense: ${a.shape}\n",
        "each size has a name: `a.channels`, `a.height`, `a.width`, `a.time`",
        "input: [4, 8]\nlayers:\n  - relu:\n    name: a\n  - dense: ${a.time}\n",
        "dense(a) 8@8",
    ),
    "a repetition in brackets": (
        "input: [4, 8]\nlayers:\n  - relu:\n    name: r\n    repeat: 2\n  - dense: ${r[1].channels}\n",
        "write `r.1.channels` for a repetition",
        "input: [4, 8]\nlayers:\n  - relu:\n    name: r\n    repeat: 2\n  - dense: ${r.1.channels}\n",
        "dense(r.1) 4@8",
    ),
    "a size of a block": (
        "blocks: {u: {layers: [{dense: '${block.channels + 1}'}]}}\ninput: [4, 8]\nlayers: [u]\n",
        "write `block.in.channels` for the first input of the block",
        "blocks: {u: {layers: [{dense: '${block.in.channels + 1}'}]}}\ninput: [4, 8]\nlayers: [u]\n",
        "dense(input) 5@8",
    ),
    "the number of a call as that of a repetition": (
        "blocks: {u: {params: {n: }, layers: [{dense: $n}]}}\ninput: [4, 8]\nlayers: [{u: '${u.index + 1}'}]\n",
        "write `u.count` for the number of its calls so far; a repeat needs a name of its own",
        "blocks: {u: {params: {n: }, layers: [{dense: $n}]}}\ninput: [4, 8]\nlayers: [{u: '${u.count + 1}'}]\n",
        "dense(input) 1@8",
    ),
    "a name that is put together": (
        "params: {n: 2}\ninput: [4, 8]\nlayers:\n  - relu:\n    name: a1\n  - tanh:\n    name: a2\n"
        "  - dense: 3\n    from: a${n}\n",
        "words are not joined: list the whole words in a parameter, `params: {words: [a1, a2]}`, and choose one: "
        "`${words[0]}`",
        "params: {n: 2, words: [a1, a2]}\ninput: [4, 8]\nlayers:\n  - relu:\n    name: a1\n  - tanh:\n    name: a2\n"
        "  - dense: 3\n    from: ${words[n - 1]}\n",
        "dense(a2) 3@8",
    ),
    "a name with a parameter in it": (
        "params: {n: 2}\ninput: [4, 8]\nlayers:\n  - relu:\n    name: a$n\n  - dense: 3\n",
        "words are not joined: list the whole words in a parameter, `params: {words: [a1, a2]}`, and choose one: "
        "`${words[0]}`",
        "params: {words: [a1, a2]}\ninput: [4, 8]\nlayers:\n  - relu:\n    name: ${words[0]}\n  - dense: 3\n",
        "dense(a1) 3@8",
    ),
    "a layer in place of a number": (
        "input: [4, 8]\nlayers:\n  - relu:\n    name: a\n  - dense: ${a}\n",
        "declare it under `params`: `params: {a: 1}`; of a layer, name a size: `a.channels`",
        "input: [4, 8]\nlayers:\n  - relu:\n    name: a\n  - dense: ${a.channels}\n",
        "dense(a) 4@8",
    ),
    "too many levels of a block in itself": (
        "blocks: {h: {params: {d: }, layers: [relu, {h: '${d - 1}', when: '${d > 1}'}]}}\ninput: [4, 8]\n"
        "layers: [{h: 70}]\n",
        "start with fewer levels, or let it end: `d: ${d - 1}` in this call, and `when: ${d > 1}` beside it, where `d` "
        "is a number",
        "blocks: {h: {params: {d: }, layers: [relu, {h: '${d - 1}', when: '${d > 1}'}]}}\ninput: [4, 8]\n"
        "layers: [{h: 2}]\n",
        "relu(h1.relu1) 4@8",
    ),
    "the weights of a repeat": (
        "input: [4, 8]\nlayers:\n  - dense: 4\n    repeat: 2\n    name: d\n  - dense: 4\n    share: d\n",
        "write `d.0` for its first repetition",
        "input: [4, 8]\nlayers:\n  - dense: 4\n    repeat: 2\n    name: d\n  - dense: 4\n    share: d.0\n",
        "dense(d.1) 4@8",
    ),
    "the weights of repeated calls": (
        "blocks: {u: {layers: [{dense: 4}]}}\ninput: [4, 8]\nlayers:\n  - u:\n    repeat: 2\n    name: d\n"
        "  - u:\n    share: d\n",
        "write `d.0` for its first repetition",
        "blocks: {u: {layers: [{dense: 4}]}}\ninput: [4, 8]\nlayers:\n  - u:\n    repeat: 2\n    name: d\n"
        "  - u:\n    share: d.0\n",
        "dense(d.1.dense1) 4@8",
    ),
    "a source of its own as a branch": (
        "input: [4, 8]\nlayers:\n  - add:\n      - - tanh\n      - from: input\n",
        "write `input`: the name of a layer is a branch by itself",
        "input: [4, 8]\nlayers:\n  - add:\n      - - tanh\n      - input\n",
        "add(tanh1, input) 4@8",
    ),
    "a source among the fields of a merge": (
        "input: [4, 8]\nlayers:\n  - concat: {axis: time, from: [input, input]}\n",
        "write it beside the op, in its own line below the dash, not among the fields of the op",
        "input: [4, 8]\nlayers:\n  - concat: {axis: time}\n    from: [input, input]\n",
        "concat(input, input) 4@16",
    ),
    "repetitions that are left out": (
        "params: {n: 0}\ninput: [4, 8]\nlayers:\n  - dense: 3\n    repeat: $n\n    name: a\n  - concat:\n"
        "    from: [a.*, input]\n",
        "take them only in items with the same condition",
        "params: {n: 0}\ninput: [4, 8]\nlayers:\n  - dense: 3\n    repeat: $n\n    name: a\n  - concat:\n"
        "    from: [a.*, input]\n    when: ${n > 0}\n  - relu\n",
        "relu(input) 4@8",
    ),
    "a parameter of a block beside its call": (
        "blocks: {u: {params: {f: , act: relu}, layers: [{dense: $f}, {activation: $act}]}}\ninput: [4, 8]\nlayers:\n"
        "  - u: 3\n    act: tanh\n",
        "for a parameter of `u`, write all of them in braces after it, `u: {…, act: …}`; else write an item for each, "
        "with its own dash: `- u` and `- act`",
        "blocks: {u: {params: {f: , act: relu}, layers: [{dense: $f}, {activation: $act}]}}\ninput: [4, 8]\nlayers:\n"
        "  - u: {f: 3, act: tanh}\n",
        "tanh(u1.dense1) 3@8",
    ),
    "a state that is taken with the same condition": (
        "params: {s: false}\ninput: [4, 8]\nlayers:\n  - gru: 4\n    name: r\n    when: $s\n  - dense: 3\n"
        "    from: r.state\n  - relu\n",
        "take it only in items with the same condition, or name a layer that stays",
        "params: {s: false}\ninput: [4, 8]\nlayers:\n  - gru: 4\n    name: r\n    when: $s\n  - dense: 3\n"
        "    from: r.state\n    when: $s\n  - relu\n",
        "relu(input) 4@8",
    ),
    "an activation behind a key": (
        "input: [3, 4]\nlayers:\n  - activation: {type: prelu}\n",
        "write `prelu`: no key stands before the name",
        "input: [3, 4]\nlayers:\n  - activation: prelu\n",
        "prelu(input) 3@4",
    ),
    "an activation with fields behind a key": (
        "input: [3, 4]\nlayers:\n  - activation: {type: {elu: 2}}\n",
        "put `elu: …` here, without `type`: no key stands before the name",
        "input: [3, 4]\nlayers:\n  - activation: {elu: 2}\n",
        "elu(input) 3@4",
    ),
    "an activation of a layer behind a key, with its fields": (
        "input: [3, 4]\nlayers:\n  - dense: {units: 5, activation: {type: LeakyReLU, slope: 0.2}}\n",
        "write `{leaky_relu: {slope: 0.2}}`: no key stands before the name",
        "input: [3, 4]\nlayers:\n  - dense: {units: 5, activation: {leaky_relu: {slope: 0.2}}}\n",
        "dense(input) 5@4",
    ),
    "an activation with weights behind a key": (
        "input: [3, 4]\nlayers:\n  - dense: {units: 5, activation: {function: prelu}}\n",
        "put `- prelu` after the layer: it has weights, so it is a separate layer",
        "input: [3, 4]\nlayers:\n  - dense: 5\n  - prelu\n",
        "prelu(dense1) 5@4",
    ),
    "an initialiser behind a key": (
        "input: [3, 4]\nlayers:\n  - dense: {units: 5, init: {type: normal, std: 0.1}}\n",
        "write `{normal: {std: 0.1}}`: no key stands before the name",
        "input: [3, 4]\nlayers:\n  - dense: {units: 5, init: {normal: {std: 0.1}}}\n",
        "dense(input) 5@4",
    ),
    "a part as a list": (
        "input: [8, 4]\nlayers:\n  - slice: [0, 6, 2]\n",
        "write `slice: {start: 0, stop: 6, step: 2}`, and `axis` unless the channels are meant",
        "input: [8, 4]\nlayers:\n  - slice: {start: 0, stop: 6, step: 2}\n",
        "slice(input) 3@4",
    ),
}


@pytest.mark.parametrize("slip", ADVICE)
def test_advice_leads_to_the_network_that_is_meant(slip: str) -> None:
    start = "netspec: 1\nname: a\n"
    written, help_, right, last = ADVICE[slip]
    found = [each for each in check_text(start + written, FILE)[1] if each.severity == "error"]
    assert [each.help for each in found] == [help_], as_text(found)
    graph, left = check_text(start + right, FILE)
    assert graph is not None, as_text(left)
    node = graph.nodes[-1]
    assert f"{node.op.keyword}({', '.join(node.inputs)}) {node.output}" == last


# Specs about which a warning says what is used of a layer or an input, and the same after its advice.
ONLY_A_PART_IS_USED = {
    "the sizes of an input, by like": (
        "inputs: {x: [4, 8], y: [4, 9]}\nlayers:\n  - pad: {like: y}\n    from: x\n",
        "only its sizes",
        "take it with `from`, or write the sizes as numbers and remove it",
        "inputs: {x: [4, 8]}\nlayers:\n  - pad: {size: 9}\n    from: x\n",
    ),
    "the sizes of an input, in an expression": (
        "inputs: {x: [4, 8], y: [4, 9]}\nlayers:\n  - dense: ${y.time}\n    from: x\n",
        "only its sizes",
        "take it with `from`, or write the sizes as numbers and remove it",
        "inputs: {x: [4, 8]}\nlayers:\n  - dense: 9\n    from: x\n",
    ),
    "the sizes of a layer": (
        "input: [4, 8]\nlayers:\n  - max_pool: 2\n    name: p\n  - dense: ${p.time}\n    from: input\n",
        "only its sizes",
        "take it with `from`, make it a head, or write the sizes as numbers and remove the layer",
        "input: [4, 8]\nlayers:\n  - dense: 4\n    from: input\n",
    ),
    "the weights of a layer": (
        "input: [4, 8]\nlayers:\n  - dense: 4\n    name: d\n  - dense: 4\n    from: input\n    share: d\n",
        "only its weights",
        "take it with `from`, make it a head, or remove the layer and the `share` that names it",
        "input: [4, 8]\nlayers:\n  - dense: 4\n    from: input\n",
    ),
}


@pytest.mark.parametrize("case", ONLY_A_PART_IS_USED)
def test_a_warning_says_what_is_used(case: str) -> None:
    start = "netspec: 1\nname: a\n"
    written, part, help_, right = ONLY_A_PART_IS_USED[case]
    (found,) = check_text(start + written, FILE)[1]
    assert (found.severity, found.help) == ("warning", help_)
    assert part in found.message
    assert check_text(start + right, FILE)[1] == []
