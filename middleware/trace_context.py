"""The trace that a request belongs to, by its `traceparent` header (W3C Trace Context)."""

import re
from collections.abc import Iterable
from typing import NamedTuple

HEADER = b"traceparent"
# Version 00 has these four fields; a later one may have more after them (section 3.2.4).
FORM = re.compile(
    rb"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<parent>[0-9a-f]{16})-[0-9a-f]{2}"
    rb"(?P<more>-.*)?"
)
LONGEST = 512
INVALID_VERSION = b"ff"


class Trace(NamedTuple):
    """The ids of a trace, and of the span of its caller: 32 and 16 digits 0-9 a-f."""

    trace_id: str
    parent_id: str


def trace_of(headers: Iterable[tuple[bytes, bytes]]) -> Trace | None:
    """Return the trace that a request's headers name; None if there is none, or it is not valid.

    The specification has a receiver ignore an invalid header, and one that is sent twice.
    """
    values = [value for name, value in headers if name == HEADER]
    if len(values) != 1 or len(values[0]) > LONGEST:
        return None
    found = FORM.fullmatch(values[0])
    if found is None or found["version"] == INVALID_VERSION:
        return None
    if found["version"] == b"00" and found["more"] is not None:
        return None
    if not (int(found["trace"], 16) and int(found["parent"], 16)):
        return None
    return Trace(found["trace"].decode(), found["parent"].decode())
