"""An operator's own certificate: what is refused at start, and what is served."""

import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.authorities import Authority, Issued
from tests.system.service import Service

Start = Callable[..., Service]
ROOT = Authority("Root")
ISSUING = Authority("Issuing", ROOT)
LOCAL = '[plain_port]\npublic_origin = "https://ocr.test"\n'


def starting(
    start: Start, directory: Path, issued: Issued, local: str = LOCAL, **options: object
) -> Service:
    """Start a service with that certificate."""
    certfile, keyfile = issued.write(directory / "pair", "own")
    server = {"certfile": f'"{certfile}"', "keyfile": f'"{keyfile}"'}
    return start(server=server, local=local, **options)


def seen(service: Service) -> ssl.SSLSocket:
    """Make a TLS handshake as a client that trusts only the root and expects the public name."""
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust.load_verify_locations(cadata=ROOT.pem.decode())
    bare = socket.create_connection(("127.0.0.1", service.ports["https"]), 20)
    return trust.wrap_socket(bare, server_hostname="ocr.test")


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_its_chain_is_served(start: Start, tmp_path: Path, kind: str) -> None:
    """Whether its key is ECDSA's or RSA's: a client that knows the root alone accepts it."""
    key = rsa.generate_private_key(65537, 2048) if kind == "rsa" else None
    issued = ISSUING.issue("x", names=["ocr.test"], key=key)
    with starting(start, tmp_path, issued) as service, seen(service) as secured:
        assert secured.getpeercert(binary_form=True) == issued.der


def test_a_certificate_for_another_name_stops_the_start(start: Start, tmp_path: Path) -> None:
    """With both names, the key, and where it stands."""
    issued = ISSUING.issue("x", names=["other.test"])
    status, said = starting(start, tmp_path, issued).refusal()
    assert status == 1
    for part in ("certfile", "other.test", "ocr.test", "public_origin"):
        assert part in said


def test_a_chain_out_of_order_stops_the_start(start: Start, tmp_path: Path) -> None:
    """As each of the things that tests/tls/test_chain.py goes through."""
    issued = ISSUING.issue("x", names=["ocr.test"])
    issued.chain = [ROOT.certificate, ISSUING.certificate]
    status, said = starting(start, tmp_path, issued).refusal()
    assert status == 1
    assert "is not the issuer of certificate 1" in said


def test_an_encrypted_key_is_opened_from_the_secrets(start: Start, tmp_path: Path) -> None:
    """Its passphrase is in a file of the secrets directory; nothing prompts on the terminal."""
    issued = ISSUING.issue("x", names=["ocr.test"])
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    server = {
        key: f'"{tmp_path}/own.{end}"' for key, end in (("certfile", "pem"), ("keyfile", "key"))
    }
    issued.write(tmp_path, "own")
    (tmp_path / "own.key").write_bytes(issued.key_pem("open sesame"))
    status, said = start(server=server, local=LOCAL).refusal()
    assert status == 1
    assert "tls__key_passphrase" in said
    (secrets / "tls__key_passphrase").write_text("open sesame\n", encoding="utf-8")
    environment = {"OCR_SECRETS_DIR": str(secrets)}
    with start(server=server, local=LOCAL, environment=environment) as service:
        with seen(service) as secured:
            assert secured.getpeercert(binary_form=True) == issued.der
        assert "sesame" not in "\n".join(service.log)


@pytest.mark.parametrize(("days", "warned"), [(13, True), (15, False)])
def test_an_expiring_certificate_is_warned_of(
    start: Start, tmp_path: Path, days: int, *, warned: bool
) -> None:
    """In /readyz, in its last fourteen days; the log has the days at each start."""
    issued = ISSUING.issue(
        "x",
        names=["ocr.test", "localhost"],
        not_before=datetime.now(UTC) - timedelta(days=80),
        not_after=datetime.now(UTC) + timedelta(days=days),
    )
    with starting(start, tmp_path, issued) as service:
        (service.directory / "tls").mkdir()
        service.authority.write_bytes(ROOT.pem)
        with service.client(key=None) as client:
            ready = client.get("/readyz")
        assert ready.status_code == 200
        assert ("expires in" in str(ready.json().get("warnings"))) is warned
        assert f'"days_left": {days}.0' in service.logged('"tls"')
