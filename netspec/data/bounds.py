"""Checks of the sizes that a data file announces, before it is read."""

from __future__ import annotations

LARGEST = 1 << 34
"""The largest size of a part of a data set, 16 GiB; a larger one means a damaged header."""

MOST_PACKED = 1032
"""The largest ratio of unpacked to packed bytes that deflate can reach."""

_SMALL, _DENSE = 1 << 28, 100
"""Above 256 MiB, data that are packed a hundred times smaller are not real data: they would fill the memory."""


class DataError(Exception):
    """A data set is missing or damaged. `str()` says what is wrong, `help` how to fix it."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


def check_packed(size: int, packed: int, what: str) -> None:
    """Refuse `packed` bytes that cannot unpack to `size` bytes, or should not; `what` starts the message.

    Raises:
        DataError: the size is impossible, or suspiciously large.
    """
    if size > MOST_PACKED * (packed + 64):
        raise DataError(
            f"{what} says that it holds {size:,} bytes, but {packed:,} compressed bytes cannot: it is damaged",
            "download it again",
        )
    if size > _SMALL and size > _DENSE * packed:
        raise DataError(
            f"{what} unpacks to {size:,} bytes, {size // max(packed, 1)} times what it has: "
            "real data do not compress this well",
            "if the data are real, save them without compression",
        )
