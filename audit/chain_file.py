"""The file that a chain is being written to."""

import os
from pathlib import Path

FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


class ChainFile:
    """A new file, which only this process writes, and only at its end."""

    def __init__(self, path: Path) -> None:
        """Create it.

        Raises:
            OSError: it cannot be created.

        """
        self.path = path
        self.size = 0
        self.unfinished = 0  # bytes of a line that was not written to its end
        self._descriptor = os.open(path, FLAGS, 0o600)
        found = os.fstat(self._descriptor)
        self._identity = found.st_dev, found.st_ino

    def append(self, data: bytes) -> None:
        """Write whole lines.

        Raises:
            OSError: they are not, or not completely, in the file; or the file is not where it was.

        """
        self._check_place()
        written = 0
        try:
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        except OSError:
            self.unfinished = written
            raise
        self.size += written

    def _check_place(self) -> None:
        """Check that the file was not moved or removed: the records would go nowhere.

        Raises:
            OSError: it was.

        """
        found = os.stat(self.path, follow_symlinks=False)  # noqa: PTH116 - half the time of Path's
        if (found.st_dev, found.st_ino) != self._identity:
            raise FileNotFoundError(2, "the file was replaced", str(self.path))

    def sync(self) -> None:
        """Wait until what was written is on the disk."""
        os.fdatasync(self._descriptor)

    def finish(self) -> None:
        """Let nobody write to it any more."""
        os.fchmod(self._descriptor, 0o400)

    def close(self) -> None:
        """Close it."""
        os.close(self._descriptor)


def sync_directory(directory: Path) -> None:
    """Wait until the names in a directory are on the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
