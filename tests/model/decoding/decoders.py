"""A decoder pool with small defaults, and pages decoded by it."""

import contextlib
import os
from collections.abc import AsyncIterator
from typing import Any

from PIL import Image

from model.decoding.pool import DecoderPool
from model.page_warnings import PageWarning
from model.reading import DecodedImage
from model.workers import memfd
from model.workers.launcher import LAUNCHER, Launcher
from model.workers.memory_budget import MemoryBudget
from tests.model.images import to_bytes

SMALL = to_bytes(Image.new("RGB", (30, 20), (200, 100, 50)))
LARGE = to_bytes(Image.effect_noise((3000, 2000), 90).convert("RGB"), "JPEG")


@contextlib.asynccontextmanager
async def running(
    reports: list[Any] | None = None, *, launcher: Launcher = LAUNCHER, **overrides: Any
) -> AsyncIterator[DecoderPool]:
    """Return a pool, which is stopped afterwards."""
    reported = [] if reports is None else reports
    values: dict[str, Any] = {
        "size": 1,
        "max_pixels": 10_000_000,
        "dpi": 72,
        "timeout_s": 60,
        "start_timeout_s": 60,
        "seccomp": True,
        "report": lambda process, cause: reported.append((process, cause)),
    }
    decoders = DecoderPool(launcher, **{**values, **overrides})
    try:
        yield decoders
    finally:
        await decoders.stop()


@contextlib.asynccontextmanager
async def decoded(decoders: DecoderPool, data: bytes, page: int) -> AsyncIterator[DecodedImage]:
    """Hold a page's pixels."""
    upload = memfd.sealed_copy("upload", data)
    try:
        with MemoryBudget(10**10).reservation() as memory:
            async with decoders.turn("test") as turn:
                image, _ = await decoders.decode(upload, len(data), page, turn, memory)
        yield image
        os.close(image.pixels)
    finally:
        os.close(upload)


async def decode(decoders: DecoderPool, data: bytes, page: int = 1) -> tuple[int, int, bytes]:
    """Return a page's width, height and pixels."""
    async with decoded(decoders, data, page) as image:
        pixels = memfd.read(image.pixels, image.width * image.height * 3)
        return image.width, image.height, pixels


async def warnings_of(decoders: DecoderPool, data: bytes) -> tuple[PageWarning, ...]:
    """Return the warnings of the first page."""
    async with decoded(decoders, data, 1) as image:
        return image.warnings
