"""Weights from and to files of any format: of netspec, of frameworks, and of others whose names are their own."""

from __future__ import annotations

from netspec.exchange.conversion import converted, repacked
from netspec.exchange.foreign import Ambiguous, Imported, imported
from netspec.exchange.formats import held, reads, writes

__all__ = ["Ambiguous", "Imported", "converted", "held", "imported", "reads", "repacked", "writes"]
