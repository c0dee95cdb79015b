"""The fields of a form: multipart/form-data, or application/x-www-form-urlencoded."""

import asyncio
import io
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.requests import Request

from handlers.bodies.base64_text import PIECE_BYTES, Base64Decoder
from handlers.bodies.body_errors import FieldInvalid
from handlers.bodies.media_types import essence
from handlers.bodies.multipart_parts import MultipartParts
from handlers.bodies.other_formats import MEDIA_TYPES
from handlers.bodies.part import Part
from handlers.errors import UnsupportedBody

MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"
MAX_FIELDS = 64
LONGEST_NAME = 256
MAX_TEXT_BYTES = 65_536  # of a field that holds no file
FLAGS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False,
         "on": True, "off": False, "t": True, "f": False, "y": True, "n": False}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name, its content, and whether it was sent as a file."""

    name: str
    content: bytes
    is_file: bool = False


class Form:
    """The fields of a form; of several with one name, the first counts."""

    def __init__(self, fields: list[Field]) -> None:
        self._fields = fields

    def file(self, name: str | None = None) -> bytes | None:
        """Return the file in the field `name`, or in any field; None without one."""
        found = [each for each in self._fields if each.is_file and name in {None, each.name}]
        return found[0].content if found else None

    def text(self, name: str) -> str | None:
        """Return the text of a field; None without one, or if it is empty.

        Raises:
            FieldInvalid: it is too long for an option.

        """
        content = self._content(name)
        if content is not None and len(content) > MAX_TEXT_BYTES:
            raise FieldInvalid(name, f"<= {MAX_TEXT_BYTES} bytes")
        return content.decode(errors="replace") if content else None

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return the truth of a field, as clients write it in any case.

        Raises:
            FieldInvalid: it is neither true nor false.

        """
        text = self.text(name)
        if text is None:
            return default
        if text.strip().lower() not in FLAGS:
            raise FieldInvalid(name, "true, false")
        return FLAGS[text.strip().lower()]

    def json(self, name: str) -> Any:
        """Return the value of a field that holds JSON; None without one.

        Raises:
            FieldInvalid: it holds none.

        """
        text = self.text(name)
        try:
            return None if text is None else json.loads(text)
        except (ValueError, RecursionError):
            raise FieldInvalid(name, "JSON") from None

    async def base64(self, name: str) -> bytes | None:
        """Return the bytes whose base64 a field holds; None without one.

        Raises:
            MalformedImage: it is no base64, or a URL.

        """
        content = self._content(name)
        if not content:
            return None
        decoder = Base64Decoder(1)
        for start in range(0, len(content), PIECE_BYTES):
            decoder.write(content[start : start + PIECE_BYTES])
            await asyncio.sleep(0)
        return decoder.finish()

    def _content(self, name: str) -> bytes | None:
        return next((each.content for each in self._fields if each.name == name), None)


async def form_of(request: Request) -> Form:
    """Return the form that the body is.

    Raises:
        UnsupportedBody: it is none.
        MalformedBody: it is not what its Content-Type says, or has more than MAX_FIELDS fields.

    """
    content_type = request.headers.get("content-type", "")
    media_type = essence(content_type)
    if media_type == MULTIPART:
        parts = _Parts(content_type)
        await parts.receive(request.stream())
        parts.check_complete()
        return Form(parts.fields)
    if media_type == URLENCODED:
        return Form(await _urlencoded(await request.body()))
    raise UnsupportedBody(MEDIA_TYPES.get(media_type))


class _Parts(MultipartParts):
    """Collects every part."""

    def __init__(self, content_type: str) -> None:
        super().__init__(content_type)
        self.fields: list[Field] = []

    def begin(self, part: Part) -> None:
        if len(self.fields) == MAX_FIELDS:
            raise FieldInvalid("multipart/form-data", f"<= {MAX_FIELDS}")
        part.content = io.BytesIO()

    def end(self, part: Part, content: bytes) -> None:
        if content or not part.has_blank_name:  # a file input in which no file was chosen
            self.fields.append(Field(part.name, content, part.is_file))


async def _urlencoded(body: bytes) -> list[Field]:
    """Return the fields of an urlencoded body.

    A plus sign stays what it is: many clients do not escape it in base64, and no option has spaces.

    Raises:
        FieldInvalid: there are more than MAX_FIELDS.

    """
    pairs = body.split(b"&", MAX_FIELDS)
    if len(pairs) > MAX_FIELDS:
        raise FieldInvalid(URLENCODED, f"<= {MAX_FIELDS}")
    fields = []
    for pair in pairs:
        name, _, value = pair.partition(b"=")
        text = unquote_to_bytes(name[:LONGEST_NAME]).decode(errors="replace")
        fields.append(Field(text, await _unescaped(value)))
    return fields


async def _unescaped(value: bytes) -> bytes:
    """Replace the escapes of a value, in pieces between which other requests run."""
    pieces = []
    start = 0
    while start < len(value):
        stop = min(start + PIECE_BYTES, len(value))
        if stop < len(value) and (cut := value.rfind(b"%", stop - 2, stop)) >= 0:
            stop = cut
        pieces.append(unquote_to_bytes(value[start:stop]))
        await asyncio.sleep(0)
        start = stop
    return b"".join(pieces)
