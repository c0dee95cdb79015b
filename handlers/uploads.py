"""The images in a request's body, however a caller sends them; all of it stays in memory."""

import base64
import binascii
import json
import logging
import re

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from handlers.errors import MalformedBody, TooManyImages, UnsupportedBody

# It warns of malformed bodies with positions and bytes of them: what a caller sends is not logged.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL + 1)

PARTS = ("image", "file")
DATA_URL = re.compile(r"data:[\w.+/;=-]{0,200},")


class InMemoryParser(MultiPartParser):
    """Starlette's parser, kept from writing parts over 1 MB to disk: 0 spools nothing."""

    spool_max_size = 0
    complete = False

    def on_end(self) -> None:
        """Note the closing boundary, which the parser itself does not insist on."""
        self.complete = True

    async def parse(self) -> FormData:
        """Return the form, or refuse one that was cut off."""
        form = await super().parse()
        if not self.complete:
            for file in self._files_to_close_on_error:
                file.close()
            raise MultiPartException("The closing boundary is missing.")
        return form


def media_type_of(request: Request) -> str:
    """Return the body's media type.

    Raises:
        UnsupportedBody: it is none that can hold an image.

    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in {"multipart/form-data", "application/json", "application/octet-stream"}:
        return kind
    if kind.startswith("image/") or kind in {"application/pdf", "application/x-pdf"}:
        return kind
    raise UnsupportedBody


async def images_from(request: Request, *, max_images: int) -> list[bytes]:
    """Return the body's images, at least one.

    Raises:
        UnsupportedBody: the Content-Type is none that holds images.
        MalformedBody: the body is not what its Content-Type says, or holds no image.
        TooManyImages: it holds more than `max_images`.

    """
    kind = media_type_of(request)
    if kind == "multipart/form-data":
        images = await _from_multipart(request, max_images)
    elif kind == "application/json":
        images = _from_json(await request.body())
    else:
        images = [await request.body()]
    if len(images) > max_images:
        raise TooManyImages(max_images)
    if not images or not all(images):
        raise MalformedBody
    return images


async def _from_multipart(request: Request, max_images: int) -> list[bytes]:
    parser = InMemoryParser(
        request.headers, request.stream(), max_files=max_images + 1, max_fields=max_images
    )
    try:
        form = await parser.parse()
    except (MultiPartException, UnicodeError) as error:  # UnicodeError: charset=undefined
        if parser._current_files > max_images:  # noqa: SLF001 - it says so in English only
            raise TooManyImages(max_images) from error
        raise MalformedBody from error
    try:
        return [
            await part.read()
            for name, part in form.multi_items()
            if name in PARTS and isinstance(part, UploadFile)
        ]
    finally:
        await form.close()


def _from_json(body: bytes) -> list[bytes]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedBody from error
    if not isinstance(document, dict) or not document.keys() <= {"image", "images"}:
        raise MalformedBody
    images = document.get("images", [])
    if not isinstance(images, list):
        raise MalformedBody
    texts = [*([document["image"]] if "image" in document else []), *images]
    return [_from_base64(text) for text in texts]


def _from_base64(text: object) -> bytes:
    """Decode base64, with or without a `data:` prefix and line breaks."""
    if not isinstance(text, str):
        raise MalformedBody
    prefix = DATA_URL.match(text[:300])
    encoded = "".join(text[prefix.end() if prefix else 0 :].split())
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedBody from error
