"""Draws a graph: its content, its layout, and the output as SVG or HTML."""
