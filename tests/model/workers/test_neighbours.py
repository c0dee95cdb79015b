"""Serving processes tell each other which pages they have in progress."""

import os
import socket
import subprocess
import sys
import time

import pytest

from model.workers import neighbours
from model.workers.neighbours import NeighbourPage, Neighbours
from tests.model.processes import until

pytestmark = pytest.mark.anyio
PAGE = NeighbourPage("key", requests=3, threads=2, precedes=True)
# Sends the message that the command line names to the socket that it names.
SENDER = """
import os, socket, sys
os.setuid(int(sys.argv[1]))
end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
end.sendto(b'[2, [["key", 3, 2, true]]]', "\\0" + sys.argv[2])
"""


class Two:
    """Two processes of one service, and how often each heard news."""

    def __init__(self) -> None:
        group = f"test-{os.getpid()}-{time.monotonic_ns()}"
        self.first, self.second = Neighbours(group, 2), Neighbours(group, 2)
        self.heard = 0
        self.name = f"sealed-ocr-{group}-pages-1"

    def open(self) -> None:
        """Open both; the second one first, because the lowest number is the first one's."""
        self.first.open(self.hear)
        self.second.open(lambda: None)

    def hear(self) -> None:
        """Count."""
        self.heard += 1


@pytest.fixture
def two() -> Two:
    """Return two processes that are not open yet."""
    return Two()


async def test_one_hears_what_the_other_tells(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for each change; and forgets it when the other has been silent for too long."""
    two.open()
    try:
        assert (two.first.number, two.second.number) == (1, 2)
        two.second.tell([PAGE])
        two.second.tell([PAGE])
        await until(lambda: two.heard)
        assert two.first.pages() == {2: [PAGE]}
        assert two.second.pages() == {}
        two.second.tell([])
        await until(lambda: two.heard == 2)
        assert two.first.pages() == {}
        two.second.tell([PAGE])
        await until(lambda: two.heard == 3)
        assert two.first.pages() == {2: [PAGE]}
        monkeypatch.setattr(neighbours, "FORGET_S", 0)
        assert two.first.pages() == {}
    finally:
        two.first.close()
        two.second.close()


async def test_one_that_closes_has_no_pages_any_more(two: Two) -> None:
    """Its successor gets its number."""
    two.open()
    try:
        two.second.tell([PAGE])
        await until(lambda: two.heard)
        two.second.close()
        await until(lambda: two.heard == 2)
        assert two.first.pages() == {}
        successor = Neighbours(two.name.removeprefix("sealed-ocr-").removesuffix("-pages-1"), 2)
        successor.open(lambda: None)
        assert successor.number == 2
        successor.close()
    finally:
        two.first.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can send as another user")
@pytest.mark.parametrize("user", [0, 65534])
async def test_another_user_s_process_is_not_heard(two: Two, user: int) -> None:
    """Names in the abstract namespace have no permissions. Control: the same user."""
    two.first.open(two.hear)
    try:
        command = [sys.executable, "-c", SENDER, str(user), two.name]
        subprocess.run(command, check=True)  # noqa: ASYNC221 - our own code, quickly done
        two.second.open(lambda: None)
        two.second.tell([PAGE._replace(caller="last")])
        await until(lambda: "last" in str(two.first.pages()) and two.heard == 2 - (user != 0))
    finally:
        two.first.close()
        two.second.close()


async def test_what_is_no_message_is_ignored(two: Two) -> None:
    """It changes nothing, and the next message is heard."""
    two.first.open(two.hear)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            for message in (b"", b"[2]", b"\xff", b"[2, [[1]]]", b'[2, [["key", 3, 2, true]]]'):
                end.sendto(message, f"\0{two.name}")
        await until(lambda: two.first.pages() == {2: [PAGE]})
    finally:
        two.first.close()
