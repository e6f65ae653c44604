"""A kind of problem, with its explanation."""

from __future__ import annotations

from netspec.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of problem. `netspec explain` prints the story and the example.

    `example` is a complete spec that has only this problem; a test checks it. It is empty only for problems that
    a single small file cannot show (a missing file, a file of 50 MB).
    """

    id: str
    title: str
    story: str
    example: str = ""

    def __str__(self) -> str:
        return self.id
