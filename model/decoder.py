"""The decoder process: sealed upload in, sealed RGB pixels out, one at a time.

It imports Pillow and nothing else of weight, and never sees text, keys or sockets.
"""

import os
import time
import warnings

from model import sealed
from model.channel import Channel, Message, close_all
from model.errors import ReadingError, TooManyPixels
from model.pixels import open_upright, rgb_strips

_UPLOAD_BYTES = 1 << 30  # the service's own body limit is far below


def serve(channel: Channel) -> None:
    """Answer until the parent closes the channel.

    A start message `{"max_pixels"}` is answered `{}`; then each upload, a memory file, is answered
    `{"width", "height", "decode_ms"}` with a memory file of H x W x 3 bytes, or `{"error"}`.
    """
    warnings.simplefilter("ignore")  # what a file makes Pillow say is for nobody
    max_pixels = 0
    while True:
        try:
            message, descriptors = channel.receive()
        except EOFError:
            return
        answer: Message = {}
        pixels: list[int] = []
        try:
            if "max_pixels" in message:
                max_pixels = int(message["max_pixels"])
            else:
                answer, descriptor = decode(descriptors[0], max_pixels)
                pixels = [descriptor]
        except TooManyPixels as error:
            answer = {"error": "TooManyPixels", "pixels": error.pixels}
        except ReadingError as error:
            answer = {"error": type(error).__name__, "detail": str(error)}
        finally:
            close_all(descriptors)
        channel.send({**answer, "sequence": message["sequence"]}, *pixels)
        close_all(pixels)


def decode(upload: int, max_pixels: int) -> tuple[Message, int]:
    """Return the measures of the upright image and the sealed file of its pixels.

    Raises UnsupportedImageType, UnreadableImage, TooManyPixels.
    """
    began = time.perf_counter()
    image = open_upright(sealed.read(upload, _UPLOAD_BYTES), max_pixels)
    descriptor = sealed.create("pixels")
    try:
        for strip in rgb_strips(image):
            sealed.write(descriptor, strip)
        sealed.seal(descriptor)
    except (ReadingError, OSError):
        os.close(descriptor)
        raise
    decode_ms = (time.perf_counter() - began) * 1000
    return {"width": image.width, "height": image.height, "decode_ms": decode_ms}, descriptor
