"""A kind of problem, with what `netspec explain` says of it."""

from __future__ import annotations

from netspec.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of problem. The story and the example are what `netspec explain` prints.

    `example` is a whole spec that has this problem and no other; a test checks it. It is empty only
    for problems that no single small file can show (a missing file, a 50 MB one).
    """

    id: str
    title: str
    story: str
    example: str = ""

    def __str__(self) -> str:
        return self.id
