"""The self-check of scripts/serve: what it trusts, and what ends the service."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest

from scripts import launch, self_check_sender
from scripts.http2_client import NoResponse, Request, Response, Server
from scripts.self_check import SelfCheckError, check
from scripts.self_check_sender import CannotCheck, Trust, sender
from settings import Settings
from tests.authorities import Authority
from tests.system.service import copy_project, key_stanza
from tests.system.test_scripts import PATIENCE_S, bare, on_free_ports

HOST = "ocr.nowhere.invalid"  # RFC 6761: resolves nowhere
KEY, STANZA = key_stanza("aaaa1111", "someone")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project whose certificate is from a private CA, for a name that does not resolve."""
    root = on_free_ports(copy_project(tmp_path_factory.mktemp("private") / "project"))
    authority = Authority("Private root")
    authority.write(root.parent, "root")
    certfile, keyfile = authority.issue("CN=x", names=[HOST]).write(root.parent, "server")
    text = (root / "settings.toml").read_text("utf-8")
    for key, value in (
        ("certfile", certfile), ("keyfile", keyfile), ("public_origin", f"https://{HOST}"),
    ):  # fmt: skip
        text = re.sub(rf"(?m)^{key} = .*$", f'{key} = "{value}"', text)
    (root / "settings.toml").write_text(text, encoding="utf-8")
    (root / "settings.local.toml").write_text(STANZA, encoding="utf-8")
    return root


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Return a list of processes that are ended after the test."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def test_a_response_cannot_move_the_cursor(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever program has responded on the port; line ends stay."""
    service = SimpleNamespace(process=None, told_to_stop=False)
    text = "one\ntwo \x1b]0;owned\x07"

    def refuse(_: object) -> NoReturn:
        raise CannotCheck(text)

    for run in (refuse, lambda _: text):
        launch._self_check(SimpleNamespace(run=run), service)  # type: ignore[arg-type]
    shown = capsys.readouterr()
    for said in (shown.out, shown.err):
        assert "one\ntwo \\x1b]0;owned\\x07\n" in said


@pytest.mark.parametrize("by", ["argument", "variable"])
def test_a_private_ca_is_trusted(project: Path, by: str) -> None:
    """--ca (a path relative to where the user is) or SSL_CERT_FILE names it."""
    root = project.parent / "root.pem"
    done = subprocess.run(
        [sys.executable, project / "scripts" / "launch.py", "--once",
         *(["--ca", root.name] if by == "argument" else [])],
        env=bare(project.parent) | {"SEALED_OCR_KEY": KEY}
        | ({"SSL_CERT_FILE": str(root)} if by == "variable" else {}),
        cwd=root.parent, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "18.95" in done.stdout
    assert "Warning: no self-check" not in done.stderr


def test_a_service_that_cannot_be_checked_stays(
    project: Path, started: list[subprocess.Popen[str]]
) -> None:
    """An unknown CA is a warning with the remedy; the service goes on serving."""
    process = subprocess.Popen(
        [sys.executable, project / "scripts" / "launch.py"],
        env=bare(project.parent) | {"SEALED_OCR_KEY": KEY},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    started.append(process)
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("curl"):
            break
    text = "".join(said)
    assert f"Warning: no self-check: {HOST}" in text, text
    assert "--ca FILE" in text
    assert f"https://{HOST}/ocr" in said[-1]
    process.send_signal(signal.SIGTERM)
    rest = process.communicate(timeout=PATIENCE_S)[0]
    assert process.returncode == 0
    assert rest.rstrip().endswith("Sealed OCR has stopped.")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b'{"code": "not_authenticated"}', CannotCheck),
        (404, b"not JSON", CannotCheck),
        (429, b'{"code": "rate_limited"}', CannotCheck),
        (503, b'{"code": "busy"}', CannotCheck),
        (503, b'["busy"]', CannotCheck),
        (504, b'{"code": "reading_timeout"}', CannotCheck),
        (422, b'{"code": "unreadable_image"}', SelfCheckError),
        (500, b'{"code": "internal_error"}', SelfCheckError),
        (503, b'{"code": "reader_died"}', SelfCheckError),
        (503, b'{"code": "weights_missing"}', SelfCheckError),
        (200, b'{"text": "HARBOUR"}', SelfCheckError),
    ],
)
def test_what_a_response_says_of_the_service(
    status: int, body: bytes, kind: type[Exception]
) -> None:
    """Only a service that cannot read is ended."""
    with pytest.raises(kind):
        check(Response(status, "HTTP/2", body))


@pytest.mark.parametrize(
    ("bind", "url", "expected"),
    [
        ("[::]:9", "https://[::1]:8443", Server(("::1", 9), "::1", "[::1]:8443")),
        ("0.0.0.0:9", "https://a.test", Server(("127.0.0.1", 9), "a.test", "a.test")),
    ],
)
def test_the_bound_address_gets_the_public_name(
    monkeypatch: pytest.MonkeyPatch, bind: str, url: str, expected: Server
) -> None:
    """The connection goes to `bind`; the name is that of the URL, an IPv6 address in brackets."""
    seen: list[Server] = []

    def connect(server: Server, *_others: object) -> None:
        seen.append(server)
        raise NoResponse

    monkeypatch.setattr(self_check_sender, "Connection", connect)
    settings = Settings.model_validate(
        {
            "server": {
                "bind": [bind], "certfile": "x", "keyfile": "y", "include_server_header": False,
            },
            "keys": [{"id": "aaaa1111", "name": "x", "sha256": "0" * 64, "scopes": ["ocr"]}],
            "functions": [{"path": "/ocr", "handler": "a:b", "scope": "ocr"}],
        }
    )  # fmt: skip
    with pytest.raises(CannotCheck):
        sender(settings, url, Trust(None, None), 1)(Request("GET", "/healthz"))
    assert seen == [expected]
