"""Statements in lines: as ruff leaves them, and with nothing changed but the lines."""

from __future__ import annotations

import ast
import random
import subprocess
import sys

import pytest

from netspec.lowering.layout import WIDTH, Page, docstring, wrap
from netspec.lowering.statements import Text

LONG = "a_name_that_somebody_chose_to_be_long"
STATEMENTS = [
    "x = F.relu(self.conv1(x))",
    f"self.{LONG} = nn.Conv2d(in_channels, filters, 3, stride=2, padding=1, bias=False)",
    f"self.{LONG}_too = nn.Conv2d(in_channels, filters, (3, 5), stride=(2, 1), padding=1, groups=8, bias=False)",
    f"self.{LONG} = nn.Sequential(UnitWithConv3(64, 128, stride=2), *(Unit(128) for _ in range(3)))",
    f"self.{LONG} = nn.Sequential(*(Unit({LONG} + growth * i, 4 * growth, stride=2) for i in range(count)))",
    f"self.{LONG} = nn.Sequential(Unit(1), *({LONG.title()}({LONG}, {LONG}, growth * i) for i in range(12)))",
    f"self.{LONG} = nn.ModuleList([Layer(padding=(1, 0)), Layer(padding=(2, 0)), Layer(padding=(4, 0))])",
    f"self.{LONG} = nn.Sequential(First(1), *(Second(padding=(2, 0)) for _ in range(8))).requires_grad_(False)",
    f"x = torch.cat([{LONG}, {LONG}, x, y], dim=1)",
    f"x = torch.cat([{LONG}, {LONG}, {LONG}, x, y], dim=1)",
    f"x = {LONG} + {LONG} + {LONG}",
    f"x = {LONG}_a * {LONG}[:, :, None, None] * {LONG}",
    f"{LONG}_a, {LONG}_b, skip = self.trunk(x)",
    f"return {LONG}_a, {LONG}_b, {LONG}_c",
    f'return {{"{LONG}": {LONG}, "another_output": x, "c": y}}',
    f"self.{LONG}.{LONG}.weight = self.{LONG}.weight",
    f"{LONG}_of_a_layer = self.{LONG}_and_longer_still_than_before(x)",
    f"x = x.unflatten(2, (-1, {LONG})).permute(0, 1, 3, 2).flatten(1, 2).flatten(2, 3)",
    f"def __init__(self, {LONG}, {LONG}_b, stride=1):",
    f"def forward(self, {LONG}, {LONG}_b, {LONG}_c):",
]


def pages(statements: list[str]) -> str:
    rows = ["class A:", "    def f(self):"]
    for statement in statements:
        rows += (
            ["", *wrap(statement, 2), "            pass"] if statement.endswith(":") else wrap(statement, 2)
        )
    return "\n".join(rows).rstrip() + "\n"


def reformatted(text: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", str(WIDTH), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def test_lines_are_broken_where_the_formatter_breaks_them() -> None:
    text = pages(STATEMENTS)
    assert text == reformatted(text)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_only_lines_change(statement: str) -> None:
    more = "\n            pass" if statement.endswith(":") else ""
    rows = "class A:\n    def f(self):\n" + "\n".join(wrap(statement, 2)) + more
    assert ast.dump(ast.parse(rows)) == ast.dump(
        ast.parse(f"class A:\n    def f(self):\n        {statement}{more}")
    )
    assert max(map(len, rows.splitlines())) <= WIDTH


def expression(rng: random.Random, depth: int) -> str:
    if depth == 0:
        return rng.choice(["x", LONG, "128", "(1, 2)", "self.conv1", '"a, b"', "3"])
    arguments = [expression(rng, rng.randint(0, depth - 1)) for _ in range(rng.randint(1, 5))]
    named = [f"name{at}={each}" if rng.random() < 0.3 else each for at, each in enumerate(arguments)]
    named.sort(key=lambda each: each.startswith("name"))
    return f"{rng.choice(['F.relu', 'self.' + LONG, 'call'])}({', '.join(named)})"


@pytest.mark.parametrize("seed", range(30))
def test_random_calls_keep_their_meaning(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(20):
        statement = f"x = {expression(rng, 3)}"
        assert ast.dump(ast.parse("\n".join(wrap(statement)))) == ast.dump(ast.parse(statement))


@pytest.mark.parametrize(
    "text",
    ["One line.", "Title.\n\nA paragraph.\nA line of its own.", "word " * 60, "", '"""', "\\", 'x"', '"x"'],
)
def test_a_docstring_says_its_text(text: str) -> None:
    rows = docstring(text, 1)
    (parsed,) = ast.parse("class A:\n" + "\n".join(rows)).body
    assert isinstance(parsed, ast.ClassDef)
    said = ast.get_docstring(parsed)
    assert said is not None
    assert " ".join(said.split()) == " ".join(text.split())
    assert all(len(row) <= WIDTH for row in rows)


def test_a_docstring_breaks_no_shape_and_no_list() -> None:
    for lead in range(60, 90):
        rows = docstring("w" * lead + " (N, 3, 224, 224) and [1, 2, 2] " + str(list(range(50))), 1)
        assert any("(N, 3, 224, 224)" in row for row in rows)
        assert any("[1, 2, 2]" in row for row in rows)
        assert all(len(row) <= WIDTH for row in rows)


def test_comments_stand_beside_or_above_and_taps_after() -> None:
    page = Page()
    page.statements(
        [
            Text("x = y", 1, ("x", ("one",)), "beside"),
            Text(f"x = call({LONG}, {LONG})", 1, ("x", ("two",)), "above, for there is no room"),
            Text(f"x = call({LONG}, {LONG}, {LONG})", 1, ("x", ("three",))),
        ]
    )
    source = page.source()
    lines = source.text.splitlines()
    assert lines[0] == "    x = y  # beside"
    assert lines[1] == "    # above, for there is no room"
    assert [(tap.line, tap.node) for tap in source.taps] == [(1, ("one",)), (3, ("two",)), (8, ("three",))]
