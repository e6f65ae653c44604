"""Makes a failing network smaller, as long as it fails in the same way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from tests.random_networks.text import Files

Path = tuple[Any, ...]
SECONDS = 120.0
"""How long one network is worked on, at most."""


def shrunk(files: Files, fails: Callable[[Files], bool], seconds: float = SECONDS) -> Files:
    """The smallest files found, by dropping and lessening one thing after the other, that still fail.

    Args:
        fails: whether files fail in the way that is looked for; what is no valid spec does not.
    """
    end = time.monotonic() + seconds
    changed = True
    while changed:
        changed = False
        for edit in (_drops, _splices, _plain, _lessened):
            found = _passed(files, fails, edit, end)
            changed = changed or found is not files
            files = found
            if time.monotonic() > end:
                return files
    return files


Edit = Callable[[Any, Path], Iterator[Any]]


def _passed(files: Files, fails: Callable[[Files], bool], edit: Edit, end: float) -> Files:
    """Every edit of one kind tried at every place, from the last to the first, each kept if it still fails."""
    for path in sorted(_paths(files), key=lambda each: (len(each), str(each))):
        if not _is_there(files, path):
            continue
        for smaller in edit(files, path):
            if time.monotonic() > end:
                return files
            if fails(smaller):
                files = smaller
                break
    return files


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _paths(each, (*path, key))
    elif isinstance(value, list):
        for at in reversed(range(len(value))):
            yield from _paths(value[at], (*path, at))


def _is_there(value: Any, path: Path) -> bool:
    for step in path:
        if (isinstance(value, dict) and step in value) or (
            isinstance(value, list) and isinstance(step, int) and step < len(value)
        ):
            value = value[step]
        else:
            return False
    return True


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _with(files: Files, path: Path, change: Callable[[Any, Any], None]) -> Files:
    """A copy after `change` of what holds the place, which is told the last step to it."""
    copy = deepcopy(files)
    change(_at(copy, path[:-1]), path[-1])
    return copy


def _drops(files: Files, path: Path) -> Iterator[Files]:
    """Without this."""
    yield _with(files, path, lambda holder, step: holder.__delitem__(step))


def _splices(files: Files, path: Path) -> Iterator[Files]:
    """An item replaced by the items in it."""
    value = _at(files, path)
    if not isinstance(path[-1], int) or not isinstance(value, dict):
        return
    for inner in _lists_in(value):

        def put(holder: Any, step: Any, inner: list[Any] = inner) -> None:
            holder[step : step + 1] = deepcopy(inner)

        yield _with(files, path, put)


def _lists_in(item: dict[str, Any]) -> Iterator[list[Any]]:
    for key, value in item.items():
        rows = value.get("branches") if isinstance(value, dict) else value
        if key in ("layers", "else"):
            yield value
        elif isinstance(rows, list) and all(isinstance(row, list) for row in rows):
            yield from rows


def _plain(files: Files, path: Path) -> Iterator[Files]:
    """A reference to a parameter replaced by a value that the parameter has somewhere."""
    value = _at(files, path)
    if not (isinstance(value, str) and value.startswith("$")):
        return
    word = value.strip("${}")
    for known in _values_of(files, word):
        yield _with(files, path, _setter(known))


def _setter(value: Any) -> Callable[[Any, Any], None]:
    """Puts a copy of the value in the place."""
    return lambda holder, step: holder.__setitem__(step, deepcopy(value))


def _values_of(value: Any, word: str) -> Iterator[Any]:
    if isinstance(value, dict):
        if word in value and not isinstance(value[word], dict) and value[word] is not None:
            yield value[word]
        for each in value.values():
            yield from _values_of(each, word)
    elif isinstance(value, list):
        for each in value:
            yield from _values_of(each, word)


def _lessened(files: Files, path: Path) -> Iterator[Files]:
    """A number made smaller."""
    value = _at(files, path)
    if type(value) is int and value > 1:
        for less in dict.fromkeys((1, 2, value // 2, value - 1)):
            if less < value:
                yield _with(files, path, _setter(less))
