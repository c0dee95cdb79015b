"""Children whose behaviour a test determines."""

from collections.abc import Callable

import pytest

from model.workers.launcher import Launcher
from tests.model.launchers import MakeLauncher

# In place of the bootstrap file: it has the channel's end and handles requests as its body says.
STAND_IN = """
import json, os, socket, sys, time
end = socket.socket(fileno=int(sys.argv[2]))
def receive():
    data = end.recv(65536)
    return json.loads(data) if data else sys.exit()
def send(**message):
    end.send(json.dumps(message).encode())
while True:
    request = receive()
    sequence = request.get("sequence")
"""

StandIn = Callable[[str], Launcher]


@pytest.fixture
def stand_in(launcher_of: MakeLauncher) -> StandIn:
    """Return a function that makes a launcher whose children run these lines for each request."""

    def make(lines: str) -> Launcher:
        return launcher_of(STAND_IN + "".join(f"    {line}\n" for line in lines.splitlines()))

    return make
