"""The formats of files of weights by the ends of their names: containers, and the files of frameworks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from netspec import files
from netspec.backend import Broken, Exchanges, backends
from netspec.dataclass import replace
from netspec.weights import WeightsError
from netspec.weights.containers import READ, WRITTEN, unreadable
from netspec.weights.held import Held


def frameworks() -> Iterator[Exchanges]:
    """The registered backends whose frameworks have files of weights."""
    return (each for each in backends() if isinstance(each, Exchanges))


def framework(name: str) -> Exchanges:
    """The backend with this name, for names and layouts of its framework.

    Raises:
        WeightsError: no such backend has files of weights.
    """
    found = {each.name: each for each in frameworks()}
    if name not in found:
        from netspec.ops.nearest import did_you_mean

        known = " or ".join(found) or "none"
        raise WeightsError(
            f"no framework called {name!r} has its own weights{did_you_mean(name, found)}: {known}"
        )
    return found[name]


def suffix_of(path: Path, known: Iterator[str] | list[str]) -> str | None:
    """The longest of these suffixes with which the name of a file ends."""
    name = path.name.lower()
    return max((each for each in known if name.endswith(each)), key=len, default=None)


def reader(path: Path) -> Exchanges | None:
    """The backend that reads a file; None for a container.

    Raises:
        WeightsError: the file has another end.
    """
    of = {suffix: each for each in frameworks() for suffix in each.suffixes}
    suffix = suffix_of(path, [*READ, *of])
    if suffix is None:
        broken = "".join(
            f"; the backend {each.name} is broken ({each.status().detail})"
            for each in backends()
            if isinstance(each, Broken)
        )
        raise unreadable(
            path, f"the end of its name says no format; netspec reads {', '.join(reads())}{broken}"
        )
    return of.get(suffix)


def reads() -> list[str]:
    """The suffixes of all files of weights that can be read."""
    return [*READ, *(suffix for each in frameworks() for suffix in each.suffixes)]


def writes() -> list[str]:
    """The suffixes of all files of weights that can be written."""
    return [*WRITTEN, *(suffix for each in frameworks() for suffix in each.writes)]


def held(path: Path, key: str | None = None) -> Held:
    """The tensors of a file, with the names and types of the file.

    Raises:
        WeightsError: the file cannot be read, or has no tensor.
        Unavailable: a package that reads it is missing.
    """
    if (fault := files.fault(path)) is not None:
        raise unreadable(path, files.reason(fault))
    other = reader(path)
    if other is None:
        if key is not None:
            raise unreadable(path, "it has one collection of tensors, without a key")
        found = READ[suffix_of(path, list(READ)) or ""](path)
    else:
        found = other.held(path, key)
    if not found.tensors:
        raise unreadable(path, "it holds no tensor")
    return found


def weights_only(found: Held, other: Exchanges, tell: Callable[[str], None]) -> Held:
    """The tensors of a file without counters of the framework, and without second names of a tensor."""
    counters = [name for name in found.tensors if other.split(name)[1] in other.counters]
    if counters:
        kinds = ", ".join(f"`{kind}`" for kind in sorted({other.split(name)[1] for name in counters}))
        tell(f"{len(counters)} counter{'s' * (len(counters) > 1)} {kinds} left out: not weights")
    for name, twin in found.twins.items():
        tell(f"{name} and {twin} are one tensor, taken once")
    gone = {*counters, *found.twins}
    return replace(found, tensors={name: each for name, each in found.tensors.items() if name not in gone})
