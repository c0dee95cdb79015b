"""The parts of a multipart/form-data body, parsed as it arrives; RFC 7578."""

import asyncio
import logging
from collections.abc import AsyncIterator

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from handlers.bodies.base64_text import PIECE_BYTES
from handlers.bodies.body_errors import (
    BareLineFeeds,
    BoundaryMissing,
    BoundaryNotFound,
    EmptyBody,
    MultipartCutShort,
    PartMalformed,
)
from handlers.bodies.part import Part
from handlers.bodies.preamble import Preamble

# It warns of malformed bodies with positions and bytes of them; the log never holds content.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL + 1)

MAX_HEADERS = 8  # of a part
MAX_HEADER_BYTES = 4096 + 128


class MultipartParts:
    """Parses one body in memory; nothing is written to disk. Subclasses decide what parts hold.

    A part whose `content` is set once its headers are read gets its content, the others none.
    """

    def __init__(self, content_type: str) -> None:
        """Read the boundary.

        Raises:
            BoundaryMissing: the Content-Type has no boundary, or one that is too long.

        """
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if not boundary:
            raise BoundaryMissing
        self._part = Part(0)
        self._received = 0
        self._complete = False
        self._preamble: Preamble | None = Preamble(boundary)
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_part_end": self._on_part_end,
                    "on_end": self._on_end,
                },
                max_header_count=MAX_HEADERS,
                max_header_size=MAX_HEADER_BYTES,
            )
        except FormParserError as error:
            raise BoundaryMissing from error

    def begin(self, part: Part) -> None:
        """Decide whether the content of a part is needed; its headers have been read."""
        raise NotImplementedError

    def grown(self, part: Part) -> None:
        """Check a part, whose content has become longer."""

    def end(self, part: Part, content: bytes) -> None:
        """Take a complete part whose content was needed."""
        raise NotImplementedError

    def write(self, chunk: bytes) -> None:
        """Parse the next bytes of the body.

        Raises:
            MalformedBody: they are not multipart/form-data, or exceed a limit of its headers.
            RequestError: a part is not what the subclass takes.

        """
        self._received += len(chunk)
        if self._preamble is not None:
            chunk = self._preamble.skip(chunk)
            if not chunk:
                return
            self._preamble = None
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise self._cause(chunk, error) from error

    async def receive(self, chunks: AsyncIterator[bytes]) -> None:
        """Parse a body as it arrives, in pieces between which other requests run.

        Raises:
            MalformedBody: as `write`.
            RequestError: as `write`.

        """
        async for chunk in chunks:
            for start in range(0, len(chunk), PIECE_BYTES):
                self.write(chunk[start : start + PIECE_BYTES])
                await asyncio.sleep(0)

    def check_complete(self) -> None:
        """Check that the body, which has ended, had its closing boundary.

        Raises:
            MalformedBody: it had not.

        """
        if not self._received:
            raise EmptyBody
        if self._preamble is not None:
            raise BoundaryNotFound
        if not self._complete:
            raise MultipartCutShort(max(1, self._part.number))

    def _cause(self, chunk: bytes, error: FormParserError) -> Exception:
        offset = max(0, getattr(error, "offset", 0))
        if self._part.number == 0:
            bare = chunk[offset : offset + 1] == b"\n"
            return BareLineFeeds() if bare else BoundaryNotFound()
        return PartMalformed(self._part.number, self._received - len(chunk) + offset + 1)

    def _on_part_begin(self) -> None:
        self._part = Part(self._part.number + 1)

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._part.header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.header_value += data[start:end]

    def _on_header_end(self) -> None:
        self._part.end_header()

    def _on_headers_finished(self) -> None:
        self._part.read_headers()
        self.begin(self._part)

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part.content is not None:
            self._part.content.write(memoryview(data)[start:end])
            self.grown(self._part)

    def _on_part_end(self) -> None:
        if self._part.content is not None:
            self.end(self._part, self._part.content.getvalue())

    def _on_end(self) -> None:
        self._complete = True
