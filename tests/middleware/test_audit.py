"""What is recorded of a request, and that nothing is sent without a record."""

import asyncio
import hashlib
import hmac
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from audit.files import files_of, lines_of
from audit.keys import keys_of
from audit.line import line_from
from audit.trail import Trail
from middleware.audit import LARGE_BYTES, Audit, AuditBeforeReading, AuditEnd
from middleware.errors import AuditUnavailable, NotAuthenticated
from middleware.request_context import request_context
from tests.asgi import Answer, call, scope_of

DOCUMENT = b"%PDF-1.7 what nobody may read"
KEYS = keys_of("s" * 64)


@dataclass(frozen=True)
class Certificate:
    """A client certificate."""

    subject: str = "CN=ledger"
    sha256: bytes = bytes(32)


@dataclass
class Function:
    """A function behind the two middlewares, with a trail of its own."""

    directory: Path
    deny: bool = True
    unauthenticated: bool = False
    documents: list[bytes] | None = field(default_factory=lambda: [DOCUMENT])
    key: str | None = "someone"
    error: Exception | None = None
    read: int = 0  # how often the function got to its documents

    def __post_init__(self) -> None:
        self.trail = Trail(
            self.directory, KEYS, max_file_bytes=10**6, sync_s=1, report=lambda **_: None
        )

    async def serve(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Report the documents, then send what is in them, in two parts."""
        context = request_context(scope)
        if self.documents is not None:
            await context.before_reading(self.documents)
        self.read += 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": DOCUMENT, "more_body": True})
        context.pages = 3
        await send({"type": "http.response.body", "body": b"end"})

    def app(self) -> ASGIApp:
        """Return it as service/ builds it, without the middleware that is not concerned."""
        audit = Audit(self.trail, self.deny, self.unauthenticated, lambda _scope: Certificate())
        inner = AuditBeforeReading(self.serve, audit=audit)

        async def authenticated(scope: Scope, receive: Receive, send: Send) -> None:
            context = request_context(scope)
            context.function, context.key_name, context.key_id = "/ocr", self.key, "aaaa1111"
            if self.error is not None:
                raise self.error
            await inner(scope, receive, send)

        return AuditEnd(authenticated, audit=audit, functions={"/ocr"})

    def ask(self, method: str = "POST") -> Answer:
        """Send a request; the query is of no concern to anybody."""
        return asyncio.run(call(self.app(), scope_of(method, "/ocr", query=b"name=secret")))

    def break_(self) -> None:
        """Move the directory away, so that nothing can be written."""
        self.directory.rename(self.directory.with_name("away"))

    def mend(self) -> None:
        """Put it back."""
        self.directory.with_name("away").rename(self.directory)

    def records(self) -> list[dict[str, Any]]:
        """Return what was recorded, without the start."""
        found = []
        for file in files_of(self.directory):
            for data in lines_of(file.path):
                line = line_from(data, KEYS)
                assert line is not None
                found.append(dict(line.record))
        return [record for record in found if record["kind"] not in {"start", "stop"}]


@pytest.fixture
def function(tmp_path: Path) -> Iterator[Function]:
    """A function that reads one document."""
    directory = tmp_path / "trail"
    directory.mkdir(mode=0o700)
    one = Function(directory)
    yield one
    asyncio.run(one.trail.aclose())


def test_a_request_has_two_records(function: Function) -> None:
    """Who sent which document to which function, and what became of it; never what is in it."""
    assert function.ask().status == 200
    received, done = function.records()
    digest = hmac.digest(KEYS.documents, DOCUMENT, hashlib.sha256).hex()
    assert {name: received[name] for name in list(received)[4:-1]} == {
        "kind": "received",
        "request": received["request"],
        "key": "someone",
        "key_id": "aaaa1111",
        "address": "192.0.2.1",
        "function": "/ocr",
        "certificate": "CN=ledger",
        "certificate_sha256": "0" * 64,
        "documents": [{"bytes": len(DOCUMENT), "hash": digest}],
    }
    assert done["request"] == received["request"]
    assert (done["kind"], done["status"], done["complete"], done["pages"]) == ("done", 200, True, 3)
    assert done["ms"] >= 0
    written = b"".join(each.path.read_bytes() for each in files_of(function.directory))
    assert b"PDF" not in written
    assert b"secret" not in written
    assert hashlib.sha256(DOCUMENT).hexdigest().encode() not in written  # it could be guessed


@pytest.mark.parametrize("documents", [[DOCUMENT], None])
def test_nothing_is_read_or_sent_unrecorded(
    function: Function, documents: list[bytes] | None
) -> None:
    """With "deny"; a function that does not report its documents can't send either."""
    function.documents = documents
    function.break_()
    with pytest.raises(AuditUnavailable):
        function.ask()
    assert function.read == (0 if documents else 1)
    function.mend()
    assert function.ask().status == 200  # without a restart
    assert [record["kind"] for record in function.records()] == ["gap", "received", "done"]


def test_with_allow_requests_are_served(function: Function) -> None:
    """Control: what the policy above refuses is sent, and the gap is recorded."""
    function.deny = False
    function.break_()
    assert function.ask().body == DOCUMENT + b"end"
    assert function.trail.totals.failures == 2
    function.mend()
    assert function.ask().status == 200
    gap, *rest = function.records()
    assert (gap["kind"], gap["failures"]) == ("gap", 2)
    assert [record["kind"] for record in rest] == ["received", "done"]


def test_the_record_is_written_before_the_response_begins(function: Function) -> None:
    """Also that of a function which reports nothing: its documents are unknown then."""
    function.documents = None
    seen: list[int] = []

    async def send(_message: object) -> None:
        seen.append(len(function.records()))

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def ask() -> None:
        await function.app()(scope_of("POST", "/ocr"), receive, send)

    asyncio.run(ask())
    assert seen == [1, 1, 1]
    assert function.records()[0]["documents"] is None


def test_refused_requests(function: Function) -> None:
    """One record has all of a request that got no further; without a key, only if that is set."""
    function.error, function.key = NotAuthenticated(), None
    for unauthenticated, records in ((False, 0), (True, 1)):
        function.unauthenticated = unauthenticated
        with pytest.raises(NotAuthenticated):
            function.ask()
        assert len(function.records()) == records
    [refused] = function.records()
    assert (refused["kind"], refused["key"], refused["key_id"]) == ("request", None, "aaaa1111")
    assert "documents" not in refused
    function.unauthenticated, function.key = False, "someone"
    with pytest.raises(NotAuthenticated):
        function.ask()
    with pytest.raises(NotAuthenticated):
        function.ask("OPTIONS")  # a preflight request; it has no key
    assert len(function.records()) == 2


def test_long_documents_are_hashed_in_a_thread(
    function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that they do not delay other requests; short ones are hashed at once."""
    threads: list[bool] = []

    def hash_of(_self: Trail, document: bytes) -> str:
        threads.append(threading.current_thread() is threading.main_thread())
        return KEYS.hash_of(document)

    monkeypatch.setattr(Trail, "hash_of", hash_of)
    function.ask()
    function.documents = [bytes(LARGE_BYTES), b"x"]
    function.ask()
    assert threads == [True, False, False]
    sizes = [each["bytes"] for each in function.records()[2]["documents"]]
    assert sizes == [LARGE_BYTES, 1]
