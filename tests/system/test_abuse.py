"""Headers and paths made to forge lines of the log, or to have a foreign name reflected."""

import base64
import json
from collections.abc import Callable, Iterator

import pytest

from middleware.log import entry
from tests.system.honest import OFTEN, strange
from tests.system.raw import Reply, http1, send_http1, send_http2
from tests.system.service import Service

MARK = b"inj3ct"
EVIL = b"evil.example"
ORIGIN = b"https://localhost:8443/"
FORMS = {
    "newline": MARK + b'\n{"forged": 1}',
    "carriage return": MARK + b'\r{"forged": 1}',
    "both": MARK + b'\r\n{"forged": 1}',
    "escaped newline": MARK + b"%0d%0a%7b%22forged%22:1%7d",
    "quotes": MARK + b'", "forged": "1"}',
    "backslash": MARK + b'\\", "forged": "\\u000a',
    "colours": MARK + b"\x1b[31m\x1b]0;forged\x07",
    "null": MARK + b"\x00forged",
    "line separators": MARK + "\u2028\u2029\u0085".encode() + b"forged",
    "unicode": MARK + "海é\U0001f4a9".encode(),
    "not UTF-8": MARK + b"\xff\xfe\xc0\x80",
    "format": MARK + b"%s%n{0}{__class__}%(message)s",
    "long": MARK + b"forged" * 2000,
}
NAMES = (
    b"x-api-key", b"authorization", b"user-agent", b"x-forwarded-for", b"forwarded", b"referer",
    b"cookie", b"accept", b"accept-language", b"content-type", b"content-length", b"x-request-id",
    b"expect", b"transfer-encoding", b"upgrade", b"te", b"origin",
)  # fmt: skip
HOST = (b"host", b"localhost")
PSEUDO = ((b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"localhost"))


@pytest.fixture(scope="module")
def open_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that counts nothing: every request is looked at."""
    limits = (
        f'[limits]\nper_address = "{OFTEN}"\nfailed_authentications = "{OFTEN}"\n'
        "[tls]\nnew_connections_per_s = 10000\ncontrol_frames_per_s = 10000\n"
    )
    with Service(tmp_path_factory.mktemp("abuse"), local=limits) as service:
        yield service


def requests_http1(form: bytes) -> Iterator[bytes]:
    """Yield requests that have a form wherever HTTP/1.1 has room for one."""
    yield http1(b"/" + form, HOST)
    yield http1(b"/ocr?pages=" + form, HOST, method=b"POST")
    yield http1(b"/healthz", (b"host", form))
    yield http1(b"/healthz", HOST, (form, b"x"))
    yield http1(b"/healthz", HOST, method=form)
    yield http1(b"http://" + form + b"/", HOST)
    for name in NAMES:
        yield http1(b"/ocr", HOST, (name, form), method=b"POST")


def requests_http2(form: bytes) -> Iterator[list[tuple[bytes, bytes]]]:
    """Yield requests that have a form wherever HTTP/2 has room for one."""
    path = (b":path", b"/ocr")
    yield [*PSEUDO, (b":path", b"/" + form)]
    yield [*PSEUDO, (b":path", form)]
    yield [(b":method", form), *PSEUDO[1:], path]
    yield [PSEUDO[0], (b":scheme", form), PSEUDO[2], path]
    yield [*PSEUDO[:2], (b":authority", form), path]
    yield [*PSEUDO, path, (form, b"x")]
    yield [*PSEUDO, path, (b":" + form, b"x")]
    for name in NAMES:
        yield [*PSEUDO, path, (name, form)]


def judge(service: Service, replies: list[Reply], lines: int) -> None:
    """Check that there was no internal error and that the log is JSON without request content."""
    # 501 is what a transfer coding that nobody knows is owed (RFC 9112, section 6.1).
    assert [reply for reply in replies if (reply.status or 0) >= 500 and reply.status != 501] == []
    with service.client() as client:
        last = client.get("/healthz")
    assert last.status_code == 200
    service.logged(last.headers["x-request-id"])
    told = service.log[lines:]
    assert strange(told) == []
    assert not [line for line in told if MARK.decode() in line or "forged" in line]
    assert all(line.isascii() and line.isprintable() for line in told)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("plain", [False, True])
def test_http1_cannot_forge_a_log_line(open_service: Service, form: str, *, plain: bool) -> None:
    """Whatever stands in method, target, names and values, the log is a line of JSON an answer."""
    lines = len(open_service.log)
    replies = [send_http1(open_service, each, plain=plain) for each in requests_http1(FORMS[form])]
    assert any(reply.status for reply in replies)
    judge(open_service, replies, lines)


@pytest.mark.parametrize("form", FORMS)
def test_http2_cannot_forge_a_log_line(open_service: Service, form: str) -> None:
    """The same over HTTP/2, where a value may be any bytes at all."""
    lines = len(open_service.log)
    replies = [send_http2(open_service, each) for each in requests_http2(FORMS[form])]
    refused = form in {"newline", "carriage return", "both", "null"}  # RFC 9113, section 8.2.1
    assert all(reply.status for reply in replies)
    assert refused == all(reply.status == 400 for reply in replies)
    judge(open_service, replies, lines)


def test_a_forged_log_line_is_detected() -> None:
    """The check is not blind: it refuses what is no object, and an entry escapes a newline."""
    assert strange(['{"a": 1}', "[1]", "Traceback", '{"a": 1}{"b": 2}']) != []
    assert strange(["[1]"]) == ["[1]"]
    line = entry(path='x\n{"forged": 1}')
    assert strange(line.splitlines()) == []
    assert len(line.splitlines()) == 1
    assert json.loads(line)["path"].endswith("}")


HOSTS: dict[str, list[bytes]] = {
    "foreign": [EVIL],
    "foreign, with a port": [EVIL + b":8443"],
    "userinfo": [b"localhost:8443@" + EVIL],
    "two": [b"localhost", EVIL],
    "two, foreign first": [EVIL, b"localhost"],
    "none": [],
    "empty": [b""],
    "a path": [EVIL + b"/x?y#z"],
    "a list": [b"localhost, " + EVIL],
    "not ASCII": [EVIL + "é".encode()],
    "a space": [b"localhost " + EVIL],
    "long": [EVIL * 100],
    "IPv6": [b"[::1]." + EVIL],
}
TARGETS = (
    b"/healthz", b"/nowhere", b"/ocr/", b"http://" + EVIL + b"/healthz",
    b"https://" + EVIL + b":1/ocr/", b"//" + EVIL + b"/%2e%2e", b"/\\" + EVIL, b"/.." + EVIL,
    b"*", EVIL + b":443", b"/%5c%5c" + EVIL, b"/%0d%0alocation:%20https:" + EVIL, b"@" + EVIL,
)  # fmt: skip


def reflects(reply: Reply, target: bytes) -> bool:
    """Whether a reply sends its reader to a foreign origin, or repeats a foreign name."""
    if reply.location is not None and not reply.location.startswith(ORIGIN):
        return True
    told = reply.content.replace(reply.location or b"\x00", b"")
    # A redirect of the plain port keeps a path, foreign names in it included, at our origin.
    return EVIL in told or (EVIL in (reply.location or b"") and EVIL not in target)


@pytest.mark.parametrize("case", HOSTS)
def test_the_host_header_is_not_trusted(open_service: Service, case: str) -> None:
    """On neither port does a Host header or an absolute target get anywhere; no error of ours."""
    lines = len(open_service.log)
    fields = [(b"host", value) for value in HOSTS[case]]
    redirected = 0
    for target in TARGETS:
        for method in (b"GET", b"POST", b"OPTIONS", b"CONNECT"):
            for plain in (False, True):
                request = http1(target, *fields, method=method)
                reply = send_http1(open_service, request, plain=plain)
                assert not reflects(reply, target), reply
                assert (reply.status or 0) < 500, reply
                assert plain or reply.location is None
                redirected += reply.location is not None
    assert redirected or case in {"none", "two", "two, foreign first", "not ASCII"}
    assert strange(open_service.log[lines:]) == []


@pytest.mark.parametrize("case", HOSTS)
def test_the_authority_is_not_trusted(open_service: Service, case: str) -> None:
    """The same for :authority and Host over HTTP/2, together and apart."""
    lines = len(open_service.log)
    names: list[Callable[[int], bytes]] = [
        lambda _: b":authority",
        lambda number: b"host" if number else b":authority",
        lambda _: b"host",
    ]
    answered = 0
    for target in TARGETS:
        for name in names:
            found = [(name(number), value) for number, value in enumerate(HOSTS[case])]
            first = [field for field in found if field[0].startswith(b":")]
            rest = [field for field in found if not field[0].startswith(b":")]
            fields = [*PSEUDO[:2], *first, (b":path", target), *rest]
            reply = send_http2(open_service, fields)
            assert reply.location is None
            assert EVIL not in reply.content.replace(target, b"")
            assert (reply.status or 0) < 500, reply
            answered += reply.status is not None
    assert answered or case in {"none", "empty", "two", "two, foreign first", "a space"}
    assert strange(open_service.log[lines:]) == []


@pytest.mark.parametrize("settings", [b"", b"!", b"AAMAAABkAAQAAP__", base64.b64encode(bytes(5))])
@pytest.mark.parametrize("path", [b"/healthz", b"/\xff", b"http://evil.example/"])
def test_upgrades_are_refused(open_service: Service, settings: bytes, path: bytes) -> None:
    """Stock upgrades to HTTP/2 and breaks on some of these: here each is answered as it stands."""
    lines = len(open_service.log)
    for plain in (True, False):
        for more in ((), ((b"connection", b"upgrade, http2-settings"),)):
            fields = [HOST, (b"upgrade", b"h2c"), (b"http2-settings", settings), *more]
            reply = send_http1(open_service, http1(path, *fields), plain=plain)
            assert reply.status in {200, 308, 400, 404}, reply
    with open_service.client() as client:
        assert client.get("/healthz").status_code == 200
    assert strange(open_service.log[lines:]) == []
