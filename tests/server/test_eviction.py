"""When all connections are taken, one that has never sent a request makes way for a new client."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from server.closures import Closure
from server.connection_limit import Accepted, ConnectionLimit
from tests.server.clients import Client
from tests.server.servers import Server, serving, until
from tls.development import Paths

ADDRESSES = [f"127.0.0.{number}" for number in range(11, 31)]
NEWCOMER = "127.0.0.99"
LIMIT = 40


@pytest.fixture(scope="module")
def limited(pair: Paths) -> Iterator[Server]:
    """Run a server that accepts forty connections, of which none gets old enough for eviction."""
    options = {"max_connections": LIMIT, "max_connections_per_address": LIMIT}
    with serving(pair, hardened=True, evictable_s=3600, **options) as server:
        yield server


def connect(server: Server, source: str) -> socket.socket:
    """Return a TCP connection from an address."""
    return socket.create_connection(("127.0.0.1", server.port), 20, (source, 0))


def is_served(server: Server, source: str) -> bool:
    """Whether a client from an address can make a request."""
    try:
        with Client(server, source=source) as client:
            return bool(client.get("/stats"))
    except OSError:  # also ssl.SSLError
        return False


@contextmanager
def flood(server: Server, per_address: int, *, tls: bool) -> Iterator[list[socket.socket]]:
    """Hold connections from twenty addresses that send nothing, with or without a handshake."""
    context = ssl.create_default_context(cafile=server.ca)
    with ExitStack() as opened:
        held = []
        for _ in range(per_address):
            for source in ADDRESSES:
                bare = opened.enter_context(connect(server, source))
                if tls:
                    bare = context.wrap_socket(bare, server_hostname="localhost")
                    opened.callback(bare.close)
                held.append(bare)
        yield held
    until(lambda: is_served(server, NEWCOMER))  # the places are free again


@pytest.mark.parametrize(("per_address", "tls"), [(5, False), (2, True)])
def test_a_newcomer_is_served(limited: Server, per_address: int, *, tls: bool) -> None:
    """Twenty addresses hold all connections and send nothing; each new client gets one."""
    with flood(limited, per_address, tls=tls):
        for _ in range(5):
            assert is_served(limited, NEWCOMER)


def test_connections_with_requests_are_kept(limited: Server) -> None:
    """Control: with a request on each of them the new client is refused, and all of them live."""
    with ExitStack() as opened:
        clients: list[Client] = []

        def hold() -> bool:
            client = opened.enter_context(Client(limited, source=ADDRESSES[len(clients) % 20]))
            clients.append(client)
            return bool(client.get("/stats"))

        for _ in range(LIMIT):
            assert hold()
        assert not is_served(limited, NEWCOMER)
        assert all(client.get("/stats") for client in clients)
    until(lambda: is_served(limited, NEWCOMER))


def test_clients_of_one_address_do_not_replace_each_other(limited: Server) -> None:
    """Each of twenty addresses has two: a third of one of them is refused, at no cost."""
    with flood(limited, 2, tls=True) as held:
        assert not any(is_served(limited, source) for source in ADDRESSES[:3])
        for one in held:
            one.settimeout(0)
            with pytest.raises(ssl.SSLWantReadError):  # it is open
                one.recv(1)


class Silent:
    """A connection without a request."""

    certificate: bytes | None = None
    established = False
    has_requested = False
    aborted = False

    def abort(self) -> None:
        """Note it."""
        self.aborted = True

    async def drain(self) -> None:
        """Do nothing."""

    go_away = close = drain


def holding(*subnets: str, at: float) -> ConnectionLimit:
    """Return a full limit, with a connection of each subnet."""
    limit = ConnectionLimit(len(subnets), evictable_s=10)
    for subnet in subnets:
        limit.connections[Silent()] = Accepted(at, subnet)
    return limit


@pytest.mark.parametrize(
    ("held", "newcomer", "age_s", "evicted"),
    [
        ("abbc", "d", 0, 1),
        ("abcc", "b", 0, None),  # it would then have two, as many as the other now
        ("abcd", "e", 0, None),
        ("abcd", "e", 11, 0),
        ("abbc", "b", 11, 1),
        ("aabb", "c", 0, 0),
    ],
)
def test_the_subnet_with_the_most_loses_its_oldest(
    monkeypatch: pytest.MonkeyPatch, held: str, newcomer: str, age_s: float, evicted: int | None
) -> None:
    """Unless the new one's has as many itself, and the connection is not old."""
    monkeypatch.setattr(time, "monotonic", lambda: 100.0 + age_s)
    limit = holding(*held, at=100.0)
    before = list(limit.connections)
    assert limit.evict(newcomer) is (evicted is not None)
    aborted = [index for index, each in enumerate(before) if each not in limit.connections]
    assert aborted == ([] if evicted is None else [evicted])
    assert limit.closures.counts[Closure.EVICTED] == len(aborted)


def test_nothing_is_evicted_where_all_have_requested() -> None:
    """Control: they are in use."""
    limit = holding("a", "a", "a", at=0.0)
    for connection in limit.connections:
        connection.has_requested = True
    assert not limit.evict("b")
    assert len(limit.connections) == 3
