"""The worst bodies, each of nearly the size that is allowed, leave turns to other requests."""

import asyncio
import json
import time
from collections.abc import Callable

import pytest

from bench.worst_bodies import JSON, KINDS, SIZE, Kind
from handlers.bodies import base64_text, multipart_parts
from handlers.errors import RequestError
from tests.handlers.test_uploads import body_from
from tests.stalls import longest_stall_ms

pytestmark = pytest.mark.anyio

STRINGS = "JSON: 1.6 million empty strings"
WHOLE = {name: kind for name, kind in KINDS.items() if not kind.chunk_bytes}


@pytest.fixture(scope="module")
def all_at_once_ms() -> float:
    """What json.loads() takes for the body of many strings, in processor time."""
    body = KINDS[STRINGS].body(SIZE)
    began = time.thread_time()
    json.loads(body)
    return (time.thread_time() - began) * 1000


async def _stall_ms(kind: Kind) -> float:
    """Return how long a body that arrives at once keeps others waiting."""
    body = kind.body(SIZE)

    async def find() -> None:
        try:
            await body_from(kind.content_type, body, max_images=16, chunk=len(body))
        except RequestError:
            return

    return min([await longest_stall_ms(find()) for _ in range(2)])


@pytest.mark.parametrize("kind", WHOLE.values(), ids=WHOLE)
async def test_a_body_leaves_turns_to_others(kind: Kind, all_at_once_ms: float) -> None:
    """At most a sixth of the time that parsing all at once would take."""
    assert await _stall_ms(kind) * 6 < all_at_once_ms


@pytest.mark.parametrize(
    ("name", "module"),
    [("JSON: one string of base64", base64_text), ("multipart: line ends", multipart_parts)],
)
async def test_in_one_piece_it_would_not(
    name: str, module: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: the same bodies, not cut into pieces."""
    in_pieces_ms = await _stall_ms(KINDS[name])
    monkeypatch.setattr(module, "PIECE_BYTES", 1 << 30)
    assert await _stall_ms(KINDS[name]) > 3 * in_pieces_ms


async def test_decoding_all_strings_would_not() -> None:
    """Negative control: the body of many strings, parsed as a whole."""

    async def parse(parser: Callable[[bytes], object]) -> None:
        await asyncio.sleep(0)
        parser(KINDS[STRINGS].body(SIZE))

    assert await longest_stall_ms(parse(json.loads)) > 6 * await _stall_ms(KINDS[STRINGS])
    assert KINDS[STRINGS].content_type == JSON
