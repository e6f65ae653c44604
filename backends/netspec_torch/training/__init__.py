"""Trains networks in PyTorch."""
