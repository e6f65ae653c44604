"""Batches made ahead are the same ones, in the same order, and their thread ends with them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from netspec.data.bounds import DataError
from netspec.data.prefetch import prefetched


def running() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "netspec-prefetch"]


def ended() -> bool:
    for thread in running():
        thread.join(30)
    return not running()


@pytest.mark.parametrize("depth", [0, 1, 2, 50])
def test_the_items_and_their_order_stay(depth: int) -> None:
    assert list(prefetched(iter(range(20)), depth)) == list(range(20))
    assert list(prefetched([], depth)) == []
    assert ended()


@pytest.mark.parametrize("depth", [0, 2])
def test_an_error_comes_where_its_item_would_be(depth: int) -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise DataError("x.png: is damaged")

    found: list[int] = []

    def use() -> None:
        found.extend(prefetched(items(), depth))

    iterator = prefetched(items(), depth)
    assert [next(iterator) for _ in range(5)] == list(range(5))
    with pytest.raises(DataError, match=r"x\.png"):
        next(iterator)
    with pytest.raises(DataError):
        use()
    assert ended()


def test_items_are_made_ahead_but_not_too_far() -> None:
    made: list[int] = []
    third = threading.Event()

    def items() -> Iterator[int]:
        for each in range(100):
            made.append(each)
            if each == 3:
                third.set()
            yield each

    iterator = prefetched(items(), 2)
    assert next(iterator) == 0
    assert third.wait(30)  # two wait, and the next is made
    assert made == [0, 1, 2, 3]
    iterator.close()  # type: ignore[attr-defined]
    assert ended()
    assert len(made) <= 5


def test_a_thread_whose_items_nobody_takes_ends() -> None:
    iterator = prefetched(iter(range(100)), 1)
    next(iterator)
    del iterator
    assert ended()
