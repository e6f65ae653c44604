"""The scripts in benchmarks/ name modules and tests that exist."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_part_that_is_mutated_exists() -> None:
    """A module that moves takes its mutants along."""
    mutation = import_module("benchmarks.mutation")
    for part, (files, tests) in mutation.PARTS.items():
        paths = [*files, *(each for each in tests if each.startswith("tests/"))]
        assert not [path for path in paths if not (ROOT / path).exists()], part
        assert all(mutation.mutants(file) for file in files), part
