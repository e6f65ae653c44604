"""Properties of a network that are computed without running it, and the check of `expect`."""

from netspec.analysis.costs import LayerCosts, Memory, Shapes, Totals, analyze
from netspec.analysis.receptive import Receptive

__all__ = ["LayerCosts", "Memory", "Receptive", "Shapes", "Totals", "analyze"]
