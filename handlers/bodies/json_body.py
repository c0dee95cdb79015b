"""The images and parameters in a JSON body.

json.loads() of a few megabytes makes a million objects, and holds the event loop while it does.
Here the members are found and counted first; only then are the images decoded, in pieces.
"""

import asyncio
import codecs
import json

from handlers.bodies.base64_text import PIECE_BYTES, Base64Decoder, unescaped_pieces
from handlers.bodies.body import Body, Image
from handlers.bodies.body_errors import EmptyBody, MalformedImage, NotBase64
from handlers.bodies.json_members import JsonMembers, Span


async def json_body(body: bytes, *, max_images: int) -> Body:
    """Return the images and parameters of a JSON body.

    Raises:
        MalformedBody: it is not JSON, not an object, or has other members than the documented.
        TooManyImages: it has more than `max_images`.
        UnknownParameter: a parameter is neither a number, a boolean nor a string.

    """
    body = await as_utf8(body)
    members = JsonMembers(body, max_images=max_images)
    members.scan()
    images = [
        await decoded_image(body, span, number) for number, span in enumerate(members.images, 1)
    ]
    return Body(images, members.parameters)


async def as_utf8(body: bytes) -> bytes:
    """Convert UTF-16 and UTF-32, which JSON may be in; remove a byte order mark."""
    if not body:
        raise EmptyBody
    encoding = json.detect_encoding(body)
    if encoding == "utf-8":
        return body
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    pieces = []
    for start in range(0, len(body), PIECE_BYTES):
        pieces.append(decoder.decode(body[start : start + PIECE_BYTES]).encode())
        await asyncio.sleep(0)
    return b"".join(pieces)


async def decoded_image(body: bytes, span: Span, number: int) -> Image:
    """Return the image whose base64 is the string at `span` of a JSON body, or what is wrong."""
    decoder = Base64Decoder(number)
    try:
        for piece in unescaped_pieces(body, *span):
            decoder.write(piece)
            await asyncio.sleep(0)
        return decoder.finish()
    except MalformedImage as error:
        return error
    except ValueError:  # an invalid escape
        return NotBase64(number, decoder.position + 1)
