"""Where a chain goes on when a process begins to write it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from audit.files import files_of, last_line
from audit.head import NAME, Head, NotAHead, missing_records, read_head
from audit.keys import AuditKeys
from audit.line import FIRST, Line, line_from


@dataclass(frozen=True, slots=True)
class End:
    """The last record that there was, what the next one has to say of it, and what is wrong."""

    seq: int
    mac: str
    facts: Mapping[str, object]
    damage: str | None = None


def end_of(directory: Path, chain: int, head: Head | None, keys: AuditKeys) -> End:
    """Return where a chain ends, by its files and its head.

    A line that a crash or power cut has left unfinished stays where it is, as it is.

    Raises:
        UnreadableFile: a file of the chain cannot be read.

    """
    files = [file for file in files_of(directory) if file.chain == chain]
    interrupted: list[dict[str, object]] = []
    data = b""
    for file in reversed(files):
        data, unfinished = last_line(file.path)
        if unfinished:
            interrupted.append({"file": file.name, "bytes": unfinished})
        if data:
            break
    facts: dict[str, object] = {"interrupted": interrupted} if interrupted else {}
    line = line_from(data, keys) if data else None
    if head is None:
        return _without_head(facts, line, files[-1].first if files else 0)
    if line is not None and line.genuine and line.seq >= head.seq:
        return End(line.seq, line.mac, facts)
    damage = None
    if files:
        known = line.seq if line is not None and line.genuine else None
        damage = (
            f"the last line of chain {chain} was changed"
            if known is None
            else f"chain {chain}: {missing_records(known + 1, head.seq)}"
        )
    return End(head.seq, head.mac, facts, damage)


def _without_head(facts: dict[str, object], line: Line | None, first: int) -> End:
    if first == 0:
        return End(0, FIRST, facts)
    facts["head"] = "missing"
    damage = "the head file was missing, although there are records"
    return End(line.seq, line.mac, facts, damage) if line else End(first, FIRST, facts, damage)


def other_heads(directory: Path, chain: int, keys: AuditKeys) -> list[Head]:
    """Return the heads of the other chains of a directory."""
    found = []
    for path in sorted(directory.iterdir()):
        match = NAME.fullmatch(path.name)
        if match is not None and int(match[1]) != chain:
            try:
                head = read_head(path, keys)
            except NotAHead:
                continue  # verification names it
            if head is not None:
                found.append(head)
    return found
