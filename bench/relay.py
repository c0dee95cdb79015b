"""A TCP relay on loopback that delays every byte by a fixed time, without a limit on bandwidth.

It runs in a process of its own, so that its processor time does not slow the process that measures.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK_BYTES = 1 << 18


@contextmanager
def delayed(port: int, one_way_s: float) -> Iterator[int]:
    """Give the port of a relay to a local port, open within `with`."""
    command = [sys.executable, __file__, str(port), str(one_way_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            yield int((process.stdout or sys.stdin.buffer).readline())
        finally:
            process.terminate()


async def carry(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, one_way_s: float
) -> None:
    """Pass on what comes, each piece so long after it came, the end too."""
    loop = asyncio.get_running_loop()
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def arrive() -> None:
        with suppress(ConnectionError):
            while True:
                due, data = await under_way.get()
                await asyncio.sleep(due - loop.time())
                if not data:
                    break
                target.write(data)
                await target.drain()
        target.close()

    arriving = asyncio.create_task(arrive())
    data = b"."
    while data:
        try:
            data = await source.read(CHUNK_BYTES)
        except ConnectionError:
            data = b""
        under_way.put_nowait((loop.time() + one_way_s, data))
    await arriving


async def relay(port: int, one_way_s: float) -> None:
    """Listen on a free port, say which, and relay until the process is ended."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", port, limit=CHUNK_BYTES)
        await asyncio.gather(carry(reader, there[1], one_way_s), carry(there[0], writer, one_way_s))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=CHUNK_BYTES)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(relay(int(sys.argv[1]), float(sys.argv[2])))
