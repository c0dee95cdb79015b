"""/healthz and /readyz."""

import json
from collections.abc import Mapping

import pytest
from starlette.requests import Request

from handlers.errors import NotReady
from handlers.health import Check, healthz, readyz
from tests.asgi import scope_of

pytestmark = pytest.mark.anyio


def _check(*, passes: bool) -> Check:
    async def check() -> bool:
        return passes

    return check


def _request(checks: Mapping[str, Check], warnings: Mapping[str, str] | None = None) -> Request:
    return Request(scope_of(state={"checks": checks, "warnings": lambda: warnings or {}}))


async def test_alive() -> None:
    """Whatever the checks return."""
    response = await healthz(_request({"weights": _check(passes=False)}))
    assert (response.status_code, json.loads(bytes(response.body))) == (200, {"status": "ok"})


async def test_ready() -> None:
    """All checks pass; the response names them."""
    checks = {name: _check(passes=True) for name in ("weights", "certificate")}
    response = await readyz(_request(checks))
    assert json.loads(bytes(response.body)) == {
        "status": "ready",
        "checks": {"weights": "ok", "certificate": "ok"},
    }


async def test_not_ready() -> None:
    """The error names all failed checks, not only the first."""
    checks = {
        "weights": _check(passes=False),
        "certificate": _check(passes=True),
        "limit_storage": _check(passes=False),
    }
    with pytest.raises(NotReady) as caught:
        await readyz(_request(checks))
    assert caught.value.failed == "weights, limit_storage"


async def test_a_warning_does_not_fail() -> None:
    """It is in the response."""
    response = await readyz(_request({"weights": _check(passes=True)}, {"sandbox": "none"}))
    assert response.status_code == 200
    assert json.loads(bytes(response.body))["warnings"] == {"sandbox": "none"}
