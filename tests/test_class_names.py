"""The name of a class means one thing: no two classes of netspec, of its commands or of a backend have the same.

Two backends may have the same name for what is the same thing in each, such as a `Trainer`.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOUSE = [ROOT / "netspec", ROOT / "cli" / "netspec_cli"]
BACKENDS = sorted(path.parent for path in (ROOT / "backends").glob("netspec_*/__init__.py"))


def classes(text: str) -> Iterator[str]:
    """The names of all classes in a text, also those in functions and classes."""
    return (node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef))


def homes(*folders: Path) -> dict[str, list[str]]:
    """For each name of a class, the files that define one."""
    found: dict[str, list[str]] = defaultdict(list)
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            for name in classes(path.read_text(encoding="utf-8")):
                found[name].append(path.relative_to(ROOT).as_posix())
    return found


def test_no_class_has_the_name_of_another_one() -> None:
    house = homes(*HOUSE)
    assert len(house) > 500
    assert len(BACKENDS) > 3
    twice = [f"{name}: {', '.join(files)}" for name, files in house.items() if len(files) > 1]
    for backend in BACKENDS:
        for name, files in homes(backend).items():
            if len(there := [*house.get(name, ()), *files]) > 1:
                twice.append(f"{name}: {', '.join(there)}")
    assert not twice, "name each class by what it is:\n  " + "\n  ".join(twice)
