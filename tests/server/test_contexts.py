"""TLS: versions, cipher suites, and contexts that are renewed."""

import asyncio
import shutil
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypercorn.config import Config

from server.options import ServerOptions
from server.serving import Server as Serving
from tests.server.clients import Client
from tests.server.servers import STOCK_FAILS, Server, both, serving
from tls.development import Paths, ensure_development_certificate

VARIANTS = pytest.mark.parametrize(
    "changing", [pytest.param(False, marks=STOCK_FAILS), True], indirect=True
)


def handshake(server: Server, **options: object) -> ssl.SSLSocket | None:
    """Connect with a context that has these options; None if the handshake fails."""
    context = ssl.create_default_context(cafile=str(server.ca))
    for name, value in options.items():
        if name == "ciphers":
            context.set_ciphers(str(value))
        else:
            setattr(context, name, value)
    bare = socket.create_connection(("127.0.0.1", server.port), 5)
    try:
        return context.wrap_socket(bare, server_hostname="localhost")
    except ssl.SSLError:
        bare.close()
        return None


def suite(server: Server, ciphers: str) -> str | None:
    """Return the TLS 1.2 suite negotiated with a client's list."""
    secured = handshake(server, ciphers=ciphers, maximum_version=ssl.TLSVersion.TLSv1_2)
    if secured is None:
        return None
    with secured:
        agreed = secured.cipher()
    return agreed and agreed[0]


@both
def test_server_chooses_the_suite(server: Server) -> None:
    """A client that lists the shorter key first still gets the server's choice."""
    offered = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"
    assert suite(server, offered) == "ECDHE-ECDSA-AES256-GCM-SHA384"


@both
def test_chacha20_is_offered(server: Server) -> None:
    """A client without AES in hardware has a fast suite."""
    assert suite(server, "ECDHE-ECDSA-CHACHA20-POLY1305") == "ECDHE-ECDSA-CHACHA20-POLY1305"


@pytest.mark.parametrize("ciphers", ["ECDHE-ECDSA-AES128-SHA256", "AES256-GCM-SHA384"])
def test_weak_suites_are_refused(hardened: Server, ciphers: str) -> None:
    """Neither CBC nor a key exchange without forward secrecy is accepted."""
    assert suite(hardened, ciphers) is None


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_are_refused(hardened: Server) -> None:
    """TLS 1.1 is refused, even to a client that accepts it."""
    version = ssl.TLSVersion.TLSv1_1
    stooping = {"ciphers": "ALL:@SECLEVEL=0", "minimum_version": version}
    assert handshake(hardened, **stooping, maximum_version=version) is None
    modern = handshake(hardened, ciphers="ALL:@SECLEVEL=0")
    assert modern is not None
    modern.close()


@both
def test_a_failed_handshake_says_why(server: Server) -> None:
    """The client gets the alert, not only a closed connection."""
    context = ssl.create_default_context(cafile=str(server.ca))
    context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")  # the certificate is ECDSA's
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    bare = socket.create_connection(("127.0.0.1", server.port), 5)
    with pytest.raises((ssl.SSLError, OSError)) as caught, bare:
        context.wrap_socket(bare, server_hostname="localhost")
    assert "ALERT" in str(caught.value)


@pytest.fixture
def changing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Run a server whose certificate the test will change."""
    pair = ensure_development_certificate(tmp_path / "now")
    with serving(pair, hardened=request.param) as server:
        yield server


def serial(server: Server) -> str:
    """Return the serial number that a new handshake gets."""
    secured = handshake(server)
    if secured is None:
        return "none"
    with secured:
        found = secured.getpeercert()
    return str((found or {}).get("serialNumber"))


def replace_pair(server: Server, directory: Path) -> None:
    """Replace the files by another certificate of the same CA, and its key."""
    directory.mkdir()
    for name in ("ca.pem", "ca.key"):
        shutil.copy(server.ca.with_name(name), directory)
    new = ensure_development_certificate(directory)
    put(new.key, server.certfile.with_suffix(".key"))
    put(new.certificate, server.certfile)


def put(source: Path, target: Path) -> None:
    """Replace a file in one step, as certbot does."""
    fresh = target.with_suffix(".fresh")
    shutil.copy(source, fresh)
    fresh.replace(target)


@VARIANTS
def test_a_renewed_context_serves_the_new_certificate(changing: Server, tmp_path: Path) -> None:
    """New handshakes get the new certificate; an open connection is not affected (#233)."""
    old = serial(changing)
    with Client(changing) as client:
        replace_pair(changing, tmp_path / "next")
        client.get("/renew")
        assert serial(changing) not in {old, "none"}
        assert client.get("/stats")


@pytest.mark.parametrize("changing", [True], indirect=True)
@pytest.mark.parametrize("kind", ["key of another", "truncated", "missing"])
def test_files_that_cannot_be_loaded_change_nothing(
    changing: Server, tmp_path: Path, kind: str
) -> None:
    """The caller of `renew_context` gets an error, and the context in force stays."""
    old = serial(changing)
    files = Paths.inside(changing.ca.parent)
    if kind == "key of another":
        put(files.ca_key, files.key)
    elif kind == "truncated":
        files.certificate.write_bytes(files.certificate.read_bytes()[:200])
    else:
        files.certificate.unlink()
    with Client(changing) as client:
        assert client.get("/renew") == b"not renewed"
        assert serial(changing) == old
        replace_pair(changing, tmp_path / "next")
        assert client.get("/renew") == b"renewed"
    assert serial(changing) not in {old, "none"}


def resumes(server: Server, session: ssl.SSLSession | None) -> tuple[bool, ssl.SSLSession | None]:
    """Return whether a TLS 1.2 session was resumed, and one for the next time."""
    context = _resuming
    context.load_verify_locations(server.ca)
    bare = socket.create_connection(("127.0.0.1", server.port), 5)
    with context.wrap_socket(bare, server_hostname="localhost", session=session) as secured:
        return bool(secured.session_reused), secured.session


_resuming = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_resuming.maximum_version = ssl.TLSVersion.TLSv1_2


def test_a_renewed_context_has_new_ticket_keys(pair: Paths) -> None:
    """A session is resumed until the context is renewed, and not after that."""
    with serving(pair, hardened=True) as server, Client(server) as client:
        _, session = resumes(server, None)
        assert resumes(server, session)[0]
        client.get("/renew")
        assert not resumes(server, session)[0]


def test_verification_that_cannot_be_set_up_refuses_the_start() -> None:
    """A client CA that OpenSSL does not accept ends the command with a message."""

    class Broken:
        generation = 1

        def apply(self, context: ssl.SSLContext) -> None:
            raise LookupError(f"no CA for {type(context).__name__}")

    server = Serving(ServerOptions(client_verification=Broken()))
    app: Any = never
    config = Config()
    config.certfile = config.keyfile = "unused"
    config.create_ssl_context = lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # type: ignore[method-assign]
    with pytest.raises(SystemExit, match="TLS can't start: no CA for SSLContext"):
        asyncio.run(server.serve(app, config))


async def never(*_args: Any) -> None:
    """Be an application that is not called."""
    raise AssertionError
