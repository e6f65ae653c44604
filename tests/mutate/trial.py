"""What must hold of every text: diagnostics and nothing else, each with a place; of a spec, all that is derived."""

from __future__ import annotations

import atexit
import json
import random
import re
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from netspec.analysis import analyze
from netspec.check import check_file
from netspec.diagnostics import Diagnostic
from netspec.diagnostics.catalogue import CODES
from netspec.diagnostics.render import REPORTS, as_text
from netspec.graph import Graph, verify
from netspec.language.reading.locations import zoo_folder
from tests.mutate.corpus import CORPUS, FILES
from tests.mutate.edits import mutated
from tests.rereading import differences, reread

_WRITTEN = 500
"""Layers up to which a network is written again: a larger one says no more, and takes long."""
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True)
class Outcome:
    """What a mutant came to: whether it holds, and the codes of what was said."""

    holds: bool
    codes: frozenset[str]


def mutant(seed: str, number: int) -> str:
    """The text of this number."""
    draw = random.Random(f"{seed}/{number}")
    return mutated(draw, CORPUS.draw(draw))


def examine(text: str) -> tuple[Outcome, Graph | None]:
    """Check a text and report it; what was found, and the network if it is one.

    Raises:
        AssertionError: something that must hold does not.
    """
    path = folder() / "mutant.yaml"
    path.write_bytes(text.encode())
    graph, diagnostics = check_file(path)
    as_text(diagnostics).encode()
    for render in REPORTS.values():
        render([(str(path), diagnostics)]).encode()
    lines = {file: _lines(file) for file in {each.span.file for each in diagnostics}}
    for each in diagnostics:
        check_place(each, lines[each.span.file])
        assert each.code is CODES[each.code.id]
        assert each.message
        assert "Error(" not in each.message, each.message
    wrong = any(each.severity == "error" for each in diagnostics)
    assert graph is not None or wrong, "there is no graph, and nothing is said"
    return Outcome(not wrong, frozenset(each.code.id for each in diagnostics)), graph


@cache
def folder() -> Path:
    """Where this process writes its mutants, beside the files that they may include."""
    made = Path(tempfile.mkdtemp(prefix="netspec-mutants-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    for name, text in FILES.items():
        (made / name).write_text(text, encoding="utf-8")
    for parts in zoo_folder().rglob("parts"):
        shutil.copytree(parts, made / "parts", dirs_exist_ok=True)
    return made


def _lines(file: str) -> list[str]:
    return _LINE_END.split(Path(file).read_bytes().decode().removeprefix("\ufeff"))


def check_place(diagnostic: Diagnostic, lines: list[str]) -> None:
    """A place lies in a file that there is, with these lines, and ends after it starts."""
    span = diagnostic.span
    where = f"{diagnostic.code.id} at {span.line}:{span.column}-{span.end_line}:{span.end_column}"
    assert (span.line, span.column) <= (span.end_line, span.end_column), f"{where} ends before it starts"
    assert 1 <= span.line <= span.end_line <= len(lines), f"{where} lies outside the {len(lines)} lines"
    for line, column in ((span.line, span.column), (span.end_line, span.end_column)):
        assert 1 <= column <= len(lines[line - 1]) + 1, f"{where} leaves its line"


def derive(graph: Graph) -> None:
    """What is worked out from a spec that holds: its laws, its table, its text.

    Raises:
        AssertionError: something that must hold does not.
    """
    verify(graph)
    table = analyze(graph).as_dict()
    json.dumps(table, allow_nan=False)
    assert all(number < 2**63 for number in table["totals"]["memory"].values())
    if len(graph.nodes) <= _WRITTEN and re.fullmatch("[A-Za-z][A-Za-z0-9_]*", graph.name):
        again, _ = reread(graph)
        found = differences(graph, again)
        assert not found, f"written again it is another network: {found[:3]}"
