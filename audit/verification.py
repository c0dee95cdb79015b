"""Whether the records of a trail are all there, unchanged and in their order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import Path

from audit.chain_check import ChainCheck, ChainResult
from audit.files import AuditFile, files_of, lines_of
from audit.head import NAME, Head, NotAHead, missing_records, read_head
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
    by_chain = _by_chain(directory)
    noted: dict[Head, str] = dict.fromkeys(anchors, "--head")
    results: dict[int, ChainResult] = {}

    def check(chain: int) -> None:
        start = (starts or {}).get(chain, 1)
        checked = ChainCheck(chain, keys, start=start, head=heads.get(chain))
        for file in by_chain.get(chain, []):
            checked.file(file)
        results[chain] = checked.finish()

    for chain in sorted({*heads, *by_chain}):
        check(chain)
        noted = {**results[chain].noted, **noted}
    outgrown = {each.chain for each in noted if _outgrown(each, results)}
    if outgrown:  # a service went on writing after its chain was read; else records are missing
        by_chain = _by_chain(directory)
        for chain in outgrown:
            check(chain)
    for result in results.values():
        found.add(result)
    for chain, group in groupby(
        sorted(noted, key=lambda each: each.chain), lambda each: each.chain
    ):
        named = {head: noted[head] for head in group}
        error = _missed(named, results.get(chain), by_chain.get(chain, []))
        if error is not None:
            found.errors.append(error)
    return found


def _by_chain(directory: Path) -> dict[int, list[AuditFile]]:
    files = files_of(directory)
    return {chain: [*group] for chain, group in groupby(files, lambda file: file.chain)}


def _outgrown(head: Head, results: Mapping[int, ChainResult]) -> bool:
    return head.chain in results and results[head.chain].last_seq < head.seq


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
    noted: Mapping[Head, str], result: ChainResult | None, files: list[AuditFile]
) -> str | None:
    """Return what is wrong with a chain, by its heads that were noted elsewhere, and where."""
    if result is not None and result.errors:
        return None  # the chain's own first error comes before it
    furthest = max(noted, key=lambda each: each.seq)
    last = result.last_seq if result else 0
    if last < furthest.seq:
        source = noted[furthest]
        return (
            f"chain {furthest.chain}: {missing_records(last + 1, furthest.seq)}: {source} "
            f"names record {furthest.seq}"
        )
    macs: dict[int, set[str]] = {}
    for head in noted:
        macs.setdefault(head.seq, set()).add(head.mac)
    for file, following in pairwise([*files, None]):
        end = following.first if following is not None else last + 1
        if file is None or not any(file.first <= seq < end for seq in macs):
            continue
        for data in lines_of(file.path):
            line = line_from(data, None)
            others = macs.get(line.seq, set()) - {line.mac} if line is not None else set()
            if line is not None and others:
                source = noted[Head(line.chain, line.seq, others.pop())]
                return (
                    f"{file.path}: record {line.seq} is not the one that {source} names: the chain "
                    "was written anew"
                )
    return None
