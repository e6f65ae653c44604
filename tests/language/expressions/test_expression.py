"""Expressions: what they give, what they refuse and where they point, and that nothing breaks out of them."""

from __future__ import annotations

import inspect
import math
import random
import sys
from collections.abc import Callable, Mapping

import pytest

from netspec.diagnostics import Problems, Span
from netspec.language.expressions.display import displayed
from netspec.language.expressions.expression import evaluate, is_expression
from netspec.language.expressions.missing import BROKEN, Missing
from netspec.language.expressions.parser import parse
from netspec.language.expressions.refusal import Refusal
from netspec.language.reading.source import Scalar, read
from netspec.language.reading.values import Mapping as YamlMapping

NAMES: dict[str, object] = {
    "filters": 64,
    "ratio": 16,
    "stride": 2,
    "zero": 0,
    "rate": 0.5,
    "whole": 8.0,
    "widths": [8, 16, 32],
    "nothing": [],
    "mode": "same",
    "flag": True,
    "class": 7,
    "minus": -8,
    "endless": math.inf,
    "in": {"channels": 64, "height": 56, "width": 28},
    "block": {"in": {"channels": 32, "time": 10}},
    "index": 1,
}


def scalar_of(text: str, quoted: bool = False) -> Scalar:
    """The text as it would stand from column 10 of line 3."""
    width = len(text) + 2 * quoted
    return Scalar(text, Span("f.yaml", 3, 10, 3, 10 + width), text, quoted)


def outcome(text: str, names: Mapping[str, object] = NAMES) -> tuple[object, list[tuple[str, str]]]:
    """The value, and each problem as its code and the part of the text that it points at."""
    problems = Problems()
    value = evaluate(scalar_of(text), names, problems)
    told = [(each.code.id, text[each.span.column - 10 : each.span.end_column - 10]) for each in problems]
    assert (value is BROKEN) or not told
    return value, told


VALUES: list[tuple[str, object]] = [
    ("$filters", 64),
    ("$widths", [8, 16, 32]),
    ("$mode", "same"),
    ("$whole", 8.0),
    ("$class", 7),
    ("$index", 1),
    ("${filters}", 64),
    ("${in.channels // ratio}", 4),
    ("${block.in.channels}", 32),
    ("${block.in.time + in.width}", 38),
    ("${2 if index == 0 else 1}", 1),
    ("${stride > 1 or in.channels != filters}", True),
    ("${class + 1}", 8),
    ("${2 + 3 * 4}", 14),
    ("${(2 + 3) * 4}", 20),
    ("${-7 // 2}", -4),
    ("${7 % 4}", 3),
    ("${2 ** 10}", 1024),
    ("${2 ** -1}", 0.5),
    ("${16 / 2}", 8),
    ("${7 / 2}", 3.5),
    ("${whole}", 8),
    ("${1 < 2 < 3}", True),
    ("${1 < 2 > 3}", False),
    ("${not flag}", False),
    ("${not zero == 0}", False),
    ("${zero == 0 or 1 / zero > 1}", True),
    ("${flag and zero != 0 and 1 / zero > 1}", False),
    ("${flag and not false}", True),
    ("${True}", True),
    ("${true}", True),
    ("${filters if true else 1 / zero}", 64),
    ("${widths[0]}", 8),
    ("${widths[-1]}", 32),
    ("${widths[index + 1]}", 32),
    ("${widths[4 / 2]}", 32),
    ("${len(widths)}", 3),
    ("${min(widths)}", 8),
    ("${max(1, 2.5, stride)}", 2.5),
    ("${ceil(in.height / 3)}", 19),
    ("${floor(2.9)}", 2),
    ("${round(2.6)}", 3),
    ("${mode == 'same'}", True),
    ('${mode != "same"}', False),
    ("${mode == 3}", False),
    ("${flag == 1}", False),
    ("${widths == widths}", True),
    ("${'word'}", "word"),
    ("${1_000}", 1000),
    ("${  filters  }", 64),
    ("${filters\n+ 1}", 65),
    ("${'}'}", "}"),
    ("${'in'}", "in"),
    ("${(in).channels}", 64),
    ("${block . in . time}", 10),
    ("${2 ** 3 ** 2}", 512),
    ("${2 ** -1 ** 2}", 0.5),
    ("${-2 ** 2}", -4),
    ("${not 1 == 2}", True),
    ("${(1 < 2) == true}", True),
    ("${1 if false else 2 if true else 3}", 2),
    ("${max(1, 2,)}", 2),
    ("${.5 + 1.}", 1.5),
    ("${0x10}", 16),
    ("${" + "(" * 50 + "1" + ")" * 50 + "}", 1),
]


@pytest.mark.parametrize(("text", "meant"), VALUES)
def test_it_gives(text: str, meant: object) -> None:
    value, told = outcome(text)
    assert told == []
    assert value == meant
    assert type(value) is type(meant)


REFUSALS: list[tuple[str, str, str]] = [
    ("${1 +}", "NS0201", "+"),
    ("${a b}", "NS0201", "b"),
    ("${}", "NS0201", "}"),
    ("${ }", "NS0201", " "),
    ("${(1}", "NS0201", "("),
    ("${'x}", "NS0201", "'"),
    ("${1 if 2}", "NS0201", "1"),
    ("${filters && 1}", "NS0201", "&"),
    ("${filters − 1}", "NS0201", "−"),
    ("${1 # one}", "NS0201", "#"),
    ("${012}", "NS0201", "0"),
    ("${1 in widths}", "NS0201", "i"),
    ("${lambda: 1}", "NS0201", ":"),
    ("${1; 2}", "NS0201", ";"),
    ("${max(a b)}", "NS0201", "b"),
    ("${filters + 2x}", "NS0201", "x"),
    ("${1 + not flag}", "NS0201", "n"),
    ("${1 if 2 if 3 else 4}", "NS0201", "i"),
    ("${1 else 2}", "NS0201", "e"),
    ("${(1]}", "NS0201", "]"),
    ("${widths[]}", "NS0201", "]"),
    ("${max(a=)}", "NS0201", ")"),
    ("${'a' 'b'}", "NS0201", "'"),
    ("${'a\\n'}", "NS0201", "\\"),
    ("${in.}", "NS0201", "."),
    ("${a = 1}", "NS0201", "="),
    ("${$filters}", "NS0201", "$"),
    ("a${filters}b", "NS0202", "a${filters}b"),
    ("${filters}${ratio}", "NS0202", "${filters}${ratio}"),
    ("${filters", "NS0202", "${filters"),
    ("$", "NS0202", "$"),
    ("$5", "NS0202", "$5"),
    ("$a.b", "NS0202", "$a.b"),
    ("$filters px", "NS0202", "$filters px"),
    ("$filtres", "NS0203", "filtres"),
    ("${filtres + 1}", "NS0203", "filtres"),
    ("${1 + nobody}", "NS0203", "nobody"),
    ("${false and nobody}", "NS0203", "nobody"),
    ("${None}", "NS0203", "None"),
    ("${min}", "NS0203", "min"),
    ("${[1, 2][0]}", "NS0204", "[1, 2]"),
    ("${(1, 2)}", "NS0204", "(1, 2)"),
    ("${{}}", "NS0202", "${{}}"),
    ("${f'{filters}'}", "NS0204", "f'{filters}'"),
    ("${b'x'}", "NS0204", "b'x'"),
    ("${1j}", "NS0204", "1j"),
    ("${...}", "NS0204", "..."),
    ("${widths[0:2]}", "NS0204", "0:2"),
    ("${(a := 1)}", "NS0204", "a := 1"),
    ("${1, 2}", "NS0204", "1, 2"),
    ("${widths[1, 2]}", "NS0204", "widths[1, 2]"),
    ("${[[1] ^ 2][0].x}", "NS0205", "[[1] ^ 2][0].x"),
    ("${filters ^ 2}", "NS0204", "filters ^ 2"),
    ("${~filters}", "NS0204", "~filters"),
    ("${max(*widths)}", "NS0204", "*widths"),
    ("${filters.__class__}", "NS0205", "filters.__class__"),
    ("${().__class__.__bases__}", "NS0205", "().__class__.__bases__"),
    ("${'x'.format}", "NS0205", "'x'.format"),
    ("${in.channels.real}", "NS0205", "in.channels.real"),
    ("${block.out}", "NS0205", "block.out"),
    ("${sqrt(2)}", "NS0206", "sqrt"),
    ("${__import__('os')}", "NS0206", "__import__"),
    ("${'x'.join(widths)}", "NS0206", "'x'.join"),
    ("${max()}", "NS0206", "max()"),
    ("${max(nothing)}", "NS0206", "max(nothing)"),
    ("${max(a=1)}", "NS0206", "a=1"),
    ("${ceil(1, 2)}", "NS0206", "ceil(1, 2)"),
    ("${1 / zero}", "NS0207", "zero"),
    ("${2 + 7 % (stride - 2)}", "NS0207", "stride - 2"),
    ("${7 // 0.0}", "NS0207", "0.0"),
    ("${0 ** -1}", "NS0207", "0"),
    ("${9 ** 99}", "NS0208", "9 ** 99"),
    ("${9 ** 9 ** 9 ** 9}", "NS0208", "9 ** 9 ** 9"),
    ("${1 + 2 ** 62 * 4}", "NS0208", "2 ** 62 * 4"),
    ("${9223372036854775808}", "NS0208", "9223372036854775808"),
    ("${2.0 ** 10000}", "NS0208", "2.0 ** 10000"),
    ("${floor(1e300)}", "NS0208", "floor(1e300)"),
    ("${widths + 1}", "NS0209", "widths"),
    ("${'a' * 1000000000}", "NS0209", "'a'"),
    ("${widths * 1000000000}", "NS0209", "widths"),
    ("${mode < 3}", "NS0209", "mode"),
    ("${3 < mode}", "NS0209", "mode"),
    ("${flag + 1}", "NS0209", "flag"),
    ("${-widths}", "NS0209", "widths"),
    ("${not mode}", "NS0209", "mode"),
    ("${not zero}", "NS0209", "zero"),
    ("${not (flag and widths)}", "NS0209", "widths"),
    ("${flag and mode}", "NS0209", "mode"),
    ("${zero or filters}", "NS0209", "zero"),
    ("${flag and filters}", "NS0209", "filters"),
    ("${false or mode or flag}", "NS0209", "mode"),
    ("${1 if mode else 2}", "NS0209", "mode"),
    ("${1 if filters else 2}", "NS0209", "filters"),
    ("${len(3)}", "NS0209", "3"),
    ("${filters[0]}", "NS0209", "filters[0]"),
    ("${widths['a']}", "NS0209", "'a'"),
    ("${widths[0.5]}", "NS0209", "0.5"),
    ("${widths[endless]}", "NS0209", "endless"),
    ("${in}", "NS0209", "in"),
    ("$in", "NS0209", "in"),
    ("${block.in * 2}", "NS0209", "block.in"),
    ("${widths[3]}", "NS0210", "3"),
    ("${widths[-4]}", "NS0210", "-4"),
    ("${nothing[0]}", "NS0210", "0"),
    ("${1e308 * 10}", "NS0211", "1e308 * 10"),
    ("${1e999}", "NS0211", "1e999"),
    ("${minus ** 0.5}", "NS0211", "minus ** 0.5"),
    ("${endless - 1}", "NS0211", "endless - 1"),
    ("${ceil(endless)}", "NS0211", "ceil(endless)"),
    ("${" + "-" * 60 + "1}", "NS0212", "-" * 10 + "1"),
    ("${" + "+".join("1" * 600) + "}", "NS0212", "${" + "+".join("1" * 600) + "}"),
    ("${" + "(" * 51 + "1" + ")" * 51 + "}", "NS0212", "("),
    ("${in.time}", "NS0213", "in.time"),
    ("${in.__class__}", "NS0213", "in.__class__"),
    ("${block.in.height}", "NS0213", "block.in.height"),
]


@pytest.mark.parametrize(("text", "code", "part"), REFUSALS)
def test_it_refuses_and_points_at_the_part(text: str, code: str, part: str) -> None:
    assert outcome(text) == (BROKEN, [(code, part)])


@pytest.mark.parametrize(
    ("text", "message", "advice"),
    [
        (
            "${not mode}",
            "`mode` is a word, `same`",
            "`true` or `false`, or compare it with a word: `mode == 'WORD'`",
        ),
        ("${1 if 'yes' else 2}", "is a word, `yes`", "give it `true`"),
        ("${zero or flag}", "`zero` is a number, 0", "write `zero != 0`"),
        ("${flag and widths}", "`widths` is a list, [8, 16, 32]", "write `len(widths) > 0`"),
    ],
)
def test_a_condition_is_a_boolean(text: str, message: str, advice: str) -> None:
    problems = Problems()
    assert evaluate(scalar_of(text), NAMES, problems) is BROKEN
    (found,) = problems
    assert "a condition is true or false, but" in found.message
    assert message in found.message
    assert advice in (found.help or "")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (12345678901, "12345678901"),
        (-12345678901.0, "−12345678901"),
        (2**63 - 1, "9223372036854775807"),
        (0.1 + 0.2, "0.3"),
        (1e-7, "1e−07"),
        (2**63, "beyond 2⁶³"),
        (float("nan"), "beyond 2⁶³"),
    ],
)
def test_a_whole_number_is_shown_in_full(value: float, shown: str) -> None:
    assert displayed(value) == shown


def test_a_near_name_is_suggested() -> None:
    problems = Problems()
    evaluate(scalar_of("${filtres}"), NAMES, problems)
    assert problems.found[0].help == "did you mean `filters`?"


@pytest.mark.parametrize("name", ["in", "block", "index"])
def test_what_exists_elsewhere_is_told_so(name: str) -> None:
    problems = Problems()
    assert (
        evaluate(scalar_of(f"${{{name}.in}}" if name == "block" else f"${{{name}}}"), {}, problems) is BROKEN
    )
    assert [each.code.id for each in problems] == ["NS0214"]
    assert "`" in problems.found[0].message


def test_what_is_unknown_is_told_with_its_reason_or_stays_quiet() -> None:
    open_size = Missing("the size is open")
    cases: list[tuple[str, dict[str, object]]] = [
        ("${in.channels}", {"in": open_size}),
        ("${in.height}", {"in": {"channels": 3, "height": open_size}}),
        ("${block.in.height}", {"block": {"in": open_size}}),
        ("${width + 1}", {"width": open_size}),
        ("$width", {"width": open_size}),
    ]
    for text, names in cases:
        value, told = outcome(text, names)
        assert value is BROKEN
        assert [code for code, _ in told] == ["NS0214"]
    for broken in (BROKEN, BROKEN):
        assert outcome("${x + 1}", {"x": broken}) == (BROKEN, [])
        assert outcome("$x", {"x": broken}) == (BROKEN, [])
    assert outcome("${in.channels}", {"in": BROKEN}) == (BROKEN, [])
    assert outcome("${in.channels if zero > 0 else 3}", {"in": open_size, "zero": 0}) == (3, [])


def test_columns_count_in_quotes_and_behind_wide_signs() -> None:
    text = "a: \"${'é日' == filters / 0}\"\n"
    problems = Problems()
    value = read(text, "f.yaml", problems)
    assert isinstance(value, YamlMapping)
    scalar = value.entries["a"].value
    assert isinstance(scalar, Scalar)
    assert evaluate(scalar, NAMES, problems) is BROKEN
    column = text.index("0") + 1
    assert problems.found[0].span == Span("f.yaml", 1, column, 1, column + 1)


def test_a_value_over_several_lines_is_marked_whole() -> None:
    problems = Problems()
    value = read("a: >\n  ${1 /\n  0}\n", "f.yaml", problems)
    assert isinstance(value, YamlMapping)
    scalar = value.entries["a"].value
    assert isinstance(scalar, Scalar)
    assert evaluate(scalar, NAMES, problems) is BROKEN
    assert problems.found[0].span == scalar.span


@pytest.mark.parametrize(
    ("value", "asks"),
    [
        ("$a", True),
        ("${a}", True),
        ("x${a}", True),
        ("$", True),
        ("a$", False),
        ("relu", False),
        (3, False),
        (None, False),
    ],
)
def test_what_asks_to_be_worked_out(value: str | int | None, asks: bool) -> None:
    assert is_expression(Scalar(value, Span("f", 1, 1, 1, 1), str(value))) is asks


_PIECES = [
    *"()[]{}.,+-*/%<>=!&|^~@:;?'\"#\\$\n\t",
    *("//", "**", "==", "<=", " and ", " or ", " not ", " if ", " else ", " in ", " is ", "lambda", "for"),
    *(
        "filters",
        "widths",
        "mode",
        "flag",
        "in.channels",
        "block.in.time",
        "index",
        "endless",
        "class",
        "huge",
    ),
    *(
        "min(",
        "max(",
        "ceil(",
        "len(",
        "round(",
        "eval(",
        "__class__",
        "f'",
        "b'",
        "1",
        "0",
        "2.5",
        "1e308",
        "99",
    ),
    *("é", "−", "\x00", "\ud800", "ﬁ", "０", " "),
]


@pytest.mark.parametrize("seed", range(4))
def test_no_expression_whatever_raises(seed: int) -> None:
    chance = random.Random(seed)
    names = NAMES | {"huge": 10**5000}
    for number in range(5000):
        inside = "".join(chance.choices(_PIECES, k=chance.randint(1, 12)))
        text = f"${{{inside}}}" if chance.random() < 0.9 else inside
        problems = Problems()
        try:
            value = evaluate(scalar_of(text), names, problems)
        except Exception as error:  # say how to see it again, whatever it is
            pytest.fail(f"seed {seed}, expression {number}: {text!r} raised {error!r}")
        assert (value is BROKEN) == bool(problems.errors), f"seed {seed}, expression {number}: {text!r}"
        assert type(value) in (int, float, bool, str, list, type(BROKEN)), f"{text!r} gave {value!r}"


def number(chance: random.Random, depth: int = 0) -> str:
    """A random calculation, as Python writes it, too."""
    if depth == 5 or chance.random() < 0.2:
        return chance.choice(
            ["1", "2", "3.5", "0.25", "filters", "stride", "minus", "widths[1]", "widths[-1]"]
        )
    one, other = number(chance, depth + 1), number(chance, depth + 1)
    forms = [f"{one} {chance.choice(['+', '-', '*', '/', '//', '%'])} {other}" for _ in range(4)]
    forms += [f"({one})", f"-{one}", f"+{one}", f"{one} ** 2", f"max({one}, {other})", f"floor({one})"]
    # In brackets, since `not 1 if c else 2 < 3` has a number for a condition.
    choice = f"{one} if {truth(chance, depth + 1)} else {other}"
    return chance.choice([*forms, f"({choice})" if depth else choice])


def truth(chance: random.Random, depth: int) -> str:
    """A random condition, as Python writes it, too."""
    if depth >= 5:
        return chance.choice(["True", "False"])
    one, other = number(chance, depth + 1), number(chance, depth + 1)
    sign = chance.choice(["<", "<=", ">", ">=", "==", "!="])
    first, second = truth(chance, depth + 1), truth(chance, depth + 1)
    forms = [f"{one} {sign} {other}", f"{one} {sign} {other} < {number(chance, depth + 1)}", f"not {first}"]
    return chance.choice([*forms, f"{first} and {second}", f"{first} or {second}", f"({first})"])


@pytest.mark.parametrize("seed", range(2))
def test_it_gives_what_python_gives(seed: int) -> None:
    chance = random.Random(seed)
    known = {"max": max, "floor": math.floor, **NAMES}
    compared = 0
    for each in range(1500):
        text = number(chance) if chance.random() < 0.7 else truth(chance, 0)
        value, told = outcome(f"${{{text}}}")
        try:
            meant = eval(text, {"__builtins__": {}}, known)  # noqa: S307 (written here, of numbers alone)
        except SyntaxError:
            assert [code for code, _ in told] == ["NS0201"], f"seed {seed}, expression {each}: {text}"
            continue
        except (ArithmeticError, ValueError):
            continue
        if isinstance(meant, complex) or told:
            assert {code for code, _ in told} <= {"NS0207", "NS0208", "NS0211", "NS0212"}, (
                f"seed {seed}, expression {each}: {text}"
            )
            continue
        compared += 1
        assert value == meant, f"seed {seed}, expression {each}: {text}"
    assert compared > 700


@pytest.mark.parametrize(
    ("text", "deepest"),
    [
        (lambda n: "-" * n + "1", 49),
        (lambda n: "(" * n + "1" + ")" * n, 50),
        (lambda n: "max(" * n + "1" + ")" * n, 49),
        (lambda n: "1 if 1 else " * n + "1", 49),
    ],
    ids=["signs", "brackets", "calls", "choices"],
)
def test_an_expression_is_50_levels_deep_and_no_deeper(text: Callable[[int], str], deepest: int) -> None:
    assert not isinstance(parse(text(deepest)), Refusal)
    refused = parse(text(deepest + 1))
    assert isinstance(refused, Refusal)
    assert refused.message == "this expression is nested more than 50 deep"


def test_parsing_needs_no_stack() -> None:
    limit, here = sys.getrecursionlimit(), len(inspect.stack())
    nested = "max(" * 24 + "widths[" * 24 + "((1))" + "]" * 24 + ")" * 24
    sys.setrecursionlimit(here + 40)
    try:
        found = [parse(text) for text in (nested, "-" * 900 + "1", "1 if 1 else " * 70 + "1", "(" * 900)]
    finally:
        sys.setrecursionlimit(limit)
    assert [isinstance(each, Refusal) for each in found] == [False, True, True, True]


@pytest.mark.parametrize(
    "inside",
    [
        "(" * 480 + ")" * 480,
        "[" * 900,
        "-" * 990 + "1",
        "not " * 240 + "1",
        "1+" * 490 + "1",
        "a." * 490 + "b",
        "9" * 990,
    ],
)
def test_depth_is_bounded(inside: str) -> None:
    value, told = outcome(f"${{{inside}}}")
    assert value is BROKEN
    assert len(told) == 1
