"""The attempts to decode a page share its processor time."""

import pytest

from model.decoding.attempts import Attempt, decoded
from model.decoding.zygote_handle import SlowPage
from model.errors import ReadingTimeout, TooManyPixels
from model.reading import DecodedImage
from model.workers.memory_budget import MemoryBudget

pytestmark = pytest.mark.anyio

LIMIT_S = 10.0
LARGER, LARGEST = 11_000_000, 12_000_000  # pixels, found out in the first two attempts


class Decoder:
    """Uses a share of the time of each attempt, and finds a larger page or runs out of time."""

    def __init__(self, share: float) -> None:
        self.share = share
        self.attempts: list[Attempt] = []

    async def decode(self, attempt: Attempt) -> DecodedImage:
        """Note the attempt."""
        self.attempts.append(attempt)
        if attempt.pixels == LARGEST:
            attempt.charge(attempt.cpu_s)
            raise SlowPage("decoding", attempt.cpu_s)
        attempt.charge(attempt.cpu_s * self.share)
        raise TooManyPixels(LARGER if attempt.pixels < LARGER else LARGEST, attempt.pixels)


async def used(decoder: Decoder, *, document: bool) -> float:
    """Return the processor time that was charged for a page that is refused."""
    charges: list[float] = []
    with MemoryBudget(10**10).reservation() as memory, pytest.raises(ReadingTimeout) as refusal:
        await decoded(
            decoder.decode,
            memory,
            max_pixels=50_000_000,
            document=document,
            cpu_s=LIMIT_S,
            charge=charges.append,
        )
    assert refusal.value.limit_s == LIMIT_S
    return sum(charges)


@pytest.mark.parametrize(("document", "limit"), [(False, 1), (True, 1.5)])
@pytest.mark.parametrize("share", [0, 0.5, 0.9])
async def test_a_page_uses_no_more_than_its_time(
    *, document: bool, limit: float, share: float
) -> None:
    """However many attempts found that it is larger."""
    decoder = Decoder(share)
    assert await used(decoder, document=document) == pytest.approx(limit * LIMIT_S)
    assert len(decoder.attempts) == (6 if document else 3)


async def test_there_is_no_attempt_without_time() -> None:
    """A timer of 0 s would be none at all."""
    decoder = Decoder(1)
    assert await used(decoder, document=True) == 1.5 * LIMIT_S
    assert [attempt.cpu_s for attempt in decoder.attempts] == [LIMIT_S, LIMIT_S / 2]
