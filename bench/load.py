"""The load generator, in a process of its own: reads what to send and writes how it went.

Each line of standard input is a JSON request, each line of standard output its result:
`{"url", "ca", "http2", "headers", "part", "images", "concurrency"}` ->
`{"seconds", "cpu_s", "results": [{"image", "ms", "reading_ms", "lines", "status"}]}`.
One connection (HTTP/2), or one per concurrent request (HTTP/1.1), stays open between them.
"""

import asyncio
import json
import mimetypes
import ssl
import sys
import time
from pathlib import Path
from typing import Any

import httpx2

Json = dict[str, Any]

TIMEOUT_S = 120


class Generator:
    """Sends images to one server after another, over connections that stay open."""

    def __init__(self) -> None:
        self._clients: dict[str, httpx2.AsyncClient] = {}

    async def answer(self, job: Json) -> Json:
        """Send every image once, `concurrency` at a time."""
        client = self._client(job)
        waiting = list(reversed(job["images"]))
        bodies = {image: _body(job["part"], image) for image in waiting}
        sent: list[tuple[str, float, httpx2.Response]] = []

        async def work() -> None:
            while waiting:
                image = waiting.pop()
                began = time.perf_counter()
                response = await client.post("/ocr", **bodies[image])
                sent.append((image, (time.perf_counter() - began) * 1000, response))

        began, cpu_began = time.perf_counter(), time.process_time()
        await asyncio.gather(*(work() for _ in range(job["concurrency"])))
        seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu_began
        results = [_result(image, ms, response) for image, ms, response in sent]
        return {"seconds": seconds, "cpu_s": cpu_s, "results": results}

    def _client(self, job: Json) -> httpx2.AsyncClient:
        url = job["url"]
        if url not in self._clients:
            self._clients[url] = open_client(job)
        return self._clients[url]


def open_client(job: Json) -> httpx2.AsyncClient:
    """Return a client of the server that a job names."""
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if job["ca"]:
        trust.load_verify_locations(job["ca"])
    return httpx2.AsyncClient(
        base_url=job["url"],
        http2=job["http2"],
        http1=not job["http2"],
        verify=trust,
        headers=job["headers"],
        timeout=TIMEOUT_S,
        trust_env=False,
    )


def _body(part: str, image: str) -> Json:
    """Return what is posted: a form with one part, or, where the part has no name, the image."""
    content = Path(image).read_bytes()
    if not part:
        return {"content": content}
    kind = mimetypes.guess_type(image)[0] or "application/octet-stream"
    return {"files": {part: (Path(image).name, content, kind)}}


def _result(image: str, ms: float, response: httpx2.Response) -> Json:
    """Return what one answer of a service says."""
    result: Json = {"image": image, "ms": ms, "status": response.status_code}
    if not response.is_success:
        return result | {"lines": [], "reading_ms": None}
    document = response.json()
    if "timing_ms" not in document:  # a peer: {"0": {"rec_txt": ...}, ...}
        return result | {"lines": [v["rec_txt"] for v in document.values()], "reading_ms": None}
    lines = [line["text"] for line in document["lines"]]
    return result | {"lines": lines, "reading_ms": document["timing_ms"]["total"]}


def main() -> None:
    """Answer until standard input ends."""
    generator = Generator()
    with asyncio.Runner() as runner:
        for line in sys.stdin:
            print(json.dumps(runner.run(generator.answer(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
