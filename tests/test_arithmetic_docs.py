"""Every number and every command in docs/arithmetic.md is worked out anew."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from netspec import arithmetic
from netspec_cli.arith import app

PAGE = (Path(__file__).parents[1] / "docs" / "arithmetic.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"`(\w+\(.*?\)) = ([^`]+)`", PAGE)
ROWS = re.findall(
    r"^\| (\d+) \| (\w+) \| ([^|]+) \| `o'? = ([^`]+)`[^|]* \| `(\w+)\(.*` \|$", PAGE, re.MULTILINE
)
COMMANDS = re.findall(r"```console\n\$ netspec arith (.*)\n((?:.*\n)*?)```", PAGE)


@pytest.mark.parametrize(("call", "answer"), EXAMPLES, ids=[call for call, _ in EXAMPLES])
def test_example(call: str, answer: str) -> None:
    assert worked_out(call) == worked_out(answer)


def worked_out(text: str) -> Any:
    """A literal, or a call with literal arguments of one of our functions or of `range`."""
    node = ast.parse(text, mode="eval").body
    if not isinstance(node, ast.Call):
        return ast.literal_eval(node)
    assert isinstance(node.func, ast.Name)
    function = range if node.func.id == "range" else getattr(arithmetic, node.func.id)
    named = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in node.keywords}
    return function(*map(ast.literal_eval, node.args), **named)


def test_the_table_of_relationships_is_the_code() -> None:
    written = [(int(number), holds, formula, function) for number, _, holds, formula, function in ROWS]
    coded = []
    for number, relationship in arithmetic.RELATIONSHIPS.items():
        i = "i'" if 8 <= number <= 14 else "i"
        formula = relationship.template.format(i=i, k="k", s="s", d="d", a="a", pads="2p", cut="2p")
        coded.append((number, relationship.holds, formula, relationship.function.__name__))
    assert written == coded


def test_every_public_function_has_an_example() -> None:
    elsewhere = {"explain_conv", "explain_pool", "explain_transpose", "transposed_equivalent"}  # the commands
    public = {
        name
        for name, value in vars(arithmetic).items()
        if callable(value)
        and value.__module__ == arithmetic.__name__
        and name[0].islower()
        and name[0] != "_"
    }
    assert public - elsewhere == {call.partition("(")[0] for call, _ in EXAMPLES}


@pytest.mark.parametrize(("command", "output"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_command(command: str, output: str) -> None:
    assert CliRunner().invoke(app, shlex.split(command)).output == output


def test_the_page_was_read() -> None:
    assert len(ROWS) == 15
    assert len(EXAMPLES) == 34
    assert len(COMMANDS) == 5
