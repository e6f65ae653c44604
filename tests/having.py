"""Backends for tests by what they can do: a test requires a capability, never a name."""

from __future__ import annotations

import pytest

from netspec.backend import Backend, Builds, Files, Judges, Learns, Timed, Trains, Writes, backend, backends


def having(*capabilities: type[Backend]) -> list[str]:
    """The registered backends with these capabilities, those that need the fewest frameworks first."""
    return [each.name for each in _having(capabilities)]


def ready(*capabilities: type[Backend], count: int = 1) -> list[str]:
    """Those of them that are installed. Where there are fewer than `count`, the test is skipped."""
    states = {each.name: each.status() for each in _having(capabilities)}
    found = [name for name, status in states.items() if status.state == "ok"]
    if len(found) < count:
        pytest.skip("; ".join(status.detail for status in states.values() if status.state != "ok"))
    return found


def needs(name: str) -> None:
    """Skip a test where this backend is not installed."""
    if (status := backend(name).status()).state != "ok":
        pytest.skip(status.detail)


def _having(capabilities: tuple[type[Backend], ...]) -> list[Backend]:
    found = [each for each in backends() if all(isinstance(each, wanted) for wanted in capabilities)]
    return sorted(found, key=lambda each: (len(each.frameworks), each.name))


(ORACLE,) = having(Judges)
FILER: Files = next(each for each in backends() if isinstance(each, Files))
"""One that writes a file with the weights."""
WRITERS, BUILDERS, LEARNERS, TRAINERS = having(Writes), having(Builds), having(Learns), having(Trains)
WRITER, BUILDER, LEARNER, TRAINER, TIMED = (
    having(each)[0] for each in (Writes, Builds, Learns, Trains, Timed)
)
"""One for a test in which any does."""
