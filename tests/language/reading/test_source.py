"""The reader of YAML: what values mean, where they stand, and that nothing gets past it unsaid."""

from __future__ import annotations

import math
import os
import random
import time
from pathlib import Path

import pytest

from netspec.diagnostics import Problems, Span
from netspec.language.reading import source
from netspec.language.reading.source import (
    Listing,
    Mapping,
    Scalar,
    Value,
    locate,
    locate_key,
    plain,
    read,
    read_file,
)
from netspec.language.reading.syntax import LINE_END


def value_of(text: str) -> Value:
    problems = Problems()
    value = read(text, "f.yaml", problems)
    assert not problems.found, problems.found
    assert value is not None
    return value


def codes_of(text: str) -> list[str]:
    problems = Problems()
    read(text, "f.yaml", problems)
    return [each.code.id for each in problems]


SCALARS = [
    ("1", 1),
    ("-3", -3),
    ("+5", 5),
    ("0", 0),
    ("21_958_868", 21_958_868),
    ("012", "012"),
    ("0x1f", "0x1f"),
    ("1__0", "1__0"),
    ("1_", "1_"),
    ("9223372036854775807", 2**63 - 1),
    ("1e-5", 1e-5),
    ("1E3", 1000.0),
    ("1e+3", 1000.0),
    (".5", 0.5),
    ("1.", 1.0),
    ("-0.25", -0.25),
    ("1_000.5", 1000.5),
    ("4.0G", "4.0G"),
    ("1e", "1e"),
    (".", "."),
    ("true", True),
    ("false", False),
    ("True", True),
    ("on", "on"),
    ("off", "off"),
    ("yes", "yes"),
    ("no", "no"),
    ("y", "y"),
    ("null", None),
    ("~", None),
    ("", None),
    (".inf", math.inf),
    ("-.inf", -math.inf),
    ("inf", "inf"),
    ("nan", "nan"),
    ("12:30:45", "12:30:45"),
    ("2026-01-01", "2026-01-01"),
    ("'1'", "1"),
    ('"true"', "true"),
    ("''", ""),
    ("$filters", "$filters"),
    ("${in.channels // 2}", "${in.channels // 2}"),
]


@pytest.mark.parametrize(("written", "meant"), SCALARS)
def test_scalars_are_strict(written: str, meant: object) -> None:
    value = plain(value_of(f"key: {written}\n"))
    assert isinstance(value, dict)
    assert value["key"] == meant
    assert type(value["key"]) is type(meant)


def test_not_a_number_is_read_as_one() -> None:
    value = value_of("[.nan, .NaN]")
    assert isinstance(value, Listing)
    assert all(isinstance(each, Scalar) and isinstance(each.value, float) for each in value.items)


def test_quotes_and_text_are_remembered() -> None:
    value = value_of("[1_000, '1_000', \"x\"]")
    assert isinstance(value, Listing)
    told = [(each.value, each.text, each.quoted) for each in value.items if isinstance(each, Scalar)]
    assert told == [(1000, "1_000", False), ("1_000", "1_000", True), ("x", "x", True)]


SPEC = """\
netspec: 1
layers:
  - conv: {filters: 64, kernel: [3, 5]}
  - relu
  - dense:
      units: "10"

      activation:
last: é x
"""

PLACES: list[tuple[tuple[str | int, ...], tuple[int, int, int, int]]] = [
    ((), (1, 1, 9, 10)),
    (("netspec",), (1, 10, 1, 11)),
    (("layers",), (3, 3, 8, 18)),
    (("layers", 0), (3, 5, 3, 40)),
    (("layers", 0, "conv"), (3, 11, 3, 40)),
    (("layers", 0, "conv", "kernel", 1), (3, 37, 3, 38)),
    (("layers", 0, "conv", "kernel", "tuple[int, int]", 1), (3, 37, 3, 38)),
    (("layers", 0, "conv", "kernel", 7), (3, 33, 3, 39)),
    (("layers", 0, "conv", "stride"), (3, 11, 3, 40)),
    (("layers", 1), (4, 5, 4, 9)),
    (("layers", 1, "relu", 3), (4, 5, 4, 9)),
    (("layers", 2, "dense", "units"), (6, 14, 6, 18)),
    (("layers", 2, "dense", "activation"), (8, 18, 8, 18)),
    (("last",), (9, 7, 9, 10)),
]


@pytest.mark.parametrize(("loc", "place"), PLACES)
def test_values_know_their_place(loc: tuple[str | int, ...], place: tuple[int, int, int, int]) -> None:
    assert locate(value_of(SPEC), loc) == Span("f.yaml", *place)


def test_keys_know_their_place() -> None:
    value = value_of(SPEC)
    assert locate_key(value, ("layers", 0, "conv", "kernel")) == Span("f.yaml", 3, 25, 3, 31)
    assert locate_key(value, ("layers", 0, "conv", "nothing")) == Span("f.yaml", 3, 11, 3, 40)
    assert locate_key(value, ("layers", 1)) == Span("f.yaml", 4, 5, 4, 9)


def test_an_alias_repeats_the_value() -> None:
    value = value_of("a: &x {b: [1, 2]}\nc: *x\n")
    assert plain(value) == {"a": {"b": [1, 2]}, "c": {"b": [1, 2]}}
    assert isinstance(value, Mapping)
    assert locate(value, ("c", "b", 1)) == locate(value, ("a", "b", 1))


def test_a_byte_order_mark_is_no_text() -> None:
    assert locate(value_of("\ufeffa: 1\n"), ("a",)) == Span("f.yaml", 1, 4, 1, 5)


REFUSED = [
    ("", "NS0005"),
    ("# nothing\n", "NS0005"),
    ("---\n...\n", "NS0005"),
    ("a: b: c\n", "NS0006"),
    ("a: @x\n", "NS0006"),
    ("a: `x`\n", "NS0006"),
    ("from: *.x\n", "NS0006"),
    ('a: "\\q"\n', "NS0006"),
    ("a: 'x' y\n", "NS0006"),
    ("a: {b: 1 c: 2}\n", "NS0006"),
    ("a: {b: 1\n    c: 2}\n", "NS0006"),
    ("a: [1,, 2]\n", "NS0006"),
    ("%YAML 3.0\n---\na: 1\n", "NS0006"),
    ("a: |x\n  b\n", "NS0006"),
    ("layers: - relu\n", "NS0006"),
    ("layers:\n\t- relu\n", "NS0007"),
    ("- a\n\t- b\n", "NS0007"),
    ("a:\n  b:\n\t    c: 1\n", "NS0007"),
    ("input: [3, 4\nlayers:\n  - relu\n", "NS0008"),
    ("layers:\n  - conv: {filters: 64\n  - relu\n  - dense: 10\n", "NS0008"),
    ("layers:\n  - conv: {filters: 64\n", "NS0008"),
    ("a: [1, 2}\n", "NS0008"),
    ("a: [1, 2]]\n", "NS0008"),
    ("a: }\n", "NS0008"),
    ('name: "abc\nlayers: [relu]\n', "NS0009"),
    ("name: 'abc\nlayers: [relu]\n", "NS0009"),
    ('name: "abc\nother: "x"\n', "NS0009"),
    ("a: 'x\n---\nb'\n", "NS0009"),
    ("a: 1\na: 2\n", "NS0010"),
    ("{a: 1, a: 2}\n", "NS0010"),
    ("1: a\n", "NS0011"),
    ("true: a\n", "NS0011"),
    (": a\n", "NS0011"),
    ("{: a}\n", "NS0011"),
    ("b: 1\n: a\n", "NS0011"),
    ("? [a]\n: b\n", "NS0011"),
    ("a: &x {b: 1}\nc: {<<: *x}\n", "NS0012"),
    ("a: !!python/object/apply:os.system [ls]\n", "NS0013"),
    ("a: !mine 3\n", "NS0013"),
    ("a: !x!mine 3\n", "NS0013"),
    ("!!map {a: 1}\n", "NS0013"),
    ("a: 1\n---\na: 2\n", "NS0014"),
    ("a: 1\n...\n---\n", "NS0014"),
    ("conv: {filters: ${width}}\n", "NS0015"),
    ("kernel: [${a}, 3]\n", "NS0015"),
    ("layers:\n  - relu\n    name: x\n", "NS0016"),
    ("layers:\n  - relu # positive\n    name: x\n", "NS0016"),
    ("layers:\n  - relu\n\n    # why\n    name: x\n", "NS0016"),
    ("a: 1\n  b: 2\n", "NS0017"),
    ("a:\n  b: 2\n c: 3\n", "NS0017"),
    ("layers:\n  - relu\n - tanh\n", "NS0017"),
    ("{filters:64}\n", "NS0018"),
    ("netspec:1\nname: x\n", "NS0018"),
    ("[" * 101 + "]" * 101, "NS0019"),
    ("[" * 100_000, "NS0019"),
    ("a: &a [*a]\n", "NS0021"),
    ("a: *b\n", "NS0022"),
    ("a: " + "9" * 5000 + "\n", "NS0023"),
    ("a: 9223372036854775808\n", "NS0023"),
    ("a: \x00\n", "NS0024"),
    ("a: \ud800\n", "NS0024"),
    ("a: \ufffe\n", "NS0024"),
]


@pytest.mark.parametrize(("text", "code"), REFUSED)
def test_each_mistake_has_its_code_and_its_help(text: str, code: str) -> None:
    problems = Problems()
    read(text, "f.yaml", problems)
    assert [each.code.id for each in problems] == [code]
    assert all(each.help for each in problems)


def test_every_duplicate_and_every_bare_expression_is_told() -> None:
    assert codes_of("a: 1\na: 2\nb: {c: 1, c: 2, c: 3}\n7: x\n") == ["NS0010", "NS0010", "NS0010", "NS0011"]
    assert codes_of("a: {b: ${x}, c: ${y + 1}}\nd: [${z}]\n") == ["NS0015"] * 3


def test_what_is_beside_a_mistake_is_still_read() -> None:
    problems = Problems()
    value = read("a: 1\na: 2\nb: !!str 3\n", "f.yaml", problems)
    assert value is not None
    assert plain(value) == {"a": 1, "b": "3"} or plain(value) == {"a": 1, "b": 3}
    assert len(problems) == 2


def bomb(levels: int, width: int = 10) -> str:
    lines = ["a0: &a0 [1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


def test_aliases_cannot_explode() -> None:
    assert codes_of(bomb(4)) == []
    started = time.perf_counter()
    assert codes_of(bomb(60)) == ["NS0020"]
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("inner", [1, 50])
def test_aliases_count_as_deep_as_what_they_stand_for(inner: int) -> None:
    def deep(outer: int) -> str:
        return f"a: &a {'[' * inner}{']' * inner}\nb: {'[' * outer}*a{']' * outer}\n"

    assert codes_of(deep(99 - inner)) == []
    assert codes_of(deep(100 - inner)) == ["NS0019"]


def test_aliases_cannot_hide_depth() -> None:
    inner = "a0: &a0 " + "[" * 60 + "]" * 60
    assert codes_of(f"{inner}\nb: {'[' * 60}*a0{']' * 60}\n") == ["NS0019"]
    chained = "".join(f"a{n}: &a{n} {'[' * 9}*a{n - 1}{']' * 9}\n" for n in range(1, 200))
    assert codes_of(f"a0: &a0 1\n{chained}") == ["NS0019"]


def test_reading_is_linear() -> None:
    """10,000 layers read in well under a second on a quiet machine; this bound is for a busy one."""
    text = "layers:\n" + "  - conv: {filters: 64, kernel: 3, padding: same}\n" * 10_000
    started = time.perf_counter()
    value = read(text, "f.yaml", Problems())
    assert time.perf_counter() - started < 5
    assert isinstance(value, Mapping)
    layers = value.entries["layers"].value
    assert isinstance(layers, Listing)
    assert len(layers.items) == 10_000


class TestFiles:
    """What keeps a file from being read."""

    def read(self, path: Path) -> tuple[Value | None, list[str]]:
        problems = Problems()
        value = read_file(path, problems, "shown.yaml")
        assert all(each.span.file == "shown.yaml" for each in problems)
        return value, [each.code.id for each in problems]

    def test_a_file_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "a.yaml"
        path.write_text("a: é\n", encoding="utf-8")
        value, codes = self.read(path)
        assert codes == []
        assert value is not None
        assert plain(value) == {"a": "é"}

    def test_missing(self, tmp_path: Path) -> None:
        assert self.read(tmp_path / "no.yaml") == (None, ["NS0001"])
        (tmp_path / "file").write_text("")
        assert self.read(tmp_path / "file" / "below.yaml") == (None, ["NS0001"])

    def test_no_plain_file(self, tmp_path: Path) -> None:
        assert self.read(tmp_path) == (None, ["NS0002"])
        assert self.read(Path("nul\0byte")) == (None, ["NS0002"])
        assert self.read(tmp_path / ("x" * 5000)) == (None, ["NS0002"])
        os.mkfifo(tmp_path / "pipe")
        assert self.read(tmp_path / "pipe") == (None, ["NS0002"])

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_no_permission(self, tmp_path: Path) -> None:
        path = tmp_path / "a.yaml"
        path.write_text("a: 1\n")
        path.chmod(0)
        assert self.read(path) == (None, ["NS0002"])

    @pytest.mark.parametrize("raw", [b"a: \xe9\n", b"\xff\xfea\0:\0", b"\x89PNG\r\n\x1a\n"])
    def test_not_utf8(self, tmp_path: Path, raw: bytes) -> None:
        path = tmp_path / "a.yaml"
        path.write_bytes(raw)
        assert self.read(path) == (None, ["NS0003"])

    def test_too_large_is_not_even_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "a.yaml"
        with path.open("wb") as stream:
            stream.truncate(50_000_000)

        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("the file was opened")

        monkeypatch.setattr(Path, "open", refuse)
        assert self.read(path) == (None, ["NS0004"])

    def test_a_text_may_be_too_large_too(self) -> None:
        assert codes_of("#" * (source.SIZE_LIMIT + 1)) == ["NS0004"]

    def test_empty(self, tmp_path: Path) -> None:
        path = tmp_path / "a.yaml"
        path.write_bytes(b"")
        assert self.read(path) == (None, ["NS0005"])


_PIECES = [
    *"[]{},:-&*!?|>'\"%@`#\\~",
    *("\n", "\n  ", "\n    ", "\n- ", " ", "  ", "\t", "\r\n", "\u2028", "\x85", "\ufeff", "\x07"),
    *(
        "a: ",
        "relu",
        "b",
        "x: y",
        "${x}",
        "<<: ",
        "&a ",
        "*a",
        "!!str ",
        "---",
        "...",
        "1",
        "012",
        "1e5",
        "é",
    ),
]


@pytest.mark.parametrize("seed", range(4))
def test_no_text_whatever_raises(seed: int) -> None:
    chance = random.Random(seed)
    for number in range(4000):
        text = "".join(chance.choices(_PIECES, k=chance.randint(1, 16)))
        problems = Problems()
        try:
            value = read(text, "f.yaml", problems)
        except Exception as error:  # say how to see it again, whatever it is
            pytest.fail(f"seed {seed}, text {number}: {text!r} raised {error!r}")
        assert value is not None or problems.errors, f"seed {seed}, text {number}: {text!r} vanished"
        lines = len(LINE_END.split(text))
        assert all(1 <= each.span.line <= lines for each in problems), f"{text!r}: {problems.found}"


def test_both_parsers_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML without libyaml words its failures differently; the codes are the same."""
    import yaml

    expected = {text: codes_of(text) for text, _ in REFUSED if len(text) < 1000}
    places = locate(value_of(SPEC), ("layers", 0, "conv", "kernel", 1))
    monkeypatch.setattr(source, "_Parser", yaml.BaseLoader)
    assert {text: codes_of(text) for text in expected} == expected
    assert locate(value_of(SPEC), ("layers", 0, "conv", "kernel", 1)) == places
