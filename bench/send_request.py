"""Sends the HTTP/1.1 request in a file repeatedly: `python bench/send_request.py PORT CA FILE`.

A line of output for each response: its status. It ends when its standard input does.
"""

import asyncio
import contextlib
import ssl
import sys
from pathlib import Path


async def send(port: int, trust: ssl.SSLContext, request: bytes) -> str:
    """Send the request over a new connection; return the status, also of an early response."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=trust, server_hostname="localhost"
    )
    try:
        writer.write(request)
        status = await reader.read(12)
        with contextlib.suppress(OSError):  # the service closed after an early response
            await writer.drain()
        return status.decode().rpartition(" ")[2]
    finally:
        writer.transport.abort()


async def main(port: int, trust: ssl.SSLContext, request: bytes) -> None:
    """Send until standard input ends."""
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    while not ended.done():
        print(await send(port, trust, request), flush=True)


if __name__ == "__main__":
    asyncio.run(
        main(
            int(sys.argv[1]),
            ssl.create_default_context(cafile=sys.argv[2]),
            Path(sys.argv[3]).read_bytes(),
        )
    )
