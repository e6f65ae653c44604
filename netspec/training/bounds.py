"""What a file of data may promise: no more than it can hold."""

from __future__ import annotations

LARGEST = 1 << 34
"""The most bytes that a part of a data set has, 16 GiB: more is a damaged header."""

MOST_PACKED = 1032
"""How many bytes a byte of deflate stands for at most, whatever is packed."""

_SMALL, _DENSE = 1 << 28, 100
"""Above 256 MiB, what is packed a hundred times smaller is no data but a trap: it would fill the memory."""


class DataError(Exception):
    """A data set is missing or damaged: `str()` says what is wrong, `help` what to do about it."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


def check_packed(size: int, packed: int, what: str) -> None:
    """Refuse `size` bytes that are said to lie in `packed` ones; `what` starts the sentence.

    Raises:
        DataError: they cannot, or it is a trap.
    """
    if size > MOST_PACKED * (packed + 64):
        raise DataError(
            f"{what} says that it holds {size:,} bytes, and {packed:,} compressed ones cannot: it is damaged",
            "fetch it again",
        )
    if size > _SMALL and size > _DENSE * packed:
        raise DataError(
            f"{what} unpacks to {size:,} bytes, {size // max(packed, 1)} times what it has: "
            "real data do not compress this well",
            "if it is meant, save it without compression",
        )
