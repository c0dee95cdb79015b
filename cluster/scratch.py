"""The folder that distributed requires of a worker: in memory, empty but for locks."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 - no name in it is foreseeable
_PREFIX = "sealed-ocr-cluster-"


@contextlib.contextmanager
def private_directory(place: Path | None = None) -> Iterator[str]:
    """Yield a new folder of this process alone, in memory if there is one, and remove it then.

    Those of this user's workers that were killed are removed first. A worker holds a lock on its
    folder, which the kernel releases when the process ends in whatever way.
    """
    if place is None:
        place = _MEMORY if os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    for left in place.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), _held(left) as held:  # a link, a file, another user's
            if held:
                shutil.rmtree(left, ignore_errors=True)
    while True:
        made = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
        with _held(made) as held:
            if not held:  # another worker has just begun, and took it for a leftover
                continue
            try:
                yield str(made)
            finally:
                shutil.rmtree(made, ignore_errors=True)
            return


@contextlib.contextmanager
def _held(path: Path) -> Iterator[bool]:
    """Yield whether a folder is this user's, is still there, and is locked for this process.

    Raises:
        OSError: it is no folder, or may not be opened.

    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        yield False
        return
    try:
        yield _lock(descriptor, path)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> bool:
    opened = os.fstat(descriptor)
    if opened.st_uid != os.geteuid():
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(opened, path.lstat())
    except (BlockingIOError, FileNotFoundError):  # a living process's, or removed meanwhile
        return False
