"""A load generator that does not wait for responses, in a process of its own.

Standard input is one JSON object, standard output its result: `{"url", "ca", "key", "image",
"at_s": [...]}` -> `[{"at_s", "seconds", "status"}, ...]`. A request is sent at each of the times,
counted from the start, over HTTP/1.1 connections that stay open. (Over one HTTP/2 connection httpx2
hands a response over only once it has read something for each request that has waited longer.)
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from bench.load import open_client

Json = dict[str, Any]

CONNECTIONS = 12  # that are open when the first request is sent


async def send(job: Json, content: bytes) -> list[Json]:
    """Send the requests; return what became of each, in the order of their times."""
    headers = {"X-API-Key": job["key"], "content-type": "application/octet-stream"}
    client = open_client({"url": job["url"], "ca": job["ca"], "http2": False, "headers": headers})
    async with client:
        await asyncio.gather(*(client.get("/healthz") for _ in range(CONNECTIONS)))
        start = time.perf_counter()

        async def one(at_s: float) -> Json:
            await asyncio.sleep(start + at_s - time.perf_counter())
            began = time.perf_counter()
            response = await client.post("/ocr", content=content)
            seconds = time.perf_counter() - began
            return {"at_s": began - start, "seconds": seconds, "status": response.status_code}

        return await asyncio.gather(*map(one, job["at_s"]))


def main() -> None:
    """Answer one job."""
    job = json.load(sys.stdin)
    print(json.dumps(asyncio.run(send(job, Path(job["image"]).read_bytes()))))


if __name__ == "__main__":
    main()
