"""Bringing records to the disk, in a thread: files first, and only then the head."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from audit.chain_file import ChainFile, sync_directory
from audit.head import Head, HeadFile


@dataclass(frozen=True, slots=True)
class Batch:
    """What is to be brought to the disk: files to close, the current one, the head after that.

    `names_in` is the directory, if there are new files in it; an `announced` head is synced, too.
    """

    finished: list[ChainFile]
    current: ChainFile | None
    head: Head
    names_in: Path | None
    announced: bool


def write_back(batch: Batch, head_file: HeadFile) -> None:
    """Sync files and directory, then say in the head how far the chain goes.

    Raises:
        OSError: something may not be on the disk; the head says nothing of it then.

    """
    with contextlib.ExitStack() as closing:
        for file in batch.finished:
            closing.callback(file.close)
        for file in batch.finished:
            file.sync()
            file.finish()
        if batch.current is not None:
            batch.current.sync()
        if batch.names_in is not None:
            sync_directory(batch.names_in)
        head_file.write(batch.head)
        if batch.announced:
            head_file.sync()
