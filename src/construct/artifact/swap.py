"""Replace a folder of files as a whole: at every moment the old or the new one is there.

A new folder NAME is written beside the old one as `.NAME.new-TOKEN`. Then two renames,
NAME to `.NAME.old-TOKEN` and `.NAME.new-TOKEN` to NAME, put it in its place. A process
that is interrupted between them (or killed) leaves both folders whole, and `restore`
gives one its name again. Two locks, which end with the process that holds
them, keep processes apart: that of the parent folder during the renames, and that of
the new folder while it is written, so that no other process removes it as left over.
"""

import importlib
import os
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

# Locks, where there are any.
fcntl: Any = importlib.import_module("fcntl") if os.name == "posix" else None


def replace(
    target: Path,
    files: Mapping[str, bytes],
    *,
    whole: Callable[[Path], bool],
    check: Callable[[Path], None],
) -> None:
    """Write a folder of these files, whole or not at all, in the place of an older one.

    Args:
        whole: whether a folder holds all that it should.
        check: raises an error if what stands at the path given must not be replaced.

    Raises:
        OSError: if it cannot be written; then all is as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    token = secrets.token_hex(8)
    fresh, old = (target.with_name(f".{target.name}.{kind}-{token}") for kind in ("new", "old"))
    lock = None
    try:
        with locked(target.parent):
            restore(target, whole)
            _remove_left_overs(target, files)
            os.mkdir(fresh)
            lock = _Lock(fresh)
            lock.take()
        for name, content in files.items():
            _write(fresh / name, content)
        _sync(fresh)
        with locked(target.parent):
            if os.path.lexists(target):
                check(target)
                os.rename(target, old)
            os.rename(fresh, target)
            with suppress(OSError):  # the new one is there, and whole
                _sync(target.parent)
    finally:
        _tidy(target, fresh, old)
        if lock is not None:
            lock.close()


def _tidy(target: Path, fresh: Path, old: Path) -> None:
    """Tidy up, by what the folders show: an interrupt can come at any moment."""
    with locked(target.parent):
        if os.path.lexists(old) and not os.path.lexists(target):
            os.rename(old, target)
        for folder in (fresh, old):
            shutil.rmtree(folder, ignore_errors=True)


def restore(target: Path, whole: Callable[[Path], bool]) -> None:
    """Give a folder its name again if an interrupted `replace` has left it without one.

    The caller holds the lock of the parent folder.

    Args:
        whole: whether a folder holds all that it should.
    """
    if os.path.lexists(target):
        return
    found = [folder for folder in _left_overs(target) if whole(folder)]
    if found:
        # The new one, if both are whole: it is the younger.
        newest = max(found, key=lambda folder: (".new-" in folder.name, folder.stat().st_mtime_ns))
        os.rename(newest, target)


# Threads wait for each other here. A lock that an interrupt has left held is found again by
# its folder, (device, inode), and not waited for: a process does not wait for itself.
_THREADS = threading.RLock()
_HELD: dict[tuple[int, int], "_Lock"] = {}


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Wait until no other process is between its renames in this folder, and keep it so."""
    with _THREADS:
        try:
            place = os.stat(folder)
        except OSError:  # no such folder: there is nothing to keep
            yield
            return
        key = place.st_dev, place.st_ino
        lock = _HELD.get(key) or _HELD.setdefault(key, _Lock(folder))
        try:
            lock.take(wait=True)
            yield
        finally:
            lock.let_go()
            if _HELD.get(key) is lock:
                del _HELD[key]
            lock.close()


def _left_overs(target: Path) -> Iterator[Path]:
    """The folders that `replace` has left beside the target and that no process writes now."""
    pattern = re.compile(rf"\.{re.escape(target.name)}\.(new|old)-[0-9a-f]{{16}}")
    with suppress(FileNotFoundError, NotADirectoryError):
        for folder in sorted(target.parent.iterdir()):
            if pattern.fullmatch(folder.name) and folder.is_dir() and not _in_use(folder):
                yield folder


def _remove_left_overs(target: Path, files: Mapping[str, bytes]) -> None:
    """Remove these folders, except those that hold files which are not ours."""
    # Where there are no locks, another process may still be writing them.
    for folder in _left_overs(target) if fcntl else ():
        if {path.name for path in folder.iterdir()} <= set(files):
            shutil.rmtree(folder, ignore_errors=True)


def _in_use(folder: Path) -> bool:
    lock = _Lock(folder)
    taken = lock.take()
    lock.close()
    return not taken


class _Lock:
    """The lock of a folder; it ends when it is closed or forgotten, or with the process."""

    handle: int | None = None

    def __init__(self, folder: Path) -> None:
        if fcntl is not None:
            with suppress(OSError):
                self.handle = os.open(folder, os.O_RDONLY)

    def take(self, *, wait: bool = False) -> bool:
        """Take the lock if it is free; whether it is ours now (always, if there are no locks)."""
        if self.handle is not None:
            try:
                fcntl.flock(self.handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                return False
            except OSError:
                pass  # a file system without locks
        return True

    def let_go(self) -> None:
        """Let others have it. `close` alone would not, if it were interrupted half-way."""
        if self.handle is not None:
            with suppress(OSError):
                fcntl.flock(self.handle, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let others have it, and forget it."""
        handle, self.handle = self.handle, None
        if handle is not None:
            os.close(handle)

    __del__ = close


def _write(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    if fcntl is None:
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
