"""Mutual TLS on the real service: which clients are accepted, and for how long."""

import base64
import http.client
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import httpx2
import pytest

from tests.authorities import CLIENT, Authority, Issued
from tests.system.conftest import Draw
from tests.system.service import Service, key_stanza
from tests.system.test_reload import rewrite
from tls.development import ensure_development_certificate

Start = Callable[..., Service]
BOUND, BOUND_STANZA = key_stanza("aaaa1111", "bound", 'certificate_subject = "CN=bound"')
FREE, FREE_STANZA = key_stanza("bbbb2222", "free")


@dataclass
class World:
    """Two authorities we trust, one we do not, and files of them all."""

    directory: Path
    root: Authority
    issuing: Authority
    stranger: Authority
    ledger: Issued = field(init=False)
    """The certificate of a caller that needs no key."""

    def client(
        self, name: str, by: Authority | None = None, *, not_after: datetime | None = None
    ) -> Issued:
        """Issue a client's certificate and write it."""
        issued = (by or self.issuing).issue(name, usage=CLIENT, not_after=not_after)
        issued.write(self.directory, name)
        return issued

    def files(self, name: str) -> tuple[Path, Path]:
        """Return where a client's certificate and key lie."""
        return self.directory / f"{name}.pem", self.directory / f"{name}.key"

    def revoke(self, *revoked: Issued) -> None:
        """Write the lists of both authorities anew."""
        lists = self.root.revocation_list() + self.issuing.revocation_list(*revoked)
        (self.directory / "lists.next").write_bytes(lists)
        (self.directory / "lists.next").replace(self.directory / "lists.pem")

    def settings(self, mode: str = "optional", *stanzas: str) -> str:
        """Return the settings' tables that request client certificates."""
        return (
            f'[tls]\nreload_poll_s = 0.05\nclient_certificates = "{mode}"\n'
            f'client_ca = "{self.directory}/ca.pem"\nclient_crl = "{self.directory}/lists.pem"\n'
            + "\n".join(stanzas)
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Make the authorities."""
    root = Authority("Root")
    found = World(
        tmp_path_factory.mktemp("world"), root, Authority("Issuing", root), Authority("Stranger")
    )
    (found.directory / "ca.pem").write_bytes(root.pem + found.issuing.pem)
    found.revoke()
    found.ledger = found.client("ledger")
    return found


def alone(issued: Issued, name: str) -> str:
    """Return an entry that a certificate alone is enough for."""
    return (
        f'[[keys]]\nid = "{name}0000"\nname = "{name}"\ncertificate_sha256 = "{issued.sha256}"\n'
        'scopes = ["ocr"]\nlimits = { "*" = "1000/minute", "/ocr" = "1000/minute" }\n'
    )


@pytest.fixture(scope="module")
def service(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Start a service that requests client certificates but accepts clients without."""
    for name in ("bound", "nobody"):
        world.client(name)
    world.client("stranger", world.stranger)
    stanzas = [BOUND_STANZA, FREE_STANZA, alone(world.ledger, "ledger")]
    local = world.settings("optional", *stanzas)
    with Service(tmp_path_factory.mktemp("service"), local=local) as running:
        yield running


def ask(
    service: Service, shown: tuple[Path, Path] | None, key: str | None, *, http2: bool = True
) -> int:
    """Request a reading without a body: 415 if authenticated, else 401."""
    with service.client(key=key, certificate=shown, http2=http2) as client:
        return client.post("/ocr").status_code


@pytest.mark.parametrize("http2", [True, False])
@pytest.mark.parametrize(
    ("shown", "key", "status"),
    [
        ("ledger", None, 415),
        ("ledger", FREE, 415),
        ("ledger", BOUND, 401),
        ("bound", BOUND, 415),
        ("bound", None, 401),
        ("nobody", None, 401),
        (None, FREE, 415),
        (None, BOUND, 401),
        (None, None, 401),
    ],
)
def test_which_certificates_are_accepted(
    service: Service, world: World, shown: str | None, key: str | None, status: int, *, http2: bool
) -> None:
    """By a certificate, a key, or both, as the entry says; an unknown certificate is a 401."""
    files = world.files(shown) if shown else None
    assert ask(service, files, key, http2=http2) == status


def test_a_reading_by_certificate(service: Service, world: World, draw: Draw) -> None:
    """The whole way, with limits and log in the caller's name."""
    with service.client(key=None, certificate=world.files("ledger")) as client:
        answer = client.post("/ocr", files={"image": draw("MUTUAL 42")})
    assert "MUTUAL" in answer.json()["text"]
    assert '"key"' in answer.headers["ratelimit-policy"]
    assert '"key": "ledger"' in service.logged(answer.headers["x-request-id"])


def alert_of(service: Service, files: tuple[Path, Path] | None, *options: str) -> str:
    """Return what openssl's client says of a handshake with that certificate."""
    shown = ["-cert", str(files[0]), "-key", str(files[1])] if files else []
    address = f"localhost:{service.ports['https']}"
    command = ["openssl", "s_client", "-connect", address, *shown, *options, "-ign_eof"]
    done = subprocess.run(
        command, input=b"GET / HTTP/1.1\r\n\r\n", capture_output=True, timeout=20, check=False
    )
    return done.stderr.decode()


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_an_unknown_authority_is_an_alert(service: Service, world: World, version: str) -> None:
    """The handshake ends with the reason in it; nothing of ours is reached."""
    assert "unknown ca" in alert_of(service, world.files("stranger"), version)
    assert "alert" not in alert_of(service, world.files("nobody"), version)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_required_certificate_is_an_alert(start: Start, world: World, version: str) -> None:
    """Without one there is no connection, not even to /healthz."""
    with start(local=world.settings("required", FREE_STANZA)) as service:
        assert "alert" in alert_of(service, None, version)
        assert ask(service, world.files("ledger"), FREE) == 415
        with service.client(key=None) as client, pytest.raises(httpx2.TransportError):
            client.get("/healthz")


def test_revocation_reaches_open_connections(start: Start, world: World) -> None:
    """The next request of a connection that is open is a 401; a new one ends in an alert."""
    revoked = world.client("revoked")
    with start(local=world.settings("optional", alone(revoked, "revoked"))) as service:
        with service.client(key=None, certificate=world.files("revoked")) as client:
            assert client.post("/ocr").status_code == 415
            world.revoke(revoked)
            service.logged("client_certificates_loaded")
            assert client.post("/ocr").status_code == 401
        assert "revoked" in alert_of(service, world.files("revoked"))
        with service.client(key=None) as client:
            assert client.get("/readyz").status_code == 200
        world.revoke()


def test_a_broken_certificate_does_not_delay_a_revocation(start: Start, world: World) -> None:
    """What the service cannot serve is one thing, whom it lets in another."""
    revoked = world.client("late")
    with start(local=world.settings("optional", alone(revoked, "late"))) as service:
        with service.client(key=None, certificate=world.files("late")) as client:
            assert client.post("/ocr").status_code == 415
            (service.directory / "tls" / "certificate.key").write_text("broken")
            service.logged('"certificate_not_loaded')
            world.revoke(revoked)
            service.logged("client_certificates_loaded")
            assert client.post("/ocr").status_code == 401
        assert ask(service, world.files("late"), None) == 401
        world.revoke()


def test_expiry_reaches_open_and_resumed_connections(start: Start, world: World) -> None:
    """OpenSSL looks at a certificate in a whole handshake alone; here each request does."""
    with start(local=world.settings("optional", FREE_STANZA)) as service:
        ends = datetime.now(UTC) + timedelta(seconds=4)
        short = world.client("short", not_after=ends)
        rewrite(service, world.settings("optional", alone(short, "short")), "settings_loaded")
        context = ssl.create_default_context(cafile=service.authority)
        context.load_cert_chain(*world.files("short"))
        with (
            Resumable(service, context) as first,
            Resumable(service, context, first.once()) as second,
        ):
            assert second.resumed
            assert second.status() == 415
            time.sleep(max(0, (ends - datetime.now(UTC)).total_seconds()) + 0.1)
            assert first.status() == 401
            with Resumable(service, context, second.session) as third:
                assert third.resumed
                assert third.status() == 401
        assert "expired" in alert_of(service, world.files("short"))


class Resumable:
    """One HTTP/1.1 connection that may resume the session of another."""

    def __init__(
        self, service: Service, context: ssl.SSLContext, session: ssl.SSLSession | None = None
    ) -> None:
        bare = socket.create_connection(("localhost", service.ports["https"]), 20)
        self.socket = context.wrap_socket(bare, server_hostname="localhost", session=session)
        self.resumed = self.socket.session_reused

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def once(self) -> ssl.SSLSession | None:
        """Send one accepted request and return the TLS session."""
        assert self.status() == 415
        return self.session

    @property
    def session(self) -> ssl.SSLSession | None:
        """The session to resume; TLS 1.3 sends it with the first answer."""
        return self.socket.session

    def status(self) -> int:
        """Request a reading without a body."""
        self.socket.sendall(b"POST /ocr HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n")
        answer = http.client.HTTPResponse(self.socket)
        answer.begin()
        answer.read()
        return answer.status


def test_removing_a_ca_ends_its_connections(start: Start, world: World) -> None:
    """Open connections get no further response, and new ones an alert."""
    other = Authority("Other")
    world.client("other", other)
    (world.directory / "two.pem").write_bytes(world.root.pem + world.issuing.pem + other.pem)
    local = world.settings("optional", FREE_STANZA).replace("/ca.pem", "/two.pem")
    local = "\n".join(line for line in local.splitlines() if "client_crl" not in line)
    with start(local=local) as service:
        with (
            service.client(key=FREE, certificate=world.files("other")) as newer,
            service.client(key=FREE, certificate=world.files("other"), http2=False) as older,
            service.client(key=FREE) as without,
        ):
            for client in (newer, older, without):
                assert client.post("/ocr").status_code == 415
            (world.directory / "two.pem").write_bytes(world.root.pem + world.issuing.pem)
            service.logged("client_certificates_loaded")
            for client in (newer, older):
                with pytest.raises(httpx2.TransportError):
                    client.post("/ocr")
            assert without.post("/ocr").status_code == 415
        assert "unknown ca" in alert_of(service, world.files("other"))


def test_broken_revocation_lists_leave_the_old_ones_in_force(start: Start, world: World) -> None:
    """It changes nothing for any client; it is logged, and /readyz fails."""
    lists = world.directory / "own.pem"
    lists.write_bytes(world.root.revocation_list() + world.issuing.revocation_list())
    local = world.settings("optional", FREE_STANZA).replace("lists.pem", "own.pem")
    with start(local=local) as service:
        lists.write_bytes(world.root.revocation_list())
        assert "own.pem" in service.logged("client_certificates_not_loaded")
        assert ask(service, world.files("ledger"), FREE) == 415
        with service.client(key=None) as client:
            assert client.get("/readyz").json()["detail"] == "Failed checks: client_certificates."


def test_an_expired_revocation_list_fails_readiness(start: Start, world: World) -> None:
    """Until it is renewed none of its CA's certificates is accepted."""
    lists = world.directory / "late.pem"
    lists.write_bytes(world.root.revocation_list() + world.issuing.revocation_list())
    local = world.settings("optional", FREE_STANZA).replace("lists.pem", "late.pem")
    with start(local=local) as service, service.client(key=None) as client:
        due = datetime.now(UTC) + timedelta(seconds=4)
        lists.write_bytes(world.root.revocation_list() + world.issuing.revocation_list(due=due))
        service.logged("client_certificates_loaded")
        ready = client.get("/readyz").json()
        assert ready["checks"]["client_certificates"] == "ok"
        assert "must be renewed by" in ready["warnings"]["client_crl"]
        time.sleep(max(0, (due - datetime.now(UTC)).total_seconds()) + 0.1)
        assert client.get("/readyz").json()["detail"] == "Failed checks: client_certificates."
        assert "expired on" in service.logged('"client_certificates", "problem"')
        assert "CRL has expired" in alert_of(service, None) or "alert" in alert_of(
            service, world.files("ledger")
        )


def test_without_client_certificates_none_is_requested(start: Start, world: World) -> None:
    """The negative control: by default a certificate that is shown means nothing."""
    world.client("stranger", world.stranger)
    with start(local=FREE_STANZA) as service:
        assert ask(service, world.files("stranger"), FREE) == 415
        assert ask(service, world.files("stranger"), None) == 401


def test_an_expired_revocation_list_does_not_delay_the_server_certificate(
    start: Start, world: World
) -> None:
    """A forgotten list shuts its clients out, and is no reason to serve an old certificate."""
    lists = world.directory / "forgotten.pem"
    past = datetime.now(UTC) - timedelta(days=1)
    late = world.issuing.revocation_list(made=past - timedelta(days=7), due=past)
    lists.write_bytes(world.root.revocation_list() + late)
    local = world.settings("optional", FREE_STANZA).replace("lists.pem", "forgotten.pem")
    with start(local=local) as service:
        ensure_development_certificate(service.directory / "tls", ["ocr.lan"])
        assert "ocr.lan" in service.logged('"certificate_loaded"')
        with service.client(key=FREE) as client:
            assert client.post("/ocr").status_code == 415
            assert client.get("/readyz").json()["detail"] == "Failed checks: client_certificates."
        assert "expired" in alert_of(service, world.files("ledger"))


def test_removing_a_ca_during_a_handshake(start: Start, world: World) -> None:
    """A handshake that began before is finished by the old rules, and counts for nothing."""
    other = Authority("Meanwhile")
    files = other.issue("meanwhile", usage=CLIENT).write(world.directory, "meanwhile")
    (world.directory / "three.pem").write_bytes(world.root.pem + other.pem)
    local = world.settings("optional", FREE_STANZA)
    local = local.replace("/ca.pem", "/three.pem")
    local = "\n".join(line for line in local.splitlines() if "client_crl" not in line)
    caller = '[[keys]]\nid = "mean0000"\nname = "mean"\ncertificate_subject = "CN=meanwhile"\n'
    with start(local=f'{local}\n{caller}scopes = ["ocr"]\n') as service:
        assert ask(service, files, None) == 415
        context = ssl.create_default_context(cafile=service.authority)
        context.load_cert_chain(*files)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        with suppress(ssl.SSLWantReadError):
            client.do_handshake()
        with socket.create_connection(("localhost", service.ports["https"]), 20) as bare:
            bare.sendall(outgoing.read())
            incoming.write(bare.recv(65536))
            (world.directory / "three.pem").write_bytes(world.root.pem)
            service.logged("client_certificates_loaded")
            client.do_handshake()
            client.write(b"POST /ocr HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n")
            bare.sendall(outgoing.read())
            answer = b""
            while b"\r\n\r\n" not in answer:
                incoming.write(bare.recv(65536))
                with suppress(ssl.SSLWantReadError):
                    answer += client.read()
        assert answer.startswith(b"HTTP/1.1 401")


def test_behind_a_proxy_revocation_lists_are_reloaded(start: Start, world: World) -> None:
    """There is no TLS context then; what the proxy passes on is judged by the newest list."""
    revoked = world.client("proxied")
    place = Path(tempfile.mkdtemp()) / "ocr.sock"
    server = {"bind": f'["unix:{place}"]', "insecure_bind": "[]", "certfile": None, "keyfile": None}
    proxy = '[proxy]\ntrusted = ["unix"]\nclient_certificate_header = "client-cert"\n'
    local = world.settings("optional", proxy, alone(revoked, "proxied"))
    headers = {
        "forwarded": "for=192.0.2.1;proto=https",
        "client-cert": f":{base64.b64encode(revoked.der).decode()}:",
    }
    transport = httpx2.HTTPTransport(uds=str(place))
    with (
        start(server=server, local=local) as service,
        httpx2.Client(transport=transport, base_url="http://x", headers=headers) as client,
    ):
        assert client.post("/ocr").status_code == 415
        world.revoke(revoked)
        service.logged("client_certificates_loaded")
        assert client.post("/ocr").status_code == 401
        world.revoke()
