"""Rate limits per subnet, per key, per key and function."""

import hashlib
from typing import Any

import pytest
from limits import parse
from starlette.types import ASGIApp

from middleware.authentication import Caller
from middleware.errors import LimitStorageFailed, RateLimited
from middleware.limits import AddressLimit, KeyLimit
from middleware.quota import Quota
from middleware.request_context import request_context
from tests.asgi import call, read_all, scope_of

pytestmark = pytest.mark.anyio


def _caller(key_id: str, **limits: str) -> Caller:
    own = {path.replace("_", "/"): parse(limit) for path, limit in limits.items()}
    if "all" in own:
        own["*"] = own.pop("all")
    return Caller(key_id, key_id, hashlib.sha256().digest(), frozenset(), own)


def _key_limit(quota: Quota, path: str = "/ocr", *, function: str = "10/minute") -> ASGIApp:
    """Return the limits of /ocr in the shipped settings."""
    return KeyLimit(
        read_all,
        quota=quota,
        path=path,
        function_items=[parse(function)],
        key_item=parse("60/minute"),
    )


async def _passed(app: ASGIApp, caller: Caller | None, times: int, **scope: Any) -> int:
    """Return how many of `times` requests reach the app."""
    passed = 0
    for _ in range(times):
        try:
            await call(app, scope_of(state={"caller": caller}, **scope))
        except RateLimited:
            continue
        passed += 1
    return passed


async def test_a_key_may_call_ocr_ten_times_a_minute(quota: Quota) -> None:
    """The default of /ocr, per key."""
    app = _key_limit(quota)
    assert await _passed(app, _caller("aaaa"), 12) == 10
    assert await _passed(app, _caller("bbbb"), 12) == 10


async def test_a_key_may_call_anything_sixty_times_a_minute(quota: Quota) -> None:
    """The default per key, over all functions together."""
    caller = _caller("aaaa")
    one = _key_limit(quota, "/one", function="50/minute")
    other = _key_limit(quota, "/other", function="50/minute")
    assert await _passed(one, caller, 50) == 50
    assert await _passed(other, caller, 50) == 10


async def test_a_key_s_own_limits_replace_the_defaults(quota: Quota) -> None:
    """Higher or lower, for a function and for all functions."""
    app = _key_limit(quota)
    assert await _passed(app, _caller("more", _ocr="20/minute"), 25) == 20
    assert await _passed(app, _caller("less", _ocr="2/minute"), 5) == 2
    assert await _passed(app, _caller("over", all="5/minute"), 8) == 5
    assert await _passed(app, _caller("both", _ocr="80/minute", all="70/minute"), 80) == 70
    assert await _passed(app, _caller("else", _other="1/minute"), 12) == 10


async def test_a_function_without_limits(quota: Quota) -> None:
    """Only the limit of the key counts."""
    app = KeyLimit(
        read_all, quota=quota, path="/x", function_items=[], key_item=parse("1000/minute")
    )
    assert await _passed(app, _caller("aaaa"), 100) == 100


async def test_a_key_is_counted_from_every_address(quota: Quota) -> None:
    """Requests from two addresses count together."""
    app, caller = _key_limit(quota), _caller("aaaa")
    assert await _passed(app, caller, 6, client="192.0.2.1") == 6
    assert await _passed(app, caller, 6, client="192.0.2.2") == 4


async def test_a_response_has_both_limits(quota: Quota) -> None:
    """That of the function and that of the key, by name."""
    scope = scope_of(state={"caller": _caller("aaaa")})
    await call(_key_limit(quota), scope)
    values = [
        value.decode()
        for name, value in request_context(scope).response_headers
        if name[-1:] == b"y"
    ]
    assert values == ['"function";q=10;w=60', '"key";q=60;w=60']


async def test_an_address_is_counted_whatever_its_key(quota: Quota) -> None:
    """Per IPv4 address and per IPv6 /64, before authentication."""
    app = AddressLimit(read_all, quota=quota, policy="address", items=[parse("3/minute")])
    assert await _passed(app, None, 2, client="192.0.2.1") == 2
    assert await _passed(app, None, 2, client="::ffff:192.0.2.1") == 1
    assert await _passed(app, None, 2, client="2001:db8::1") == 2
    assert await _passed(app, None, 2, client="2001:db8::2") == 1
    assert await _passed(app, None, 4, client="2001:db8:1::1") == 3


async def test_two_policies_are_counted_apart(quota: Quota) -> None:
    """Each public function has its own count."""
    apps = [
        AddressLimit(read_all, quota=quota, policy=f"address {path}", items=[parse("2/minute")])
        for path in ("/healthz", "/readyz")
    ]
    assert [await _passed(app, None, 3) for app in apps] == [2, 2]


async def test_a_public_function_without_limits(quota: Quota) -> None:
    """With `limits = []` nothing is counted."""
    app = AddressLimit(read_all, quota=quota, policy="address", items=[])
    scope = scope_of()
    assert (await call(app, scope)).status == 200
    assert request_context(scope).response_headers == []


@pytest.mark.parametrize("allow", [False, True])
async def test_the_policy_applies_while_the_storage_hangs(
    *,
    allow: bool,
    connect: Any,
    redis: Any,
) -> None:
    """To both limits."""
    quota = connect(allow=allow)
    apps: list[ASGIApp] = [
        AddressLimit(read_all, quota=quota, policy="address", items=[parse("1/minute")]),
        _key_limit(quota),
    ]
    with redis.hung():
        for app in apps:
            scope = scope_of(state={"caller": _caller("aaaa")})
            if allow:
                assert (await call(app, scope)).status == 200
            else:
                with pytest.raises(LimitStorageFailed):
                    await call(app, scope)
                assert "read" not in scope["state"]
