"""Finds the entry points of backends.

`importlib.metadata` finds them too, but to import it takes a tenth of the time of compiling a network. So folders of
packages in their plain form are read here; if anything has another form, `importlib.metadata` reads all of them.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.metadata import Distribution

GROUP = "netspec.backends"

_FOLDERS = (".dist-info", ".egg-info")
_PLAIN = re.compile(r"[\w.]+:\w+")


class _Other(Exception):
    """Something has another form than the plain one."""


def registered() -> dict[str, str]:
    """For each registered backend, the function that makes it: `module:function`."""
    try:
        return dict(_read())
    except _Other:
        from importlib.metadata import entry_points

        return {each.name: each.value for each in entry_points(group=GROUP)}


def maker(name: str, value: str) -> Callable[[], Any]:
    """The function that makes a registered backend."""
    if _PLAIN.fullmatch(value):
        module, _, function = value.partition(":")
        found = getattr(import_module(module), function)
    else:
        from importlib.metadata import EntryPoint

        found = EntryPoint(name=name, value=value, group=GROUP).load()
    made: Callable[[], Any] = found
    return made


def package(name: str) -> Distribution | None:
    """The distribution that registers a backend."""
    from importlib.metadata import entry_points

    points = {each.name: each for each in entry_points(group=GROUP)}
    return points[name].dist if name in points else None


def _read() -> Iterator[tuple[str, str]]:
    """The entry points in the folders on the path; of two folders of a distribution, the first one counts.

    Raises:
        _Other: this is left to `importlib.metadata`.
    """
    if any(hasattr(each, "find_distributions") and each is not PathFinder for each in sys.meta_path):
        raise _Other
    seen: set[str] = set()
    names: set[str] = set()
    for root in sys.path:
        for child in _children(root):
            name = _normal(child)
            if name in seen:
                continue
            seen.add(name)
            for point, value in _points(os.path.join(root, child, "entry_points.txt")):  # noqa: PTH118 - pathlib takes longer
                if point in names or not _PLAIN.fullmatch(value):
                    raise _Other
                names.add(point)
                yield point, value


def _children(root: object) -> list[str]:
    """The folders with the data of distributions in a folder of the path."""
    # Python ignores an entry that is not a string, such as a Path; `importlib.metadata` decides what it finds there.
    if not isinstance(root, str) or root.lower().endswith(".egg"):
        raise _Other
    try:
        children = os.listdir(root or ".")  # noqa: PTH208 - pathlib takes longer
    except FileNotFoundError:
        return []
    except OSError:  # such as an archive
        raise _Other from None
    return [each for each in children if each.lower().endswith(_FOLDERS)]


def _normal(folder: str) -> str:
    """The name of a distribution in its normal form."""
    name = folder.rpartition(".")[0].partition("-")[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def _points(path: str) -> Iterator[tuple[str, str]]:
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib takes longer
            text = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, UnicodeDecodeError):
        raise _Other from None
    if GROUP not in text:
        return
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif line and not line.startswith("#") and section == GROUP:
            name, _, value = line.partition("=")
            yield name.strip(), value.strip()
