"""NS01: keys, ops, names, blocks, includes, networks."""

from netspec.diagnostics.diagnostic import Code
