"""The pages of a document that is being read, each in a file of its own until the result is there.

The files are in a hidden folder beside the result, named by what was read (the SHA-256 of the file)
and how (the parameters). They come in any order, and from several clients: each is renamed into its
place whole.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sealed_ocr_client.formats import Page
from sealed_ocr_client.outputs import write_whole


class KeptPages:
    """The pages of one document; `of` is how many it has, 0 as long as none is kept."""

    def __init__(self, target: Path, sha256: str, query: Mapping[str, str]) -> None:
        how = hashlib.sha256(json.dumps(query, sort_keys=True).encode()).hexdigest()
        self._parent = target.with_name(f".{target.name}.pages")
        self._folder = self._parent / f"{sha256}-{how[:16]}"

    def numbers(self) -> tuple[set[int], int]:
        """Return the numbers of the pages that are kept, and how many the document has."""
        found: set[int] = set()
        of = 0
        with suppress(FileNotFoundError):
            for file in self._folder.glob("[!.]*.json"):
                number, _, pages = file.stem.partition("-")
                if number.isdecimal() and pages.isdecimal():
                    found.add(int(number))
                    of = int(pages)
        return found, of

    def add(self, number: int, of: int, line: bytes) -> None:
        """Keep a page.

        Raises:
            OSError: it cannot be written.

        """
        file = self._file(number, of)
        try:
            write_whole(file, line)
        except FileNotFoundError:  # another client has just removed the folder
            write_whole(file, line)

    def load(self, numbers: Sequence[int], of: int) -> tuple[list[Page], list[int]]:
        """Return the pages of these numbers, and the numbers of those that are not there."""
        pages: list[Page] = []
        missing: list[int] = []
        for number in numbers:
            try:
                pages.append(json.loads(self._file(number, of).read_bytes()))
            except (FileNotFoundError, ValueError):
                missing.append(number)
        return pages, missing

    def discard(self) -> None:
        """Remove them: the result has been written."""
        shutil.rmtree(self._folder, ignore_errors=True)
        with suppress(OSError):
            self._parent.rmdir()

    def _file(self, number: int, of: int) -> Path:
        return self._folder / f"{number}-{of}.json"
