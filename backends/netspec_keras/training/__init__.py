"""Trains networks in Keras."""
