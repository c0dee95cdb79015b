"""Request smuggling: no second request hides in a first one, through nginx or past it."""

import pytest

from tests.deploy import nginx_http2
from tests.deploy.nginx import Front
from tests.deploy.nginx_shapes import PIPELINED, SHAPES
from tests.deploy.nginx_wire import (
    HONEST_ANSWER,
    Logged,
    Seen,
    is_healthy,
    logged_since,
    send,
    through_nginx,
    to_the_service,
)

OUTER, SMUGGLED = "/guarded", "/smuggled"
REFUSED = range(400, 500)
NOT_KNOWN = 501  # a transfer coding, RFC 9112, section 6.1


def _send(front: Front, way: str, data: bytes) -> tuple[Seen, Logged]:
    """Send bytes, then honest requests; return what came back, and what the service's log has."""
    begin = len(front.service.log)
    place = front.service.socket
    seen = send(through_nginx(front) if way == "nginx" else to_the_service(place), data)
    return seen, _logged(front, begin)


def _logged(front: Front, begin: int) -> Logged:
    """Return what the log has once an honest request, on another connection, is in it."""
    assert is_healthy(through_nginx(front), front.service)
    return logged_since(front.service, begin)


def _assert_one_at_most(logged: Logged, *addresses: str) -> None:
    """Beside the honest requests; and all are taken for the client's that sent them."""
    functions = [function for function, _address in logged]
    assert SMUGGLED not in functions
    assert functions.count(OUTER) + functions.count(None) <= 1
    ours = {OUTER, None, "/healthz"}
    assert {address for function, address in logged if function in ours} <= set(addresses)


@pytest.mark.parametrize("way", ["nginx", "socket"])
@pytest.mark.parametrize("name", SHAPES)
def test_no_request_is_smuggled(front: Front, name: str, way: str) -> None:
    """One answer at most, of 4xx; the next request gets its own, on the connection and elsewhere.

    Past nginx, on the service's own socket, it is another proxy that may have been tricked.
    """
    seen, logged = _send(front, way, SHAPES[name])
    _assert_one_at_most(logged, *(["127.0.0.1"] if way == "nginx" else ["127.0.0.1", "192.0.2.7"]))
    assert seen.in_step, seen
    assert seen.statuses[0] in REFUSED or (way, seen.statuses[0]) == ("socket", NOT_KNOWN)


@pytest.mark.parametrize("way", ["nginx", "socket"])
def test_a_smuggled_request_is_detected(front: Front, way: str) -> None:
    """The control: two honest requests in one go."""
    seen, logged = _send(front, way, PIPELINED)
    assert SMUGGLED in [function for function, _address in logged]
    assert seen.statuses[:2] == [401, 200]
    assert not seen.in_step


@pytest.mark.parametrize("name", nginx_http2.SHAPES)
def test_no_request_is_smuggled_out_of_http2(front: Front, name: str) -> None:
    """Refused, or one request of the address that the client really has."""
    shape = nginx_http2.SHAPES[name]
    begin = len(front.service.log)
    with nginx_http2.Connection(front) as connection:
        answer = connection.ask(nginx_http2.headers_of(shape), shape.body)
        assert answer.status is None or answer.status in REFUSED
        if connection.open:
            honest = connection.ask(nginx_http2.headers_of(HONEST))
            assert (honest.status, honest.body) == (200, HONEST_ANSWER)
    _assert_one_at_most(_logged(front, begin), "127.0.0.1")


HONEST = nginx_http2.Shape({b":method": b"GET", b":path": b"/healthz"})
