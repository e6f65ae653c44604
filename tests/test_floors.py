"""No modules import each other, at any depth and for types too; inside `netspec/` every import goes down a floor."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "netspec"
FOLDERS = (ROOT, ROOT / "backends", ROOT / "cli")
PACKAGES = [path.parent for folder in FOLDERS for path in sorted(folder.glob(f"{PACKAGE}*/__init__.py"))]
"""The compiler, every backend, and the commands."""

# From the ground up. A room imports from its own modules and from the floors below, never from its neighbours.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("_version", "dataclass", "model", "files", "installation", "stops"),
    ("arithmetic", "types", "marks", "tensors"),
    ("diagnostics",),
    ("ops", "expectations", "recipe"),
    ("graph", "data", "scoring"),
    ("analysis", "arrays", "fit", "weights", "language.reading"),
    ("language.expressions", "passes", "drawing", "writing"),
    ("language.document",),
    ("language.elaboration", "language"),
    ("backend", "loading"),
    ("lowering", "proof", "training", "exchange", "refusals", "below", "scaffold", "schema"),
    ("check", "benchmark", "export"),
    ("api",),
    ("",),
)
LEVELS = {f"{PACKAGE}.{room}".rstrip("."): level for level, rooms in enumerate(FLOORS) for room in rooms}

Imports = Mapping[str, set[str]]
"""What each module imports."""


def sources() -> dict[str, str]:
    """The text of every module of every package, by its name."""
    found = {}
    for package in PACKAGES:
        for path in sorted(package.rglob("*.py")):
            parts = path.relative_to(package.parent).with_suffix("").parts
            found[".".join(parts).removesuffix(".__init__")] = path.read_text(encoding="utf-8")
    return found


def imports(texts: Mapping[str, str]) -> dict[str, set[str]]:
    """Which modules each module imports, wherever in its text the import stands."""
    return {name: set(_imported(text, texts)) - {name} for name, text in texts.items()}


def _imported(text: str, known: Mapping[str, str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in known else str(node.module) for name in inner)


def room_of(module: str) -> str:
    """The room in which a module stands: the longest that its name starts with."""
    room = module
    while room not in LEVELS:
        room, dot, _ = room.rpartition(".")
        if room == PACKAGE or not dot:
            raise LookupError(f"{module} stands on no floor: give it a place in FLOORS")
    return room


def upward(arrows: Imports) -> list[str]:
    """The imports inside `netspec/` that go up, or to a neighbour."""
    return [
        f"{module} imports {name}"
        for module, names in arrows.items()
        if _is_inside(module)
        for name in sorted(filter(_is_inside, names))
        if room_of(module) != room_of(name) and LEVELS[room_of(module)] <= LEVELS[room_of(name)]
    ]


def _is_inside(module: str) -> bool:
    return module.partition(".")[0] == PACKAGE


def circles(arrows: Imports) -> list[list[str]]:
    """Modules that import each other, directly or on a way round."""
    reach: dict[str, set[str]] = {}
    for module in arrows:
        seen, todo = set[str](), [module]
        while todo:
            for name in arrows[todo.pop()] - seen:
                seen.add(name)
                todo.append(name)
        reach[module] = seen
    found = {frozenset(each for each in reach[m] if m in reach[each]) for m in arrows if m in reach[m]}
    return sorted(sorted(circle) for circle in found)


@pytest.fixture(scope="module")
def house() -> dict[str, set[str]]:
    return imports(sources())


def test_every_import_goes_down(house: Imports) -> None:
    assert not upward(house)


def test_no_modules_import_each_other(house: Imports) -> None:
    assert {name.partition(".")[0] for name in house} == {package.name for package in PACKAGES}
    assert not circles(house)


MUTATIONS = {
    "graph → analysis, in a function": (
        "netspec.graph",
        "\ndef shapes(graph):\n    from netspec.analysis import analyze\n    return analyze(graph)\n",
    ),
    "diagnostic → its renderers, in a method": (
        "netspec.diagnostics.diagnostic",
        "\nclass Wrong:\n    def __str__(self):\n        from netspec.diagnostics.render import as_text\n",
    ),
    "graph → language, for a type": (
        "netspec.graph",
        "\nif TYPE_CHECKING:\n    from netspec.language.reading.values import Mapping\n",
    ),
    "reading → document": (
        "netspec.language.reading.source",
        "\nimport netspec.language.document.skeleton\n",
    ),
    "an op → the graph": ("netspec.ops.base", "\nfrom netspec import graph\n"),
    "story → walk": (
        "netspec.language.elaboration.story",
        "\nfrom netspec.language.elaboration.walk import Frame\n",
    ),
    "source of a backend → the backend, in a function": (
        "netspec_torch.source",
        "\ndef backend():\n    from netspec_torch import backend\n    return backend()\n",
    ),
    "what shares weights → the backend": (
        "netspec_keras.sharing",
        "\ndef backend():\n    from netspec_keras.backend import KerasBackend\n",
    ),
    "what the engines do → the engines": (
        "netspec_keras.engines.interface",
        "\nif TYPE_CHECKING:\n    from netspec_keras.engines import running\n",
    ),
    "a model → the backend": ("netspec_onnx.model", "\nfrom netspec_onnx.backend import OnnxBackend\n"),
    "what calculates → the table": ("netspec_numpy.calculation", "\nfrom netspec_numpy import lowerings\n"),
    "the form of a command → the command": ("netspec_cli.form", "\nfrom netspec_cli import arith\n"),
    "analysis → its neighbour": ("netspec.analysis.costs", "\nfrom netspec.weights import load\n"),
}


@pytest.mark.parametrize(("module", "more"), MUTATIONS.values(), ids=MUTATIONS)
def test_an_import_against_the_arrows_is_seen(house: Imports, module: str, more: str) -> None:
    texts = sources()
    arrows = {**house, module: set(_imported(texts[module] + more, texts)) - {module}}
    assert upward(arrows) or set(map(tuple, circles(arrows))) != set(map(tuple, circles(house)))


def test_a_new_module_needs_a_floor() -> None:
    with pytest.raises(LookupError, match=r"netspec\.attic stands on no floor"):
        upward({"netspec.attic": {"netspec.graph"}})
