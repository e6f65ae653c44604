"""NS06: networks that a backend refuses."""

from netspec.diagnostics.code import Code

REFUSED = Code(
    "NS0601",
    "a backend refuses the network",
    "The spec is valid, but the chosen backend cannot represent this network: its framework has no such layer,"
    " cannot share weights between these two layers, or drops a layer on which no output depends. `netspec check"
    " --backend NAME` reports this before anything is compiled. Every command that uses the backend refuses the"
    " network with the same message.",
)
