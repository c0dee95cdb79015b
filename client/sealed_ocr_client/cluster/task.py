"""What the workers of a cluster run. Both sides import it by name, so it must be the same on both.

A page is read by the node's own code, which a worker holds as an extension (cluster/servers.py of
the service's checkout): nothing of it is sent.
"""

from collections.abc import Mapping
from typing import Any

from distributed import get_worker

VERSION = "0.1.0"
"""Of the project. A worker of another one refuses to read."""
EXTENSION = "sealed-ocr"


async def document(upload: bytes) -> bytes:
    """Return the bytes of a file: they are on a worker then, and its pages are read from there."""
    return upload


async def read_page(request: Mapping[str, Any], upload: bytes | None) -> Mapping[str, Any]:
    """Return the result of a page (cluster/page_task.py)."""
    worker = get_worker()
    tasks = worker.extensions.get(EXTENSION)
    if tasks is None:
        return {"no_reader": True}

    async def announce(topic: str, key: str, *, begins: bool) -> None:
        await worker.scheduler.log_event(topic=topic, msg=[key, begins])

    result: Mapping[str, Any] = await tasks.read(request, upload, announce)
    return result
