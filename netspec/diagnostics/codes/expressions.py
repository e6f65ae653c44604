"""NS02: parameters and ${…}."""

from netspec.diagnostics.diagnostic import Code
