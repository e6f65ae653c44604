"""NS05: recipes, data, weights."""

from netspec.diagnostics.diagnostic import Code
