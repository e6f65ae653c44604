"""Blocks that call themselves until a parameter ends it, and those that do not end."""

from __future__ import annotations

import pytest

from tests.language.author import graph_of, hold_refusals, names_of


def test_a_block_calls_itself_until_when_ends_it() -> None:
    graph = graph_of(
        """
        blocks: {u: {params: {depth: 3}, layers: [relu, {u: "${depth - 1}", when: "${depth > 1}"}, tanh]}}
        layers: [u]
        """
    )
    inner = "u1.u1.u1"
    assert names_of(graph) == [
        *("u1.relu1", "u1.u1.relu1", f"{inner}.relu1"),
        *(f"{inner}.tanh1", "u1.u1.tanh1", "u1.tanh1"),
    ]


ENDS = {
    "a group": '{layers: [{u: "${n - 1}"}], when: "${n > 1}"}',
    "else": '{relu: , when: "${n == 1}", else: [{u: "${n - 1}"}]}',
    "repeat": '{u: "${n - 1}", repeat: "${n - 1}"}',
    "a branch": '{add: [[], [{u: "${n - 1}", when: "${n > 1}"}]]}',
    "sizes": '{layers: [{max_pool: 2}, u, {upsample: 2}], when: "${in.height > 2}"}',
    "never": "{u: , when: false}",
    "another block": '{v: "${n - 1}"}',
}


@pytest.mark.parametrize("call", ENDS.values(), ids=ENDS)
def test_it_ends_in_many_ways(call: str) -> None:
    other = 'v: {params: {n: }, layers: [{u: $n, when: "${n > 0}"}]}'
    graph = graph_of(f"blocks: {{u: {{params: {{n: 2}}, layers: [tanh, {call}]}}, {other}}}\nlayers: [u]")
    assert "u1.tanh1" in names_of(graph)


def test_two_calls_at_each_level_make_a_tree() -> None:
    call = '{u: "${n - 1}", when: "${n > 1}"}'
    graph = graph_of(
        f"blocks: {{u: {{params: {{n: }}, layers: [{call}, relu, {call}]}}}}\nlayers: [{{u: 4}}]"
    )
    assert len(names_of(graph)) == 15


def test_a_call_that_repeats_one_around_it_does_not_end() -> None:
    text = "blocks: {{u: {{params: {{n: 2}}, layers: [relu, {}]}}}}\nlayers: [u]"
    (found,) = hold_refusals(
        text.format('{«u»: "${n}", when: "${n > 0}"}'),
        ("NS0111", "calls itself with the same parameters and the same input: it does not end"),
    )
    assert found.help is not None
    assert "`n: ${n - 1}`" in found.help
    (found,) = hold_refusals(
        text.format('{«u»: "${n - 1}", when: "${n != 0.5}"}'),
        ("NS0111", "64 deep, which is the limit"),
    )
    assert found.notes == ("`n` is 2, 1, 0, −1, …",)
    hold_refusals(
        "blocks: {u: {params: {n: 2}, layers: [relu, {v: $n, when: '${n > 0}'}]}, "
        "v: {params: {n: }, layers: [{«u»: $n}]}}\nlayers: [u]",
        ("NS0111", "the block `u` calls itself with the same parameters"),
    )


def test_the_first_error_ends_a_recursion_whose_input_is_missing() -> None:
    hold_refusals(
        """
        blocks: {u: {params: {n: 9}, layers: [{max_pool: «2»}, {u: "${n - 1}", when: "${n > 1}"}]}}
        layers: [u]
        """,
        ("NS0301", "does not fit"),
    )


def test_a_recursion_that_doubles_is_too_large() -> None:
    call = '{u: "${n - 1}", when: "${n > 1}"}'
    hold_refusals(
        f"blocks: {{u: {{params: {{n: }}, layers: [{call}, {call.replace('u:', '«u»:')}]}}}}\nlayers: [{{u: 30}}]",
        ("NS0119", "with two calls in each block, the items double at every level"),
    )
