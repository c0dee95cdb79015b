"""Two callers never see each other's text."""

import difflib
import random
from collections.abc import Callable

import anyio
import pytest

from tests.system.service import Service

pytestmark = pytest.mark.anyio
Draw = Callable[..., bytes]
ALPHABET = "ACEFHKLMNPRTUWXY"  # no letter that is mistaken for another
SWAPPING = '''"""The shipped function with a fault: a request gets the answer of the one before."""

from handlers.ocr import recognize

waiting = []


async def swap(request):
    """Answer the request before this one."""
    waiting.append(await recognize(request))
    return waiting.pop(0) if len(waiting) > 1 else waiting[0]
'''


async def mixed_up(service: Service, draw: Draw, *, images: int) -> int:
    """Send images with a nonce each, eight at a time on one connection; count foreign answers."""
    chance = random.Random(7)  # noqa: S311 - nonces to be told apart, not guessed
    nonces = ["".join(chance.choices(ALPHABET, k=10)) for _ in range(images)]
    foreign = 0
    places = anyio.Semaphore(8)
    async with service.async_client() as client, anyio.create_task_group() as group:

        async def read(nonce: str) -> None:
            nonlocal foreign
            async with places:
                answer = await client.post("/ocr?detect=false", files={"image": draw(nonce)})
            assert answer.status_code == 200, answer.text
            text = "".join(answer.json()["text"].upper().split())
            # A recogniser may misread a letter; another caller's nonce shares few.
            closest = max(nonces, key=lambda other: alike(other, text))
            foreign += closest != nonce

        for nonce in nonces:
            group.start_soon(read, nonce)
    return foreign


def alike(one: str, other: str) -> float:
    """Return how much of two texts is the same, 0 to 1."""
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


async def test_every_caller_gets_its_own_text(service: Service, draw: Draw) -> None:
    """64 images, 8 at a time over one connection: each answer holds its own nonce."""
    assert await mixed_up(service, draw, images=64) == 0


async def test_a_swap_would_be_seen(start: Callable[..., Service], draw: Draw) -> None:
    """The same check fails where two replies are swapped."""
    local = '[[functions]]\npath = "/ocr"\nhandler = "swapping:swap"\nscope = "ocr"\n'
    with start(local=local, modules={"swapping.py": SWAPPING}) as service:
        assert await mixed_up(service, draw, images=16) > 0
