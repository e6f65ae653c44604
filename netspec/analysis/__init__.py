"""Properties of a network that are computed without running it, and the check of `expect`."""

from netspec.analysis.costs import Layer, Memory, Shapes, Totals, analyze
from netspec.analysis.receptive import Receptive

__all__ = ["Layer", "Memory", "Receptive", "Shapes", "Totals", "analyze"]
