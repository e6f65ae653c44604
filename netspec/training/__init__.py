"""Recipes and what they need: data, batches, optimisers. Imports no framework."""
