"""Changes one expression of a module at a time and runs the tests chosen for it: each change must fail one of them.

    python benchmarks/mutation.py [--count N] [--seed S] [--only PART]

The changes are drawn at random from all that `mutants` finds; the same seed draws the same ones. A copy of the
repository is changed, never the repository. A mutant is killed if a test fails or does not end in time, equivalent if
`EQUIVALENT` says why no test can notice it, and has survived otherwise; a survivor asks for a test.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy  # noqa: F401 - the tests need these, too: they are imported before the forks
import pydantic
import pytest
import yaml  # noqa: F401

pydantic.BaseModel  # noqa: B018 - imports most of pydantic

ROOT = Path(__file__).parents[1]
LIMIT_S = 240
"""After that the tests are stopped, and the mutant counts as killed."""

PARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "arithmetic": (
        ("netspec/arithmetic.py",),
        ("tests/test_arithmetic.py", "tests/test_arithmetic_cli.py"),
    ),
    "windows": (
        ("netspec/ops/window.py",),
        (
            "tests/ops/test_window.py",
            "tests/test_windows.py",
            "tests/language/test_bad_input.py",
            "tests/language/test_values.py",
        ),
    ),
    "weights": (
        ("netspec/weights/initial.py", "netspec/weights/layout.py", "netspec/ops/fans.py"),
        ("tests/weights/test_initial.py", "tests/test_fans.py", "-k", "not frameworks"),
    ),
    "difference": (
        ("netspec/proof/difference.py",),
        ("tests/proof/test_comparison.py", "-k", "not all_zero"),
    ),
    "names": (
        (
            "netspec/language/elaboration/lookup.py",
            "netspec/language/elaboration/sharing.py",
            "netspec/language/elaboration/finish.py",
        ),
        ("tests/language/elaboration", "tests/language/test_blocks.py", "tests/language/test_items.py"),
    ),
}
"""What is changed, and the tests that must notice it. `tests/test_benchmarks.py` checks that all exist."""

EQUIVALENT: dict[str, str] = {
    r"difference\.py: .*default=0\.0": "without a tensor on any side every difference is infinite, whatever the floor",
    r"strict=True.* True -> False": "a guard against a bug: the rows have equal lengths wherever they are made",
}
"""Patterns of the changes that no test can notice, and why. They are searched in what `Mutant.described` gives."""

_COMPARED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_CALCULATED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.Div: ast.Mult, ast.Pow: ast.Mult,
}  # fmt: skip
_CALLED = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: from `start` to `end` in the bytes of a file."""

    file: str
    line: int
    start: int
    end: int
    before: str
    after: str
    source: str
    """The line of the file on which it starts."""

    def described(self) -> str:
        """The change and its line, for `EQUIVALENT`."""
        return f"{self.file}: {self.source}: {self.before} -> {self.after}"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.before}  ->  {self.after}"


def mutants(file: str) -> list[Mutant]:
    """Every change of a file: an operator, a condition, a number or a truth value."""
    text = (ROOT / file).read_text(encoding="utf-8")
    starts = [0]
    for line in text.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = []
    for node in _expressions(ast.parse(text)):
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        before = text.encode()[start:end].decode()
        shown = " ".join(before.split())
        source = text.splitlines()[node.lineno - 1].strip()
        found += [Mutant(file, node.lineno, start, end, shown, after, source) for after in _changes(node)]
    return found


class _Inside(ast.AST):
    """Some nodes, without what stands around them: decorators, annotations."""

    _fields = ("nodes",)

    def __init__(self, nodes: Sequence[ast.AST]) -> None:
        self.nodes = list(nodes)


def _expressions(tree: ast.AST) -> Iterator[ast.expr]:
    """The expressions that are worked out: not annotations, and not what a message is made of."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.JoinedStr | ast.Raise | ast.Assert):
            continue
        if isinstance(child, ast.FunctionDef):
            inner: list[ast.AST] = [*child.args.defaults, *child.body]
            yield from _expressions(_Inside(inner))
            continue
        if isinstance(child, ast.ClassDef):
            yield from _expressions(_Inside(child.body))
            continue
        if isinstance(child, ast.AnnAssign):
            yield from _expressions(_Inside([child.value] if child.value else []))
            continue
        if isinstance(child, ast.expr):
            yield child
        yield from _expressions(child)


def _changes(node: ast.expr) -> Iterator[str]:
    """What can stand in place of an expression."""
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARED:
            yield _text(ast.Compare(left, [_COMPARED[type(op)]()], [right]))
        case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() | ast.Sub(), right=right):
            yield _text(left)
            if not isinstance(node.op, ast.Sub):
                yield _text(right)
            else:
                yield _text(ast.BinOp(left, ast.Add(), right))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _CALCULATED:
            yield _text(ast.BinOp(left, _CALCULATED[type(op)](), right))
        case ast.BoolOp(op=ast.And(), values=values):
            yield _text(ast.BoolOp(ast.Or(), values))
        case ast.BoolOp(op=ast.Or(), values=values):
            yield _text(ast.BoolOp(ast.And(), values))
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield _text(operand)
        case ast.Constant(value=bool(value)):
            yield str(not value)
        case ast.Constant(value=int(value)):
            yield str(value + 1)
        case ast.Constant(value=float(value)):
            yield repr(value * 100 or 1.0)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if name in _CALLED:
            yield _text(ast.Call(ast.Name(_CALLED[name]), args, keywords))
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield _text(ast.IfExp(test, orelse, body))


def _text(node: ast.expr) -> str:
    return f"({ast.unparse(ast.fix_missing_locations(node))})"


def copied(folder: Path) -> None:
    """Copy what git tracks, and what it would track, to a folder."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def passes(folder: Path, tests: tuple[str, ...]) -> bool:
    """Whether the tests pass in the copy. They run in a fork, so that what is not changed is imported once."""
    child = os.fork()
    if not child:
        _run(folder, tests)
    ends = time.monotonic() + LIMIT_S
    while time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _run(folder: Path, tests: tuple[str, ...]) -> NoReturn:
    """Run the tests in the copy, in this process, and end it."""
    os.chdir(folder)
    own = [str(folder / each) for each in ("", "backends", "cli")]
    os.environ["PYTHONPATH"] = os.pathsep.join(own)
    sys.path[:] = [*own, *(each for each in sys.path if not Path(each or ".").is_relative_to(ROOT))]
    sys.dont_write_bytecode = True
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    code = 1
    try:
        code = int(pytest.main(["-x", "-q", "-n", "0", "-p", "no:cacheprovider", *tests]))
    finally:
        os._exit(code)


def fate(folder: Path, mutant: Mutant, tests: tuple[str, ...]) -> str:
    """What becomes of a mutant: killed, survived or equivalent."""
    if any(re.search(pattern, mutant.described()) for pattern in EQUIVALENT):
        return "equivalent"
    path = folder / mutant.file
    whole = path.read_bytes()
    path.write_bytes(whole[: mutant.start] + mutant.after.encode() + whole[mutant.end :])
    try:
        return "survived" if passes(folder, tests) else "killed"
    finally:
        path.write_bytes(whole)


def main() -> None:
    """Print a line per mutant, and a row per part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=30, help="mutants per part")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--only", choices=PARTS, help="one part")
    options = parser.parse_args()
    os.nice(max(10 - os.nice(0), 0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copied(folder)
        for part, (files, tests) in PARTS.items():
            if options.only not in (None, part):
                continue
            if not passes(folder, tests):
                sys.exit(f"{part}: the tests fail without a mutant: {' '.join(tests)}")
            found = [mutant for file in files for mutant in mutants(file)]
            drawn = random.Random(f"{options.seed} {part}").sample(found, min(options.count, len(found)))
            fates = Counter[str]()
            for mutant in drawn:
                ended = fate(folder, mutant, tests)
                fates[ended] += 1
                print(f"{ended}: {mutant}", flush=True)
            counts = ", ".join(f"{fates[each]} {each}" for each in ("killed", "survived", "equivalent"))
            print(f"{part}: {len(drawn)} of {len(found)} mutants: {counts}", flush=True)


if __name__ == "__main__":
    main()
