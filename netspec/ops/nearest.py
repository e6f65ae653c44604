"""Finds the known name for a misspelt one, by edit distance.

A suggestion must be close: equal except for case, separators and a plural, or with at most one typing error per part
(two in a part of 8 letters, three in one of 13). A typing error is an extra, missing or wrong letter, or two swapped
neighbours. A number is never changed: `conv3` is not `conv2`. Words of other libraries are not misspellings:
`netspec.ops.words` knows them and is consulted first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice

_PART = r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_a-zA-Z]+"
_LONGEST = 80
MOST = 1000
"""The number of known names that are compared, so that a suggestion takes less time than reading the spec."""


def fold(name: str) -> str:
    """The name without case and separators: `Batch-Norm` and `BatchNorm` are `batchnorm`."""
    return re.sub(r"[\W_]", "", name).lower()


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The most similar known name; None if none is close, or if two are equally close."""
    return None if len(name) > _LONGEST else _nearest(name, tuple(islice(known, MOST)))


@lru_cache(maxsize=256)  # an error is often repeated
def _nearest(name: str, known: tuple[str, ...]) -> str | None:
    plain, least = fold(name), _LONGEST
    best: list[str] = []
    for each in known:
        folded = fold(each)
        slips = 0 if singular(plain) == singular(folded) else _slips(name, each, plain, folded)
        if slips is None or slips > least:
            continue
        if slips < least:
            best, least = [], slips
        best.append(each)
    # `input` and `inputs` fold to one word; the length decides. If two words are equally close, there is no suggestion.
    if len({singular(fold(each)) for each in best}) != 1:
        return None
    return min(best, key=lambda each: abs(len(fold(each)) - len(fold(name))))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean …?`, or an empty text."""
    match = nearest(name, known)
    return "" if match is None else f"; did you mean `{match}`?"


def _slips(name: str, other: str, plain: str, folded: str) -> int | None:
    """The typing errors between two names; None if there are too many, or if they change a number."""
    number = re.findall(r"\d+", plain)
    if number and number != re.findall(r"\d+", folded):
        return None
    mine, theirs = _parts(name), _parts(other)
    if len(mine) == len(theirs) > 1:
        found = [_within(a, b) for a, b in zip(mine, theirs, strict=True)]
        return None if None in found else sum(slips or 0 for slips in found)
    return _within(plain, folded)


def _parts(name: str) -> list[str]:
    return [part.lower() for part in re.findall(_PART, name)]


def singular(word: str) -> str:
    """A folded word without a plural ending."""
    return (
        word[:-2] if word.endswith(("ches", "shes")) else word[:-1] if re.search(r"[^s]s\Z", word) else word
    )


def _within(a: str, b: str) -> int | None:
    """The typing errors between two words; None if there are too many for their length."""
    longest = max(len(a), len(b))
    limit = 0 if longest < 3 else 1 if longest < 8 else 2 if longest < 13 else 3
    if abs(len(a) - len(b)) > limit:
        return None
    slips = _distance(a, b)
    return slips if slips <= limit else None


def _distance(a: str, b: str) -> int:
    """The number of insertions, deletions, substitutions and swaps of neighbours between two words."""
    two_ago: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        row = [i]
        for j, y in enumerate(b, start=1):
            row.append(min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y)))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                row[j] = min(row[j], two_ago[j - 2] + 1)
        two_ago, last = last, row
    return last[-1]
