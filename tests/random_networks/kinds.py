"""All structures of the language, and how often each is drawn."""

from __future__ import annotations

from tests.random_networks.author import Kind, Kinds
from tests.random_networks.blocks import a_call, a_shared_call, two_inputs
from tests.random_networks.branching import all_repetitions, branches, drawn, join_names, like
from tests.random_networks.carrying import a_carry, a_recursion, counted
from tests.random_networks.layers import a_shared_op, an_op
from tests.random_networks.memories import attended
from tests.random_networks.products import chosen, multiplied
from tests.random_networks.scopes import a_group, a_repeat
from tests.random_networks.sequences import cut_and_joined
from tests.random_networks.states import passed_on
from tests.random_networks.unpooling import pooled_and_back

FLAT: dict[Kind, float] = {
    an_op: 6.0,
    a_shared_op: 1.0,
    join_names: 0.7,
    drawn: 0.3,
    like: 0.4,
    pooled_and_back: 0.3,
    cut_and_joined: 0.3,
    passed_on: 0.3,
    attended: 0.3,
    multiplied: 0.3,
    chosen: 0.2,
}
DEEP: dict[Kind, float] = {
    an_op: 6.0,
    branches: 2.0,
    all_repetitions: 1.5,
    join_names: 0.8,
    drawn: 0.4,
    like: 0.4,
    a_carry: 1.0,
    a_recursion: 0.7,
    counted: 0.5,
    pooled_and_back: 0.7,
    cut_and_joined: 0.7,
    passed_on: 0.6,
    attended: 0.6,
    multiplied: 0.6,
    chosen: 0.4,
    a_group: 1.0,
    a_repeat: 2.0,
    a_call: 3.0,
    two_inputs: 0.5,
    a_shared_op: 1.0,
    a_shared_call: 2.5,
}

KINDS = Kinds(DEEP, FLAT)
