"""A JSON object that holds one file as base64, and options.

json.loads() of megabytes holds the event loop. Long strings are cut out of the body first: what is
left is short, and the file is decoded in pieces.
"""

import json
import secrets
from typing import Any

from starlette.requests import Request

from handlers.bodies.body_errors import FieldInvalid, FieldMissing, JsonMalformed, MalformedImage
from handlers.bodies.json_body import as_utf8, decoded_image
from handlers.bodies.json_strings import end_of_string

LONG_BYTES = 1024
"""A string that is longer is cut out."""
MAX_REST_BYTES = 65_536
"""What may be left without the long strings."""


class JsonObject:
    """The members of a JSON object; those with long strings can only be decoded as base64."""

    def __init__(self, body: bytes, members: dict[str, Any], long: "_LongStrings") -> None:
        self.members = members
        self._body = body
        self._long = long

    async def file(self, name: str) -> bytes:
        """Return the bytes whose base64 a member holds.

        Raises:
            FieldMissing: there is no such member.
            MalformedBody: it is no string, or no base64; the number of the image is 1.

        """
        value = self.members.get(name)
        if value is None:
            raise FieldMissing(name)
        if not isinstance(value, str):
            raise FieldInvalid(name, '"base64"')
        image = await decoded_image(*self._place(value), 1)
        if isinstance(image, MalformedImage):
            raise image
        return image

    def _place(self, value: str) -> tuple[bytes, tuple[int, int]]:
        """Return a JSON text and the place of the string in it."""
        if value.startswith(self._long.mark):
            return self._body, self._long.places[int(value.removeprefix(self._long.mark))]
        text = json.dumps(value).encode()
        return text, (1, len(text) - 1)


async def json_object(request: Request) -> JsonObject:
    """Return the JSON object that the body is, whatever its Content-Type.

    Raises:
        MalformedBody: it is empty or no JSON, no object, or has too much beside one file.

    """
    body = await as_utf8(await request.body())
    long = _LongStrings()
    rest = _without_long_strings(body, long)
    try:
        members = json.loads(rest)
    except (ValueError, RecursionError):
        raise JsonMalformed(1) from None
    if not isinstance(members, dict):
        raise FieldInvalid("JSON", "{...}")
    return JsonObject(body, members, long)


class _LongStrings:
    """The places of the strings that were cut out of a body, and what stands there instead.

    The mark is another one for each request: a response may have it in it. Its space keeps it from
    being an id.
    """

    def __init__(self) -> None:
        self.mark = f"long string {secrets.token_hex(16)} "
        self.places: list[tuple[int, int]] = []


def _without_long_strings(body: bytes, long: _LongStrings) -> bytes:
    """Return a JSON text with a mark in the place of each long string; add the places.

    Raises:
        JsonMalformed: a string has no end, or too much is left.

    """
    kept = []
    kept_bytes = at = 0
    while (start := body.find(b'"', at) + 1) > 0:
        end = end_of_string(body, start)
        if end - start > LONG_BYTES:
            kept.append(body[at:start] + f"{long.mark}{len(long.places)}".encode())
            long.places.append((start, end))
        else:
            kept.append(body[at:end])
        kept.append(b'"')
        kept_bytes += len(kept[-2]) + 1
        at = end + 1
        if kept_bytes > MAX_REST_BYTES:
            raise JsonMalformed(at)
    if kept_bytes + len(body) - at > MAX_REST_BYTES:
        raise JsonMalformed(at)
    return b"".join([*kept, body[at:]])
