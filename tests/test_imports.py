"""Neither `import netspec`, `check` nor `compile` loads a framework or NumPy, and nobody imports against the arrows."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from tests.having import WRITERS

ROOT = Path(__file__).parents[1]
BACKENDS = {path.parent.name: path.parent for path in sorted((ROOT / "backends").glob("*/__init__.py"))}
OWN = {name: set(import_module(name).backend().frameworks) for name in BACKENDS}
"""The frameworks of each backend, as it names them."""
HEAVY = {"numpy", "safetensors", "pydantic", "typer", "rich"}.union(*OWN.values())
"""What is not loaded where a spec holds: pydantic says what is wrong with a value, and typer reads options."""

LIBRARY = "import netspec"
COMMAND = """
import netspec_cli.entry
sys.argv = ["netspec", *{words}]
try:
    netspec_cli.entry.run()
except SystemExit as stop:
    code = stop.code or 0
"""
FIND_BACKENDS = """
from netspec.backend import backends
assert list(backends())
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


COMMANDS = ["check specs", *(f"compile zoo:lenet5 -b {name}" for name in WRITERS)]


@pytest.mark.parametrize(
    "statements",
    [LIBRARY, *(COMMAND.format(words=each.split()) for each in COMMANDS)],
    ids=[LIBRARY, *COMMANDS],
)
def test_loads_nothing_heavy(statements: str) -> None:
    assert loaded_by(statements) == (0, set())


CHECK_ONE = """
import netspec_cli.entry
sys.argv = ["netspec", "check", "{spec}"]
try:
    netspec_cli.entry.run()
except SystemExit as stop:
    assert not stop.code
unused = {unused}
loaded = [name for name in sys.modules if name in unused or name.startswith(tuple(f"{{each}}." for each in unused))]
assert not loaded, loaded
"""
NEVER_USED = ["netspec.ops.words.fields", "netspec.ops.words.ops", "netspec.ops.words.values", "netspec.passes",
              "netspec.lowering", "netspec.drawing", "netspec.weights", "netspec.backend", "netspec.model.full",
              "pydantic", "pydantic_core", "typer", "rich", "subprocess", "importlib.metadata"]  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "unused"),
    [
        (
            "zoo:unet",
            [
                "netspec.data",
                "netspec.training",
                "netspec.ops.norm",
                "netspec.ops.reshape",
                "netspec.ops.scale",
            ],
        ),
        (
            "zoo:googlenet",
            ["netspec.data", "netspec.training", "netspec.ops.transpose", "netspec.ops.resize"],
        ),
        (
            "zoo:lenet5",
            ["netspec.data.batches", "netspec.ops.norm", "netspec.ops.merge", "netspec.ops.resize"],
        ),
    ],
)
def test_checking_a_spec_that_holds_loads_only_what_it_uses(spec: str, unused: list[str]) -> None:
    assert loaded_by(CHECK_ONE.format(spec=spec, unused=NEVER_USED + unused)) == (0, set())


def test_finding_the_backends_loads_no_framework() -> None:
    code, modules = loaded_by(FIND_BACKENDS)
    assert (code, modules - {"numpy"}) == (0, set())


@pytest.mark.parametrize("module", sorted(HEAVY))
def test_the_probe_can_fail(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an empty module of this name, so that it need not be installed, and is quick."""
    (tmp_path / f"{module}.py").touch()
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    assert loaded_by(f"{LIBRARY}\nimport {module}") == (0, {module})


# Above netspec stand the backends, each with the frameworks that it names, and the commands, which know neither. A
# backend whose frameworks include all of another's may import what that one knows of them.
BELOW = {name: {other for other in OWN if OWN[other] and OWN[other] < OWN[name]} for name in OWN}
PACKAGES = {"netspec": set[str](), "cli/netspec_cli": {"netspec"}} | {
    f"backends/{name}": {"netspec", *frameworks, *BELOW[name]} for name, frameworks in OWN.items()
}
GOVERNED = {Path(package).name for package in PACKAGES}.union(*OWN.values())


def imports(source: str) -> Iterator[tuple[int, str]]:
    """Every import in the source, at any depth: its line and the top-level name that it loads."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.partition(".")[0]


def test_every_folder_of_a_backend_is_an_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    points = project["entry-points"]["netspec.backends"].values()
    assert sorted(points) == [f"{name}:backend" for name in BACKENDS]


@pytest.mark.parametrize("package", PACKAGES)
def test_arrows_run_one_way(package: str) -> None:
    allowed = PACKAGES[package] | {Path(package).name}
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
