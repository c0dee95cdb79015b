"""Results on the disk: written whole or not at all; and the pages of an unfinished document."""

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

from sealed_ocr_client.formats import Page


def is_written(target: Path) -> bool:
    """Return whether a result is there."""
    return target.exists()


def is_whole(target: Path) -> bool:
    """Return whether a result is there to its end, which is a line break.

    It was renamed when it was whole: only another program, or a damaged disk, can have cut it.

    Raises:
        OSError: it cannot be read.

    """
    try:
        with target.open("rb") as file:
            if not file.seek(0, os.SEEK_END):
                return False
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
    except FileNotFoundError:
        return False


def write_whole(target: Path, content: bytes) -> None:
    """Write a file under another name, then rename it.

    Raises:
        OSError: it cannot be written.

    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # Two runs have two names, also on two machines with one file server.
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


class UnfinishedPages:
    """The pages of a document that is being read, in a file beside its result until that is there.

    Its first line tells which upload and which parameters it is for: pages of others are discarded.
    """

    def __init__(self, target: Path, upload: bytes, query: Mapping[str, str]) -> None:
        self._file = target.with_name(f".{target.name}.part")
        digest = hashlib.sha256(upload).hexdigest()
        self._head = json.dumps({"sha256": digest, **query}, sort_keys=True).encode() + b"\n"
        self.pages = self._load()

    def add(self, page: Page) -> None:
        """Keep a page.

        Raises:
            OSError: it cannot be written.

        """
        self.pages.append(page)
        line = json.dumps(page, ensure_ascii=False).encode() + b"\n"
        if len(self.pages) == 1:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            line = self._head + line
            self._file.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        descriptor = os.open(self._file, flags, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(line)

    def discard(self) -> None:
        """Remove the file: the result has been written."""
        with suppress(FileNotFoundError):
            self._file.unlink()

    def _load(self) -> list[dict[str, Any]]:
        """Return the pages of an earlier run; a line that was cut short is cut off."""
        try:
            content = self._file.read_bytes()
        except FileNotFoundError:
            return []
        head, _, lines = content.partition(b"\n")
        if head + b"\n" != self._head:
            return []
        whole = lines[: lines.rfind(b"\n") + 1]
        if whole != lines:
            os.truncate(self._file, len(content) - len(lines) + len(whole))
        try:
            pages = [json.loads(line) for line in whole.splitlines()]
            numbers = [page["page"] for page in pages]
        except (ValueError, LookupError, TypeError):
            return []  # not what `add` wrote
        # Two runs at once have both written their pages.
        return pages if all(before < after for before, after in pairwise(numbers)) else []
