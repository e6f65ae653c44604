"""Where a thing stands in an author's text."""

from __future__ import annotations

from netspec.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one file. Lines and columns count from 1; the end column is exclusive.

    What stands in no file (an option of the command line) has line 0, and its name in place of the file's.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file
