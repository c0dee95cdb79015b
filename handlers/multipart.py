"""The images and parameters in a multipart/form-data body, parsed as it arrives; RFC 7578."""

import io
import logging

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from handlers.base64_text import URL
from handlers.body import Body, Image
from handlers.body_errors import (
    BareLineFeeds,
    BoundaryMissing,
    BoundaryNotFound,
    EmptyBody,
    EmptyImage,
    MultipartCutShort,
    NoFileChosen,
    NoImagePart,
    OtherFiles,
    PartIsText,
    PartIsUrl,
    PartMalformed,
)
from handlers.errors import TooManyImages, UnknownParameter
from handlers.parameters import NAMES, VALID
from handlers.part import Part
from handlers.preamble import Preamble

# It warns of malformed bodies with positions and bytes of them; the log never holds content.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL + 1)

IMAGE_NAMES = ("image", "file")
MAX_FIELD_BYTES = 1024
MAX_HEADERS = 8  # of a part
MAX_HEADER_BYTES = 4096 + 128


class MultipartBody:
    """Collects the images and parameters of one body in memory; nothing is written to disk.

    An image is a part named "image" or "file" that has a file name, or the media type of a file.
    A part without either is a parameter.
    """

    def __init__(self, content_type: str, *, max_images: int) -> None:
        """Read the boundary.

        Raises:
            BoundaryMissing: the Content-Type has no boundary, or one that is too long.

        """
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if not boundary:
            raise BoundaryMissing
        self._max_images = max_images
        self._images: list[Image] = []
        self._parameters: list[tuple[str, str]] = []
        self._part = Part(0)
        self._others = self._blank = self._received = 0
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

    def write(self, chunk: bytes) -> None:
        """Parse the next bytes of the body.

        Raises:
            MalformedBody: they are not multipart/form-data, or exceed a limit of its headers.
            TooManyImages: they begin one image more than `max_images`, or two other files.
            UnknownParameter: a field is no parameter.

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

    def finish(self) -> Body:
        """Return the images and parameters, once the body has ended.

        Raises:
            MalformedBody: the closing boundary is missing, or there is no image.

        """
        if not self._received:
            raise EmptyBody
        if self._preamble is not None:
            raise BoundaryNotFound
        if not self._complete:
            raise MultipartCutShort(max(1, self._part.number))
        if not self._images:
            raise (
                NoFileChosen() if self._blank else NoImagePart(self._others, len(self._parameters))
            )
        if self._others:
            raise OtherFiles(self._others)
        return Body(self._images, self._parameters)

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
        part = self._part
        part.read_headers()
        if part.is_file and part.name not in IMAGE_NAMES:
            self._others += 1
            if self._others > self._max_images:
                raise TooManyImages(self._max_images)
            return
        if not part.is_file and part.name not in {*NAMES, *IMAGE_NAMES}:
            raise UnknownParameter(VALID)
        if part.is_file and len(self._images) + self._blank == self._max_images:
            raise TooManyImages(self._max_images)
        part.content = io.BytesIO()

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        if part.content is None:
            return
        part.content.write(memoryview(data)[start:end])
        if not part.is_file and part.content.tell() > MAX_FIELD_BYTES:
            self._field(part)

    def _on_part_end(self) -> None:
        part = self._part
        if part.content is None:
            return
        content = part.content.getvalue()
        if not part.is_file:
            self._field(part)
        elif content:
            self._images.append(content)
        elif part.has_blank_name:  # a browser's <input type=file> in which no file was chosen
            self._blank += 1
        else:
            self._images.append(EmptyImage(len(self._images) + 1))

    def _field(self, part: Part) -> None:
        value = part.content.getvalue() if part.content else b""
        if part.name in IMAGE_NAMES:
            raise PartIsUrl(part.number) if URL.match(value) else PartIsText(part.number)
        if len(value) > MAX_FIELD_BYTES:
            raise UnknownParameter(VALID)
        self._parameters.append((part.name, value.decode(errors="replace")))
        if len(self._parameters) > len(NAMES):
            raise UnknownParameter(VALID)

    def _on_end(self) -> None:
        self._complete = True
