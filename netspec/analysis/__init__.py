"""What can be told of a network without running it, and what a spec expects of itself."""

from netspec.analysis.costs import Layer, Memory, Shapes, Totals, analyze
from netspec.analysis.receptive import Receptive

__all__ = ["Layer", "Memory", "Receptive", "Shapes", "Totals", "analyze"]
