"""Authentication: every failure looks the same and takes the same steps."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from types import SimpleNamespace
from typing import Any

import pytest
from limits import parse
from starlette.types import ASGIApp

from middleware import authentication
from middleware.authentication import Authentication, Caller, authenticated_caller
from middleware.errors import (
    FunctionNotAllowed,
    LimitStorageFailed,
    NotAuthenticated,
    RateLimited,
    ScopeMissing,
)
from middleware.key_format import new_key
from middleware.limits import AddressLimit
from middleware.quota import Quota
from middleware.request_context import request_context
from tests.asgi import call, read_all, scope_of

pytestmark = pytest.mark.anyio

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)
TOKEN = new_key("good")
OTHER = new_key("othr")
LATE, EARLY, LOCAL, UNKNOWN = (new_key(i) for i in ("late", "soon", "loca", "none"))


def _caller(token: str, **values: Any) -> Caller:
    digest = hashlib.sha256(token.encode()).digest()
    return replace(Caller(token.split("_")[1], "name", digest, frozenset({"ocr"})), **values)


CALLERS = [
    _caller(TOKEN, name="accounting"),
    _caller(OTHER, scopes=frozenset({"else"})),
    _caller(LATE, expires=NOW - HOUR),
    _caller(EARLY, not_before=NOW + HOUR),
    _caller(LOCAL, loopback_only=True),
]
WRONG = {
    "none": {},
    "empty": {"x-api-key": ""},
    "empty bearer": {"authorization": "Bearer "},
    "not a token": {"x-api-key": "hunter2"},
    "mistyped": {"x-api-key": TOKEN[:-1] + ("0" if TOKEN[-1] != "0" else "1")},
    "unknown": {"x-api-key": UNKNOWN},
    "wrong secret": {"x-api-key": new_key("good")},
    "expired": {"x-api-key": LATE},
    "not yet valid": {"x-api-key": EARLY},
    "loopback only": {"x-api-key": LOCAL},
    "basic": {"authorization": f"Basic {TOKEN}"},
    "bare": {"authorization": TOKEN},
    "two that differ": {"x-api-key": TOKEN, "authorization": f"Bearer {OTHER}"},
    "one right, one empty": {"x-api-key": TOKEN, "authorization": "Bearer "},
    "beyond ascii": {"x-api-key": TOKEN + "\xff"},
    "cookie": {"cookie": f"x-api-key={TOKEN}"},
}
Guard = Callable[..., ASGIApp]
LEDGER = SimpleNamespace(subject="CN=ledger,O=Bank", sha256=b"l" * 32)
PINNED = SimpleNamespace(subject="CN=other", sha256=b"p" * 32)
BOUND = new_key("boun")
BY_CERTIFICATE = [
    _caller(BOUND, name="bound", certificate="CN=ledger,O=Bank"),
    _caller(new_key("cert"), name="ledger", sha256=None, certificate="CN=ledger,O=Bank"),
    _caller(new_key("cpin"), name="pinned", sha256=None, certificate=b"p" * 32),
    _caller(TOKEN, name="accounting"),
]


@pytest.fixture
def guard(quota: Quota) -> Guard:
    """Put Authentication before an app that reads the body."""

    def build(
        scope: str = "ocr", *, failures: str = "100/minute", counted: Quota = quota
    ) -> ASGIApp:
        return Authentication(
            read_all,
            callers=CALLERS,
            path="/ocr",
            scope=scope,
            quota=counted,
            failures=parse(failures),
        )

    return build


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": TOKEN},
        {"authorization": f"Bearer {TOKEN}"},
        {"authorization": f"bearer   {TOKEN}"},
        {"x-api-key": TOKEN, "authorization": f"Bearer {TOKEN}"},
        {"x-api-key": TOKEN, "authorization": "Basic eDp5"},
    ],
)
async def test_a_valid_key_passes(headers: Mapping[str, str], guard: Guard) -> None:
    """In either header or both; the caller is known from there on."""
    scope = scope_of(headers=headers)
    assert (await call(guard(), scope)).status == 200
    context = request_context(scope)
    assert (context.key_name, context.key_id) == ("accounting", "good")
    assert authenticated_caller(scope) is CALLERS[0]


@pytest.mark.parametrize("case", WRONG)
async def test_every_failure_looks_the_same(case: str, guard: Guard) -> None:
    """One exception, without a reason; the app is not reached."""
    scope = scope_of(headers=WRONG[case])
    with pytest.raises(NotAuthenticated) as caught:
        await call(guard(), scope)
    assert caught.value.args == ()
    assert request_context(scope).key_name is None
    assert "caller" not in scope["state"]
    assert "read" not in scope["state"]


CLAIMED = {
    "unknown": "none",
    "wrong secret": "good",
    "expired": "late",
    "not yet valid": "soon",
    "loopback only": "loca",
}


@pytest.mark.parametrize("case", WRONG)
async def test_a_failure_is_logged_with_the_key_s_id(case: str, guard: Guard) -> None:
    """If what was sent has the format of a key: nothing else of a request reaches the log."""
    scope = scope_of(headers=WRONG[case])
    with pytest.raises(NotAuthenticated):
        await call(guard(), scope)
    assert request_context(scope).key_id == CLAIMED.get(case)


async def test_without_authentication_every_request_passes() -> None:
    """The app itself does not check keys."""
    assert (await call(read_all, scope_of())).status == 200


@pytest.mark.parametrize("case", WRONG)
async def test_every_failure_takes_the_same_steps(
    case: str, guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One hash, two constant-time comparisons of 32 bytes and one reading of the clock each."""
    steps: list[str] = []

    def compare(one: bytes, other: bytes) -> bool:
        steps.append(f"compare {len(one)} {len(other)}")
        return hmac.compare_digest(one, other)

    def sha256(data: bytes) -> Any:
        steps.append("hash")
        return hashlib.sha256(data)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            steps.append("clock")
            return datetime.now(tz)

    app = guard()
    monkeypatch.setattr(authentication, "hmac", SimpleNamespace(compare_digest=compare))
    monkeypatch.setattr(authentication, "hashlib", SimpleNamespace(sha256=sha256))
    monkeypatch.setattr(authentication, "datetime", Clock)
    with pytest.raises(NotAuthenticated):
        await call(app, scope_of(headers=WRONG[case]))
    assert steps == ["hash", "compare 32 32", "compare 32 32", "clock"]


@pytest.mark.parametrize(
    ("client", "passes"),
    [("127.0.0.1", True), ("::1", True), ("192.0.2.1", False), (None, False), ("nonsense", False)],
)
async def test_a_loopback_key_is_valid_from_loopback_only(
    *,
    client: str | None,
    passes: bool,
    guard: Guard,
) -> None:
    """The development key is invalid from any other address."""
    scope = scope_of(headers={"x-api-key": LOCAL}, client=client)
    if passes:
        assert (await call(guard(), scope)).status == 200
    else:
        with pytest.raises(NotAuthenticated):
            await call(guard(), scope)


async def test_a_key_is_valid_from_not_before_until_expires(quota: Quota) -> None:
    """Including the time of not_before itself."""
    inside = _caller(TOKEN, not_before=NOW - HOUR, expires=NOW + HOUR)
    app = Authentication(
        read_all,
        callers=[inside],
        path="/ocr",
        scope="ocr",
        quota=quota,
        failures=parse("9/minute"),
    )
    assert (await call(app, scope_of(headers={"x-api-key": TOKEN}))).status == 200


async def test_a_key_without_the_scope_is_rejected(guard: Guard) -> None:
    """It is no failed authentication: caller and missing scope are known, nothing is counted."""
    scope = scope_of(headers={"x-api-key": OTHER})
    with pytest.raises(ScopeMissing) as caught:
        await call(guard(), scope)
    assert caught.value.scope == "ocr"
    assert request_context(scope).key_name == "name"
    assert request_context(scope).response_headers == []
    assert (await call(guard("else"), scope_of(headers={"x-api-key": OTHER}))).status == 200


async def _try(app: ASGIApp, client: str, token: str = UNKNOWN) -> type[Exception] | None:
    try:
        await call(app, scope_of(headers={"x-api-key": token}, client=client))
    except (NotAuthenticated, RateLimited) as error:
        return type(error)
    return None


async def test_wrong_keys_are_counted_and_valid_ones_pass(guard: Guard) -> None:
    """The third wrong key of an address gets a 429; a valid one from the same address passes."""
    app = guard(failures="2/minute")
    tried = [await _try(app, "192.0.2.1") for _ in range(3)]
    assert tried == [NotAuthenticated, NotAuthenticated, RateLimited]
    assert await _try(app, "192.0.2.1", TOKEN) is None
    assert await _try(app, "192.0.2.2") is NotAuthenticated


async def test_valid_keys_are_not_counted_as_failures(guard: Guard) -> None:
    """Any number of valid keys leaves the count of failures unchanged."""
    app = guard(failures="1/minute")
    for _ in range(5):
        assert await _try(app, "192.0.2.1", TOKEN) is None
    assert await _try(app, "192.0.2.1") is NotAuthenticated


async def test_one_ipv6_subnet_is_one_client(guard: Guard) -> None:
    """A client can use any address of its /64, so all of them are counted together."""
    app = guard(failures="2/minute")
    assert await _try(app, "2001:db8:0:1::1") is NotAuthenticated
    assert await _try(app, "2001:db8:0:1:ffff::2") is NotAuthenticated
    assert await _try(app, "2001:db8:0:1::3") is RateLimited
    assert await _try(app, "2001:db8:0:2::1") is NotAuthenticated


async def test_a_failure_has_the_rate_limit_headers(guard: Guard) -> None:
    """A 401 shows how many more failures are allowed."""
    scope = scope_of()
    with pytest.raises(NotAuthenticated):
        await call(guard(failures="5/minute"), scope)
    headers = dict(request_context(scope).response_headers)
    assert headers[b"ratelimit-policy"] == b'"failures";q=5;w=60'
    assert headers[b"ratelimit"].startswith(b'"failures";r=4;t=')


async def test_neither_key_nor_digest_is_logged(guard: Guard, log: list[str]) -> None:
    """Nothing is written about a wrong key."""
    for headers in WRONG.values():
        with pytest.raises(NotAuthenticated):
            await call(guard(), scope_of(headers=headers))
    assert log == []


async def test_wrong_keys_are_rejected_while_the_storage_is_down(connect: Any, redis: Any) -> None:
    """Under either policy; a valid key passes."""
    redis.process.kill()
    for allow, expected in ((False, LimitStorageFailed), (True, NotAuthenticated)):
        app = Authentication(
            read_all,
            callers=CALLERS,
            path="/ocr",
            scope="ocr",
            quota=connect(allow=allow),
            failures=parse("9/minute"),
        )
        with pytest.raises(expected):
            await call(app, scope_of(headers={"x-api-key": UNKNOWN}))
        assert (await call(app, scope_of(headers={"x-api-key": TOKEN}))).status == 200


async def _ask_presenting(
    quota: Quota, presented: object, headers: Mapping[str, str], *, required: bool = False
) -> str | None:
    """Return the name of the authenticated caller, or None if the request is rejected."""
    app = Authentication(
        read_all,
        callers=BY_CERTIFICATE,
        path="/ocr",
        scope="ocr",
        quota=quota,
        failures=parse("100/minute"),
        certificate_of=lambda _scope: presented,  # type: ignore[arg-type, return-value]
        certificate_required=required,
    )
    scope = scope_of(headers=headers)
    try:
        await call(app, scope)
    except NotAuthenticated:
        return None
    return request_context(scope).key_name


@pytest.mark.parametrize(
    ("presented", "key", "name"),
    [
        (LEDGER, None, "ledger"),
        (PINNED, None, "pinned"),
        (LEDGER, BOUND, "bound"),
        (PINNED, BOUND, None),
        (None, BOUND, None),
        (LEDGER, TOKEN, "accounting"),
        (None, TOKEN, "accounting"),
        (LEDGER, new_key("good"), None),
        (LEDGER, "", None),
        (SimpleNamespace(subject="CN=nobody", sha256=b"n" * 32), None, None),
        (SimpleNamespace(subject="", sha256=b""), None, None),
        (None, None, None),
    ],
)
async def test_a_certificate_alone_or_with_a_key(
    quota: Quota, presented: object, key: str | None, name: str | None
) -> None:
    """Each entry states which it needs; a valid certificate does not excuse a wrong key."""
    headers = {} if key is None else {"x-api-key": key}
    assert await _ask_presenting(quota, presented, headers) == name


async def test_a_certificate_does_not_excuse_two_different_keys(quota: Quota) -> None:
    """A request with keys is authenticated by them."""
    headers = {"x-api-key": TOKEN, "authorization": f"Bearer {OTHER}"}
    assert await _ask_presenting(quota, LEDGER, headers) is None


async def test_a_required_certificate_is_required_of_every_caller(quota: Quota) -> None:
    """Also behind a proxy that should have requested it: a valid key alone is rejected."""
    headers = {"x-api-key": TOKEN}
    assert await _ask_presenting(quota, None, headers, required=True) is None
    assert await _ask_presenting(quota, LEDGER, headers, required=True) == "accounting"


Send = Callable[..., Any]


@pytest.fixture
def send(quota: Quota) -> Send:
    """Return a function that sends a request; it returns the caller's name, None if refused."""

    async def send_one(
        headers: Mapping[str, str], *, client: str = "127.0.0.1", **options: Any
    ) -> str | None:
        app = Authentication(
            read_all,
            callers=CALLERS,
            path="/ocr",
            scope="ocr",
            quota=quota,
            failures=parse("100/minute"),
            **options,
        )
        scope = scope_of(headers=headers, client=client)
        try:
            await call(app, scope)
        except NotAuthenticated:
            return None
        return request_context(scope).key_name

    return send_one


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({"apikey": TOKEN}, "accounting"),
        ({"ApiKey": TOKEN}, "accounting"),
        ({"apikey": TOKEN, "x-api-key": TOKEN}, "accounting"),
        ({"x-api-key": TOKEN}, "accounting"),
        ({"apikey": "helloworld"}, None),
        ({"apikey": TOKEN, "x-api-key": OTHER}, None),
    ],
)
async def test_a_function_may_take_the_key_from_one_more_header(
    headers: Mapping[str, str], name: str | None, send: Send
) -> None:
    """Under the same rules: two that differ are a wrong key."""
    assert await send(headers, key_header="apikey") == name


async def test_another_header_is_no_key_where_it_is_not_named(send: Send) -> None:
    """Negative control."""
    assert await send({"apikey": TOKEN}) is None


@pytest.mark.parametrize(
    ("client", "headers", "passes"),
    [
        ("127.0.0.1", {}, True),
        ("127.9.9.9", {}, True),
        ("::1", {}, True),
        ("192.0.2.1", {}, False),
        ("10.0.0.1", {}, False),
        ("local", {}, False),
        ("127.0.0.1", {"x-api-key": "helloworld"}, False),
        ("127.0.0.1", {"x-api-key": ""}, False),
        ("127.0.0.1", {"origin": "https://evil.example"}, False),
        ("127.0.0.1", {"origin": "null"}, False),
        ("127.0.0.1", {"forwarded": "for=192.0.2.1"}, False),
        ("127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, False),
        ("127.0.0.1", {"x-real-ip": "127.0.0.1"}, False),
        ("127.0.0.1", {"via": "1.1 squid"}, False),
        ("127.0.0.1", {"sec-fetch-site": "none"}, False),
        ("127.0.0.1", {"x-forwarded-host": "ocr.example"}, False),
        ("127.0.0.1", {"x-forwarded-proto": "https"}, False),
    ],
)
async def test_this_machine_itself_may_need_no_key(
    *, client: str, headers: Mapping[str, str], passes: bool, send: Send
) -> None:
    """Not other machines, nor what a browser or proxy sends, nor a wrong key."""
    name = "loopback without a key" if passes else None
    assert await send(headers, client=client, loopback_without_key=True) == name


async def test_this_machine_needs_a_key_unless_a_function_says_otherwise(send: Send) -> None:
    """Negative control; and where certificates are required, they are required of it, too."""
    assert await send({}) is None
    assert await send({}, loopback_without_key=True, certificate_required=True) is None


async def test_a_key_counts_from_this_machine_as_well(send: Send) -> None:
    """The caller is then the key's, with its own limits."""
    assert await send({"x-api-key": TOKEN}, loopback_without_key=True) == "accounting"


ROTATED, FORMER = new_key("rota"), new_key("rota")
FORMER_DIGEST = hashlib.sha256(FORMER.encode()).digest()


async def _reason(quota: Quota, caller: Caller, key: str, client: str = "192.0.2.1") -> str | None:
    """Return why a key is refused, None if it is not; check that the log says which it is."""
    app = Authentication(
        read_all, callers=[caller], path="/ocr", scope="ocr", quota=quota, failures=parse("99/day")
    )
    scope = scope_of(headers={"x-api-key": key}, client=client)
    with suppress(NotAuthenticated):
        await call(app, scope)
    context = request_context(scope)
    assert context.previous_key is (key == FORMER and caller.previous_sha256 is not None)
    return context.denial_reason


async def test_a_previous_key_is_valid_until_its_time(quota: Quota) -> None:
    """Beside the new one, and no longer than the entry itself; without a rotation it is wrong."""
    rotated = _caller(ROTATED, previous_sha256=FORMER_DIGEST, previous_expires=NOW + HOUR)
    assert await _reason(quota, rotated, ROTATED) is None
    assert await _reason(quota, rotated, FORMER) is None
    assert await _reason(quota, rotated, new_key("rota")) == "wrong key"
    ended = replace(rotated, previous_expires=NOW - HOUR)
    assert await _reason(quota, ended, FORMER) == "previous key expired"
    assert await _reason(quota, ended, ROTATED) is None
    assert await _reason(quota, replace(rotated, expires=NOW - HOUR), FORMER) == "expired"
    assert await _reason(quota, _caller(ROTATED), FORMER) == "wrong key"


@pytest.mark.parametrize(
    ("client", "passes"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("2001:db8::7", True),
        ("10.2.0.1", False),
        ("2001:db9::7", False),
        ("local", False),
        ("nonsense", False),
    ],
)
async def test_a_key_is_valid_from_its_networks_only(
    *, client: str, passes: bool, quota: Quota
) -> None:
    """Both keys of a rotation; without networks, from everywhere."""
    networks = (ip_network("10.1.0.0/16"), ip_network("2001:db8::/32"))
    caller = _caller(ROTATED, previous_sha256=FORMER_DIGEST, previous_expires=NOW + HOUR)
    for key in (ROTATED, FORMER):
        said = await _reason(quota, replace(caller, networks=networks), key, client)
        assert said == (None if passes else "address outside the key's networks")
        assert await _reason(quota, caller, key, client) is None


async def test_a_key_is_valid_for_its_functions_only(quota: Quota) -> None:
    """With the scope it has; no failed authentication: caller and function are known."""
    for functions, passes in ((set(), True), ({"/ocr", "/x"}, True), ({"/x"}, False)):
        app = Authentication(
            read_all,
            callers=[_caller(TOKEN, functions=frozenset(functions))],
            path="/ocr",
            scope="ocr",
            quota=quota,
            failures=parse("1/day"),
        )
        scope = scope_of(headers={"x-api-key": TOKEN})
        if passes:
            assert (await call(app, scope)).status == 200
            continue
        with pytest.raises(FunctionNotAllowed) as caught:
            await call(app, scope)
        assert caught.value.path == "/ocr"
        assert request_context(scope).key_name == "name"
        assert request_context(scope).response_headers == []


@pytest.mark.parametrize(("before", "valid"), [(False, None), (True, RateLimited)])
async def test_wrong_keys_do_not_use_up_the_limit_of_an_address(
    *, before: bool, valid: type[Exception] | None, guard: Guard, quota: Quota
) -> None:
    """It counts after authentication; control: in front of it, they lock out the valid key."""
    items = [parse("3/minute")]
    if before:
        app: ASGIApp = AddressLimit(guard(), quota=quota, policy="address", items=items)
    else:
        counted = AddressLimit(read_all, quota=quota, policy="address", items=items)
        app = Authentication(
            counted,
            callers=CALLERS,
            path="/ocr",
            scope="ocr",
            quota=quota,
            failures=parse("2/minute"),
        )
    for _ in range(5):
        assert await _try(app, "192.0.2.1", new_key("good")) is not None
    assert await _try(app, "192.0.2.1", TOKEN) is valid
