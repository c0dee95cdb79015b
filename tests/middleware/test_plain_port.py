"""Plain HTTP is redirected or rejected, never served."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from middleware.errors import PlainHttpRefused
from middleware.plain_port import CHALLENGES, PlainPort
from tests.asgi import Answer, call, read_all, scope_of

pytestmark = pytest.mark.anyio

ORIGIN = "https://ocr.example.org:8443"


async def _get(
    raw_path: bytes, *, query: bytes = b"", method: str = "GET", host: str = "h"
) -> Answer:
    scope = scope_of(method, scheme="http", headers={"host": host}, query=query)
    scope["raw_path"] = raw_path
    app = PlainPort(read_all, origin=ORIGIN, acme_directory=Path("nowhere"))
    return await call(app, scope)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_it_redirects_to_the_configured_origin(method: str) -> None:
    """Whatever the Host header; path and query are kept."""
    answer = await _get(b"/a/b", query=b"x=1&y=%20", method=method, host="evil.example")
    assert answer.status == 308
    assert answer["location"] == f"{ORIGIN}/a/b?x=1&y=%20"
    assert answer.body == b""


@pytest.mark.parametrize(
    ("raw_path", "path"),
    [
        (b"//evil.example", "//evil.example"),
        (b"/\\evil.example", "/%5Cevil.example"),
        (b"http://evil.example/x", "/"),
        (b"*", "/"),
        (b"", "/"),
        (b"@evil.example", "/"),
        (b".evil.example", "/"),
        (b"/a\r\nset-cookie: x", "/a%0D%0Aset-cookie:%20x"),
        (b"/a%0d%0ax", "/a%0d%0ax"),
        (b"/a#b", "/a%23b"),
        (b"/\xc3\xa9\xff", "/%C3%A9%FF"),
        (b"/../x", "/../x"),
    ],
)
async def test_no_target_redirects_elsewhere(raw_path: bytes, path: str) -> None:
    """Two slashes, an absolute URL, line breaks and invalid bytes stay within the origin."""
    assert (await _get(raw_path))["location"] == ORIGIN + path


@given(st.binary(), st.binary())
async def test_no_bytes_redirect_elsewhere(raw_path: bytes, query: bytes) -> None:
    """Any target gives one line of ASCII, whose origin is the configured one."""
    location = (await _get(raw_path, query=query))["location"]
    assert location.isascii()
    assert location.isprintable()
    assert location.startswith(ORIGIN + "/")
    assert f"{urlsplit(location).scheme}://{urlsplit(location).netloc}" == ORIGIN


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_other_methods_are_rejected(method: str) -> None:
    """A redirect would hide that key and image were sent unencrypted."""
    with pytest.raises(PlainHttpRefused):
        await _get(b"/ocr", method=method)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_requests_over_tls_pass(method: str) -> None:
    """With any method."""
    app = PlainPort(read_all, origin=ORIGIN, acme_directory=Path("nowhere"))
    assert (await call(app, scope_of(method))).status == 200


async def test_no_plain_request_reaches_the_app() -> None:
    """Negative control: without the middleware it does."""
    scope = scope_of(scheme="http")
    assert (await call(read_all, scope)).status == 200
    app = PlainPort(read_all, origin=ORIGIN, acme_directory=Path("nowhere"))
    again = scope_of(scheme="http")
    await call(app, again)
    assert "read" not in again["state"]


@pytest.fixture
def challenges(tmp_path: Path) -> Path:
    """A directory as certbot fills it, with private files beside it."""
    folder = tmp_path / CHALLENGES.strip("/")
    folder.mkdir(parents=True)
    (folder / "token-1_A").write_text("token-1_A.thumbprint", encoding="ascii")
    (folder / "long").write_bytes(b"x" * 10_000)
    (folder / "folder").mkdir()
    (folder.parent / "secret").write_text("secret", encoding="ascii")
    (tmp_path / "secret").write_text("secret", encoding="ascii")
    return tmp_path


async def _challenge(directory: Path, token: str, *, scheme: str = "http") -> Answer:
    app = PlainPort(read_all, origin=ORIGIN, acme_directory=directory)
    return await call(app, scope_of(path=CHALLENGES + token, scheme=scheme))


async def test_a_challenge_is_served(challenges: Path) -> None:
    """The CA requests it over plain HTTP: RFC 8555, section 8.3."""
    answer = await _challenge(challenges, "token-1_A")
    assert (answer.status, answer.body) == (200, b"token-1_A.thumbprint")


@pytest.mark.parametrize(
    "token",
    ["../secret", "../../secret", "..", ".", "", "a/b", "/etc/passwd", "folder", "none", "a\0",
     "token-1_A\n", "%2e%2e/secret", "token-1_A/", "x" * 300],
)  # fmt: skip
async def test_only_tokens_are_served(token: str, challenges: Path) -> None:
    """No path leads out of the directory; any other path is redirected."""
    answer = await _challenge(challenges, token)
    assert answer.status == 308
    assert answer.body == b""


async def test_the_length_of_a_challenge_is_bounded(challenges: Path) -> None:
    """Only the first 4096 bytes of a file are sent."""
    assert len((await _challenge(challenges, "long")).body) == 4096


async def test_challenges_are_not_served_over_tls(challenges: Path) -> None:
    """The app gets the request."""
    assert (await _challenge(challenges, "token-1_A", scheme="https")).body == b"0"
