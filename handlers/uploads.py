"""The images in a request body, in each form that a client may send them; all stay in memory."""

import base64
import binascii
import json
import re

from starlette.requests import Request

from handlers.errors import MalformedBody, TooManyImages, UnsupportedBody
from handlers.multipart import MultipartImages

MULTIPART = "multipart/form-data"
JSON = "application/json"
DATA_URL = re.compile(r"data:[\w.+/;=-]{0,200},")


def media_type_of(request: Request) -> str:
    """Return the media type of the body, without its parameters.

    Raises:
        UnsupportedBody: it is none that can hold an image.

    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type in {MULTIPART, JSON, "application/octet-stream"}:
        return media_type
    if media_type.startswith("image/") or media_type in {"application/pdf", "application/x-pdf"}:
        return media_type
    raise UnsupportedBody


async def images_from(request: Request, media_type: str, *, max_images: int) -> list[bytes]:
    """Return the images in a body of `media_type`, at least one.

    Raises:
        MalformedBody: the body is not of that type, or holds no image.
        TooManyImages: it holds more than `max_images`.

    """
    if media_type == MULTIPART:
        images = await _from_multipart(request, max_images)
    elif media_type == JSON:
        images = _from_json(await request.body())
    else:
        images = [await request.body()]
    if len(images) > max_images:
        raise TooManyImages(max_images)
    if not images or not all(images):
        raise MalformedBody
    return images


async def _from_multipart(request: Request, max_images: int) -> list[bytes]:
    form = MultipartImages(request.headers["content-type"], max_images=max_images)
    async for chunk in request.stream():
        form.write(chunk)
    return form.finish()


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
