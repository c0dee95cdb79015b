"""Base64 in JSON strings, decoded in pieces; RFC 4648, sections 4 and 5."""

import binascii
import json
import re
from collections.abc import Iterator

from handlers.bodies.body_errors import Base64CutShort, EmptyImage, ImageIsUrl, NotBase64

PIECE_BYTES = 65_536
"""How much of a body is parsed before the event loop runs other requests."""

LONGEST_ESCAPE = 6  # \u002b
GROUP = 4  # characters that make three bytes
DATA_URL = re.compile(rb"[ \t\r\n]*data:[\w.+/;=-]{0,200},")
URL = re.compile(rb"[ \t\r\n]*[a-z][a-z0-9+.-]{1,10}://", re.IGNORECASE)
WHITE_SPACE = b" \t\r\n"
ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
TO_STANDARD = bytes.maketrans(b"-_", b"+/")
INVALID = re.compile(rb"[^A-Za-z0-9+/_= \t\r\n-]")
DATA = re.compile(rb"[A-Za-z0-9+/_-]")


class Base64Decoder:
    """Decodes one string: either alphabet, with or without padding, line breaks or `data:` prefix.

    `image` is its number for the errors.
    """

    def __init__(self, image: int) -> None:
        self._image = image
        self._decoded: list[bytes] = []
        self._rest = b""  # less than a group
        self._characters = 0  # of base64, without padding
        self._padding = 0
        self.position = 0  # characters of the string so far

    def write(self, piece: bytes) -> None:
        """Decode the next piece of the string; the first holds the whole prefix, if any.

        Raises:
            NotBase64: a character is invalid, or follows padding.
            ImageIsUrl: the string is a URL.

        """
        start = self._prefix_length(piece) if self.position == 0 else 0
        text = piece[start:]
        if text.translate(None, ALPHABET + WHITE_SPACE):
            self._check(piece, start)
            self._padding += text.count(b"=")
        elif self._padding and (late := DATA.search(piece)):
            raise NotBase64(self._image, self.position + late.start() + 1)
        text = text.translate(TO_STANDARD, WHITE_SPACE + b"=")
        self._characters += len(text)
        self.position += len(piece)
        text = self._rest + text
        whole = len(text) // GROUP * GROUP
        self._decoded.append(binascii.a2b_base64(text[:whole]))
        self._rest = text[whole:]

    def finish(self) -> bytes:
        """Return the decoded bytes.

        Raises:
            Base64CutShort: the string ends inside a group, or its padding is wrong.
            EmptyImage: there is nothing in it.

        """
        missing = -self._characters % GROUP
        if missing == GROUP - 1 or self._padding not in {0, missing}:
            raise Base64CutShort(self._image)
        if not self._characters:
            raise EmptyImage(self._image)
        return b"".join([*self._decoded, binascii.a2b_base64(self._rest + b"=" * missing)])

    def _prefix_length(self, piece: bytes) -> int:
        if URL.match(piece):
            raise ImageIsUrl(self._image)
        prefix = DATA_URL.match(piece)
        return prefix.end() if prefix else 0

    def _check(self, piece: bytes, start: int) -> None:
        """Find what is no base64 in a piece: an invalid character, or data after padding."""
        first = INVALID.search(piece, start)
        padding = 0 if self._padding else piece.find(b"=", start)
        late = DATA.search(piece, max(padding, start)) if padding >= 0 else None
        found = [match.start() for match in (first, late) if match]
        if found:
            raise NotBase64(self._image, self.position + min(found) + 1)


def unescaped_pieces(body: bytes, start: int, end: int) -> Iterator[bytes]:
    """Yield the JSON string in body[start:end] without its escapes, in pieces of PIECE_BYTES.

    Line breaks that should have been escaped are accepted: `base64` makes them.

    Raises:
        ValueError: an escape is invalid.

    """
    escaped = body.find(b"\\", start, end) >= 0
    while start < end:
        stop = min(start + PIECE_BYTES, end)
        if not escaped:
            yield body[start:stop]
        else:
            stop = stop if stop == end else _before_escape(body, start, stop)
            text = json.loads(b'"' + body[start:stop] + b'"', strict=False)
            yield text.encode(errors="replace")
        start = stop


def _before_escape(body: bytes, start: int, stop: int) -> int:
    """Return the last position up to `stop` that is not inside an escape."""
    last = body.rfind(b"\\", max(start, stop - LONGEST_ESCAPE), stop)
    if last < 0:
        return stop
    text = body[start : last + 1]
    run = len(text) - len(text.rstrip(b"\\"))
    return last if run % 2 else stop
