"""What redis, nginx and a cluster's scheduler take for a page: `python bench/ceilings.py`.

Each is measured by its own processor time, which does not depend on how fast the clients are: one
that needs 0.1 ms for a request serves at most 10,000 a second on one core.
"""

import argparse
import operator
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.documents import draw_page
from bench.figures import table
from bench.lab_cluster import Cluster, cluster
from bench.lab_nodes import Nodes, nodes
from bench.machine import describe
from bench.processes import cpu_s, tree
from middleware.counting.redis_scripts import COUNT
from middleware.counting.redis_storage import PREFIX

UPLOAD_BYTES, RESULT_BYTES = 200_000, 6_000  # of a scanned page, and of its text with boxes
QUOTAS = {
    "OCR_LIMITS__PAGES_PER_DAY": "1000000",
    "OCR_LIMITS__PAGES_PER_MONTH": "1000000",
    "OCR_LIMITS__CONCURRENT_PER_KEY": "1000",
}
IDLE_S = 2
DIFFERENT = 1000  # callers that are counted
NO_IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(UPLOAD_BYTES)  # refused once it has been decoded


@dataclass(frozen=True, slots=True)
class Row:
    """What one request or page costs a part."""

    what: str
    cost_s: float
    note: str = ""


def main() -> int:
    """Measure; print the table."""
    parser = argparse.ArgumentParser(prog="ceilings", description=__doc__)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--pages", type=int, default=12, help="that are really read")
    parser.add_argument("--no-cluster", action="store_true")
    arguments = parser.parse_args()
    print(describe())
    with nodes(1, 0.7, settings=QUOTAS) as made:
        rows = [*of_redis(made, arguments), *of_nginx(made, arguments.requests)]
        if not arguments.no_cluster:
            with cluster(made) as one:
                one.have(1)
                rows += of_scheduler(one, arguments.requests)
    print()
    print(table(["", "processor ms", "most a second, on one core", ""],
                [[row.what, f"{row.cost_s * 1e3:.3f}", f"{1 / row.cost_s:,.0f}", row.note]
                 for row in rows if row.cost_s > 0]))  # fmt: skip
    return 0


def of_redis(made: Nodes, arguments: argparse.Namespace) -> list[Row]:
    """Return what redis takes for a refused request, and for a page with quotas."""
    page = made.site.lab.directory / "page.png"
    draw_page(1, lines=1).save(page)
    content = page.read_bytes()
    rows = []
    with made.services[0].client() as client, made.redis.client() as redis:

        def refused() -> None:
            client.post("/ocr", files={"image": b"none"})

        def read() -> None:
            client.post("/ocr", files={"image": content}).raise_for_status()

        refused()
        read()
        idle = _of_redis(redis)[0]
        time.sleep(IDLE_S)
        idle = (_of_redis(redis)[0] - idle) / IDLE_S
        for what, call, number in (("a request that is refused later", refused, arguments.requests),
                                   ("a page that is read", read, arguments.pages)):  # fmt: skip
            before, began = _of_redis(redis), time.monotonic()
            for _ in range(number):
                call()
            used = _of_redis(redis)
            used_s = used[0] - before[0] - idle * (time.monotonic() - began)
            commands = (used[1] - before[1]) / number
            rows.append(Row(f"redis, {what}", used_s / number, f"{commands:.1f} commands"))
        rows.append(_at_full_load(made, redis, 100 * arguments.requests))
    return rows


def _at_full_load(made: Nodes, redis: Any, number: int) -> Row:
    """Return what redis takes to count a request in two windows while it does nothing else.

    Raises:
        FileNotFoundError: redis-benchmark is not installed.

    """
    keys = [f"{PREFIX}bench/{name}/__rand_int__" for name in ("function", "key")]
    limits = ["1000000", "60"] * len(keys)
    script = redis.script_load(COUNT)
    before = _of_redis(redis)[0]
    command = ["redis-benchmark", "-h", made.redis.host.address, "-a", made.redis.password, "-n",
               str(number), "-c", "32", "-r", f"{DIFFERENT}", "-q", "EVALSHA", script,
               str(len(keys)), *keys, *limits]  # fmt: skip
    process = made.run_client(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if process.wait(120) or redis.dbsize() < min(number, DIFFERENT) / 2:
        raise RuntimeError("redis-benchmark has failed")
    cost_s = (_of_redis(redis)[0] - before) / number
    return Row("redis, counting a request in two windows, at full load", cost_s, "1 command")


def _of_redis(redis: Any) -> tuple[float, float]:
    """Return its processor seconds, and how many commands clients have sent."""
    found = redis.info("all")
    sent = sum(found[name]["calls"] for name in found if name.startswith("cmdstat_evalsha"))
    return found["used_cpu_user"] + found["used_cpu_sys"], sent


def of_nginx(made: Nodes, number: int) -> list[Row]:
    """Return what nginx takes for an upload, and the service's web process for the same one."""
    rows = []
    web = made.services[0].process.pid
    with httpx2.Client(
        http2=True, verify=made.site.trust(), base_url=made.front(1), timeout=60,
        headers={"X-API-Key": made.site.key, "content-type": "application/octet-stream"},
    ) as client:  # fmt: skip

        def small() -> None:
            client.get("/healthz")

        def upload() -> None:
            client.post("/ocr", content=NO_IMAGE)

        kinds = {f"an upload of {UPLOAD_BYTES // 1000} KB": upload, "GET /healthz": small}
        for what, call in kinds.items():
            call()
            before = cpu_s(tree(made.nginx.pid)), cpu_s([web])
            for _ in range(number):
                call()
            after = cpu_s(tree(made.nginx.pid)), cpu_s([web])
            rows.append(Row(f"nginx, TLS on both sides, {what}", (after[0] - before[0]) / number))
            rows.append(Row(f"the web process, {what}", (after[1] - before[1]) / number))
    return rows


def of_scheduler(one: Cluster, number: int) -> list[Row]:
    """Return what the scheduler takes for tasks as `--cluster` sends them, which do nothing."""
    import dask  # noqa: PLC0415 - optional
    from distributed import Client  # noqa: PLC0415

    from cluster.secured import OPTIONS  # noqa: PLC0415

    upload, rows = os.urandom(UPLOAD_BYTES), []
    part = slice(0, RESULT_BYTES)
    with dask.config.set(OPTIONS):
        connected = Client(one.address, security=one.security())  # type: ignore[no-untyped-call]
    with connected as client:
        document = client.submit(bytes, upload, key="document", pure=False)
        document.result()

        def pages(_: int) -> Any:
            return client.submit(operator.getitem, document, part, pure=False)

        def documents(_: int) -> Any:
            return client.submit(bytes, bytearray(upload), pure=False)

        for what, submit in (("a page of a document that a node has", pages),
                             (f"a document of {UPLOAD_BYTES // 1000} KB", documents)):  # fmt: skip
            rows.append(Row(f"scheduler, {what}", _task_s(one, submit, number)))
    return rows


def _task_s(one: Cluster, submit: Callable[[int], Any], number: int) -> float:
    """Return the scheduler's processor seconds for a task, whose result the client gets."""
    before = cpu_s([one.scheduler_pid])
    for start in range(0, number, 20):  # as many as the client keeps with the cluster
        futures = [submit(each) for each in range(start, min(start + 20, number))]
        for future in futures:
            future.result()
        del futures
    return (cpu_s([one.scheduler_pid]) - before) / number


if __name__ == "__main__":
    sys.exit(main())
