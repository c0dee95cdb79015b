"""What a decoder or zygote that has been taken over may send, and what the parent believes."""

from collections.abc import Callable
from typing import Any

import pytest

from model.errors import NoSuchPage, ReaderDied, UnreadableImage
from model.workers.launcher import Launcher
from tests.model.decoding.decoders import SMALL, decode, running
from tests.model.launchers import MakeLauncher

pytestmark = pytest.mark.anyio

# Zygote and decoder in one: it responds to each page as a test determines.
STAND_IN = """
import json, os, socket, sys, time
end = socket.socket(fileno=int(sys.argv[2]))
end.recv(9999)
end.send(b'{"sequence": 1}')
while True:
    data, (upload, output, response), _, _ = socket.recv_fds(end, 9999, 3)
    sequence = json.loads(data)["sequence"]
    page = {"width": 3, "height": 2, "mode": "RGB", "pages": 1, "document": False}
    page["warnings"] = []
    %s
    end.send(json.dumps({"exited": sequence, "status": 0}).encode())
"""
SAY = "os.write(response, json.dumps(page | %s).encode())"

StandIn = Callable[[str], Launcher]


@pytest.fixture
def stand_in(launcher_of: MakeLauncher) -> StandIn:
    """Return a function that makes a launcher whose zygote runs these lines for each page."""
    return lambda lines: launcher_of(STAND_IN % lines.replace("\n", "\n    "))


async def test_a_plausible_response_is_believed(stand_in: StandIn) -> None:
    """Control of the lies below."""
    truth = stand_in("os.pwrite(output, bytes(range(18)), 0); " + SAY % "{}")
    async with running(launcher=truth) as decoders:
        assert await decode(decoders, SMALL) == (3, 2, bytes(range(18)))


async def test_an_error_that_a_decoder_reports_is_believed(stand_in: StandIn) -> None:
    """Control of the errors below."""
    truth = stand_in('os.write(response, b\'{"error": "no_such_page", "number": 7}\')')
    async with running(launcher=truth) as decoders:
        with pytest.raises(NoSuchPage, match="7 pages"):
            await decode(decoders, SMALL)


LIES = {
    "too large": SAY % "{'width': 5000, 'height': 5000}",
    "no width": SAY % "{'width': 0}",
    "negative": SAY % "{'width': -3, 'height': -2}",
    "no number": SAY % "{'width': '3'}",
    "a boolean": SAY % "{'pages': True}",
    "infinite": SAY % "{'width': float('inf')}",
    "another mode": SAY % "{'mode': 'RGBA'}",
    "no size": "os.write(response, b'{}')",
    "a list": "os.write(response, b'[1]')",
    "no JSON": "os.write(response, b'{')",
    "nothing": "pass",
    "deeply nested": "os.write(response, b'[' * 4000)",
    "unknown error": 'os.write(response, b\'{"error": "busy"}\')',
    "an engine's error": 'os.write(response, b\'{"error": "weights", "detail": "a text"}\')',
    "an error without its number": 'os.write(response, b\'{"error": "no_such_page"}\')',
    "an unknown format": (
        'os.write(response, b\'{"error": "unsupported_image_type", "found": "hunter2"}\')'
    ),
    "a format that is no text": (
        'os.write(response, b\'{"error": "unsupported_image_type", "found": [1]}\')'
    ),
    "an error that is no text": "os.write(response, b'{\"error\": [1]}')",
    "a resolution of 0": SAY % "{'dpi': 0.0}",
    "a resolution that is no number": SAY % "{'dpi': float('nan')}",
    "a resolution that is a text": SAY % "{'dpi': '200'}",
    "an unknown warning": SAY % "{'warnings': ['hunter2']}",
    "a warning that is no text": SAY % "{'warnings': [[1]]}",
    "no list of warnings": SAY % "{'warnings': None}",
    "too few pixels": "os.ftruncate(output, 5); " + SAY % "{}",
}


@pytest.mark.parametrize("lie", LIES.values(), ids=list(LIES))
async def test_a_lie_is_not_believed(stand_in: StandIn, lie: str) -> None:
    """The image is unreadable, and one report is made."""
    reports: list[Any] = []
    async with running(reports, launcher=stand_in(lie)) as decoders:
        with pytest.raises(UnreadableImage):
            await decode(decoders, SMALL)
    assert len(reports) == 1


async def test_a_zygote_that_reports_an_unknown_request_is_killed(stand_in: StandIn) -> None:
    """It could report the exit of another page's decoder."""
    lines = "end.send(json.dumps({'exited': 99, 'status': 0}).encode()); time.sleep(60)"
    async with running(launcher=stand_in(lines)) as decoders:
        with pytest.raises(ReaderDied, match="unknown request"):
            await decode(decoders, SMALL)


@pytest.mark.parametrize("cpu_s", ["float('nan')", "float('inf')", "-5", "'1'"])
async def test_a_zygote_that_reports_an_impossible_time_is_killed(
    stand_in: StandIn, cpu_s: str
) -> None:
    """A caller is charged for what it reports."""
    message = f"{{'exited': sequence, 'status': 0, 'cpu_s': {cpu_s}}}"
    lines = f"end.send(json.dumps({message}).encode()); time.sleep(60)"
    async with running(launcher=stand_in(lines)) as decoders:
        with pytest.raises(ReaderDied, match="impossible processor time"):
            await decode(decoders, SMALL)
