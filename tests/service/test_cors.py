"""CORS through the whole stack: errors can be read, a preflight needs no key."""

import pytest
from starlette.types import ASGIApp

from tests.asgi import Answer, call, scope_of
from tests.handlers.test_api_document import stack

pytestmark = pytest.mark.anyio
PAGE = "https://intranet.example.org"
ORIGINS = f'["{PAGE}"]'


@pytest.fixture
def app() -> ASGIApp:
    """Return the app of a service that allows one origin, and two requests a minute."""
    limits = {"LIMITS__FAILED_AUTHENTICATIONS": "2/minute", "LIMITS__PER_ADDRESS": "4/minute"}
    return stack(CORS__ORIGINS=ORIGINS, **limits).app()


async def send(app: ASGIApp, method: str, path: str, origin: str = PAGE, **more: str) -> Answer:
    """Send a request of a page."""
    names = {name.replace("_", "-"): value for name, value in more.items()}
    return await call(app, scope_of(method, path, headers={"origin": origin, **names}), b"abc")


async def test_a_page_can_read_errors(app: ASGIApp) -> None:
    """Of the router and of the middleware: it learns why, and when to try again."""
    statuses = []
    for method, path in [
        ("GET", "/nothing"),
        ("GET", "/ocr"),
        ("POST", "/healthz"),
        *[("POST", "/ocr")] * 3,
    ]:
        answer = await send(app, method, path)
        assert answer["access-control-allow-origin"] == PAGE
        assert "Retry-After" in answer["access-control-expose-headers"]
        statuses.append(answer.status)
    assert statuses == [404, 405, 405, 401, 401, 429]


async def test_a_preflight_needs_no_key(app: ASGIApp) -> None:
    """And is counted like any request: OPTIONS is no way around the limit of an address."""
    for status in (204, 204, 204, 204, 429):
        answer = await send(app, "OPTIONS", "/ocr", access_control_request_method="POST")
        assert answer.status == status
    assert answer["access-control-allow-origin"] == PAGE


async def test_other_origins_and_other_services_get_nothing(app: ASGIApp) -> None:
    """Negative control: an origin that is not listed, and a service that lists none."""
    asks = {"access_control_request_method": "POST"}
    for answer in (
        await send(app, "OPTIONS", "/ocr", "https://evil.example", **asks),
        await send(stack().app(), "OPTIONS", "/ocr", **asks),
        await send(stack().app(), "GET", "/healthz"),
    ):
        assert answer.status in {200, 204}
        assert not [name for name, _ in answer.headers if name.startswith("access-control-")]
