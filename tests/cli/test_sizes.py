"""Bytes as one reads them: never 14400000.0 GB."""

from __future__ import annotations

import pytest

from netspec_cli.sizes import size


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "unavailable"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (12_345_678, "12.3 MB"),
        (7 * 10**9, "7.0 GB"),
        (14_400_000 * 10**9, "14.4 PB"),
        (2 * 10**12, "2.0 TB"),
        (2**63, "9.2 EB"),
        (12_345 * 10**18, "12,345.0 EB"),
    ],
)
def test_a_size(count: int | None, text: str) -> None:
    assert size(count) == text
