"""The names of ops in other libraries and papers."""

from __future__ import annotations

from netspec.ops.words import table
from netspec.ops.words.ops import functions, layers, not_layers, sequences, shapes

WORDS = table(*layers.ROWS, *functions.ROWS, *shapes.ROWS, *sequences.ROWS, *not_layers.ROWS)
"""By the folded word."""
