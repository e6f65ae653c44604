"""Finds the installed backends through entry points.

A command requires a capability, never a name: `usable(names, Trains)` gives backends that train, or says in one line
which one does not and which ones do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from netspec.backend.interface import (
    CAPABILITIES,
    Backend,
    Incapable,
    Judges,
    Keyed,
    Limit,
    Status,
    Unavailable,
)
from netspec.backend.registered import maker, package, registered
from netspec.graph import Graph
from netspec.ops.base import Op

if TYPE_CHECKING:
    from importlib.metadata import Distribution

T = TypeVar("T", bound=Backend)


class Broken:
    """A backend whose package fails to import; it reports this instead of being unknown."""

    frameworks: Sequence[str] = ()
    lowerings: Mapping[type[Op], object] = {}
    refusals: Mapping[type[Op], str] = {}
    limits: Sequence[Limit] = ()

    def __init__(self, name: str, error: BaseException, package: Distribution | None = None) -> None:
        self.name = name
        self._package = package
        self._reason = f"its package fails to import: {type(error).__name__}: {error}"

    def status(self) -> Status:
        from netspec.installation import reinstall

        return Status("broken", self._reason, reinstall(self._package))


def names() -> tuple[str, ...]:
    """The names of all registered backends, sorted."""
    return tuple(sorted(registered()))


def backend(name: str, found: Mapping[str, str] | None = None) -> Backend:
    """The backend with this name, of those that were found; by default they are looked for.

    Importing it imports no framework.

    Raises:
        Unavailable: no backend has this name.
    """
    found = registered() if found is None else found
    if name not in found:
        from netspec.ops.nearest import did_you_mean

        known = ", ".join(sorted(found)) or "none"
        raise Unavailable(f"no backend is called {name!r}{did_you_mean(name, found)} (registered: {known})")
    try:
        made: Backend = maker(name, found[name])()
    except Exception as error:  # any error in a third-party package is reported
        return Broken(name, error, package(name))
    return made


def backends() -> Iterator[Backend]:
    """All registered backends, broken ones included."""
    found = registered()
    for name in sorted(found):
        yield backend(name, found)


def capabilities(backend: Backend) -> list[str]:
    """The words for the capabilities of a backend."""
    return [word for capability, (word, _) in CAPABILITIES.items() if isinstance(backend, capability)]


def capable(name: str, capability: type[T]) -> T:
    """The backend with this name, whose framework need not be installed.

    Raises:
        Unavailable: no backend has this name, or its package is broken.
        Incapable: the backend does not have the capability. The message names backends that do.
    """
    found = backend(name)
    if isinstance(found, Broken):
        _require_ready([found])
    if isinstance(found, capability):
        return found
    what = CAPABILITIES[capability][1]
    raise Incapable(f"{name} cannot {what}; {_others(capability)}")


def _others(capability: type[Backend]) -> str:
    having = [each for each in backends() if isinstance(each, capability)]
    ready = [each.name for each in having if each.status().state == "ok"]
    if ready:
        return f"{' and '.join(ready)} can"
    return (
        f"{' or '.join(each.name for each in having) or 'no registered backend'} could, but is not installed"
    )


def usable(wanted: Sequence[str], capability: type[T]) -> list[T]:
    """These backends, all of which have the capability and are ready to run.

    Raises:
        Unavailable: a backend is unknown, missing or broken.
        Incapable: a backend does not have the capability.
    """
    for name in wanted:
        backend(name)  # report an unknown name first: it may be a typing error
    found = [capable(name, capability) for name in wanted]
    _require_ready(found)
    return found


def _require_ready(found: Sequence[Backend]) -> None:
    lacking = [(each.name, status) for each in found if (status := each.status()).state != "ok"]
    if lacking:
        raise Unavailable(
            "; ".join(f"the backend {name} is {status.state}: {status.detail}" for name, status in lacking),
            "; ".join(dict.fromkeys(status.fix for _, status in lacking if status.fix)),
        )


def installed(capability: type[Backend]) -> list[str]:
    """The names of the installed backends with a capability.

    Raises:
        Unavailable: there is no such backend.
    """
    found = states(capability)
    ready = [name for name, status in found.items() if status.state == "ok"]
    if not ready:
        fixes = dict.fromkeys(status.fix for status in found.values() if status.fix)
        raise Unavailable(f"no installed backend can {CAPABILITIES[capability][1]}", "; or ".join(fixes))
    return ready


def states(capability: type[Backend]) -> dict[str, Status]:
    """The registered backends with a capability by name, with their states."""
    return {each.name: each.status() for each in backends() if isinstance(each, capability)}


def oracles() -> dict[str, Status]:
    """The registered oracles by name, with their states."""
    return states(Judges)


def native_names(graph: Graph) -> dict[str, str | None]:
    """The names of the weights of a graph in the models of all registered backends; see `Keyed.keys`.

    A key that means different weights on different backends is left out, because it is ambiguous.
    """
    meanings: dict[str, set[str | None]] = {}
    for each in backends():
        if isinstance(each, Keyed):
            for key, name in each.keys(graph).items():
                meanings.setdefault(key, set()).add(name)
    return {key: names.pop() for key, names in meanings.items() if len(names) == 1}
