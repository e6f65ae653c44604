"""Makes a failing text as short as it can be while it fails in the same way."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tests.mutate.workers import attempt

_SECONDS = 60.0


def shrunk(text: str, kind: str) -> str:
    """The shortest text found that fails as `kind` says: without lines, then without stretches of signs."""
    deadline = time.monotonic() + _SECONDS

    def fails(other: str) -> bool:
        failure, _, _ = attempt(other)
        return failure is not None and failure.kind.partition(":")[0] == kind.partition(":")[0]

    lines = _without("\n", text.split("\n"), fails, deadline)
    return "".join(_without("", list("\n".join(lines)), fails, deadline))


def _without(glue: str, parts: Sequence[str], fails: Callable[[str], bool], deadline: float) -> list[str]:
    """The parts, less all stretches of them that the failure does not need; long ones are tried first."""
    left = list(parts)
    size = max(len(left) // 2, 1)
    while size:
        at = 0
        while at < len(left) and time.monotonic() < deadline:
            fewer = left[:at] + left[at + size :]
            if fails(glue.join(fewer)):
                left = fewer
            else:
                at += size
        size //= 2
    return left
