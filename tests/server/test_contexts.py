"""The TLS that is served: versions, suites, and certificates that change under way."""

import os
import shutil
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.clients import Client, stats
from tests.server.servers import STOCK_FAILS, Server, both, serving, soon
from tls.development import Paths, ensure_development_certificate

VARIANTS = pytest.mark.parametrize(
    "changing", [pytest.param(False, marks=STOCK_FAILS), True], indirect=True
)


def handshake(server: Server, **options: object) -> ssl.SSLSocket | None:
    """Connect with a context so set; None if the handshake fails."""
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
    """Return the TLS 1.2 suite agreed on with a client's list."""
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
    """A client without AES in hardware has a suite."""
    assert suite(server, "ECDHE-ECDSA-CHACHA20-POLY1305") == "ECDHE-ECDSA-CHACHA20-POLY1305"


@pytest.mark.parametrize("ciphers", ["ECDHE-ECDSA-AES128-SHA256", "AES256-GCM-SHA384"])
def test_weak_suites_are_refused(hardened: Server, ciphers: str) -> None:
    """Neither CBC nor a key exchange without forward secrecy is taken."""
    assert suite(hardened, ciphers) is None


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_are_refused(hardened: Server) -> None:
    """TLS 1.1 is refused even to a client that would stoop to it."""
    version = ssl.TLSVersion.TLSv1_1
    stooping = {"ciphers": "ALL:@SECLEVEL=0", "minimum_version": version}
    assert handshake(hardened, **stooping, maximum_version=version) is None
    modern = handshake(hardened, ciphers="ALL:@SECLEVEL=0")
    assert modern is not None
    modern.close()


@both
def test_a_failed_handshake_says_why(server: Server) -> None:
    """The client gets the alert, and need not guess from a closed connection."""
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
    options = {"reload_poll_s": 0.05} if request.param else {}
    with serving(pair, hardened=request.param, **options) as server:
        yield server


def serial(server: Server) -> str:
    """Return the serial number a new handshake sees."""
    secured = handshake(server)
    if secured is None:
        return "none"
    with secured:
        found = secured.getpeercert()
    return str((found or {}).get("serialNumber"))


def renewed(server: Server, directory: Path) -> Paths:
    """Make another certificate under the same CA, apart."""
    directory.mkdir()
    for name in ("ca.pem", "ca.key"):
        shutil.copy(server.ca.with_name(name), directory)
    return ensure_development_certificate(directory)


def put(source: Path, target: Path) -> None:
    """Replace a file in one step, as certbot and our own maker do."""
    fresh = target.with_suffix(".fresh")
    shutil.copy(source, fresh)
    fresh.replace(target)


@VARIANTS
def test_new_certificate_is_served(changing: Server, tmp_path: Path) -> None:
    """A renewed pair reaches new handshakes; the connection held goes on (#233)."""
    old = serial(changing)
    new = renewed(changing, tmp_path / "next")
    with Client(changing) as client:
        client.get("/stats")
        put(new.key, changing.certfile.with_suffix(".key"))
        put(new.certificate, changing.certfile)
        assert soon(lambda: serial(changing) not in {old, "none"})
        assert client.get("/stats")


def sabotage(kind: str, served: Paths, other: Paths) -> None:
    """Break the files being served."""
    if kind == "key of another":
        put(other.ca_key, served.key)
    elif kind == "torn":
        served.certificate.write_bytes(served.certificate.read_bytes()[:200])
    elif kind == "missing":
        served.certificate.unlink()
    else:
        put(other.certificate, served.certificate)
        put(other.key, served.key)
        expire(served)


def expire(served: Paths) -> None:
    """Replace a leaf by one that has expired."""
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415

    from tls import signing  # noqa: PLC0415

    long_ago = datetime.now(UTC) - timedelta(days=30)
    leaf, key = signing.make_leaf(
        served.ca.read_bytes(),
        served.ca_key.read_bytes(),
        ("localhost",),
        long_ago,
        timedelta(days=1),
    )
    served.certificate.write_bytes(leaf)
    served.key.write_bytes(key)


@pytest.mark.parametrize("changing", [True], indirect=True)
@pytest.mark.parametrize("kind", ["key of another", "torn", "missing", "expired"])
def test_broken_pair_keeps_the_old_one(changing: Server, tmp_path: Path, kind: str) -> None:
    """The old certificate stays, the problem is told once and visible; mending it clears it."""
    old = serial(changing)
    other = renewed(changing, tmp_path / "next")
    sabotage(kind, Paths.inside(changing.ca.parent), other)
    assert soon(lambda: stats(changing)["problem"])
    assert serial(changing) == old
    assert sum("kept the old one" in line for line in changing.lines) == 1
    put(other.key, changing.certfile.with_suffix(".key"))
    put(other.certificate, changing.certfile)
    assert soon(lambda: stats(changing)["problem"] is None)
    assert serial(changing) != old


@pytest.mark.parametrize("changing", [True], indirect=True)
def test_touched_files_are_no_news(changing: Server) -> None:
    """The same pair under a new date is loaded again, harmlessly."""
    old = serial(changing)
    os.utime(changing.certfile)
    assert soon(lambda: any("reloaded" in line for line in changing.lines))
    assert serial(changing) == old


def resumes(server: Server, session: ssl.SSLSession | None) -> tuple[bool, ssl.SSLSession | None]:
    """Return whether a TLS 1.2 session was resumed, and one for the next time."""
    context = _resuming
    context.load_verify_locations(server.ca)
    bare = socket.create_connection(("127.0.0.1", server.port), 5)
    with context.wrap_socket(bare, server_hostname="localhost", session=session) as secured:
        return bool(secured.session_reused), secured.session


_resuming = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_resuming.maximum_version = ssl.TLSVersion.TLSv1_2


def test_ticket_keys_grow_old(pair: Paths) -> None:
    """A session is resumed while its ticket's key is in use, and not by a later one."""
    with serving(pair, hardened=True, reload_poll_s=0.05, ticket_key_s=3) as server:
        _, session = resumes(server, None)
        assert resumes(server, session)[0]
        assert soon(lambda: not resumes(server, session)[0], 10)
        assert not any("reloaded" in line for line in server.lines)
