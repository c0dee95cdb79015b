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
    """Load two authorities with a list each, on which nobody stands."""
    lists = ROOT.revocation_list() + ISSUING.revocation_list()
    return trust(tmp_path, ROOT.pem + ISSUING.pem, lists)


def test_a_certificate_says_who_it_is(both: ClientTrustStore) -> None:
    """Its subject as RFC 4514 writes it, and its SHA-256."""
    found = both.identify(LEDGER.der)
    assert found is not None
    assert found.subject == LEDGER.certificate.subject.rfc4514_string()
    assert found.sha256.hex() == LEDGER.sha256


@pytest.mark.parametrize(("begins", "ends"), [(-2 * DAY, -DAY), (DAY, 2 * DAY)])
def test_one_out_of_its_time_does_not_hold(
    both: ClientTrustStore, begins: timedelta, ends: timedelta
) -> None:
    """Expired, or not valid yet."""
    late = ISSUING.issue("x", usage=CLIENT, not_before=NOW + begins, not_after=NOW + ends)
    assert both.identify(late.der) is None


def test_one_that_expires_meanwhile_holds_no_longer(both: ClientTrustStore) -> None:
    """It is asked for each request: what was remembered is compared with the clock."""
    soon = ISSUING.issue("x", usage=CLIENT, not_after=NOW + DAY)
    assert both.identify(soon.der) is not None
    late = ISSUING.issue("x", usage=CLIENT, not_after=datetime.now(UTC) + timedelta(seconds=1))
    held = both.identify(late.der)
    while both.identify(late.der) is not None:
        pass
    assert held is None or held.not_after <= datetime.now(UTC)


def test_a_revoked_one_does_not_hold(both: ClientTrustStore, tmp_path: Path) -> None:
    """From the moment the new list is loaded, though it was remembered as good."""
    assert both.identify(LEDGER.der) is not None
    lists = ROOT.revocation_list() + ISSUING.revocation_list(LEDGER)
    (tmp_path / "crl.pem").write_bytes(lists)
    both.load()
    assert both.identify(LEDGER.der) is None


def test_a_list_out_of_date_vouches_for_nobody(tmp_path: Path) -> None:
    """It is named for /readyz; where no lists are in use there is nothing to be late."""
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


def test_what_a_proxy_verified_is_verified_again(both: ClientTrustStore) -> None:
    """One of our authorities has signed it, or it is nobody's."""
    assert both.trusts(LEDGER.der)
    assert not both.trusts(STRANGER.issue("CN=ledger,O=Bank", usage=CLIENT).der)
    assert not both.trusts(Authority("Issuing").issue("CN=ledger,O=Bank", usage=CLIENT).der)
    assert not both.trusts(b"\x30\x03\x02\x01\x00")


def test_not_every_certificate_is_remembered(both: ClientTrustStore) -> None:
    """Clients come and go; their number is not bounded, our memory is."""
    der = LEDGER.der
    for number in range(CACHE_SIZE + 5):
        both._decoded[number.to_bytes(4)] = both.identify(der)  # type: ignore[assignment]
    assert both.identify(ROOT.issue("x", usage=CLIENT).der) is not None
    assert len(both._decoded) <= CACHE_SIZE + 6


@pytest.mark.parametrize(
    ("authorities", "lists", "said"),
    [
        (b"nothing", None, "client_ca: .*ca.pem"),
        (ROOT.pem + LEDGER.pem, None, "O=Bank.* is not a CA certificate"),
        (ISSUING.pem, None, "has no root"),
        (ROOT.pem, b"nothing", "client_crl: .*crl.pem"),
        (ROOT.pem + ISSUING.pem, ROOT.revocation_list(), "no list signed by CN=Issuing"),
        (ROOT.pem, STRANGER.revocation_list(), "no list signed by .*CN=Root"),
    ],
    ids=["no ca", "leaf", "no root", "no crl", "one crl", "other crl"],
)
def test_files_that_cannot_be_used_are_named(
    tmp_path: Path, authorities: bytes, lists: bytes | None, said: str
) -> None:
    """The key of the settings, the file, and whose certificate or list it is about."""
    with pytest.raises(CertificateError, match=said):
        trust(tmp_path, authorities, lists)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """As is the key that names it."""
    with pytest.raises(CertificateError, match=r"client_ca, client_crl: .*none.pem"):
        ClientTrustStore(tmp_path / "none.pem", None, required=True)


def test_files_that_break_change_nothing(both: ClientTrustStore, tmp_path: Path) -> None:
    """What was loaded stays loaded."""
    (tmp_path / "ca.pem").write_bytes(b"torn")
    with pytest.raises(CertificateError):
        both.load()
    assert both.trusts(LEDGER.der)


def test_what_is_late_is_a_problem_and_no_obstacle(tmp_path: Path) -> None:
    """An authority that has expired, a list that is out of date: told, and vouching for nobody."""
    old = Authority("Old", began=NOW - 500 * DAY)
    found = trust(tmp_path, ROOT.pem + old.pem)
    assert found.problem == "[tls] client_ca: CN=Old has expired"
    assert not found.trusts(old.issue("x", usage=CLIENT).der)
    late = trust(tmp_path, ROOT.pem, ROOT.revocation_list(made=NOW - 9 * DAY, due=NOW - DAY))
    assert "expired on" in (late.problem or "")
    assert late.identify(ROOT.issue("x", usage=CLIENT).der) is None


def test_a_revoked_authority_vouches_for_nobody(both: ClientTrustStore, tmp_path: Path) -> None:
    """Whatever its own list says; and it is another generation of authorities."""
    generation = both.generation
    assert both.trusts(LEDGER.der)
    lists = ROOT.revocation_list(ISSUING) + ISSUING.revocation_list()
    (tmp_path / "crl.pem").write_bytes(lists)
    both.load()
    assert both.generation == generation + 1
    assert not both.trusts(LEDGER.der)
    assert both.identify(LEDGER.der) is None


def test_a_server_s_certificate_is_no_client_s(both: ClientTrustStore) -> None:
    """OpenSSL looks at what a certificate is for, and so do we at what a proxy passes on."""
    assert not both.trusts(ISSUING.issue("x", names=["x.test"]).der)
    assert not both.trusts(ISSUING.issue("x", names=["x.test"]).der)


def test_the_same_files_are_the_same_generation(both: ClientTrustStore) -> None:
    """Nobody's connection has to end because a list was renewed."""
    generation = both.generation
    both.load()
    assert both.generation == generation
