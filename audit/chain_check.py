"""The check of one chain, line by line; of the lines, only the heads that they name are kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from audit.files import AuditFile, lines_of
from audit.head import Head, NotAHead, head_from, missing_records
from audit.keys import AuditKeys
from audit.line import FIRST, Line, line_from

PERHAPS_THE_KEY = "changed, or written with another key"


@dataclass(slots=True)
class ChainResult:
    """What was found: at most one error, the first, and all notes.

    `noted` has the heads of other chains that this one's records name, and where.
    """

    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    noted: dict[Head, str] = field(default_factory=dict)
    records: int = 0
    files: int = 0
    last_seq: int = 0
    first_at: str = ""
    last_at: str = ""


class ChainCheck:
    """Takes the files of a chain in their order; after the first error it looks no further."""

    def __init__(self, chain: int, keys: AuditKeys, *, start: int, head: Head | None) -> None:
        """`start` is the first record that is expected, `head` what the head file says."""
        self._chain = chain
        self._head = head
        self._keys = keys
        self._result = ChainResult(last_seq=start - 1)
        self._start = start
        self._prev = FIRST if start == 1 else None
        self._unfinished: dict[str, tuple[str, int]] = {}  # not yet explained by a later record

    def file(self, file: AuditFile) -> None:
        """Check the next file.

        Raises:
            UnreadableFile: it cannot be read.

        """
        if self._result.errors:
            return
        self._result.files += 1
        for number, data in enumerate(lines_of(file.path), 1):
            where = f"{file.path}, line {number}"
            if not data.endswith(b"\n"):
                self._unfinished[file.name] = where, len(data)
                return
            line = line_from(data, self._keys)
            if line is None or not line.genuine:
                self._fail(where, f"the record was {PERHAPS_THE_KEY}")
            elif line.seq >= self._start:
                self._line(where, line)
            if self._result.errors:
                return

    def _line(self, where: str, line: Line) -> None:
        result = self._result
        self._explain(line.record)
        if self._unfinished:
            where, _ = next(iter(self._unfinished.values()))
            self._fail(where, "cut off: no record says that its writing was interrupted")
            return
        if (problem := self._problem_of(line)) is not None:
            self._fail(where, problem)
            return
        result.last_seq, self._prev = line.seq, line.mac
        result.records += 1
        at = str(line.record.get("at", ""))
        result.first_at = result.first_at or at
        result.last_at = at
        self._note(where, line.record)

    def _problem_of(self, line: Line) -> str | None:
        expected = self._result.last_seq + 1
        if line.chain != self._chain:
            return f"the record is of chain {line.chain}, not {self._chain}"
        if line.seq > expected:
            which = f"{expected} to {line.seq - 1}" if line.seq - 1 > expected else f"{expected}"
            moved = f"; if they were moved, use --from {self._chain}:{line.seq}"
            first = self._result.records == 0
            return f"missing before it: records {which}{moved if first else ''}"
        if line.seq < expected:
            return f"out of order or repeated: record {line.seq} where {expected} is due"
        if self._prev is not None and line.prev != self._prev:
            return f"record {line.seq} does not follow the record before it: that was replaced"
        if self._head is not None and line.seq == self._head.seq and line.mac != self._head.mac:
            return f"record {line.seq} is not the one that {self._chain}.head names"
        return None

    def _explain(self, record: Mapping[str, Any]) -> None:
        """Take the unfinished lines that a record of a start or a gap names as interrupted."""
        if record.get("kind") not in {"start", "gap"}:
            return
        for each in record.get("interrupted", []):
            name = str(each.get("file"))
            where, size = self._unfinished.get(name, ("", -1))
            if size == each.get("bytes"):
                del self._unfinished[name]
                self._result.notes.append(f"{where}: interrupted write, {size} bytes; recorded")

    def _note(self, where: str, record: Mapping[str, Any]) -> None:
        if record.get("head") == "missing":
            self._fail(where, "at this start the head file was missing: records may be, too")
        if record.get("kind") == "gap":
            self._result.notes.append(
                f"{where}: {record.get('failures')} writes failed since {record.get('since')}: "
                f"{record.get('error')}"
            )
        for text in record.get("heads", []):
            try:
                head = head_from(str(text))
            except NotAHead:
                continue
            self._result.noted.setdefault(head, where)

    def finish(self) -> ChainResult:
        """Compare the end with the chain's head, and return what was found."""
        result = self._result
        if result.errors:
            return result
        if self._head is None:
            self._fail(f"chain {self._chain}", f"{self._chain}.head is missing")
        elif self._head.seq > result.last_seq:
            missing = missing_records(result.last_seq + 1, self._head.seq)
            self._fail(f"chain {self._chain}", f"cut off: {missing} at the end")
        for where, size in self._unfinished.values():
            result.notes.append(
                f"{where}: interrupted write, {size} bytes: an unfinished line, as a crash "
                "leaves it; no record is missing before it, and the next start records it"
            )
        return result

    def _fail(self, where: str, problem: str) -> None:
        self._result.errors.append(f"{where}: {problem}")
