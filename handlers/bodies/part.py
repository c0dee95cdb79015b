"""One part of a multipart/form-data body; RFC 7578."""

import io
import re

from python_multipart.multipart import parse_options_header

from handlers.bodies.body_errors import PartUnnamed
from handlers.bodies.media_types import essence, is_file

# RFC 7578, section 4.2, forbids it, but urllib3 before 2.0 sends names so that are not ASCII.
EXTENDED_FILE_NAME = re.compile(rb";\s*filename\*(?:0\*?)?\s*=", re.IGNORECASE)


class Part:
    """The part that is being parsed: its headers, and then its content if that is needed."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.header_name = self.header_value = b""
        self.headers: dict[bytes, bytes] = {}
        self.name = ""
        self.is_file = self.has_blank_name = False
        self.content: io.BytesIO | None = None

    def end_header(self) -> None:
        """Record a complete header."""
        self.headers[self.header_name.lower()] = self.header_value
        self.header_name = self.header_value = b""

    def read_headers(self) -> None:
        """Set the name, and whether the part is a file.

        Raises:
            PartUnnamed: there is no name.

        """
        disposition = self.headers.get(b"content-disposition", b"")
        _, options = parse_options_header(disposition)
        if b"name" not in options:
            raise PartUnnamed(self.number)
        self.name = options[b"name"].decode(errors="replace")  # RFC 7578, section 5.1: UTF-8
        media_type = essence(self.headers.get(b"content-type", b"").decode("latin-1"))
        self.has_blank_name = options.get(b"filename") == b""
        self.is_file = (
            b"filename" in options
            or EXTENDED_FILE_NAME.search(disposition) is not None
            or is_file(media_type)
        )
