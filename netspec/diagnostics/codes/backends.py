"""NS06: what a backend does not take."""

from netspec.diagnostics.code import Code

REFUSED = Code(
    "NS0601",
    "a backend refuses the network",
    "The spec is right, and the backend that was named cannot hold this network: its framework has no such layer, or"
    " no way to share weights between these two, or it forgets what no output depends on."
    " `netspec check --backend NAME` says so before anything is compiled, and every command that uses the backend"
    " refuses the network in the same words.",
)
