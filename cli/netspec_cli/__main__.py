"""`python -m netspec_cli`, for what starts modules: `torchrun -m netspec_cli train …`."""

from netspec_cli.entry import run

run()
