"""Work on pages with very many words, outside the event loop: it takes up to a quarter second."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from model.reader import Page

_P = ParamSpec("_P")
_R = TypeVar("_R")

MOST_AT_ONCE = 1000
"""Lines and words; more are worked on in a thread, so that other requests go on meanwhile."""
_IMAGE_BYTES = 5_000  # of a page's image: they take about as long as a word


def amount(page: Page) -> int:
    """Return how much there is to write of a page, in lines and words."""
    words = sum(1 + len(line.words) for line in page.lines)
    return words + len(page.image or b"") // _IMAGE_BYTES


async def worked(much: int, work: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """Return what `work` does with its arguments; in a thread if there is much to do."""
    if much <= MOST_AT_ONCE:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)
