"""Every place lies inside its file and starts before it ends, whatever ends the lines and whatever stands in them."""

from __future__ import annotations

import re

import pytest

from netspec.check import check_text
from netspec.diagnostics import Diagnostic

HEAD = "netspec: 1\nname: a\ninput: [4]\n"
SIGNS = ["\u2028", "\u2029", "\x85", "\r", "\r\n", "\t", "名", "\U0001f600", "e\u0301", "\u200b"]

TEXTS = {
    "bare": "layers:\n- dense: {{units: ${{a{0} + b}}}}\n",
    "bare and never closed": "layers:\n- dense: {{units: ${{a{0} + b\n",
    "plain": "layers:\n- dense: ${{a{0} + b}}\n",
    "in quotes": "layers:\n- dense: '${{a{0} + b}}'\n",
    "in a word": "layers: [r{0}elu, {{a{0}b: 1}}]\n",
    "in a name": "layers: [$x{0}y, {{relu: , name: a{0}b, from: c{0}d}}]\n",
    "an open bracket": "layers: [{{dense: $x{0}y]\n",
    "an open quote": "layers: ['a{0}b]\n",
    "a comment": "layers: [relu, # a{0}b: ${{c}}\n foo]\n",
    "a block of text": "description: |\n  a{0}b\nlayers: [foo]\n",
    "a key": "a{0}b: 1\n? c{0}d\n: e{0}\nlayers: [relu]\n",
}


def outside(diagnostic: Diagnostic, text: str) -> bool:
    """Whether a place leaves the text, or ends before it starts."""
    lines = re.split("\r\n|[\n\r\x85\u2028\u2029]", text)
    span = diagnostic.span
    start, end = (span.line, span.column), (span.end_line, span.end_column)
    return not (
        start <= end
        and 1 <= span.line <= span.end_line <= len(lines)
        and 1 <= span.column <= len(lines[span.line - 1]) + 1
        and 1 <= span.end_column <= len(lines[span.end_line - 1]) + 1
    )


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_strange_signs_move_no_place_out_of_its_line(text: str) -> None:
    for sign in SIGNS:
        whole = HEAD + text.format(sign)
        for each in check_text(whole, "a.yaml")[1]:
            assert not outside(each, whole), (sign, each)


@pytest.mark.parametrize(
    "text",
    [
        "layers: [{dense: &q 3}]\nheads:\n  h:\n    layers: [relu]\n    form: *q\nblocks:\n  b:\n    a: *q\n",
        "params: {a: &q [1,\n  2]}\nlayers:\n  - relu:\n    repeat: *q\n  -\n    - *q\n",
        "params: {a: &q 1}\nlayers:\n  - conv:\n      filters: 1\n      kernel: 1\n      foo: *q\n  - a:\n      - *q\n",
    ],
)
def test_what_ends_in_an_alias_ends_there(text: str) -> None:
    found = check_text(HEAD + text, "a.yaml")[1]
    assert found
    for each in found:
        assert not outside(each, HEAD + text), each


def test_a_list_that_ends_in_an_alias_is_marked_as_far_as_that() -> None:
    text = f"{HEAD}params: {{a: &q 1}}\nlayers:\n  - - relu\n    - *q\n"
    (found,) = check_text(text, "a.yaml")[1]
    assert (found.span.line, found.span.column, found.span.end_line, found.span.end_column) == (6, 5, 7, 9)
