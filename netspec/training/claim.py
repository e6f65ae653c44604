"""Who has a run folder: one process at a time, from before its first file until its last."""

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
except ImportError:  # Windows: there a folder in which a training began stays taken
    _fcntl = None

FACTS = "run.json"
LINES = "metrics.jsonl"
BEGUN = frozenset({FACTS, LINES, "spec.yaml", "graph.txt", "recipe.yaml"})
"""The files of a run that has not come to its first step."""

MADE = BEGUN | {"weights.safetensors", "best.safetensors", "curves.svg", "curves.png"}
"""All files of a run."""


ASIDE = ".replaced"
"""Where the files of an old run wait, within the folder, until the new one takes its first step."""


class FolderTaken(Exception):
    """The folder that was asked for holds something already, or another process writes to it."""


class CannotKeep(Exception):
    """A file of a run cannot be written: the disk is full, say. `str()` says which and why."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(f"cannot write {files.shortened(path)}: {files.reason(error)}")


class Claim:
    """A folder that no other process writes to: this one holds the lock on `metrics.jsonl` until it ends."""

    def __init__(self, path: Path, lines: BinaryIO, made: bool) -> None:
        self.path = path
        self._lines = lines
        self._made = made
        self._aside = False

    @classmethod
    def take(cls, path: Path, inputs: Collection[Path] = (), force: bool = False) -> Self:
        """The folder at `path`, made if it is not there. The files of an old run are put aside.

        They are deleted with the first step of the new one, and put back if it never comes to that.

        Raises:
            FolderTaken: another process has it, or it holds something and nothing forces it; or what would
                have to go is one of the `inputs`.
            CannotKeep: it cannot be made.
        """
        made = False
        while True:
            try:
                made = _make(path) or made
                return cls._of(path, made, inputs, force)
            except FileNotFoundError:
                continue  # another process made the folder, and gave it back in between
            except OSError as error:
                raise CannotKeep(path, error) from error

    @classmethod
    def numbered(cls, parent: Path, stem: str) -> Self:
        """The first of the folders `stem-1`, `stem-2`, … that is not there yet.

        Raises:
            CannotKeep: it cannot be made.
        """
        number = 1
        while True:
            path = parent / f"{stem}-{number}"
            try:
                parent.mkdir(parents=True, exist_ok=True)
                path.mkdir()
                return cls._of(path, made=True)
            except (FileExistsError, FolderTaken):
                if parent.exists() and not files.is_folder(parent):
                    raise FolderTaken(f"{parent} is a file, not a folder") from None
                number += 1
            except OSError as error:
                raise CannotKeep(path, error) from error

    @classmethod
    def _of(cls, path: Path, made: bool, inputs: Collection[Path] = (), force: bool = False) -> Self:
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
            with suppress(OSError):
                if made:
                    path.rmdir()
            raise
        return claim

    def append(self, line: str) -> None:
        """Write to `metrics.jsonl`, at once.

        Raises:
            CannotKeep: it cannot be written.
        """
        try:
            if self._aside:
                self._aside = False
                shutil.rmtree(self.path / ASIDE, ignore_errors=True)
            left = memoryview(line.encode())
            while left:  # a full disk takes a part first
                left = left[self._lines.write(left) :]
        except OSError as error:
            raise CannotKeep(self.path / LINES, error) from error

    def close(self) -> None:
        """Let others have it."""
        self._lines.close()

    def give_back(self) -> None:
        """Remove what this process put there: a training that never began must not block the next try."""
        for name in MADE - {LINES}:
            with suppress(OSError):
                (self.path / name).unlink()
        with suppress(OSError):
            if self._aside:
                self._put_back()
            else:
                (self.path / LINES).unlink()  # last, while it is locked: until then the folder is taken
        self.close()
        if self._made:
            with suppress(OSError):
                self.path.rmdir()

    def _clear(self, fresh: bool, inputs: Collection[Path], force: bool) -> None:
        if (self.path / ASIDE).is_dir():
            self._put_back()  # a process that was killed before its first step had put it aside
        names = {each.name for each in self.path.iterdir()} - ({LINES} if fresh else set())
        for part in filter(files.is_part, sorted(names)):
            (self.path / part).unlink()  # the process that wrote it was killed: the lock is ours
            names.discard(part)
        if names and not force and not self._never_began(names):
            what = "holds a run" if FACTS in names else "is not empty"
            raise FolderTaken(f"{self.path} {what}; name a new folder, or write over it with --force")
        old = [self.path / name for name in sorted(names & MADE)]
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
        """Whether a process that died before its first step left these files: `run.json` is the first of them."""
        if not names <= BEGUN or os.fstat(self._lines.fileno()).st_size:
            return False
        if FACTS not in names:
            return names <= {LINES}
        return _facts(self.path / FACTS).get("state") == "running"


def _make(path: Path) -> bool:
    """Whether the folder had to be made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir()
    except FileExistsError:
        if not files.is_folder(path):
            raise FolderTaken(f"{files.shortened(path)} is a file, not a folder") from None
        return False
    return True


def _locked(path: Path) -> tuple[BinaryIO, bool]:
    """`metrics.jsonl`, open for writing at its end and locked, and whether it is new."""
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
                raise  # of the folder itself nothing is left
            continue  # another process was a moment earlier
        try:
            if _fcntl is not None:
                _fcntl.flock(lines, _fcntl.LOCK_EX | _fcntl.LOCK_NB)
            if (path / LINES).exists() and os.path.samestat(os.fstat(lines.fileno()), (path / LINES).stat()):
                return lines, fresh
            lines.close()  # another process has given the folder back in between
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                lines.close()
                raise running from None
            if fresh:
                return lines, fresh  # a file system without locks: to have made the file must do
            lines.close()
            raise FolderTaken(f"{path} is not empty; name a new folder") from None


def _facts(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(files.read(path))
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
