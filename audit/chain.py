"""One chain of records, as the process writes it that has claimed it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from audit.chain_file import ChainFile
from audit.files import name_of
from audit.head import Head, HeadFile
from audit.keys import AuditKeys
from audit.line import line_of
from audit.opening import end_of, other_heads
from audit.write_back import Batch, write_back

Report = Callable[..., object]


@dataclass(slots=True)
class Problem:
    """Why records cannot be written, since when, and how many writes have failed."""

    error: str
    since: str
    failures: int = 0
    unfinished: list[dict[str, object]] = field(default_factory=list)


@dataclass(slots=True)
class Totals:
    """What a process has written, for its metrics."""

    records: int = 0
    bytes: int = 0
    failures: int = 0


class Chain:
    """The first chain of a directory that no other process writes. `report` logs an event."""

    def __init__(
        self, directory: Path, keys: AuditKeys, *, max_file_bytes: int, report: Report
    ) -> None:
        """Claim a chain, and write the record of the start, to the disk.

        Raises:
            OSError: the directory cannot be written to.
            NotAHead: the head of the chain was changed, or made with another key.
            UnreadableFile: a file of the chain cannot be read.

        """
        self.totals = Totals()
        self.problem: Problem | None = None
        self.announced = False  # whether the log gets the next head that is on the disk
        self._directory = directory
        self._keys = keys
        self._max_file_bytes = max_file_bytes
        self._report = report
        self._file: ChainFile | None = None
        self._day = ""
        self._finished: list[ChainFile] = []
        self._names_changed = False
        self._known = 0
        self._chain, self.head_file = HeadFile.claim(directory, keys)
        try:
            end = end_of(directory, self._chain, self.head_file.read(), keys)
            self.seq, self._mac = end.seq, end.mac
            if end.damage is not None:
                report(event="audit_damaged", damage=end.damage)
            self.append(kind="start", heads=self.others(), **end.facts)
            batch = self.take()
            write_back(batch, self.head_file)
            self.wrote_back(batch)
        except BaseException:
            self.head_file.close()
            raise

    def others(self) -> list[str]:
        """Return how far the other chains of the directory go."""
        found = other_heads(self._directory, self._chain, self._keys)
        self._known = max([self._chain, *(head.chain for head in found)])
        return [str(head) for head in found]

    def has_new_neighbour(self) -> bool:
        """Return whether there is a chain that `others` has not seen yet."""
        return (self._directory / f"{self._known + 1}.head").exists()

    def append(self, **fields: object) -> None:
        """Write a record.

        Raises:
            OSError: it is not written. The next record is preceded by one of the gap.

        """
        try:
            if self.problem is not None:
                self._recover(self.problem)
            self._write(fields)
        except OSError as error:
            self.failed(error)
            raise

    def works(self) -> bool:
        """Return whether records can be written, after another attempt if they could not."""
        if self.problem is not None:
            try:
                self._recover(self.problem)
            except OSError as error:
                self.failed(error, lost=0)
        return self.problem is None

    def failed(self, error: OSError, lost: int = 1) -> None:
        """Note that records were not written; a file in a doubtful state is left as it is."""
        said = error.strerror or type(error).__name__
        if self.problem is None:
            since = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
            self.problem = Problem(said, since)
            self._report(event="audit_failed", error=said)
        self.problem.error = said
        self.problem.failures += lost
        self.totals.failures += lost
        file = self._file
        if file is not None and (file.unfinished or isinstance(error, FileNotFoundError)):
            if file.unfinished:
                note: dict[str, object] = {"file": file.path.name, "bytes": file.unfinished}
                self.problem.unfinished.append(note)
            self._end_file()

    def take(self) -> Batch:
        """Return what is to be brought to the disk now."""
        head = Head(self._chain, self.seq, self._mac)
        names = self._directory if self._names_changed else None
        batch = Batch(self._finished, self._file, head, names, self.announced)
        self._finished, self._names_changed, self.announced = [], False, False
        return batch

    def wrote_back(self, batch: Batch) -> None:
        """Log the head that is on the disk now, if that is wanted."""
        if batch.announced:
            self._report(event="audit_head", head=str(batch.head))

    def not_written_back(self, batch: Batch, error: OSError) -> None:
        """Note that what was taken may not be on the disk."""
        self._names_changed |= batch.names_in is not None
        self.failed(error)

    def end(self) -> None:
        """Write the record of the end, and end the file."""
        self.announced = True
        try:
            self.append(kind="stop", heads=self.others())
        finally:
            self._end_file()

    def _end_file(self) -> None:
        if self._file is not None:
            self._finished.append(self._file)
            self._file = None

    def _write(self, fields: Mapping[str, object]) -> None:
        at = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        file = self._current(at)
        record = {"at": f"{at[:23]}Z", **fields}
        data, mac = line_of(
            record, chain=self._chain, seq=self.seq + 1, prev=self._mac, keys=self._keys
        )
        file.append(data)
        self.seq, self._mac = self.seq + 1, mac
        self.totals.records += 1
        self.totals.bytes += len(data)

    def _current(self, at: str) -> ChainFile:
        """Return the file to write to: another one each day, and when one is full."""
        file = self._file
        if file is not None and file.size < self._max_file_bytes and at[:10] == self._day:
            return file
        new = ChainFile(self._directory / name_of(self._chain, self.seq + 1, at))
        self._end_file()
        self._file, self._day = new, at[:10]
        self._names_changed = self.announced = True
        return new

    def _recover(self, problem: Problem) -> None:
        gap: dict[str, object] = {
            "since": problem.since,
            "failures": problem.failures,
            "error": problem.error,
        }
        if problem.unfinished:
            gap["interrupted"] = problem.unfinished
        self._write({"kind": "gap", **gap})
        self.problem = None
        self._report(event="audit_recovered", failures=problem.failures, since=problem.since)
