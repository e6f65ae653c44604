"""A place in the text of a spec."""

from __future__ import annotations

from netspec.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A range in one file. Lines and columns count from 1; the end column is exclusive.

    A value that is not in a file (an option of the command line) has line 0, and its own name as the file name.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file
