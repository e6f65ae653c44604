"""NS04: what a spec expects of itself."""

from netspec.diagnostics.diagnostic import Code
