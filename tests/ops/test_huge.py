"""Nothing that `check` or `shapes` calculates counts up to a size: every op with a size of 10¹²."""

from __future__ import annotations

import resource
import signal
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from netspec.analysis import analyze
from netspec.analysis.receptive import fields
from netspec.model import Invalid
from netspec.ops.base import Misfit
from tests.cases import CASES, Case

HUGE = 1_000_000_000_039
"""A prime, which no number of groups or heads divides."""
SECONDS = 20.0
"""Of processor time; counting to 10¹² takes a day."""
GIGABYTES = 2


class TooSlow(BaseException):
    """A calculation counts."""


def _stop(signum: int, frame: FrameType | None) -> None:
    raise TooSlow


@contextmanager
def limits() -> Iterator[None]:
    """Stop what takes too long, and what takes too much memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + GIGABYTES * 2**30, before[1]))
    handler = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, handler)
        resource.setrlimit(resource.RLIMIT_AS, before)


def numbers(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all whole numbers in fields."""
    if isinstance(value, int) and not isinstance(value, bool):
        yield path
    elif isinstance(value, dict | list | tuple):
        keys = value if isinstance(value, dict) else range(len(value))
        for key in keys:
            yield from numbers(value[key], (*path, key))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def put(value: Any, path: tuple[Any, ...], number: int) -> Any:
    """A copy with another number at a path."""
    if not path:
        return number
    first, *others = path
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[first] = put(value[first], tuple(others), number)
    return copy


def huge(case: Case) -> Iterator[Case]:
    """The row with each of its numbers huge: a size of the inputs, a field, and both where they are the same."""
    paths = list(numbers(case.fields))
    for path in paths:
        yield replace(case, fields=put(case.fields, path, HUGE))
    for size in sorted({size for shape in case.inputs for size in shape}):
        sizes = tuple(tuple(HUGE if each == size else each for each in shape) for shape in case.inputs)
        yield replace(case, inputs=sizes)
        same = case.fields
        for path in paths:
            if at(case.fields, path) == size:
                same = put(same, path, HUGE)
        if same is not case.fields:
            yield replace(case, inputs=sizes, fields=same)


def by_op() -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = defaultdict(list)
    for case in CASES:
        found[case.keyword].append(case)
    return found


@pytest.mark.parametrize(("keyword", "cases"), by_op().items(), ids=by_op())
def test_no_size_is_counted_up_to(keyword: str, cases: list[Case]) -> None:
    for case in cases:
        for each in huge(case):
            with limits():
                try:
                    graph = each.graph()
                    analyze(graph)
                    fields(graph)
                except (Misfit, Invalid):
                    continue
                except (TooSlow, MemoryError) as error:
                    pytest.fail(f"{type(error).__name__}: {keyword} {each.fields} on {each.inputs}")
