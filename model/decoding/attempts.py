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

Charge = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Attempt:
    """Decode up to `pixels`, sides divided by `reduction`, in `cpu_s` of processor time.

    `charge` is called with the processor time that it used.
    """

    pixels: int
    reduction: int
    cpu_s: float
    charge: Charge


Decode = Callable[[Attempt], Awaitable[DecodedImage]]


@dataclass(slots=True)
class _Allowance:
    """The processor time left for all attempts with the same `reduction`."""

    left_s: float
    reduction: int
    charge_caller: Charge

    def attempt(self, pixels: int) -> Attempt:
        """Return the next attempt, which may use the time left.

        Raises:
            SlowPage: there is none.

        """
        if self.left_s <= 0:
            raise SlowPage("decoding", self.left_s)
        return Attempt(pixels, self.reduction, self.left_s, self._charge)

    def _charge(self, seconds: float) -> None:
        self.left_s -= seconds
        self.charge_caller(seconds)


async def decoded(
    decode: Decode,
    memory: Reservation,
    *,
    max_pixels: int,
    document: bool,
    cpu_s: float,
    charge: Charge,
) -> DecodedImage:
    """Return a page, decoded in `cpu_s` of processor time, for which the caller is charged.

    If it is a `document`'s and slow, it is decoded again with fewer pixels, in half the time.

    Raises:
        ReadingError: as `decode`.
        ReadingTimeout: it was too slow each time.

    """
    allowances = [_Allowance(cpu_s, 1, charge)]
    if document:
        allowances.append(_Allowance(cpu_s * _SECOND_SHARE, _SECOND_REDUCTION, charge))
    for allowance in allowances:
        try:
            return await _with_memory(decode, memory, max_pixels, allowance)
        except SlowPage as error:
            slow = error
    raise ReadingTimeout(slow.step, cpu_s) from slow


async def _with_memory(
    decode: Decode, memory: Reservation, max_pixels: int, allowance: _Allowance
) -> DecodedImage:
    """Return a page, after the memory for its pixels has been reserved."""
    pixels = min(_FIRST_PIXELS, max_pixels)
    for _ in range(_SIZES):
        await memory.resize(pixels * BYTES_PER_PIXEL)
        try:
            image = await decode(allowance.attempt(pixels))
        except TooManyPixels as large:
            if not pixels < large.pixels <= max_pixels:
                raise TooManyPixels(large.pixels, max_pixels) from large
            pixels = large.pixels
        else:
            await memory.resize(image.width * image.height * BYTES_PER_PIXEL)
            return image
    raise UnreadableImage("its size is another one each time")
