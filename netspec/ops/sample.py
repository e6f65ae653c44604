"""A random number with a given distribution, whose parameters can be trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from netspec.diagnostics.codes import shapes
from netspec.ops.base import Inputs, Misfit
from netspec.ops.pointwise import Pointwise
from netspec.ops.roles import Role


class Sample(Pointwise):
    """Draws from the normal distribution with this mean and this variance, in training and outside it.

    mean + exp(log_variance / 2) · ε with ε ~ N(0, 1), so that gradients reach both inputs: the reparametrisation of a
    variational autoencoder (Kingma and Welling 2014, section 2.4). A comparison of backends sets `noise: ones`.
    """

    keyword = "sample"
    inputs = (
        Role("mean", "The mean of each value."),
        Role("log_variance", "The natural logarithm of the variance of each value, of the same type."),
    )
    quiet: ClassVar[Mapping[str, object]] = {"noise": "ones"}

    noise: Literal["normal", "ones"] = "normal"
    """What ε is: drawn for each value, or 1, so that the output is one standard deviation above the mean."""

    def _resolve(self, inputs: Inputs) -> Self:
        mean, log_variance = inputs
        if mean != log_variance:
            layer = (
                f"conv: {{filters: {mean.channels}, kernel: 1}}"
                if mean.spatial
                else f"dense: {mean.channels}"
            )
            raise Misfit(
                shapes.MERGE,
                f"`sample` takes a mean and a log-variance of one type; here they are {mean} and {log_variance}",
                help=f"give both one type; a layer that makes {mean.channels} channels: `{layer}`",
                wanted={"log_variance": mean},
            )
        return self
