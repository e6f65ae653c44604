"""The figures of metrics, from tallies: once for all backends. Knows no backend."""

from netspec.scoring.figures import FIGURES, Figure, figure, joined

__all__ = ["FIGURES", "Figure", "figure", "joined"]
