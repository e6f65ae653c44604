"""The exit codes: 0 all hold, and those for what does not."""

from __future__ import annotations

WRONG_SPEC = 1
WRONG_COMMAND = 2
INTERRUPTED = 130
