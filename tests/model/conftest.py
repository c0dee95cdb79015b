"""Fixtures of the tests of the model."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from model.reader import Reader
from tests.model.launchers import launcher_of

__all__ = ["launcher_of"]

MakeReader = Callable[..., AbstractAsyncContextManager[Reader]]


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio, which the service uses."""
    return "asyncio"


@pytest.fixture
def make_reader() -> MakeReader:
    """Return a context manager of a Reader; its small defaults may be overridden."""

    @asynccontextmanager
    async def make(**overrides: Any) -> AsyncIterator[Reader]:
        values: dict[str, Any] = {
            "detector": "ppocrv3-det",
            "recogniser": "sealed-crnn-v2",
            "max_pixels": 10_000_000,
            "max_pages": 10,
            "page_memory_bytes": 10**10,
            "pdf_dpi": 100,
            "engines": 1,
            "decoders": 1,
            "threads": 1,
            "max_waiting": 64,
            "idle_s": 0,
            "start_timeout_s": 60,
            "decode_timeout_s": 60,
            "read_timeout_s": 60,
            "max_readings": 0,
            "seccomp": True,
            "report": lambda _process, _cause: None,
        }
        reader = Reader(**{**values, **overrides})
        try:
            yield reader
        finally:
            await reader.aclose()

    return make
