"""Reserves a run folder for one process, from before its first file until after its last."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Collection, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Self

from netspec import files

try:
    _fcntl: Any = import_module("fcntl")
except ImportError:  # Windows: a folder in which a training started stays taken
    _fcntl = None

FACTS = "run.json"
LINES = "metrics.jsonl"
CHECKPOINT = "checkpoint.safetensors"
LAST, BEST, PROPOSED = "weights.safetensors", "best.safetensors", "best-next.safetensors"
BEGUN = frozenset(
    {
        FACTS,
        LINES,
        CHECKPOINT,
        "spec.yaml",
        "graph.txt",
        "recipe.yaml",
        "network.py",
        "preparation.json",
        "whitening.safetensors",
    }
)
"""The files of a run before its first step."""

MADE = BEGUN | {LAST, BEST, PROPOSED, "curves.svg", "curves.png"}
"""All files of a run."""


ASIDE = ".replaced"
"""The subfolder for the files of an old run, until the new run has done its first step."""


class FolderTaken(Exception):
    """The folder already contains something, or another process writes to it."""


class CannotKeep(Exception):
    """A file of a run cannot be written, for example because the disk is full. `str()` says which file and why."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(f"cannot write {files.shortened(path)}: {files.reason(error)}")


ATTEMPTS = 100
"""So often a folder is created again that another process removes; then the file system does not take it."""


class Claim:
    """A folder that no other process writes to: this process holds the lock on `metrics.jsonl` until it ends."""

    def __init__(self, path: Path, lines: BinaryIO, made: Sequence[Path]) -> None:
        self.path = path
        self._lines = lines
        self._made = made
        self._aside = False

    @classmethod
    def take(cls, path: Path, inputs: Collection[Path] = (), force: bool = False) -> Self:
        """Reserve the folder at `path`, and create it if it does not exist. Move the files of an old run aside.

        They are deleted at the first step of the new run, and moved back if the run ends before it.

        Raises:
            FolderTaken: another process uses the folder; or it is not empty and `force` is false; or a file that
                would have to be deleted is one of the `inputs`.
            CannotKeep: the folder cannot be created.
        """
        made: Sequence[Path] = ()
        lost: OSError | None = None
        for _ in range(ATTEMPTS):
            try:
                made = _make(path) or made
                return cls._of(path, made, inputs, force)
            except FileNotFoundError as error:
                lost = error  # another process created the folder and released it in between
            except OSError as error:
                raise CannotKeep(path, error) from error
        assert lost is not None, "there is an attempt"
        raise CannotKeep(path, lost) from lost

    @classmethod
    def numbered(cls, parent: Path, stem: str) -> Self:
        """Reserve the first of the folders `stem-1`, `stem-2`, … that does not exist.

        Raises:
            CannotKeep: the folder cannot be created.
        """
        number, lost = 1, 0
        while True:
            path = parent / f"{stem}-{number}"
            try:
                made = [path, *_make_parents(path)]
                path.mkdir()
                return cls._of(path, made)
            except FileNotFoundError as error:
                lost += 1  # another process removed the parent, which it had created, in between
                if lost == ATTEMPTS:
                    raise CannotKeep(path, error) from error
            except (FileExistsError, FolderTaken):
                if parent.exists() and not files.is_folder(parent):
                    raise FolderTaken(f"{parent} is a file, not a folder") from None
                number += 1
            except OSError as error:
                raise CannotKeep(path, error) from error

    @classmethod
    def again(cls, path: Path) -> Self:
        """Reserve the folder of a run that goes on, as it is.

        Raises:
            FolderTaken: another process uses the folder, or it does not contain a run.
            CannotKeep: the folder cannot be written.
        """
        if not (path / FACTS).exists() or not (path / LINES).exists():
            raise FolderTaken(f"{files.shortened(path)} does not contain a run")
        try:
            lines, _ = _locked(path)
            claim = cls(path, lines, ())
            if (path / ASIDE).is_dir():
                claim._put_back()
            for part in filter(files.is_part, sorted(each.name for each in path.iterdir())):
                (path / part).unlink()  # the process that wrote it was killed: this process has the lock
        except OSError as error:
            raise CannotKeep(path, error) from error
        return claim

    @classmethod
    def _of(
        cls, path: Path, made: Sequence[Path], inputs: Collection[Path] = (), force: bool = False
    ) -> Self:
        lines: BinaryIO | None = None
        fresh = False
        try:
            lines, fresh = _locked(path)
            fresh = fresh and not (path / ASIDE).exists()
            claim = cls(path, lines, made)
            claim._clear(fresh, inputs, force)
        except BaseException:
            with suppress(OSError):
                if fresh:
                    (path / LINES).unlink()
            if lines is not None:
                lines.close()
            _remove(made)
            raise
        return claim

    def append(self, line: str) -> None:
        """Append to `metrics.jsonl`, without buffering.

        Raises:
            CannotKeep: the file cannot be written.
        """
        try:
            if self._aside:
                self._aside = False
                shutil.rmtree(self.path / ASIDE, ignore_errors=True)
            left = memoryview(line.encode())
            while left:  # on a nearly full disk, a write can be partial
                left = left[self._lines.write(left) :]
        except OSError as error:
            raise CannotKeep(self.path / LINES, error) from error

    @property
    def written(self) -> int:
        """The length of `metrics.jsonl`."""
        return os.fstat(self._lines.fileno()).st_size

    def cut(self, length: int) -> None:
        """Cut `metrics.jsonl` back to this length.

        Raises:
            CannotKeep: the file cannot be written.
        """
        try:
            self._lines.truncate(length)
        except OSError as error:
            raise CannotKeep(self.path / LINES, error) from error

    def close(self) -> None:
        """Release the folder."""
        self._lines.close()

    def give_back(self) -> None:
        """Remove the files of this process: a training that did not start must not block the next one."""
        for name in _facts_last(MADE - {LINES}):
            with suppress(OSError):
                (self.path / name).unlink()
        with suppress(OSError):
            if self._aside:
                self._put_back()
            else:
                (self.path / LINES).unlink()  # last, while it is locked: until then the folder stays reserved
        self.close()
        _remove(self._made)

    def _clear(self, fresh: bool, inputs: Collection[Path], force: bool) -> None:
        if (self.path / ASIDE).is_dir():
            self._put_back()  # a process that was killed before its first step moved the files aside
        names = {each.name for each in self.path.iterdir()} - ({LINES} if fresh else set())
        for part in filter(files.is_part, sorted(names)):
            (self.path / part).unlink()  # the process that wrote it was killed: this process has the lock
            names.discard(part)
        if names and not force and not self._never_began(names):
            what = "contains a run" if FACTS in names else "is not empty"
            raise FolderTaken(f"{self.path} {what}; name a new folder, or overwrite it with --force")
        old = [self.path / name for name in _facts_last(names & MADE)]
        for each in old:
            status = files.status_of(each)
            others = map(files.status_of, inputs)
            if status is not None and any(other and os.path.samestat(status, other) for other in others):
                raise FolderTaken(f"{each} is a file that this training starts from; name a new folder")
        if old and not self._never_began(names):
            self._put_aside(old)
        for each in old:
            if each.name != LINES:
                each.unlink(missing_ok=True)
        self._lines.truncate(0)

    def _put_aside(self, old: Sequence[Path]) -> None:
        (self.path / ASIDE).mkdir()
        self._aside = True
        for each in old:
            if each.name == LINES:  # this process holds the lock on it
                files.write(self.path / ASIDE / LINES, files.read(each))
            else:
                each.replace(self.path / ASIDE / each.name)

    def _put_back(self) -> None:
        aside = self.path / ASIDE
        for each in sorted(aside.iterdir()):
            if each.name == LINES:
                self._lines.truncate(0)
                self._lines.write(files.read(each))
                each.unlink()
            else:
                each.replace(self.path / each.name)
        aside.rmdir()
        self._aside = False

    def _never_began(self, names: set[str]) -> bool:
        """Whether these files are from a process that died before its first step: it writes `run.json` first."""
        if not names <= BEGUN or os.fstat(self._lines.fileno()).st_size:
            return False
        if FACTS not in names:
            return names <= {LINES}
        return _facts(self.path / FACTS).get("state") == "running"


def _facts_last(names: Collection[str]) -> list[str]:
    """In the order in which files are removed: a process that dies meanwhile leaves a run that never began."""
    return sorted(names, key=lambda name: (name == FACTS, name))


def is_taken(path: Path) -> bool | None:
    """Whether a process writes to this run folder; None if the system does not know."""
    if _fcntl is None:
        return None
    try:
        with files.open_plain(path / LINES) as lines:
            _fcntl.flock(lines, _fcntl.LOCK_SH | _fcntl.LOCK_NB)
            return False
    except OSError as error:
        return True if error.errno in (errno.EWOULDBLOCK, errno.EACCES) else None


def _make(path: Path) -> Sequence[Path]:
    """Create the folder if needed; return the folders that are new, the inner ones first."""
    made = _make_parents(path)
    try:
        path.mkdir()
    except FileExistsError:
        if not files.is_folder(path):
            raise FolderTaken(f"{files.shortened(path)} is a file, not a folder") from None
        return made
    return [path, *made]


def _make_parents(path: Path) -> Sequence[Path]:
    """Create the folders around a path if needed; return those that are new, the inner ones first."""
    made = [each for each in path.parents if not each.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    return made


def _remove(made: Sequence[Path]) -> None:
    """Remove the folders of this process, the inner ones first, up to one that contains something."""
    with suppress(OSError):
        for each in made:
            each.rmdir()


def _locked(path: Path) -> tuple[BinaryIO, bool]:
    """Open `metrics.jsonl` for appending and lock it; also return whether it is new."""
    running = FolderTaken(f"a training writes to {path}; name another folder")
    while True:
        fresh = not (path / LINES).exists()
        if not fresh and (_fcntl is None or files.fault(path / LINES)):
            raise FolderTaken(f"{path} is not empty; name a new folder")
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (os.O_EXCL if fresh else 0)
        try:
            lines = os.fdopen(os.open(path / LINES, flags, 0o666), "ab", buffering=0)
        except (FileExistsError, FileNotFoundError):
            if not path.exists():
                raise  # the folder itself is gone
            continue  # another process was faster
        try:
            if _fcntl is not None:
                _fcntl.flock(lines, _fcntl.LOCK_EX | _fcntl.LOCK_NB)
            if (path / LINES).exists() and os.path.samestat(os.fstat(lines.fileno()), (path / LINES).stat()):
                return lines, fresh
            lines.close()  # another process released the folder in between
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                lines.close()
                raise running from None
            if fresh:
                return (
                    lines,
                    fresh,
                )  # on a file system without locks, the process that created the file has the folder
            lines.close()
            raise FolderTaken(f"{path} is not empty; name a new folder") from None


def _facts(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(files.read(path))
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
