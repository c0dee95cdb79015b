"""One line of an audit file: a record as JSON, linked to the line before it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit.keys import AuditKeys

FIRST = "0" * 64
"""What the first line of a chain has in place of the code of a line before it."""

MAC = re.compile(r"[0-9a-f]{64}")
_LINE = re.compile(
    rb'(\{"chain":(\d{1,9}),"seq":(\d{1,18}),"prev":"([0-9a-f]{64})",.*),"mac":"([0-9a-f]{64})"\}\n'
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it was found: its place in the chain, and whether its code is right."""

    chain: int
    seq: int
    prev: str
    mac: str
    record: Mapping[str, Any]
    genuine: bool


def line_of(
    fields: Mapping[str, object], *, chain: int, seq: int, prev: str, keys: AuditKeys
) -> tuple[bytes, str]:
    """Return the line of a record, and its authentication code.

    The code is over the bytes in front of it, so nothing has to be written again in the same way
    to check it.
    """
    record = {"chain": chain, "seq": seq, "prev": prev, **fields}
    body = json.dumps(record, separators=(",", ":"))[:-1].encode("ascii")
    mac = keys.mac(body)
    return b'%b,"mac":"%b"}\n' % (body, mac.encode()), mac


def line_from(data: bytes, keys: AuditKeys | None) -> Line | None:
    """Return what a line with its line break says; None if it is not one of an audit file.

    Without `keys` it is taken as genuine.
    """
    match = _LINE.fullmatch(data)
    if match is None:
        return None
    body, chain, seq, prev, mac = match.groups()
    try:
        record = json.loads(data)
    except (ValueError, RecursionError):
        return None
    found = mac.decode()
    return Line(
        int(chain), int(seq), prev.decode(), found, record, keys is None or keys.mac(body) == found
    )
