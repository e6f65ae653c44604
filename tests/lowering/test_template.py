"""All uses of a block as one definition: which holes become what, and that every use gets its own text back."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from netspec.lowering.derive import Naming
from netspec.lowering.parts import (
    Argument,
    Call,
    Cut,
    Index,
    Quoted,
    Raw,
    Series,
    Slot,
    call,
    literal,
    quoted,
    seq,
)
from netspec.lowering.statements import RETURN, Body, Line, Loop, Use, giving
from netspec.lowering.template import Definition, WrongFold, unify, variant_names
from netspec.lowering.tree import LiteralValue


def channels(value: int, hint: str = "filters") -> Slot:
    return Slot(value, hint, channels=True)


def conv(ins: int, outs: int, kernel: LiteralValue = 3, stride: int = 1) -> Call:
    return call(
        "conv", channels(ins, "in_channels"), channels(outs), Slot(kernel, "kernel"),
        stride=Slot(stride, "stride", default=1),
    )  # fmt: skip


def use(
    *parts: Any,
    known: Mapping[str, LiteralValue] | None = None,
    given: Mapping[str, LiteralValue] | None = None,
) -> Use:
    lines: Body = tuple(part if isinstance(part, Line | Loop) else Line(part) for part in parts)
    return Use(
        "somewhere", lines, known or {}, given or {}, members=tuple(str(at) for at in range(len(lines)))
    )


def told(definition: Definition) -> list[str]:
    return [" " * 4 * line.indent + line.text for line in definition.lines]


def one(uses: Sequence[Use]) -> Definition:
    (found,) = unify(uses)
    return found


def test_a_single_use_has_literals_and_no_parameters() -> None:
    found = one([use(conv(3, 64, stride=2), known={"filters": 64, "in_channels": 3})])
    assert told(found) == ["conv(3, 64, 3, stride=2)"]
    assert found.signature() == ()


def test_what_all_uses_agree_in_stays_a_literal() -> None:
    found = one([use(conv(3, 64), known={"filters": 64}), use(conv(3, 32), known={"filters": 32})])
    assert told(found) == ["conv(3, filters, 3)"]
    assert found.signature() == ("filters",)


def test_the_block_s_own_argument_comes_before_the_channels_that_come_in() -> None:
    known = [{"filters": n, "in_channels": n} for n in (64, 128)]
    found = one([use(conv(n, n), known=each) for n, each in zip((64, 128), known, strict=True)])
    assert told(found) == ["conv(filters, filters, 3)"]


def test_channels_come_first_and_defaults_last() -> None:
    rows = [(3, 64, 1), (64, 128, 2), (64, 64, 1)]
    found = one(
        [use(conv(i, o, stride=s), known={"stride": s, "filters": o, "in_channels": i}) for i, o, s in rows]
    )
    assert told(found) == ["conv(in_channels, filters, 3, stride=stride)"]
    assert found.signature() == ("in_channels", "filters", "stride=1")
    assert [(argument.keyword, argument.value) for argument in found.arguments(1)] == [
        ("", Slot(64, "in_channels", None, True)),
        ("", Slot(128, "filters", None, True)),
        ("stride", Slot(2, "stride", 1, False)),
    ]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ((128, 256, 1024), "2 * filters"),
        ((32, 64, 256), "filters // 2"),
        ((4, 8, 32), "filters // 16"),
        ((67, 134, 518), "filters + in_channels"),
        ((96, 160, 544), "filters + 32"),
        ((21, 21, 85), "filters // in_channels"),
        ((17, 5, 9), "units"),
    ],
)
def test_counts_of_channels_are_derived(wanted: tuple[int, ...], expected: str) -> None:
    known = [{"filters": f, "in_channels": c} for f, c in ((64, 3), (128, 6), (512, 6))]
    uses = [use(call("f", channels(n, "units")), known=each) for n, each in zip(wanted, known, strict=True)]
    assert told(one(uses)) == [f"f({expected})"]


def test_the_channels_that_come_in_are_left_out_where_the_author_s_arguments_tell_them() -> None:
    uses = [use(conv(4 * f, f), known={"filters": f, "in_channels": 4 * f}) for f in (64, 128)]
    assert told(one(uses)) == ["conv(4 * filters, filters, 3)"]
    uses = [use(conv(f // 2, f), known={"filters": f, "in_channels": f // 2}) for f in (64, 128)]
    assert told(one(uses)) == ["conv(in_channels, filters, 3)"]


def test_other_numbers_are_not_derived() -> None:
    uses = [use(call("f", Slot(k, "kernel")), known={"filters": 2 * k}) for k in (3, 5)]
    found = one(uses)
    assert told(found) == ["f(kernel)"]
    assert [each.keyword for each in found.arguments(0)] == ["kernel"]


def test_equal_columns_share_a_parameter_and_others_are_numbered() -> None:
    uses = [use(call("f", channels(a), channels(b), channels(a))) for a, b in ((1, 5), (7, 6))]
    found = one(uses)
    assert told(found) == ["f(filters, filters2, filters)"]
    assert found.signature() == ("filters", "filters2")


def test_true_is_not_one() -> None:
    uses = [
        use(call("f", Slot(flag, "bias")), known={"n": number}) for flag, number in ((True, 1), (False, 0))
    ]
    assert told(one(uses)) == ["f(bias)"]


def test_what_is_given_needs_no_parameter() -> None:
    uses = [use(conv(n, n), given={"x.shape[-1]": n}) for n in (3, 5)]
    found = one(uses)
    assert told(found) == ["conv(x.shape[-1], x.shape[-1], 3)"]
    assert found.signature() == ()


def test_a_keyword_as_an_argument_is_renamed() -> None:
    uses = [use(call("f", Slot(n, "units")), known={"class": n, "x": 1}) for n in (3, 5)]
    (found,) = unify(uses, taken={"x"})
    assert told(found) == ["f(class_)"]


def test_an_argument_called_as_the_counter_is_renamed() -> None:
    uses = [use(units(*(n + 3 * at for at in range(n))), known={"i": n, "range": n}) for n in (4, 6)]
    assert told(one(uses)) == ["*(Unit(i_ + 3 * i) for i in range(i_))"]


def test_different_texts_are_different_definitions_the_most_used_first() -> None:
    plain, other = use("a"), use("c", "b")
    found = unify([other, plain, plain])
    assert [each.uses for each in found] == [(1, 2), (0,)]
    assert variant_names("unit", found) == ("unit", "unit_with_1")
    assert variant_names("unit", unify([other, other, plain])) == ("unit", "unit_without_1")


def unit(filters: int, coming: int, stride: int = 1, bias: bool = False) -> Use:
    """A block whose input is projected where it must be."""
    first = Line(conv(coming, filters, stride=stride), to="self.a")
    shortcut = Line(call("conv", channels(coming, "in_channels"), channels(filters), Slot(1, "kernel"),
                         stride=Slot(stride, "stride", default=1), bias=Slot(bias, "bias")), to="self.b")  # fmt: skip
    has = coming != filters
    lines = (first, *([shortcut] if has else []), Line("def forward(self, x):"), Line("self.a(x)", 1, to="y"),
             *([Line("self.b(x)", 1, to="x")] if has else []), Line("x + y", 1, to=RETURN))  # fmt: skip
    known = {"filters": filters, "stride": stride, "bias": bias, "in_channels": coming}
    members = ("a", "b") if has else ("a",)
    return Use(
        f"{filters}", lines, known, members=members, roles={"b": "projection"} if has else {}, later=1 + has
    )


def test_what_some_uses_lack_is_an_option_of_one_definition() -> None:
    found = one([unit(8, 4, stride=2), unit(8, 8), unit(16, 8, stride=2), unit(16, 16), unit(16, 16)])
    assert told(found) == [
        "self.a = conv(in_channels, filters, 3, stride=stride)",
        "if projection:",
        "    self.b = conv(in_channels, filters, 1, stride=stride, bias=False)",
        "def forward(self, x):",
        "    y = self.a(x)",
        "    if self.projection:",
        "        x = self.b(x)",
        "    return x + y",
    ]
    assert found.signature() == ("in_channels", "filters", "stride=1", "projection=False")
    assert found.kept == (("projection", "projection"),)
    assert [each.values for each in found.parameters if each.name == "projection"] == [
        (True, False, True, False, False)
    ]


def test_an_option_is_called_by_what_it_holds_where_nothing_else_would() -> None:
    uses = [replace(unit(8, 4), roles={}), unit(8, 8)]
    assert "if with_b:" in told(one(uses))
    # Without a name for what they lack, they are two.
    assert len(unify([replace(each, members=("a",), roles={}) for each in uses])) == 2


def test_uses_that_differ_in_more_than_what_they_lack_are_two() -> None:
    # The projection would need a parameter that the other use has no value for.
    assert len(unify([unit(8, 4, bias=True), unit(16, 5), unit(8, 8)])) == 1
    rows = [replace(each, known={}) for each in (unit(8, 4, bias=True), unit(16, 5), unit(8, 8))]
    assert len(unify(rows)) == 2
    # Most of it would be an option.
    assert len(unify([use("a", "b", "c"), use("a")])) == 2
    # In another order it is another text.
    assert len(unify([use("a", "b", "c"), use("b", "a")])) == 2


def test_a_switch_in_a_variant_s_name_is_on_or_off() -> None:
    rows = [
        ("a", {"wide": False, "stride": 1}),
        ("a", {"wide": False, "stride": 2}),
        ("b", {"wide": True, "stride": 2}),
    ]
    uses = [Use("p", (Line(text),), known) for text, known in rows]
    assert variant_names("unit", unify(uses)) == ("unit", "unit_wide")
    off = [replace(each, known={"wide": not each.known["wide"]}) for each in uses]
    assert variant_names("unit", unify(off)) == ("unit", "unit_without_wide")
    # No one argument tells them apart, and two do.
    rows = [("a", {"n": 1, "m": 2}), ("a", {"n": 2, "m": 1}), ("b", {"n": 2, "m": 2})]
    uses = [Use("p", (Line(text),), known) for text, known in rows]
    assert variant_names("unit", unify(uses)) == ("unit", "unit_n2_m2")


def test_a_condition_contains_code() -> None:
    for nothing in (Line("", tap=("x", ("same",))), Line("# heading")):
        uses = [use("a", "b", nothing), use("a", "b")]
        found = unify(
            [replace(each, members=("a", "c")[:count]) for each, count in zip(uses, (2, 1), strict=True)]
        )
        assert len(found) == 2


def test_padding_is_half_the_kernel_where_it_always_is() -> None:
    def padded(kernel: LiteralValue, lo: LiteralValue) -> Use:
        return use(call("f", Slot(kernel, "kernel"), padding=Slot(lo, "padding", default=0)))

    assert told(one([padded(1, 0), padded(3, 1), padded(5, 2)])) == ["f(kernel, padding=kernel // 2)"]
    assert told(one([padded(1, 0), padded(3, 1), padded(5, 0)])) == ["f(kernel, padding=padding)"]
    assert told(one([padded(1, 0), padded((1, 3), (0, 1))])) == ["f(kernel, padding=padding)"]


def test_a_small_number_is_written_as_a_person_writes_it() -> None:
    assert [literal(each) for each in (1e-5, 1.001e-5, 1e-10, -1e-07, 0.001)] == [
        "1e-5", "1.001e-5", "1e-10", "-1e-7", "0.001",
    ]  # fmt: skip


def test_an_argument_that_nothing_needs_takes_no_name() -> None:
    uses = [
        use(call("f", padding=Slot(word, "padding")), known={"padding": lo, "stride": stride})
        for word, lo, stride in (("same", 1, 1), ("valid", 0, 1), ("valid", 1, 2))
    ]
    assert told(one(uses)) == ["f(padding=padding)"]
    assert [each.values for each in one(uses).parameters] == [("same", "valid", "valid")]


def test_variants_of_the_same_members_are_told_by_an_argument_or_a_number() -> None:
    first, second, third = (
        Use("p", (Line(text),), {"stride": s}) for text, s in (("a", 1), ("b", 2), ("c", 2))
    )
    assert variant_names("unit", unify([first, second])) == ("unit", "unit_stride2")
    assert variant_names("unit", unify([first, second, third])) == ("unit", "unit_variant2", "unit_variant3")
    there, back = (Use("p", (Line(text),), {"way": way}) for text, way in (("a", "there"), ("b", "back")))
    assert variant_names("unit", unify([there, back])) == ("unit", "unit_back")
    uses = [Use("p", (Line(act),), traits={"act": act}) for act in ("relu", "tanh", "none")]
    assert variant_names("unit", unify(uses)) == ("unit", "unit_tanh", "unit_without_act")
    uses = [
        Use("p", (Line(text),), traits={"takes": word}) for text, word in (("a", "of_two"), ("b", "of_one"))
    ]
    assert variant_names("unit", unify(uses)) == ("unit", "unit_of_one")


def test_a_variant_s_name_says_what_nothing_else_would() -> None:
    rows = [("a", 1, 16), ("b", 6, 24), ("b", 6, 32), ("c", 6, 24), ("c", 6, 40), ("c", 6, 48)]
    uses = [
        Use(
            "p",
            (Line(text),),
            {"filters": filters, "expand": expand},
            members=("add",) if text == "c" else (),
        )
        for text, expand, filters in rows
    ]
    assert variant_names("unit", unify(uses)) == ("unit", "unit_without_add", "unit_expand1")
    same = [Use("p", (Line(text),), members=("add",) if text == "a" else ()) for text in "aabc"]
    assert variant_names("unit", unify(same)) == ("unit", "unit_without_add", "unit_without_add_variant2")


def test_what_differs_in_a_method_is_kept_by_the_class() -> None:
    uses = [
        Use("p", (Line(seq("y[", Cut(Slot(n, "cut", kept=True), Slot(n, "cut", kept=True)), "]")),))
        for n in (4, 8)
    ]
    (found,) = unify(uses)
    assert told(found) == ["y[self.cut : -self.cut]"]
    assert (found.signature(), found.kept) == (("cut",), (("cut", "cut"),))
    (found,) = unify([Use("p", each.body, members=("cut",)) for each in uses], attributes={"cut_"})
    assert told(found) == ["y[self.cut__ : -self.cut__]"]
    assert found.kept == (("cut__", "cut"),)
    (found,) = unify(uses[:1])
    assert told(found) == ["y[4:-4]"]
    assert found.kept == ()


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(1, 2, "1:-2"), (1, None, "1:"), (None, 2, ":-2"), (None, None, ":")],
)
def test_a_slice_is_as_a_formatter_leaves_it(start: int | None, end: int | None, expected: str) -> None:
    def cut(more: int) -> Cut:
        ends = ("" if n is None else Slot(n + more, "cut", kept=True) for n in (start, end))
        return Cut(*ends)

    assert told(one([use(cut(0))])) == [expected]
    spaced = {"1:-2": "self.cut : -self.cut2", "1:": "self.cut :", ":-2": ": -self.cut", ":": ":"}[expected]
    assert told(one([use(cut(0)), use(cut(1))])) == [spaced]


def test_what_stands_in_a_list_of_the_caller_s_is_taken_from_it() -> None:
    rows = ((64, 96), (32, 48))
    uses = [use(conv(3, a), conv(a, b), known={"row": (a, b)}) for a, b in rows]
    found = one(uses)
    assert told(found) == ["conv(3, row[0], 3)", "conv(row[0], row[1], 3)"]
    assert found.signature() == ("row",)


def test_the_channels_of_a_concatenation_are_the_sum_of_what_it_joins() -> None:
    rows = [(1, (2, 9, 30)), (4, (5, 8, 70)), (6, (3, 7, 10))]
    uses = [
        use(call("f", channels(row[0] + row[2] + coming)), known={"row": row, "in_channels": coming})
        for coming, row in rows
    ]
    found = one(uses)
    assert told(found) == ["f(row[0] + row[2] + in_channels)"]
    assert found.signature() == ("in_channels", "row")
    # Two sums that would do are one too many.
    either = [use(call("f", channels(a + b)), known={"row": (a, b, a, 9 * b)}) for a, b in ((1, 2), (4, 5))]
    assert told(one(either)) == ["f(filters)"]


def test_a_tuple_of_what_is_known_needs_no_parameter() -> None:
    sizes = [use(call("f", Slot((n, 10), "shape")), known={"values": n}) for n in (21, 4)]
    assert told(one(sizes)) == ["f((values, 10))"]
    other = [use(call("f", Slot((n, 2 * n), "shape")), known={"values": n}) for n in (21, 4)]
    assert told(one(other)) == ["f(shape)"]


def test_variants_are_joined_where_only_their_repetitions_differ_in_number() -> None:
    # The first two are alike but for a literal, and would not be after counting.
    rows = [("b", (8, 8, 8)), ("b", (8, 8, 4)), ("a", (8, 8, 4)), ("a", (8, 4))]
    found = unify([use(seq(letter, units(*sizes))) for letter, sizes in rows])
    assert sorted(each.uses for each in found) == [(0, 1), (2, 3)]


def test_a_variant_is_called_by_its_argument_before_what_it_lacks() -> None:
    uses = [
        Use("p", (Line(text),), {"expand": expand, "in_channels": count}, members=("conv1", "conv2")[:count])
        for text, expand, count in (("a", 6, 2), ("a", 6, 2), ("b", 1, 1))
    ]
    assert variant_names("unit", unify(uses)) == ("unit", "unit_expand1")
    plain = [Use(each.place, each.body, {"in_channels": 1}, members=each.members) for each in uses]
    assert variant_names("unit", unify(plain)) == ("unit", "unit_without_conv2")


def test_a_list_that_is_one_run_is_a_generator() -> None:
    def listed(*sizes: int) -> Series:
        return Series(units(*sizes).items, listed=True)

    assert told(one([use(seq("f(", listed(4, 4, 4), ")"))])) == ["f(Unit(4) for _ in range(3))"]
    assert told(one([use(seq("f(", listed(2, 4), ")"))])) == ["f([Unit(2), Unit(4)])"]


def units(*sizes: int) -> Series:
    return Series(tuple(call("Unit", channels(size)) for size in sizes))


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((4,), "Unit(4)"),
        ((4, 4), "Unit(4), Unit(4)"),
        ((4, 4, 4), "*(Unit(4) for _ in range(3))"),
        ((2, 4, 4, 4), "Unit(2), *(Unit(4) for _ in range(3))"),
        ((1, 2, 4), "Unit(1), Unit(2), Unit(4)"),
        ((4, 6, 8, 10), "*(Unit(4 + 2 * i) for i in range(4))"),
        ((0, 1, 2, 3, 4), "*(Unit(i) for i in range(5))"),
        ((9, 4, 6, 8, 10), "Unit(9), *(Unit(2 + 2 * i) for i in range(1, 5))"),
        ((10, 8, 6, 4), "*(Unit(10 - 2 * i) for i in range(4))"),
    ],
)
def test_alike_calls_in_a_list_are_gathered(sizes: tuple[int, ...], expected: str) -> None:
    assert told(one([use(seq("[", units(*sizes), "]"))])) == [f"[{expected}]"]


def test_a_list_counts_up_from_parameters() -> None:
    rows = [(16, 4), (24, 8), (40, 8)]
    uses = [
        use(units(*(c + g * i for i in range(5))), known={"growth": g, "in_channels": c}) for c, g in rows
    ]
    assert told(one(uses)) == ["*(Unit(in_channels + growth * i) for i in range(5))"]


def test_uses_may_repeat_differently_often() -> None:
    rows = [(64, 3), (128, 4), (256, 6), (512, 2)]
    uses = [use(units(f // 2, *[f] * (count - 1)), known={"filters": f, "count": count}) for f, count in rows]
    found = one(uses)
    assert told(found) == ["Unit(filters // 2), *(Unit(filters) for _ in range(count - 1))"]
    assert found.signature() == ("filters", "count")


def rounds(names: Sequence[str], sizes: Sequence[int]) -> Loop:
    return Loop(
        tuple(
            (Line(seq("x = ", call("unit", "x", channels(size), name=Quoted((Raw("name"), ".", Index(at))))),
                  tap=("x", (names[0], None))),)
            for at, size in enumerate(sizes)
        )
    )  # fmt: skip


def test_alike_bodies_become_a_loop_that_knows_its_number() -> None:
    found = one([use(rounds(["stage"], [8, 16, 16, 16]))])
    assert told(found) == [
        'x = unit(x, 8, name=f"{name}.0")',
        "for i in range(1, 4):",
        '    x = unit(x, 16, name=f"{name}.{i}")',
    ]
    assert [line.tap for line in found.lines] == [("x", ("stage", "0")), None, ("x", ("stage", None))]


def test_loops_may_run_differently_often() -> None:
    uses = [use(rounds(["stage"], [f] * n), known={"filters": f, "layers": n}) for f, n in ((8, 2), (16, 5))]
    assert told(one(uses)) == [
        "for i in range(layers):",
        '    x = unit(x, filters, name=f"{name}.{i}")',
    ]


def test_a_repetition_after_others_is_numbered_by_how_many_they_are() -> None:
    uses = [
        use(rounds(["stage"], [f] * n + [4]), known={"filters": f, "layers": n + 1})
        for f, n in ((8, 2), (16, 1))
    ]
    found = one(uses)
    assert told(found) == [
        "for i in range(layers - 1):",
        '    x = unit(x, filters, name=f"{name}.{i}")',
        'x = unit(x, 4, name=f"{name}.{layers - 1}")',
    ]
    assert [line.tap for line in found.lines] == [None, ("x", ("stage", None)), ("x", ("stage", None))]


def test_the_last_statement_returns_what_it_makes() -> None:
    made = Line("f(x)", to="x", tap=("x", ("one",)))
    assert giving((made,), "x") == (Line("f(x)", to=RETURN, tap=("", ("one",))),)
    for body in (
        (),
        (replace(made, indent=1),),
        (replace(made, to="y"),),
        (replace(made, to="y"), Line("", tap=("x", ("two",)))),
    ):
        assert giving(body, "x") == (*body, Line("x", to=RETURN))
    # A layer that does nothing has the value, too.
    idle = Line("", tap=("x", ("two",)))
    returned = (Line("f(x)", to=RETURN, tap=("", ("one",))), Line("", tap=("", ("two",))))
    assert giving((made, idle), "x") == returned
    # What is watched is one of two values that are returned.
    both = (Line("f(x)", to="x, y", tap=("x", ("one",))),)
    assert giving(both, "x, y") == (*both, Line("x, y", to=RETURN))
    # The name of a value that is returned at once is not needed.
    named = (Line("f(x)", to="x", tap=("x", ("one",))), Line("x", to="deep"))
    assert giving(named, "deep, fine") == (named[0], Line("x, fine", to=RETURN))


def test_strings_stay_strings() -> None:
    text = 'a"b\\c\n{d}\u2028'
    assert eval(quoted(text)) == text  # noqa: S307
    live = one([use(Quoted((text, Raw("1 + 1"))))])
    assert eval(told(live)[0]) == text + "2"  # noqa: S307
    assert eval(literal((1, (2.5,), "x", True))) == (1, (2.5,), "x", True)  # noqa: S307


def test_a_wrong_expression_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Naming, "_derived", lambda self, wanted: iter([self._join("*", 3, "filters")]))
    uses = [use(call("f", channels(2 * n)), known={"filters": n}) for n in (3, 5)]
    with pytest.raises(WrongFold, match="somewhere"):
        unify(uses)


@pytest.mark.parametrize("seed", range(60))
def test_the_text_itself_gives_every_use_its_own_calls(seed: int) -> None:
    """Random blocks, used at random: each definition is executed, and what it calls is compared."""
    rng = random.Random(seed)
    uses, wanted = [], []
    for _ in range(rng.randint(1, 6)):
        known: dict[str, LiteralValue] = {
            "filters": rng.choice([8, 16, 64]), "count": rng.randint(1, 6), "stride": rng.choice([1, 2]),
            "in_channels": rng.choice([3, 8, 16]),
        }  # fmt: skip
        calls: list[list[Slot]] = []
        for at in range(3):
            numbers: list[Any] = [known["filters"], known["in_channels"], rng.choice([4, 2])]
            first = rng.choice([numbers[0] * 2, numbers[0] // 2, numbers[0] + numbers[1], rng.randint(1, 3)])
            calls.append([channels(first), Slot(numbers[2], "kernel", default=4), Slot(at % 2 == 0, "bias")])
        step = rng.choice([0, 0, numbers[1], 5])
        series = [[channels(numbers[0] + step * i)] for i in range(int(known["count"]))]  # type: ignore[arg-type]
        parts = [Call("f", tuple(Argument(each, each.hint) for each in row)) for row in calls]
        listed = Call(
            "g", (Argument(seq("[", Series(tuple(Call("h", (Argument(row[0]),)) for row in series)), "]")),)
        )
        uses.append(use(*parts, listed, known=known))
        wanted.append(
            ([{each.hint: each.value for each in row} for row in calls], [row[0].value for row in series])
        )
    for definition in unify(uses):
        head = f"def block({', '.join(definition.signature())}):\n"
        body = "".join(f"    {line.text}\n" for line in definition.lines)
        for number in definition.uses:
            heard: tuple[list[dict[str, LiteralValue]], list[LiteralValue]] = ([], [])
            space: dict[str, Any] = {
                "f": lambda heard=heard, **fields: heard[0].append({"kernel": 4, **fields}),
                "g": heard[1].extend, "h": lambda value: value,
            }  # fmt: skip
            exec(head + body, space)
            given = definition.arguments(number)
            space["block"](
                *(each.value.value for each in given if not each.keyword),  # type: ignore[union-attr]
                **{each.keyword: each.value.value for each in given if each.keyword},  # type: ignore[union-attr]
            )
            assert heard == wanted[number], head + body
