"""Compares one spec on several backends, value by value."""
