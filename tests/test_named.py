"""No test, and nothing in netspec/ or cli/, names a backend: they ask for what a backend can do. Nor do their texts.

The tests of a backend itself are the exception.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from netspec.backend import Exchanges, Files, Judges, backends

TESTS = Path(__file__).parent
NAMES = "|".join(each.name for each in backends())
PACKAGES = {type(each).__module__.partition(".")[0] for each in backends()}
CHOSEN = re.compile(rf"(?:{NAMES})|.*(?:-b|--backends?)[ =](?:\w+,)*(?:{NAMES})\b.*", re.DOTALL)
"""A string that is a backend's name, or a command that chooses a backend by its name."""

OWN = {
    "oracle.py": "the oracle itself, for all tests",
    "analysis/test_receptive_autograd.py": "the gradients of one framework find receptive fields",
    "lowering/test_variables.py": "a name that a text has taken",
    "random_networks/networks.py": "names of networks",
    "test_imports.py": "frameworks, and what may import them",
    "training/following.py": "the names in an advice",
    "training/test_processes.py": "one backend trains in several processes",
    "training/test_resume.py": "one backend keeps samples in the memory of its device",
}
"""Files that are about one backend or use its name for something else, and why.

Besides them, the files in tests/backends/ and those that are called after a backend may name one.
"""


def named(text: str) -> Iterator[tuple[int, str]]:
    """Where a text names a backend: the lines, and what stands there."""
    tree = ast.parse(text)
    frameworks = {id(each) for node in ast.walk(tree) if _imports(node) for each in ast.walk(node)}
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in PACKAGES:
                yield node.lineno, module
            case ast.Import(names=aliases):
                found = (alias.name for alias in aliases if alias.name.partition(".")[0] in PACKAGES)
                yield from ((node.lineno, name) for name in found)
            case ast.Constant(value=str(value)) if CHOSEN.fullmatch(value) and id(node) not in frameworks:
                yield node.lineno, value


def _imports(node: ast.AST) -> bool:
    """Whether it asks for a framework, which may have the name of a backend."""
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name == "importorskip"
    return False


def _is_own(path: Path) -> bool:
    relative = path.relative_to(TESTS).as_posix()
    called_after = re.search(rf"_(?:{NAMES})\.py$", relative)
    return relative.startswith("backends/") or relative in OWN or called_after is not None


FILES = [path for path in sorted(TESTS.rglob("*.py")) if not _is_own(path)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(TESTS).as_posix())
def test_no_test_names_a_backend(path: Path) -> None:
    assert not list(named(path.read_text(encoding="utf-8")))


WORDS = "netspec/ops/words/__init__.py"
"""Names of frameworks, whose words netspec explains; a backend may be called like one of them."""


@pytest.mark.parametrize("folder", ["netspec", "cli"])
def test_no_backend_is_known_outside_of_backends(folder: str) -> None:
    files = [path for path in (TESTS.parent / folder).rglob("*.py") if not path.as_posix().endswith(WORDS)]
    assert len(files) > 20
    assert not {str(path): found for path in files if (found := [*named(path.read_text(encoding="utf-8"))])}


LIBRARIES = {
    name for each in backends() if not isinstance(each, Judges) for name in (each.name, *each.frameworks)
}
"""The names of backends and their frameworks, without the oracle, whose name is that of a library of netspec's own."""
ENDS = {each.suffix for each in backends() if isinstance(each, Files)} | {
    end for each in backends() if isinstance(each, Exchanges) for end in each.writes
}
WITHIN = re.compile(
    rf"(?:{'|'.join(map(re.escape, sorted(LIBRARIES, key=len, reverse=True)))})(?!run|elastic)"
    rf"|(?:{'|'.join(map(re.escape, sorted(ENDS)))})(?!\w)",
    re.IGNORECASE,
)
"""A library in a text, also inside a longer name, or the end of its files. `torchrun` is a starter of any program."""

ABOUT_OTHERS = {
    "netspec/ops/words/": "what the words of other libraries are called here",
    "netspec/language/document/recipe_words.py": "the same, for the words of a recipe",
    "netspec/diagnostics/codes/structure.py": "explains conventions that differ from those of other libraries",
    "netspec/ops/norm.py": "the same, in an advice: a momentum of another library",
    "netspec/arithmetic.py": "whose rules of rounding the formulas are",
    "netspec/ops/base.py": "whose layout is the canonical one",
    "netspec/exchange/foreign.py": "the same",
    "netspec/ops/fans.py": "whose rule the fans of a bias follow",
    "netspec/recipe/optimizers.py": "whose formulas the optimisers have",
    "netspec/recipe/schedules.py": "whose formula a schedule has",
    "netspec/__init__.py": "the first example, as an author writes it",
    "netspec/data/loading.py": "the ends of names of pickles, which are refused as data",
}
"""Files that speak of other libraries, not of backends: a definition, or an advice to who comes from there."""


def strings(path: Path) -> list[str]:
    """The strings of a file, docstrings too, that speak of a library."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    texts = (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [text for text in texts if WITHIN.search(text)]


def test_no_text_speaks_of_a_backend() -> None:
    root = TESTS.parent
    found = {
        path.relative_to(root).as_posix(): texts
        for folder in ("netspec", "cli")
        for path in sorted((root / folder).rglob("*.py"))
        if (texts := strings(path))
    }
    others = {name: next((each for each in ABOUT_OTHERS if name.startswith(each)), None) for name in found}
    assert not {name: found[name] for name, other in others.items() if other is None}
    assert set(others.values()) == set(ABOUT_OTHERS), "leave out what speaks of no library any more"


@pytest.mark.parametrize(
    "text", ["With PyTorch, it is", "an ONNX file", ".weights.h5, .keras.", "a Keras model", "x.pt"]
)
def test_a_library_in_a_text_is_seen(text: str) -> None:
    assert WITHIN.search(text)


@pytest.mark.parametrize(
    "line",
    [
        "from {package} import backend",
        "import {package}.backend",
        "def test():\n    from {package}.source import source",
        "build(graph, '{name}')",
        "run('compile x.yaml -b {name} -o y')",
        "run('compare x.yaml --backends one,{name}')",
        "run(f'compare {{spec}} --backends {name}')",
        "pytest.importorskip('{name}') if one else '{name}'",
    ],
)
def test_a_name_is_seen(line: str) -> None:
    for each in backends():
        package = type(each).__module__.partition(".")[0]
        assert list(named(line.format(name=each.name, package=package))), each.name


def test_a_framework_that_is_called_like_a_backend_is_none() -> None:
    assert not list(named(f"import {NAMES.split('|')[0]}\npytest.importorskip('{NAMES.split('|')[0]}')\n"))
