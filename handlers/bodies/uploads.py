"""The images in a request body, in each form that a client may send them; all stay in memory."""

from starlette.requests import Request

from handlers.bodies.body import Body
from handlers.bodies.body_errors import EmptyBody
from handlers.bodies.json_body import json_body
from handlers.bodies.media_types import essence, is_file
from handlers.bodies.multipart import MultipartBody
from handlers.bodies.other_formats import MEDIA_TYPES
from handlers.errors import UnsupportedBody

MULTIPART = "multipart/form-data"
JSON = "application/json"


def media_type_of(request: Request) -> str:
    """Return the media type of the body, without its parameters.

    Raises:
        UnsupportedBody: it is none that can hold an image.

    """
    media_type = essence(request.headers.get("content-type", ""))
    if media_type in {MULTIPART, JSON} or is_file(media_type):
        return media_type
    raise UnsupportedBody(MEDIA_TYPES.get(media_type))


async def body_of(request: Request, media_type: str, *, max_images: int) -> Body:
    """Return the images in a body of `media_type`, at least one, and its parameters.

    Raises:
        MalformedBody: the body is not of that type, or holds no image.
        TooManyImages: it holds more than `max_images`.
        UnknownParameter: a form field is no parameter, or is too long for one.

    """
    if media_type == MULTIPART:
        return await _from_multipart(request, max_images)
    if media_type == JSON:
        return await json_body(await request.body(), max_images=max_images)
    image = await request.body()
    if not image:
        raise EmptyBody
    return Body([image])


async def _from_multipart(request: Request, max_images: int) -> Body:
    form = MultipartBody(request.headers["content-type"], max_images=max_images)
    await form.receive(request.stream())
    return form.finish()
