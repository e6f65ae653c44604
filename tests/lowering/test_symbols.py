"""Values that are not computed: what is written down of them, and when two are alike."""

from __future__ import annotations

from typing import Any

import pytest

from netspec.lowering.symbols import InputPlace, LayerObject, NamedValue, Symbol, Undecided, bind, spell

F, X, Y = Symbol("name", "F"), NamedValue("x", (None, 4)), NamedValue("y")


def conv(*arguments: Any, **keywords: Any) -> LayerObject:
    return LayerObject("Conv", arguments, keywords)


def test_what_is_done_is_written_down() -> None:
    layer = conv(3, stride=2)
    assert spell(F.pad(X, (1, 2), value=-1.5)) == "F.pad(x, [1, 2], value=-1.5)"
    assert spell(layer(X)) == "Conv(3, stride=2)(x)"
    assert spell((2 * X - Y) / 3 // Y + -X) == "(((((2 * x) - y) / 3) // y) + (0 - x))"
    assert spell(Y[:, :, None]) == "y[:, :, None]"
    assert spell(Y[:, 1:-2]) == "y[:, 1:-2]"
    assert spell(conv(True, "a")(X, [X, Y])) == 'Conv(True, "a")(x, [x, y])'


def test_a_value_has_the_shape_that_it_is_given() -> None:
    assert X.shape[-1] == 4
    assert spell(Y.shape) == "y.shape"


def test_what_only_numbers_could_tell_is_not_told() -> None:
    for ask in (bool, list, lambda x: [*x], lambda x: 1 if x else 2):
        with pytest.raises(Undecided):
            ask(X)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (F.relu(X), F.relu(Y)),
        (F.relu(X), F.elu(X)),
        (F.pad(X, (1, 2)), F.pad(X, (2, 1))),
        (F.pad(X, (1, 2)), F.pad(X, (1, 2, 0))),
        (F.pad(X, (1, 2)), F.pad(X, [1, 2])),
        (F.pad(X, 1), F.pad(X, 1, value=0.0)),
        (F.pad(X, 1), F.pad(X, True)),
        (F.pad(X, 0.0), F.pad(X, -0.0)),
        (F.pad(X, 1), F.pad(X, 1.0)),
        (conv(0.0)(X), conv(-0.0)(X)),
        (conv(slope=0.0)(X), conv(slope=-0.0)(X)),
        (X + Y, Y + X),
        (X + Y, X - Y),
        (X[:, 1:], X[:, 2:]),
        (conv(3)(X), conv(4)(X)),
        (conv(3, stride=1)(X), conv(3)(X)),
        (conv(3)(X), X),
        (X, conv(3)(X)),
    ],
    ids=lambda each: spell(each),
)
def test_expressions_that_differ_are_not_alike(wanted: Any, found: Any) -> None:
    assert bind(wanted, found) is None
    assert bind(wanted, wanted) is not None


def test_a_layer_stands_for_one_layer() -> None:
    one, other, alike = conv(3), conv(3), conv(3)
    assert bind(one(X) / one(Y), other(X) / other(Y)) == {one: other}
    assert bind(one(X) / one(Y), other(X) / alike(Y)) is None


def test_a_default_may_be_left_out_and_a_name_may_differ() -> None:
    wanted = LayerObject("Conv", (3,), {"stride": 1, "name": "a"}, {"stride": 1}, apart=("name",))
    assert bind(wanted(X), conv(3, name="b")(X)) is not None
    assert bind(wanted(X), conv(3, stride=1)(X)) is not None
    assert bind(wanted(X), conv(3, stride=2)(X)) is None
    assert bind(wanted(X), conv(3, groups=1)(X)) is None


def test_a_place_stands_for_one_input() -> None:
    first, second = InputPlace(0), InputPlace(1)
    wanted = F.cat([first, second, first])
    assert bind(wanted, F.cat([X, Y, X]), [X, Y]) is not None
    assert bind(wanted, F.cat([X, Y, X]), [Y, X]) is None
    assert bind(wanted, F.cat([X, Y, Y]), [X, Y]) is None
    assert bind(first, Y, [X, Y]) is None
