"""The pipeline without a server: `Reader.read` on an event loop, driven as bench/load.py is.

`python -m bench.inprocess RECOGNISER` reads the load generator's JSON lines (of which it uses
`images` and `concurrency`) and writes results in the same form.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from model.reader import Reader
from model.sandbox import seccomp
from model.sizing import choose, this_machine
from settings import load_settings, settings_path

Json = dict[str, Any]


def new_reader(recogniser: str, *, engines: int = 0, threads: int = 0) -> Reader:
    """Return a reader set as settings.toml sets it, but for the recogniser.

    With `engines` or `threads`, it has so many of them.
    """
    settings = load_settings(settings_path())
    model = settings.model.model_dump(exclude={"max_images"}) | {"recogniser": recogniser}
    engine = settings.engine.model_dump(
        exclude={"warm", "processes", "threads", "page_memory_bytes"}
    )
    sizes = choose(
        settings.engine.processes,
        settings.engine.threads,
        page_memory_bytes=settings.engine.page_memory_bytes,
        machine=this_machine(),
        workers=1,
    )
    return Reader(
        **model,
        engines=engines or sizes.processes,
        threads=threads or sizes.threads,
        page_memory_bytes=sizes.page_memory_bytes,
        **engine,
        seccomp=seccomp.available(),
        report=lambda process, cause: print(process, cause, file=sys.stderr),
    )


async def answer(reader: Reader, job: Json) -> Json:
    """Read every image once, `concurrency` at a time."""
    waiting = list(reversed(job["images"]))
    contents = {image: Path(image).read_bytes() for image in waiting}  # noqa: ASYNC240
    results: list[Json] = []

    async def work() -> None:
        while waiting:
            image = waiting.pop()
            data = contents[image]
            began = time.perf_counter()
            [reading] = await reader.read(data)
            ms = (time.perf_counter() - began) * 1000
            results.append(
                {
                    "image": image,
                    "ms": ms,
                    "status": 200,
                    "reading_ms": reading.timing_ms["total"],
                    "lines": [line.text for line in reading.lines],
                }
            )

    began, cpu_began = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(job["concurrency"])))
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu_began
    return {"seconds": seconds, "cpu_s": cpu_s, "results": results}


async def serve(recogniser: str) -> None:
    """Answer until standard input ends."""
    reader = new_reader(recogniser)
    loop = asyncio.get_running_loop()
    try:
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            print(json.dumps(await answer(reader, json.loads(line))), flush=True)
    finally:
        await reader.aclose()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
