"""The data of one request."""

from middleware.request_context import (
    RequestContext,
    address_of,
    open_receive_window,
    request_context,
)
from tests.asgi import scope_of


def test_a_request_has_one_context() -> None:
    """The first call creates it; another request has another."""
    scope = scope_of()
    context = request_context(scope)
    assert request_context(scope) is context
    other = request_context(scope_of())
    assert other is not context
    assert other.request_id != context.request_id


def test_a_scope_without_state_gets_one() -> None:
    """For servers without lifespan state."""
    scope = {"type": "http"}
    assert request_context(scope) is request_context(scope)


def test_two_contexts_share_nothing() -> None:
    """Headers of one response never reach another."""
    one, other = RequestContext(), RequestContext()
    one.response_headers.append((b"a", b"b"))
    assert other.response_headers == []


def test_the_receive_window_grows_to_the_body() -> None:
    """To the length that the request declares."""
    grown: list[int] = []
    scope = scope_of()
    scope["extensions"] = {"sealed.receive_window": {"grow": grown.append}}
    request_context(scope).expected_bytes = 1234
    open_receive_window(scope)
    assert grown == [1234]


def test_http1_has_no_receive_window() -> None:
    """Nothing happens."""
    scope = scope_of()
    open_receive_window(scope)
    del scope["extensions"]
    open_receive_window(scope)


def test_the_address_is_the_peer_s() -> None:
    """Not that of a header; a Unix socket has none."""
    assert address_of(scope_of(headers={"x-forwarded-for": "10.0.0.1"})) == "192.0.2.1"
    assert address_of(scope_of(client=None)) == "local"
