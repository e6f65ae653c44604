"""Which samples of the training part become the validation and test parts: by the seed, disjoint, class by class."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from netspec.data.bounds import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_STREAM = 0x5017
"""Separates this use of the seed from the order of an epoch, which uses [seed, epoch]."""


def wanted(part: float | int, total: int, name: str, where: str) -> int:
    """The number of samples of a part that is given as a fraction or a count.

    Raises:
        DataError: the part would be empty, or would leave nothing to train on.
    """
    if isinstance(part, int):
        count, said = part, f"{part:,}"
    else:
        exact = Fraction(repr(part)) * total  # 0.1 of 45 is 4.5, whatever the binary fraction is
        count, said = int(exact + Fraction(1, 2)), f"a fraction of {part:g}"
    if count < 1:
        raise DataError(
            f"{where}: {said} of {total:,} samples gives no sample for {name}", "give a larger part"
        )
    if count >= total:
        raise DataError(
            f"{where}: {said} for {name} leaves nothing to train on: there are {total:,} samples",
            f"give a fraction such as 0.1, or a number below {total:,}",
        )
    return count


def choose(among: Array, count: int, seed: int, stream: int, labels: Array | None) -> tuple[Array, Array]:
    """`count` of the indices `among`, and the rest, both in their old order.

    With labels, each class gives its share, rounded so that the sum is exact (largest remainder; of equal remainders,
    the lower class). Within a class, and without labels, the choice is uniform.
    """
    import numpy as np

    random = np.random.default_rng([_STREAM, stream, seed])
    if labels is None:
        taken = np.zeros(len(among), bool)
        taken[random.permutation(len(among))[:count]] = True
        return among[taken], among[~taken]
    _, of = np.unique(labels[among], return_inverse=True)
    sizes = np.bincount(of)
    shares = [Fraction(int(size) * count, len(among)) for size in sizes]
    numbers = [int(share) for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda at: (numbers[at] - shares[at], at))
    for at in by_remainder[: count - sum(numbers)]:
        numbers[at] += 1
    taken = np.zeros(len(among), bool)
    by_class = np.split(np.argsort(of, kind="stable"), np.cumsum(sizes)[:-1])
    for members, number in zip(by_class, numbers, strict=True):
        taken[members[random.permutation(len(members))[:number]]] = True
    return among[taken], among[~taken]
