"""Writes a graph as a spec."""
