"""The places of specs: the zoo, the root of relative paths, and how messages show paths."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from netspec import files

ZOO = "zoo:"
RECIPES = "recipes/"
"""The folder of the zoo with recipe files."""
ROOT_MARKS = ("pyproject.toml", ".git", "netspec.toml")
SUFFIXES = (".yaml", ".yml")


@cache
def zoo_folder() -> Path:
    """The folder of the zoo: next to the packages in a wheel, `specs/` in a source tree."""
    package = Path(__file__).resolve().parents[2]
    installed = package / "zoo"
    return installed if installed.is_dir() else package.parent / "specs"


@cache
def zoo() -> dict[str, Path]:
    """All specs of the zoo by name. Files of blocks, in folders called `parts`, are not specs, nor are recipes."""
    folder = zoo_folder()
    found = sorted(path for path in folder.rglob("*.yaml") if "parts" not in path.parts)
    return {path.stem: path for path in found if path.parent != folder / RECIPES}


@cache
def recipes() -> dict[str, Path]:
    """All recipe files of the zoo by name: `recipes/resnet50`."""
    return {f"{RECIPES}{path.stem}": path for path in sorted((zoo_folder() / RECIPES).glob("*.yaml"))}


def recipe_of(file: str) -> str | None:
    """The name of the recipe file of a spec of the zoo, if there is one: `zoo:recipes/resnet50`."""
    path = real(Path(file))
    name = f"{RECIPES}{path.stem}"
    return f"{ZOO}{name}" if name in recipes() and path == real(zoo().get(path.stem, Path())) else None


def root_of(path: Path) -> Path:
    """The root for paths in this file: the nearest parent folder with a marker file, else the folder of the file."""
    return _root_from(real(path).parent)


@cache
def _root_from(folder: Path) -> Path:
    if folder.is_relative_to(zoo_folder().resolve()):
        return zoo_folder().resolve()
    for each in (folder, *folder.parents):
        if any(files.exists(each / mark) for mark in ROOT_MARKS):
            return each
    return folder


def real(path: Path) -> Path:
    """The path with its links resolved; unchanged if this is impossible (a loop, a null character)."""
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):
        return path


def impossible(path: Path) -> OSError | None:
    """Why no file can have this path: a null character, too long, a loop of links. None if one can."""
    fault = files.fault(path)
    if fault is None or files.is_missing(fault) or isinstance(fault, files.NotPlain | PermissionError):
        return None
    return fault


def shown(path: Path) -> str:
    """The path for people: relative to the working folder if that is shorter."""
    try:
        return str(Path(os.path.abspath(path)).relative_to(Path.cwd()))  # noqa: PTH100 (it must not follow links)
    except (ValueError, OSError):
        return str(path)


@cache
def named(file: str, spec: str) -> str:
    """A file in a text for other machines: `zoo:vgg16`, or a path relative to the spec; never an absolute path."""
    path = real(Path(file))
    for name, member in zoo().items():
        if path == real(member):
            return f"{ZOO}{name}"
    if path.is_relative_to(real(zoo_folder())):
        return f"{ZOO}{path.relative_to(real(zoo_folder())).as_posix()}"
    try:
        return Path(os.path.relpath(path, real(Path(spec)).parent)).as_posix() if spec else path.name
    except ValueError:  # on another drive
        return path.name
