"""What an entry of the corpus is, and the sets of answers that entries accept."""

from collections.abc import Callable
from dataclasses import dataclass

# Written into names, comments and metadata of hostile files: no answer and no log may repeat it.
MARK = b"Echo7d1fMark"

READ = frozenset({200})
EMPTY = frozenset({400})
TOO_LARGE = frozenset({413})
FOREIGN = frozenset({415})
BROKEN = frozenset({422})
# Libraries differ, and change their minds, about what they forgive: both answers are right.
FORGIVEN = READ | BROKEN
TOO_LARGE_OR_BROKEN = TOO_LARGE | BROKEN
UNRECOGNISED = FOREIGN | BROKEN
# Meant to take longer than a decoder is given.
ENDLESS = frozenset({422, 504})


@dataclass(frozen=True, slots=True)
class Entry:
    """A hostile file: how it is made, which answers are right, and how it is sent.

    With a `file_name` it is a part of a form, under that name; otherwise it is the whole body.
    """

    name: str
    make: Callable[[], bytes]
    statuses: frozenset[int]
    query: str = ""
    media_type: str = "application/octet-stream"
    file_name: str = ""
