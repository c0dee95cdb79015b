"""A client that disconnects before its response is complete: the log says so."""

import json
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hpack import Encoder

from tests.system.attacks.wire import END_HEADERS, HEADERS, PREFACE, RST_STREAM, SETTINGS, frame
from tests.system.raw import connect, http1
from tests.system.service import Service

WAITING = '''"""Handlers that wait, each in another phase of its request."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse


async def body(request: Request) -> Response:
    """Wait for the rest of a body."""
    print("waits", request.query_params["name"], flush=True)
    return Response(await request.body())


async def before(request: Request) -> Response:
    """Never respond."""
    print("waits", request.query_params["name"], flush=True)
    await asyncio.Event().wait()
    return Response()


async def during(request: Request) -> Response:
    """Begin a response, and never end it."""

    async def pieces():
        yield b"half"
        print("waits", request.query_params["name"], flush=True)
        await asyncio.Event().wait()

    return StreamingResponse(pieces())
'''
PHASES = ("body", "before", "during")
FUNCTIONS = "".join(
    f'[[functions]]\npath = "/{phase}"\nhandler = "waiting:{phase}"\nscope = "public"\n'
    for phase in PHASES
)


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a service with these handlers."""
    directory: Path = tmp_path_factory.mktemp("waiting")
    with Service(directory, local=FUNCTIONS, modules={"waiting.py": WAITING}) as service:
        yield service


def _request(protocol: str, target: str) -> bytes:
    """Return the head of a request, and half of its body."""
    if protocol == "http/1.1":
        fields = ((b"host", b"localhost"), (b"content-length", b"8"))
        return http1(target.encode(), *fields, method=b"POST") + b"half"
    head = Encoder().encode(
        [
            (":method", "POST"),
            (":scheme", "https"),
            (":authority", "localhost"),
            (":path", target),
            ("content-length", "8"),
        ]
    )
    opening = PREFACE + frame(SETTINGS) + frame(HEADERS, END_HEADERS, 1, head)
    return opening + frame(0, 0, 1, b"half")


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(("protocol", "reset"), [("http/1.1", False), ("h2", False), ("h2", True)])
def test_a_client_that_left_is_logged(
    protocol: str, phase: str, *, reset: bool, waiting: Service
) -> None:
    """While it sends its body, waits, or receives; by closing, or by resetting the stream."""
    name = f"{protocol}-{phase}-{reset}"
    logged = len(waiting.log)
    with closing(connect(waiting, protocol)) as line:
        line.sendall(_request(protocol, f"/{phase}?name={name}"))
        waiting.logged(f"waits {name}")
        if reset:
            line.sendall(frame(RST_STREAM, 0, 1, struct.pack(">I", 8)))  # CANCEL
            entry = waiting.logged('"request_id"', after=logged)
    entry = waiting.logged('"request_id"', after=logged)
    found = json.loads(entry)
    assert (found["function"], found["problem"]) == (f"/{phase}", "client_left")
    assert found["complete"] is False
    assert found["status"] == (200 if phase == "during" else None)


def test_a_stop_that_cuts_a_request_off_is_logged(tmp_path: Path) -> None:
    """As what it is: the client did not leave."""
    server = {"graceful_timeout": "0.2"}
    service = Service(tmp_path, local=FUNCTIONS, modules={"waiting.py": WAITING}, server=server)
    with service, closing(connect(service, "h2")) as line:
        line.sendall(_request("h2", "/before?name=stop"))
        service.logged("waits stop")
        assert service.stop() == 0
    entry = json.loads(service.logged('"request_id"'))
    assert (entry["function"], entry["problem"], entry["status"]) == ("/before", "shutdown", None)
