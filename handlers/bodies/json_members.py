"""The members of a JSON body, found and counted without decoding their strings; RFC 8259."""

import json
import re

from handlers.bodies.body_errors import (
    JsonImageNotString,
    JsonImagesNotList,
    JsonMalformed,
    JsonMemberForeign,
    JsonMemberRepeated,
    JsonMemberUnknown,
    JsonNotObject,
    JsonWithoutImage,
)
from handlers.bodies.json_strings import end_of_string
from handlers.errors import TooManyImages, UnknownParameter
from handlers.parameters import MAX_LENGTH, NAMES, VALID

MAX_WHITE_SPACE = 65_536
MAX_NAME_BYTES = 64
FOREIGN = frozenset({
    "base64", "config", "content", "data", "detail", "dpi", "engine", "file", "filename", "files",
    "image_base64", "image_url", "img", "lang", "language", "languages", "mime_type",
    "mode", "model", "name", "options", "output", "page", "photo", "picture", "prompt", "psm",
    "text", "timeout", "type", "url", "urls",
})  # fmt: skip
"""What clients of other services send: a detail may name these, and nothing else of a body."""
_WHITE_SPACE = re.compile(rb"[ \t\r\n]{0,%d}" % MAX_WHITE_SPACE)
_NUMBER = rb"-?\d{1,20}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,3})?"
_SCALAR = re.compile(rb'true|false|%b|"([^"\\]{0,%d})"' % (_NUMBER, MAX_LENGTH))

Span = tuple[int, int]


class JsonMembers:
    """Scans an object of a few known members; `images` are the places of the images' strings.

    It makes no objects but those, so the time does not depend on what else is in the body.
    """

    def __init__(self, body: bytes, *, max_images: int) -> None:
        self.images: list[Span] = []
        self.parameters: list[tuple[str, str]] = []
        self._body = body
        self._max_images = max_images
        self._at = 0
        self._seen: set[str] = set()

    def scan(self) -> None:
        """Find the images and parameters.

        Raises:
            MalformedBody: the body is not JSON, not an object, or has unknown members.
            TooManyImages: it has more than `max_images`.
            UnknownParameter: a parameter is neither a number, a boolean nor a string.

        """
        if not self._takes(b"{"):
            raise self._not_object()
        if not self._takes(b"}"):
            self._member()
            while self._takes(b","):
                self._member()
            self._expect(b"}")
        if self._next():
            raise self._malformed()
        if not self.images:
            raise JsonWithoutImage

    def _member(self) -> None:
        name = self._name()
        if name in self._seen:
            raise JsonMemberRepeated(name)
        self._seen.add(name)
        self._expect(b":")
        if self._takes(b"null"):  # as absent: clients with typed models send it
            return
        if name == "image":
            self._image()
        elif name == "images":
            self._list()
        else:
            self._parameter(name)

    def _name(self) -> str:
        if self._next() != b'"':
            raise self._malformed()
        start, end = self._string()
        if end - start > MAX_NAME_BYTES:
            raise JsonMemberUnknown
        try:
            name: str = json.loads(self._body[start - 1 : end + 1])
        except ValueError:
            raise JsonMalformed(start) from None
        if name in FOREIGN:
            raise JsonMemberForeign(name)
        if name not in NAMES and name not in {"image", "images"}:
            raise JsonMemberUnknown
        return name

    def _image(self) -> None:
        if self._next() != b'"':
            raise JsonImageNotString(len(self.images) + 1)
        self.images.append(self._string())
        if len(self.images) > self._max_images:
            raise TooManyImages(self._max_images)

    def _list(self) -> None:
        if not self._takes(b"["):
            raise JsonImagesNotList
        if self._takes(b"]"):
            return
        self._image()
        while self._takes(b","):
            self._image()
        self._expect(b"]")

    def _parameter(self, name: str) -> None:
        self._next()
        match = _SCALAR.match(self._body, self._at)
        if match is None:
            raise UnknownParameter(VALID)
        self._at = match.end()
        text = match[0] if match[1] is None else match[1]
        self.parameters.append((name, text.decode(errors="replace")))

    def _next(self) -> bytes:
        """Return the next byte after white space; empty at the end."""
        match = _WHITE_SPACE.match(self._body, self._at)
        self._at = match.end() if match else self._at
        return self._body[self._at : self._at + 1]

    def _takes(self, token: bytes) -> bool:
        self._next()
        taken = self._body.startswith(token, self._at)
        self._at += len(token) * taken
        return taken

    def _expect(self, token: bytes) -> None:
        if not self._takes(token):
            raise self._malformed()

    def _string(self) -> Span:
        """Return the place of a string's content, whose opening quote is next."""
        start = self._at + 1
        end = end_of_string(self._body, start)
        self._at = end + 1
        return start, end

    def _malformed(self) -> JsonMalformed:
        return JsonMalformed(self._at + 1)

    def _not_object(self) -> JsonMalformed | JsonNotObject:
        """Tell JSON of another type from what is no JSON, by its first byte."""
        is_json = self._next() and self._next() in b'["tfn-0123456789'
        return JsonNotObject() if is_json else self._malformed()
