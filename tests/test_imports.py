"""`import netspec` and `netspec check` load no framework and no NumPy, and nobody imports against the arrows."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = {"jax", "keras", "numpy", "safetensors", "tensorflow", "torch"}

LIBRARY = "import netspec"
CHECK = """
import netspec_cli.main
sys.argv = ["netspec", "check", "specs"]
try:
    netspec_cli.main.run()
except SystemExit as stop:
    code = stop.code or 0
"""
FIND_BACKENDS = """
from netspec.backend import backends
assert len([each.name for each in backends()]) >= 3
"""


def loaded_by(statements: str) -> tuple[int, set[str]]:
    """Run the statements in a fresh interpreter; return their `code` and the heavy modules they left loaded."""
    report = f"json.dumps([code, sorted(set(sys.modules) & {HEAVY})])"
    program = f"import json, sys\ncode = 0\n{statements}\nprint({report}, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    code, modules = json.loads(done.stderr.splitlines()[-1])
    return code, set(modules)


@pytest.mark.parametrize("statements", [LIBRARY, CHECK], ids=["import netspec", "netspec check specs"])
def test_loads_nothing_heavy(statements: str) -> None:
    assert loaded_by(statements) == (0, set())


def test_finding_the_backends_loads_no_framework() -> None:
    code, modules = loaded_by(FIND_BACKENDS)
    assert (code, modules - {"numpy"}) == (0, set())


@pytest.mark.parametrize("module", ["numpy", "torch", "keras"])
def test_the_probe_can_fail(module: str) -> None:
    pytest.importorskip(module)
    assert module in loaded_by(f"{LIBRARY}\nimport {module}")[1]


# What stands left may import, of the packages that stand anywhere in this table, only those right of it.
FRAMEWORKS = {"jax", "keras", "tensorflow", "torch"}
MAY_IMPORT = {
    "netspec": set(),
    "backends/netspec_numpy": {"netspec"},
    "backends/netspec_torch": {"netspec", "torch"},
    "backends/netspec_keras": {"netspec", "jax", "keras", "tensorflow"},
    "cli/netspec_cli": {"netspec"},
}
GOVERNED = FRAMEWORKS | {Path(package).name for package in MAY_IMPORT}


def imports(source: str) -> Iterator[tuple[int, str]]:
    """Every import in the source, at any depth: its line and the top-level name that it loads."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.partition(".")[0]


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_arrows_run_one_way(package: str) -> None:
    allowed = MAY_IMPORT[package] | {Path(package).name}
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: imports {name}"
        for path in files
        for line, name in imports(path.read_text(encoding="utf-8"))
        if name in GOVERNED - allowed
    ]
    assert not wrong, "\n".join(wrong)


def test_an_import_at_any_depth_is_seen() -> None:
    assert list(imports("def f():\n    from torch.nn import Module\n")) == [(2, "torch")]
