"""Trained networks as folders that need no netspec: source, weights, and a program that predicts."""
