"""The exit codes other than 0."""

from __future__ import annotations

WRONG_SPEC = 1
WRONG_COMMAND = 2
INTERRUPTED = 130
