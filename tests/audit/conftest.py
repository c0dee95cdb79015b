"""Trails in directories of their own."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from audit.keys import keys_of
from audit.trail import Trail
from audit.verification import Verification, verify

SECRET = "k" * 64
KEYS = keys_of(SECRET)
DOCUMENT = b"the bytes of a document"


@dataclass
class Place:
    """A directory of audit files, and what was logged of it."""

    directory: Path
    events: list[dict[str, Any]] = field(default_factory=list)

    def open(self, **options: Any) -> Trail:
        """Return a trail that writes here."""
        wanted = {"max_file_bytes": 4000, "sync_s": 1} | options
        return Trail(
            self.directory, KEYS, report=lambda **facts: self.events.append(facts), **wanted
        )

    def written(self, requests: int, **options: Any) -> None:
        """Write the records of some requests, from start to stop."""

        async def write() -> None:
            trail = self.open(**options)
            trail.serve()
            for number in range(requests):
                request(trail, number)
            await trail.aclose()

        asyncio.run(write())

    def verify(self, **options: Any) -> Verification:
        """Verify it."""
        return verify(self.directory, KEYS, **options)

    @property
    def files(self) -> list[Path]:
        """The audit files, in their order."""
        return sorted(self.directory.glob("*.jsonl*"))

    @property
    def heads(self) -> list[str]:
        """The heads that were logged."""
        return [str(event["head"]) for event in self.events if event["event"] == "audit_head"]


def request(trail: Trail, number: int, key: str = "someone") -> None:
    """Write the two records of a request."""
    name = f"{number:016x}"
    documents = [{"bytes": len(DOCUMENT), "hash": trail.hash_of(DOCUMENT)}]
    trail.append(
        kind="received", request=name, key=key, key_id="aaaa1111", address="192.0.2.7",
        function="/ocr", documents=documents if number % 2 else [],
    )  # fmt: skip
    trail.append(kind="done", request=name, status=200, complete=True, pages=1, ms=1.5)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty directory."""
    directory = tmp_path / "trail"
    directory.mkdir(mode=0o700)
    return Place(directory)


Damage = Callable[[Place], object]
