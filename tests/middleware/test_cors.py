"""Pages of other origins: what they may send and read, and what those that are not listed get."""

from collections.abc import Mapping
from typing import Any

import pytest

from middleware.cors import MAX_AGE_S, SENT, Cors, Preflight
from middleware.options import Options
from tests.asgi import Answer, call, read_all, scope_of

pytestmark = pytest.mark.anyio
PAGE = "https://intranet.example.org"
LOCAL = "http://localhost:3000"
METHODS = {"GET", "HEAD", "POST", "OPTIONS"}
ASKS = {"access-control-request-method": "POST", "access-control-request-headers": "x-api-key"}


def app(*origins: str, key_header: str | None = None) -> Cors:
    """Return a function with GET and POST, for pages of these origins."""
    preflight = Preflight(origins=origins, methods=METHODS - {"OPTIONS"}, key_header=key_header)
    return Cors(Options(read_all, methods=METHODS, preflight=preflight), origins=origins)


def cross_origin(answer: Answer) -> dict[str, str]:
    """Return the headers of CORS."""
    return {name: text for name, text in answer.headers if name.startswith("access-control-")}


async def preflight(*origins: str, **headers: str) -> Answer:
    """Send a preflight request to a function for these origins."""
    names = {**ASKS, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await call(app(*origins), scope_of("OPTIONS", headers=names), stalled=True)


@pytest.mark.parametrize("origin", [PAGE, LOCAL])
async def test_a_page_may_read_the_response(origin: str) -> None:
    """Of each origin in the list; the header names it, never all of them."""
    answer = await call(app(PAGE, LOCAL), scope_of("POST", headers={"origin": origin}), b"abc")
    assert (answer.status, answer.body) == (200, b"3")
    found = cross_origin(answer)
    assert found.keys() == {"access-control-allow-origin", "access-control-expose-headers"}
    assert found["access-control-allow-origin"] == origin
    assert {"RateLimit", "Retry-After", "X-Request-Id", "ETag"} <= {
        *found["access-control-expose-headers"].split(", ")
    }
    assert answer["vary"] == "Origin"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"origin": f"{PAGE}.evil.example"},
        {"origin": f"{PAGE}:444"},
        {"origin": f"{PAGE}/"},
        {"origin": PAGE.replace("https", "http")},
        {"origin": PAGE.upper()},
        {"origin": "null"},
        {"origin": "*"},
        {"origin": ""},
        [("origin", PAGE), ("origin", PAGE)],
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
async def test_others_may_not(method: str, headers: Any) -> None:
    """Anything but an exact match gets the usual response, and a cache keeps the two apart."""
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    answer = await call(app(PAGE), scope_of(method, headers=[*pairs, *ASKS.items()]), b"abc")
    assert answer.status in {200, 204}
    assert cross_origin(answer) == {}
    assert answer["vary"] == "Origin"


async def test_a_preflight_lists_what_is_allowed() -> None:
    """The function's methods without OPTIONS, the headers that it reads, and no cookies."""
    answer = await preflight(PAGE, origin=PAGE)
    assert (answer.status, answer.body) == (204, b"")
    found = cross_origin(answer)
    del found["access-control-expose-headers"]
    assert found == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-methods": "GET, HEAD, POST",
        "access-control-allow-headers": ", ".join(SENT),
        "access-control-max-age": str(MAX_AGE_S),
    }


async def test_a_header_of_the_function_for_its_key() -> None:
    """It is allowed, too."""
    scope = scope_of("OPTIONS", headers={"origin": PAGE, **ASKS})
    answer = await call(app(PAGE, key_header="apikey"), scope)
    assert answer["access-control-allow-headers"].endswith(", X-API-Key, apikey")


async def test_options_of_a_page_that_asks_for_nothing() -> None:
    """It is no preflight without Access-Control-Request-Method."""
    answer = await call(app(PAGE), scope_of("OPTIONS", headers={"origin": PAGE}))
    assert "access-control-allow-methods" not in cross_origin(answer)


@pytest.mark.parametrize(
    ("origin", "asked", "allowed"),
    [(PAGE, "true", ["true"]), (PAGE, "false", []), ("https://evil.example", "true", [])],
)
async def test_private_networks(origin: str, asked: str, allowed: list[str]) -> None:
    """Chrome asks whether a public page may reach a private address: the listed ones may."""
    answer = await preflight(PAGE, origin=origin, access_control_request_private_network=asked)
    assert answer.all("access-control-allow-private-network") == allowed


async def test_the_vary_header_of_a_response_is_kept() -> None:
    """Origin joins it."""

    async def varying(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"vary", b"Accept-Language")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    answer = await call(Cors(varying, origins=(PAGE,)), scope_of(headers={"origin": PAGE}))
    assert answer["vary"] == "Accept-Language, Origin"


async def test_other_scopes_pass() -> None:
    """The middleware is about HTTP alone."""
    passed: list[Any] = []

    async def inner(scope: Any, _receive: Any, _send: Any) -> None:
        passed.append(scope)

    async def never(*_: Any) -> Any:
        raise AssertionError

    await Cors(inner, origins=(PAGE,))({"type": "websocket"}, never, never)
    assert passed == [{"type": "websocket"}]
