"""The names of the keys of `expect` in other libraries."""

from __future__ import annotations

from netspec.ops.words import instead, same, table

WORDS = table(
    (same("params"), "parameters numparams numparameters totalparams totalparameters weights countparams"),
    (same("trainable"), "trainableparams trainableparameters learnable"),
    (same("macs"), "multadds madds multiplyaccumulates muladds macc mac"),
    (
        instead("write `macs` or `max_macs`: a MAC is a product and its sum, often counted as 2 FLOPs"),
        "flops maxflops gflops",
    ),
    (same("output"), "outputs outputshape result shape"),
    (same("layers"), "shapes nodes"),
    (same("max_params"), "maxparameters maxweights paramsbudget"),
    (same("max_macs"), "macsbudget"),
    (same("max_memory"), "memory maxmem memorybudget ram"),
)
