"""What is known of one request."""

import dataclasses

from middleware.request_context import (
    RequestContext,
    address_of,
    open_receive_window,
    request_context,
)
from tests.asgi import scope_of


def test_a_request_has_one_exchange() -> None:
    """It is made on first sight and the same afterwards; another request has another."""
    scope = scope_of()
    context = request_context(scope)
    assert request_context(scope) is context
    other = request_context(scope_of())
    assert other is not context
    assert other.request_id != context.request_id


def test_a_scope_without_state_gets_one() -> None:
    """A server that keeps no lifespan state is no obstacle."""
    scope = {"type": "http"}
    assert request_context(scope) is request_context(scope)


def test_two_exchanges_share_nothing() -> None:
    """Headers noted for one request never reach another's answer."""
    one, other = RequestContext(), RequestContext()
    one.response_headers.append((b"a", b"b"))
    assert other.response_headers == []


def test_it_has_no_room_for_content() -> None:
    """Its fields are those the log may show; a new one has to be thought about here."""
    assert {field.name for field in dataclasses.fields(RequestContext)} == {
        "request_id",
        "function",
        "key_name",
        "received_bytes",
        "expected_bytes",
        "deadline",
        "images",
        "pages",
        "lines",
        "problem",
        "denial_reason",
        "traceback",
        "response_headers",
    }


def test_the_window_opens_for_the_whole_body() -> None:
    """An admitted upload gets room for as much as it said it would send."""
    grown: list[int] = []
    scope = scope_of()
    scope["extensions"] = {"sealed.receive_window": {"grow": grown.append}}
    request_context(scope).expected_bytes = 1234
    open_receive_window(scope)
    assert grown == [1234]


def test_without_a_window_nothing_opens() -> None:
    """HTTP/1.1 has none."""
    scope = scope_of()
    open_receive_window(scope)
    del scope["extensions"]
    open_receive_window(scope)


def test_the_address_is_the_peer_s() -> None:
    """The connection's other end counts, never a header; a Unix socket has none."""
    assert address_of(scope_of(headers={"x-forwarded-for": "10.0.0.1"})) == "192.0.2.1"
    assert address_of(scope_of(client=None)) == "local"
