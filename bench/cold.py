"""Cold starts: seconds from launch to an open port, and to the first response."""

import time
from collections.abc import Mapping
from typing import Any

from bench.processes import stop
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
    found: Json = {title: {"listening_s": [], "answer_s": []} for title in launches}
    for _ in range(times):
        for title, launch in launches.items():
            listening_s, answer_s = cold_start(launch, image)
            found[title]["listening_s"].append(listening_s)
            found[title]["answer_s"].append(answer_s)
    return found


def cold_start(launch: Launch, image: str) -> tuple[float, float]:
    """Return the seconds from launch to the open port, and to the first image read."""
    load = Driver("bench.load")
    load.ask(NOTHING)  # its own start is over
    began = time.perf_counter()
    server = launch()
    try:
        server.wait()
        listening_s = time.perf_counter() - began
        load.ask({**server.job, "images": [image], "concurrency": 1})
        return listening_s, time.perf_counter() - began
    finally:
        load.close()
        stop(server.process)
        server.directory.cleanup()
