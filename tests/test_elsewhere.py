"""What others call an op."""

from __future__ import annotations

import pytest

from netspec.ops import OPS
from netspec.ops.elsewhere import _CALLED, called_elsewhere


def test_every_op_there_is_ours_and_no_name_stands_twice_or_is_one_of_ours() -> None:
    names = [name for each in _CALLED.values() for name in each]
    assert set(_CALLED) <= set(OPS)
    assert len(names) == len(set(names))
    assert not {op.replace("_", "") for op in OPS}.intersection(names)
    assert all(called_elsewhere(name) == op for op, each in _CALLED.items() for name in each)


@pytest.mark.parametrize(
    ("name", "op"),
    [
        ("Conv2D", "conv"), ("nn.Linear", None), ("ConvTranspose2d", "conv_transpose"), ("LeakyReLU", "leaky_relu"),
        ("pixel_shuffle", "depth_to_space"), ("BatchNorm3d", "batch_norm"), ("covn", None), ("2d", None),
    ],
)  # fmt: skip
def test_case_underscores_and_dimensions_do_not_count(name: str, op: str | None) -> None:
    assert called_elsewhere(name) == op
