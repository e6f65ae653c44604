"""Watching every layer of a text: the calls that are put in, and the recorder that they call."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from netspec.backend import Source, Tap
from netspec.lowering.taps import HOOK, Recorder, instrument

TEXT = """
def block(x):
    x = double(
        x
    )
    return x


def model(x):
    x = x + 1
    for _ in range(2):
        x = block(x)
    y = x * 10
    return x, y
"""
TAPS = (Tap(5, "x", ("double1",)), Tap(10, "x", ("start",)), Tap(13, "y", ("end",)))
NAMES = ("start", "blocks.0.double1", "blocks.1.double1", "end")


def watched(recorder: Recorder) -> dict[str, Any]:
    space: dict[str, Any] = {HOOK: recorder, "double": lambda x: 2 * x}
    exec(compile(instrument(Source(TEXT, TAPS)), "text", "exec"), space)
    return space


def test_every_pass_is_recorded_by_canonical_names() -> None:
    recorder = Recorder(NAMES)
    model = watched(recorder)["model"]
    for start, expected in ((0, (1, 2, 4, 40)), (1, (2, 4, 8, 80))):
        recorder.start()
        assert model(start) == (expected[2], expected[3])
        assert recorder.seen == dict(zip(NAMES, expected, strict=True))


def test_an_argument_is_recorded_before_the_first_statement() -> None:
    text = "def model(\n    x,\n):\n    x = 2 * x\n    return x\n"
    recorder = Recorder(("given", "made"), inject=("given", 5))
    space: dict[str, Any] = {HOOK: recorder}
    taps = (Tap(3, "x", ("given",)), Tap(4, "x", ("made",)))
    exec(compile(instrument(Source(text, taps)), "text", "exec"), space)
    assert (space["model"](1), recorder.seen) == (12, {"given": 6, "made": 12})


def test_the_text_without_the_calls_is_the_text() -> None:
    tree = instrument(Source(TEXT, TAPS))
    for node in ast.walk(tree):
        if isinstance(getattr(node, "body", None), list):
            node.body = [each for each in node.body if HOOK not in ast.unparse(each) or hasattr(each, "body")]  # type: ignore[attr-defined]
    assert ast.dump(tree) == ast.dump(ast.parse(TEXT))


@pytest.mark.parametrize(
    ("name", "expected"), [("start", (24, 240)), ("blocks.0.double1", (14, 140)), ("end", (4, 45))]
)
def test_an_injection_moves_one_layer(name: str, expected: tuple[int, int]) -> None:
    recorder = Recorder(NAMES, inject=(name, 5))
    recorder.start()
    assert watched(recorder)["model"](0) == expected


def test_a_line_that_returns_a_value_returns_it_through_the_tap() -> None:
    text = "def model(x):\n    return (\n        x + 1\n    )\n"
    recorder = Recorder(("end",), inject=("end", 5))
    space: dict[str, Any] = {HOOK: recorder}
    exec(compile(instrument(Source(text, (Tap(4, "", ("end",)),))), "model", "exec"), space)
    assert (space["model"](1), recorder.seen) == (7, {"end": 7})


def test_an_unknown_layer_cannot_be_moved() -> None:
    with pytest.raises(KeyError, match="other"):
        Recorder(NAMES, inject=("other", 1))


def test_layers_out_of_order_are_found() -> None:
    for names in (("start", "end", *NAMES[1:3]), NAMES[:3], ("astart", *NAMES[1:])):
        recorder = Recorder(names)
        recorder.start()
        with pytest.raises(RuntimeError, match="is made"):
            watched(recorder)["model"](0)


def test_a_tap_where_nothing_ends_is_refused() -> None:
    for line in (4, 11, 99):
        with pytest.raises(ValueError, match=f"line {line}"):
            instrument(Source(TEXT, (Tap(line, "x", ("node",)),)))


def test_a_loop_names_its_repetitions_by_any_number() -> None:
    recorder = Recorder(("stage.0.conv", "stage.12.conv", "stage.last.conv"))
    recorder.start()
    node = ("stage", None, "conv")
    assert [recorder.due(node), recorder.due(node)] == ["stage.0.conv", "stage.12.conv"]
    with pytest.raises(RuntimeError, match=r"stage\.\*\.conv is made where stage\.last\.conv is due"):
        recorder.due(node)


def test_a_local_name_is_whole_parts_of_a_name() -> None:
    for name, node in (("conv", ("a", "conv")), ("xa.conv", ("a", "conv")), ("a.conv", (None, "conv"))):
        with pytest.raises(RuntimeError, match="is due"):
            Recorder((name,)).due(node)
