"""Development certificates: what is created, accepted, renewed and kept."""

import _ssl
import socket
import ssl
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.server.servers import ROOT
from tls import signing
from tls.certificates import CertificateError, inspect
from tls.development import Paths, ensure_development_certificate
from tls.pair import check_pair

MAKER = ROOT / "scripts" / "new_certificate.py"
NAMES = ("ocr.test", "192.0.2.7")


@pytest.fixture
def made(tmp_path: Path) -> Paths:
    """Create a certificate with two more names."""
    return ensure_development_certificate(tmp_path, NAMES)


def replace_leaf(paths: Paths, names: tuple[str, ...], born: datetime, days: int) -> None:
    """Replace the leaf by another one of the same CA."""
    leaf, key = signing.make_leaf(
        paths.ca.read_bytes(), paths.ca_key.read_bytes(), names, born, timedelta(days=days)
    )
    paths.certificate.write_bytes(leaf)
    paths.key.write_bytes(key)


def openssl_accepts(paths: Paths, *options: str, ca: Path | None = None) -> bool:
    """Return whether openssl accepts the leaf for a TLS server."""
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-no-CApath"]
    command += ["-no-CAstore", "-CAfile", str(ca or paths.ca), *options, str(paths.certificate)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    "name", ["-verify_hostname localhost", "-verify_ip ::1", "-verify_hostname ocr.test"]
)
def test_openssl_accepts_the_leaf(made: Paths, name: str) -> None:
    """A strict verifier, for each kind of name."""
    assert openssl_accepts(made, *name.split())


def test_openssl_refuses_the_wrong_name_and_ca(made: Paths, tmp_path: Path) -> None:
    """The same verifier rejects another name, and another development CA."""
    other = ensure_development_certificate(tmp_path / "other", NAMES)
    assert not openssl_accepts(made, "-verify_hostname", "other.test")
    assert not openssl_accepts(made, "-verify_ip", "192.0.2.8")
    assert not openssl_accepts(made, ca=other.ca)


def test_ca_can_sign_for_its_names_only(made: Paths) -> None:
    """A stolen CA key cannot be used for another name or address."""
    now = datetime.now(UTC)
    replace_leaf(made, ("localhost",), now, 1)
    assert openssl_accepts(made)
    for foreign in ("bank.example", "203.0.113.9"):
        replace_leaf(made, ("localhost", foreign), now, 1)
        assert not openssl_accepts(made)


def handshake(paths: Paths, host: str, ca: Path) -> bool:
    """Return whether a client accepts the pair, served once over real sockets."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(paths.certificate, paths.key)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        try:
            serving.wrap_socket(connection, server_side=True).close()
        except OSError:
            connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    trusting = ssl.create_default_context(cafile=str(ca))
    try:
        with socket.create_connection(listener.getsockname(), 5) as bare:
            trusting.wrap_socket(bare, server_hostname=host).close()
    except ssl.SSLCertVerificationError:
        return False
    finally:
        thread.join()
        listener.close()
    return True


def test_handshake_accepts_name_and_ca_only(made: Paths, tmp_path: Path) -> None:
    """A real client accepts each name, and rejects a wrong host and a wrong CA."""
    other = ensure_development_certificate(tmp_path / "other")
    for host in ("localhost", "127.0.0.1", "ocr.test", "192.0.2.7"):
        assert handshake(made, host, made.ca)
    assert not handshake(made, "other.test", made.ca)
    assert not handshake(made, "localhost", other.ca)


def test_leaf_and_ca_are_restricted(made: Paths) -> None:
    """P-256, serverAuth only, no CA, at most 90 days; the CA can only sign certificates."""
    text = printed(made.certificate)
    assert "prime256v1" in text
    assert "CA:FALSE" in text
    assert "X509v3 Extended Key Usage: \n                TLS Web Server Authentication\n" in text
    ca = printed(made.ca)
    assert "CA:TRUE, pathlen:0" in ca
    assert "X509v3 Key Usage: critical\n                Certificate Sign\n" in ca
    facts = inspect(made.certificate)
    assert facts.not_after - facts.not_before <= timedelta(days=90)
    assert set(facts.names) == {"localhost", "127.0.0.1", "::1", *NAMES}


def printed(certificate: Path) -> str:
    """Print a certificate with openssl."""
    command = ["openssl", "x509", "-in", str(certificate), "-noout", "-text"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_keys_are_private(made: Paths) -> None:
    """Only the owner can read the keys; the directory has no other files."""
    for key in (made.key, made.ca_key):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(list(made.key.parent.iterdir())) == 4


def test_a_valid_certificate_is_kept(made: Paths) -> None:
    """A second call changes nothing, nor does one with fewer names."""
    before = made.certificate.read_bytes()
    ensure_development_certificate(made.key.parent, NAMES[:1])
    assert made.certificate.read_bytes() == before


@pytest.mark.parametrize("age_days", [80, 200])
def test_old_leaf_is_renewed_by_the_same_ca(made: Paths, age_days: int) -> None:
    """An expired leaf, or one about to expire; the CA stays the same."""
    replace_leaf(made, ("localhost",), datetime.now(UTC) - timedelta(days=age_days), 90)
    ca = made.ca.read_bytes()
    ensure_development_certificate(made.key.parent)
    assert inspect(made.certificate).days_left() > 80
    assert made.ca.read_bytes() == ca


def test_a_short_lived_leaf_is_kept(tmp_path: Path) -> None:
    """A leaf that is valid for a day is not renewed at once."""
    paths = ensure_development_certificate(tmp_path, days=1)
    before = paths.certificate.read_bytes()
    ensure_development_certificate(tmp_path, days=1)
    assert paths.certificate.read_bytes() == before
    assert inspect(paths.certificate).days_left() < 1


def test_new_name_makes_a_new_ca(made: Paths) -> None:
    """The CA cannot sign for the name; the new leaf is the new CA's."""
    before = made.ca.read_bytes()
    ensure_development_certificate(made.key.parent, ["new.test"])
    assert made.ca.read_bytes() != before
    assert openssl_accepts(made, "-verify_hostname", "new.test")


def test_an_expired_ca_is_replaced(made: Paths) -> None:
    """With its leaf."""
    names = ("localhost", "127.0.0.1", "::1")
    born = datetime.now(UTC) - timedelta(days=400)
    ca, key = signing.make_ca("Sealed OCR development CA", names, born, timedelta(days=365))
    made.ca.write_bytes(ca)
    made.ca_key.write_bytes(key)
    ensure_development_certificate(made.key.parent)
    assert inspect(made.ca).days_left() > 300
    assert openssl_accepts(made)


def test_a_leaf_expires_no_later_than_its_ca(tmp_path: Path) -> None:
    """Also a leaf signed shortly before the CA expires."""
    ca, key = signing.make_ca("x", ("localhost",), datetime.now(UTC), timedelta(days=3))
    leaf, _ = signing.make_leaf(ca, key, ("localhost",), datetime.now(UTC), timedelta(days=90))
    (tmp_path / "ca").write_bytes(ca)
    (tmp_path / "leaf").write_bytes(leaf)
    assert inspect(tmp_path / "leaf").not_after <= inspect(tmp_path / "ca").not_after


def test_a_certificate_of_another_ca_is_never_replaced(made: Paths) -> None:
    """Not even an expired one; the message says what to do."""
    ca, key = signing.make_ca("Real CA", ("localhost",), datetime.now(UTC), timedelta(days=9))
    leaf, leaf_key = signing.make_leaf(
        ca, key, ("localhost",), datetime.now(UTC) - timedelta(days=5), timedelta(days=1)
    )
    made.certificate.write_bytes(leaf)
    made.key.write_bytes(leaf_key)
    with pytest.raises(CertificateError, match="not a development certificate and will not"):
        ensure_development_certificate(made.key.parent)
    assert made.certificate.read_bytes() == leaf
    assert not inspect(made.certificate).development


def test_incomplete_files_are_replaced(made: Paths) -> None:
    """As after a crash."""
    made.certificate.write_bytes(b"-----BEGIN CERT")
    made.ca_key.write_bytes(b"")
    ensure_development_certificate(made.key.parent)
    assert openssl_accepts(made)
    check_pair(made.certificate, made.key)


def test_concurrent_processes_agree(tmp_path: Path) -> None:
    """Four processes at once create one CA and one leaf of it."""
    command = [sys.executable, str(MAKER), "--directory", str(tmp_path)]
    makers = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [maker.wait(30) for maker in makers] == [0] * 4
    paths = Paths.inside(tmp_path)
    assert openssl_accepts(paths)
    check_pair(paths.ca, paths.ca_key)


@pytest.mark.parametrize("name", ["bad name", "", "a..b", "x" * 70, "-*?", "http://x"])
def test_invalid_names_are_rejected(tmp_path: Path, name: str) -> None:
    """The message has the name; no file is created."""
    with pytest.raises(CertificateError, match="neither a host name nor an address"):
        ensure_development_certificate(tmp_path, [name])
    assert not list(tmp_path.iterdir())


def test_the_script_reports_an_error(tmp_path: Path) -> None:
    """In one line, with a status that is not 0."""
    command = [sys.executable, str(MAKER), "--directory", str(tmp_path)]
    done = subprocess.run([*command, "--days", "91"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "new-certificate: a certificate can be valid for 1 to 90 days, not 91\n"


def test_a_key_of_another_type_is_named_as_such(made: Paths, tmp_path: Path) -> None:
    """Not by OpenSSL's NO_CERTIFICATE_ASSIGNED."""
    key = tmp_path / "rsa.key"
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key.write_bytes(rsa_key.private_bytes(encoding, form, serialization.NoEncryption()))
    with pytest.raises(CertificateError) as caught:
        check_pair(made.certificate, key)
    assert str(caught.value) == (
        f"{key} is not the key of the first certificate of {made.certificate}: it is of another "
        "type, such as RSA in place of EC"
    )


def test_pair_is_checked(made: Paths, tmp_path: Path) -> None:
    """Each error has its own message."""
    assert check_pair(made.certificate, made.key).development
    with pytest.raises(CertificateError, match=r"certificate .* is missing"):
        check_pair(tmp_path / "none", made.key)
    with pytest.raises(CertificateError, match=r"key .* is missing"):
        check_pair(made.certificate, tmp_path / "none")
    with pytest.raises(CertificateError, match="is not the key of"):
        check_pair(made.certificate, made.ca_key)
    with pytest.raises(
        CertificateError, match=r"has no certificate in PEM form, .* CERTIFICATE-+$"
    ):
        check_pair(made.key, made.key)
    with pytest.raises(CertificateError, match="cannot be read: Is a directory"):
        check_pair(tmp_path, made.key)
    with pytest.raises(CertificateError, match="cannot be loaded as the key"):
        check_pair(made.certificate, made.certificate)
    replace_leaf(made, ("localhost",), datetime.now(UTC) - timedelta(days=9), 2)
    with pytest.raises(CertificateError, match="expired on"):
        check_pair(made.certificate, made.key)
    replace_leaf(made, ("localhost",), datetime.now(UTC) + timedelta(days=2), 9)
    with pytest.raises(CertificateError, match="not valid before"):
        check_pair(made.certificate, made.key)


def test_encrypted_key_needs_its_password(made: Paths) -> None:
    """Without one it is an error, and no prompt on the terminal."""
    command = ["openssl", "ec", "-in", str(made.key), "-aes256", "-passout", "pass:open", "-out"]
    subprocess.run([*command, str(made.key)], check=True, capture_output=True)
    check_pair(made.certificate, made.key, "open")
    for wrong in (None, "shut"):
        with pytest.raises(CertificateError, match="is encrypted"):
            check_pair(made.certificate, made.key, wrong)


def test_reading_a_certificate_imports_no_cryptography() -> None:
    """The web process does not load the library that creates certificates."""
    script = "import sys, tls.certificates, tls.development; print('cryptography' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, cwd=ROOT)
    assert done.stdout == b"False\n"


def established(paths: Paths) -> ssl.SSLObject:
    """Return the server's side of a handshake in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(paths.certificate, paths.key)
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    trusting = ssl.create_default_context(cafile=str(paths.ca))
    client = trusting.wrap_bio(to_client, to_server, server_hostname="localhost")
    for side in (client, server, client, server):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    return server


def test_an_invalid_certificate_affects_no_connection(made: Paths, tmp_path: Path) -> None:
    """OpenSSL's error about a file is not reported by the next read of a connection."""
    connection = established(made)
    torn = tmp_path / "torn.pem"
    torn.write_bytes(made.certificate.read_bytes()[:200])
    with pytest.raises(CertificateError):
        inspect(torn)
    with pytest.raises(ssl.SSLWantReadError):
        connection.read()
    with pytest.raises(ssl.SSLError):
        _ssl._test_decode_cert(str(torn))  # type: ignore[attr-defined]
    with pytest.raises(ssl.SSLError, match=r"no start line|bad end line|PEM|ASN1|asn1"):
        connection.read()
