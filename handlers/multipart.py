"""The images in a multipart/form-data body, parsed as it arrives; RFC 7578."""

import io
import logging
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from handlers.errors import MalformedBody, TooManyImages

# It warns of malformed bodies with positions and bytes of them; the log never holds content.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL + 1)

IMAGE_NAMES = ("image", "file")
MAX_FIELD_BYTES = 1024 * 1024
MAX_HEADERS = 8  # of a part
MAX_HEADER_BYTES = 4096 + 128


@dataclass(slots=True)
class _Part:
    """The part that is being parsed. `image` holds its content, if it is an image."""

    header_name: bytes = b""
    header_value: bytes = b""
    disposition: bytes = b""
    is_file: bool = False
    image: io.BytesIO | None = None
    field_bytes: int = 0


class MultipartImages:
    """Collects the images of one body in memory; nothing is written to disk.

    An image is a part named "image" or "file" that has a file name. Other parts are skipped: one
    other file, and `max_images` fields.
    """

    def __init__(self, content_type: str, *, max_images: int) -> None:
        """Read the boundary.

        Raises:
            MalformedBody: the Content-Type has no boundary, or one that is too long.

        """
        _, options = parse_options_header(content_type)
        if b"boundary" not in options:
            raise MalformedBody
        self._max_images = max_images
        self._images: list[bytes] = []
        self._part = _Part()
        self._files = self._fields = self._image_parts = 0
        self._complete = False
        try:
            self._parser = MultipartParser(
                options[b"boundary"],
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
            raise MalformedBody from error

    def write(self, chunk: bytes) -> None:
        """Parse the next bytes of the body.

        Raises:
            MalformedBody: they are not multipart/form-data, or exceed a limit of its headers,
                fields or other files.
            TooManyImages: they begin one image more than `max_images`.

        """
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise MalformedBody from error

    def finish(self) -> list[bytes]:
        """Return the images, once the body has ended.

        Raises:
            MalformedBody: the closing boundary is missing.

        """
        if not self._complete:
            raise MalformedBody
        return self._images

    def _on_part_begin(self) -> None:
        self._part = _Part()

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._part.header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.header_value += data[start:end]

    def _on_header_end(self) -> None:
        if self._part.header_name.lower() == b"content-disposition":
            self._part.disposition = self._part.header_value
        self._part.header_name = self._part.header_value = b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._part.disposition)
        if b"name" not in options:
            raise MalformedBody
        name = options[b"name"].decode(errors="replace")  # RFC 7578, section 5.1: no other charset
        self._part.is_file = b"filename" in options
        if not self._part.is_file:
            self._fields += 1
            if self._fields > self._max_images:
                raise MalformedBody
        elif name in IMAGE_NAMES:
            self._image_parts += 1
            self._part.image = io.BytesIO()
        self._files += self._part.is_file
        if self._image_parts > self._max_images or self._files > self._max_images + 1:
            raise TooManyImages(self._max_images)

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part.image is not None:
            self._part.image.write(memoryview(data)[start:end])
        elif not self._part.is_file:
            self._part.field_bytes += end - start
            if self._part.field_bytes > MAX_FIELD_BYTES:
                raise MalformedBody

    def _on_part_end(self) -> None:
        if self._part.image is not None:
            self._images.append(self._part.image.getvalue())

    def _on_end(self) -> None:
        self._complete = True
