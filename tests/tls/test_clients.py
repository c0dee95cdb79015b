"""Client certificates as files and as bytes: what is loaded, and what still holds."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.authorities import CLIENT, Authority
from tls.certificates import CertificateError
from tls.clients import CACHE_SIZE, ClientTrustStore

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
ROOT = Authority("CN=Root,O=Bank")
ISSUING = Authority("Issuing", ROOT)
STRANGER = Authority("Stranger")
LEDGER = ISSUING.issue("CN=ledger,O=Bank", usage=CLIENT)


def trust(directory: Path, authorities: bytes, lists: bytes | None = None) -> ClientTrustStore:
    """Write the files and load them."""
    ca, crl = directory / "ca.pem", directory / "crl.pem"
    ca.write_bytes(authorities)
    if lists is not None:
        crl.write_bytes(lists)
    return ClientTrustStore(ca, None if lists is None else crl, required=False)


@pytest.fixture
def both(tmp_path: Path) -> ClientTrustStore:
    """Load two CAs with an empty list each."""
    lists = ROOT.revocation_list() + ISSUING.revocation_list()
    return trust(tmp_path, ROOT.pem + ISSUING.pem, lists)


def test_a_certificate_is_identified(both: ClientTrustStore) -> None:
    """By its subject as an RFC 4514 string, and its SHA-256."""
    found = both.identify(LEDGER.der)
    assert found is not None
    assert found.subject == LEDGER.certificate.subject.rfc4514_string()
    assert found.sha256.hex() == LEDGER.sha256


@pytest.mark.parametrize(("begins", "ends"), [(-2 * DAY, -DAY), (DAY, 2 * DAY)])
def test_a_certificate_is_rejected_outside_its_validity(
    both: ClientTrustStore, begins: timedelta, ends: timedelta
) -> None:
    """Expired, or not yet valid."""
    late = ISSUING.issue("x", usage=CLIENT, not_before=NOW + begins, not_after=NOW + ends)
    assert both.identify(late.der) is None


def test_a_cached_certificate_expires(both: ClientTrustStore) -> None:
    """Its validity is compared with the clock on each request."""
    soon = ISSUING.issue("x", usage=CLIENT, not_after=NOW + DAY)
    assert both.identify(soon.der) is not None
    late = ISSUING.issue("x", usage=CLIENT, not_after=datetime.now(UTC) + timedelta(seconds=1))
    held = both.identify(late.der)
    while both.identify(late.der) is not None:
        pass
    assert held is None or held.not_after <= datetime.now(UTC)


def test_a_revoked_certificate_is_rejected(both: ClientTrustStore, tmp_path: Path) -> None:
    """As soon as the new list is loaded, even if it is cached."""
    assert both.identify(LEDGER.der) is not None
    lists = ROOT.revocation_list() + ISSUING.revocation_list(LEDGER)
    (tmp_path / "crl.pem").write_bytes(lists)
    both.load()
    assert both.identify(LEDGER.der) is None


def test_an_expired_list_rejects_all_certificates(tmp_path: Path) -> None:
    """/readyz reports it; without lists there is no problem."""
    soon = datetime.now(UTC) + timedelta(seconds=1)
    found = trust(tmp_path, ROOT.pem, ROOT.revocation_list(due=soon))
    mine = ROOT.issue("x", usage=CLIENT)
    while found.problem is None:
        pass
    assert "expired on" in found.problem
    assert found.identify(mine.der) is None
    unlisted = trust(tmp_path, ROOT.pem)
    assert unlisted.problem is None
    assert unlisted.identify(mine.der) is not None


def test_a_certificate_from_a_proxy_is_verified(both: ClientTrustStore) -> None:
    """It must be issued by one of the CAs."""
    assert both.trusts(LEDGER.der)
    assert not both.trusts(STRANGER.issue("CN=ledger,O=Bank", usage=CLIENT).der)
    assert not both.trusts(Authority("Issuing").issue("CN=ledger,O=Bank", usage=CLIENT).der)
    assert not both.trusts(b"\x30\x03\x02\x01\x00")


def test_the_cache_is_bounded(both: ClientTrustStore) -> None:
    """The number of clients is not."""
    der = LEDGER.der
    for number in range(CACHE_SIZE + 5):
        both._decoded[number.to_bytes(4)] = both.identify(der)  # type: ignore[assignment]
    assert both.identify(ROOT.issue("x", usage=CLIENT).der) is not None
    assert len(both._decoded) <= CACHE_SIZE + 6


@pytest.mark.parametrize(
    ("authorities", "lists", "said"),
    [
        (b"nothing", None, "client_ca: .*ca.pem has no certificate in PEM form"),
        (ROOT.pem + LEDGER.pem, None, "O=Bank.* is not a CA certificate"),
        (ISSUING.pem, None, "has no root"),
        (ROOT.pem, b"nothing", "client_crl: .*crl.pem has no list in PEM form"),
        (ROOT.pem + ISSUING.pem, ROOT.revocation_list(), "no list signed by CN=Issuing"),
        (ROOT.pem, STRANGER.revocation_list(), "no list signed by .*CN=Root"),
    ],
    ids=["no ca", "leaf", "no root", "no crl", "one crl", "other crl"],
)
def test_files_that_cannot_be_used_are_named(
    tmp_path: Path, authorities: bytes, lists: bytes | None, said: str
) -> None:
    """The message has the key of the settings, the file and the CA."""
    with pytest.raises(CertificateError, match=said):
        trust(tmp_path, authorities, lists)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """With the key of the settings."""
    with pytest.raises(
        CertificateError, match=r"client_ca, client_crl: .*none.pem cannot be read: No such"
    ):
        ClientTrustStore(tmp_path / "none.pem", None, required=True)


def test_invalid_new_files_change_nothing(both: ClientTrustStore, tmp_path: Path) -> None:
    """The loaded CAs stay in use."""
    (tmp_path / "ca.pem").write_bytes(b"torn")
    with pytest.raises(CertificateError):
        both.load()
    assert both.trusts(LEDGER.der)


def test_expired_files_are_a_problem_and_can_be_loaded(tmp_path: Path) -> None:
    """An expired CA or list is reported, and its certificates are rejected."""
    old = Authority("Old", began=NOW - 500 * DAY)
    found = trust(tmp_path, ROOT.pem + old.pem)
    assert found.problem == "[tls] client_ca: CN=Old has expired"
    assert not found.trusts(old.issue("x", usage=CLIENT).der)
    late = trust(tmp_path, ROOT.pem, ROOT.revocation_list(made=NOW - 9 * DAY, due=NOW - DAY))
    assert "expired on" in (late.problem or "")
    assert late.identify(ROOT.issue("x", usage=CLIENT).der) is None


def test_certificates_of_a_revoked_ca_are_rejected(both: ClientTrustStore, tmp_path: Path) -> None:
    """Whatever its own list has; the generation increases."""
    generation = both.generation
    assert both.trusts(LEDGER.der)
    lists = ROOT.revocation_list(ISSUING) + ISSUING.revocation_list()
    (tmp_path / "crl.pem").write_bytes(lists)
    both.load()
    assert both.generation == generation + 1
    assert not both.trusts(LEDGER.der)
    assert both.identify(LEDGER.der) is None


def test_a_server_certificate_is_rejected(both: ClientTrustStore) -> None:
    """Its purpose is verified, as by OpenSSL in a handshake."""
    assert not both.trusts(ISSUING.issue("x", names=["x.test"]).der)
    assert not both.trusts(ISSUING.issue("x", names=["x.test"]).der)


def test_a_renewed_list_is_the_same_generation(both: ClientTrustStore) -> None:
    """No connection is closed because a list was renewed."""
    generation = both.generation
    both.load()
    assert both.generation == generation
