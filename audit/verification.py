"""Whether the records of a trail are all there, unchanged and in their order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from audit.chain_check import ChainCheck, ChainResult
from audit.files import AuditFile, files_of, lines_of
from audit.head import NAME, Head, NotAHead, read_head
from audit.keys import AuditKeys
from audit.line import line_from


@dataclass(slots=True)
class Verification:
    """What a verification has found: errors, what is only worth knowing, and what was checked."""

    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    records: int = 0
    files: int = 0
    chains: int = 0
    first_at: str = ""
    last_at: str = ""

    def add(self, result: ChainResult) -> None:
        """Add what was found in one chain."""
        self.errors += result.errors
        self.notes += result.notes
        self.records += result.records
        self.files += result.files
        self.chains += 1
        if result.first_at and (not self.first_at or result.first_at < self.first_at):
            self.first_at = result.first_at
        self.last_at = max(self.last_at, result.last_at)


def verify(
    directory: Path,
    keys: AuditKeys,
    *,
    starts: Mapping[int, int] | None = None,
    anchors: Iterable[Head] = (),
) -> Verification:
    """Verify all chains of a directory.

    `starts` has the first record that is expected of a chain whose older files were moved away;
    `anchors` are heads that were noted elsewhere. The heads are read first: a service may be
    writing meanwhile.

    Raises:
        UnreadableFile: a file cannot be read.

    """
    found = Verification()
    heads = _heads(directory, keys, found)
    files = files_of(directory)
    by_chain = {chain: [*group] for chain, group in groupby(files, lambda file: file.chain)}
    noted: dict[int, tuple[Head, str]] = {}  # the furthest of each chain that records name
    results: dict[int, ChainResult] = {}
    for chain in sorted({*heads, *by_chain}):
        check = ChainCheck(chain, keys, start=(starts or {}).get(chain, 1), head=heads.get(chain))
        for file in by_chain.get(chain, []):
            check.file(file)
        result = results[chain] = check.finish()
        found.add(result)
        for head, where in result.noted.items():
            if head.chain not in noted or noted[head.chain][0].seq < head.seq:
                noted[head.chain] = head, where
    for anchor, source in [*((anchor, "--head") for anchor in anchors), *noted.values()]:
        error = _missed(anchor, source, results.get(anchor.chain), by_chain.get(anchor.chain, []))
        if error is not None:
            found.errors.append(error)
    return found


def _heads(directory: Path, keys: AuditKeys, found: Verification) -> dict[int, Head]:
    heads = {}
    for path in sorted(directory.iterdir()):
        if NAME.fullmatch(path.name):
            try:
                head = read_head(path, keys)
            except NotAHead as error:
                found.errors.append(str(error))
                continue
            if head is not None:
                heads[head.chain] = head
    return heads


def _missed(
    anchor: Head, source: str, result: ChainResult | None, files: list[AuditFile]
) -> str | None:
    """Return what is wrong with a chain, by a head that was noted elsewhere."""
    if result is None or result.last_seq < anchor.seq:
        last = result.last_seq if result else 0
        if result is not None and result.errors:
            return None  # the chain's own first error comes before it
        return (
            f"chain {anchor.chain}: records {last + 1} to {anchor.seq} are missing: {source} "
            f"names record {anchor.seq}"
        )
    holding = [file for file in files if file.first <= anchor.seq]
    if not holding or result.errors:
        return None
    for data in lines_of(holding[-1].path):
        line = line_from(data, None)
        if line is not None and line.seq == anchor.seq and line.mac != anchor.mac:
            return (
                f"{holding[-1].path}: record {anchor.seq} is not the one that {source} names: the "
                "chain was written anew"
            )
    return None
