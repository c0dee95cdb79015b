"""Cold starts: seconds from launch to an open port, and to the first response.

The processor seconds until then hardly depend on what else the machine does.
"""

import time
from collections.abc import Mapping
from typing import Any

from bench.processes import cpu_s, stop, tree
from bench.servers import Launch
from bench.variants import Driver

Json = dict[str, Any]

NOTHING: Json = {
    "url": "http://localhost",
    "ca": "",
    "http2": False,
    "headers": {},
    "part": "",
    "images": [],
    "concurrency": 1,
}


def cold_starts(launches: Mapping[str, Launch], times: int, image: str) -> Json:
    """Start each server `times` times, in turns: seconds to listening and to the first answer."""
    names = ("listening_s", "answer_s", "processor_s")
    found: Json = {title: {name: [] for name in names} for title in launches}
    for _ in range(times):
        for title, launch in launches.items():
            for name, value in zip(names, cold_start(launch, image), strict=True):
                found[title][name].append(value)
    return found


def cold_start(launch: Launch, image: str) -> tuple[float, float, float]:
    """Return the seconds to the open port, to the first image read, and of processor time."""
    load = Driver("bench.load")
    load.ask(NOTHING)  # its own start is over
    began = time.perf_counter()
    server = launch()
    try:
        server.wait()
        listening_s = time.perf_counter() - began
        load.ask({**server.job, "images": [image], "concurrency": 1})
        answer_s = time.perf_counter() - began
        return listening_s, answer_s, cpu_s(tree(server.process.pid))
    finally:
        load.close()
        stop(server.process)
        server.directory.cleanup()
