"""The attempts to decode a page: with more memory if large, with fewer pixels if slow."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from model.decoding.zygote_handle import SlowPage
from model.errors import ReadingTimeout, TooManyPixels, UnreadableImage
from model.reading import DecodedImage
from model.workers.memory_budget import Reservation

# What a page takes of memory while it is decoded (measured: up to 16 bytes a pixel and its 3 in a
# memory file) and while it is read (14 and those 3), at most one of both at a time.
BYTES_PER_PIXEL = 20
# Reserved for the first attempt, which ends with the header of a larger page: A4 at 300 dpi.
_FIRST_PIXELS = 10_000_000
_SIZES = 3  # that a page may turn out to have: the first, the file's, and that of the file's page
_SECOND_REDUCTION, _SECOND_SHARE = 2, 0.5  # of the sides of a page that is slow, and of its time


@dataclass(frozen=True, slots=True)
class Attempt:
    """Decode up to `pixels`, sides divided by `reduction`, in a `share` of the time limit."""

    pixels: int
    reduction: int
    share: float


Decode = Callable[[Attempt], Awaitable[DecodedImage]]


async def decoded(
    decode: Decode, memory: Reservation, *, max_pixels: int, document: bool
) -> DecodedImage:
    """Return a page; one that is slow is decoded again with fewer pixels, if it is a `document`'s.

    Raises:
        ReadingError: as `decode`.
        ReadingTimeout: the second attempt was too slow, too.

    """
    try:
        return await _with_memory(decode, memory, max_pixels, reduction=1, share=1)
    except SlowPage as slow:
        if not document:
            raise
        limit_s = slow.limit_s
    try:
        return await _with_memory(
            decode, memory, max_pixels, reduction=_SECOND_REDUCTION, share=_SECOND_SHARE
        )
    except SlowPage as slow:
        raise ReadingTimeout(slow.step, limit_s) from slow


async def _with_memory(
    decode: Decode, memory: Reservation, max_pixels: int, *, reduction: int, share: float
) -> DecodedImage:
    """Return a page, after the memory for its pixels has been reserved."""
    pixels = min(_FIRST_PIXELS, max_pixels)
    for _ in range(_SIZES):
        await memory.resize(pixels * BYTES_PER_PIXEL)
        try:
            image = await decode(Attempt(pixels, reduction, share))
        except TooManyPixels as large:
            if not pixels < large.pixels <= max_pixels:
                raise TooManyPixels(large.pixels, max_pixels) from large
            pixels = large.pixels
        else:
            await memory.resize(image.width * image.height * BYTES_PER_PIXEL)
            return image
    raise UnreadableImage("its size is another one each time")
