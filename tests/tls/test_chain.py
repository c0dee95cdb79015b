"""Whether what is going to be served would be accepted: the whole chain, by a client's rules."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.authorities import CLIENT, Authority, Issued
from tls.certificates import CertificateError
from tls.chain import check_chain

HOST = "ocr.example.org"
NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=500)
ROOT = Authority("Root")
MIDDLE = Authority("Middle", ROOT)
ISSUING = Authority("Issuing", MIDDLE)
OTHER = Authority("Other", Authority("Other root"))
LEAF = ISSUING.issue("service", names=[HOST, "*.lan.example.org", "192.0.2.7"])

Check = Callable[..., None]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Check a file of these certificates with the key of the first."""

    def check_file(first: Issued, *rest: Issued, host: str = HOST) -> None:
        certfile, keyfile = first.write(tmp_path, "served")
        certfile.write_bytes(first.pem + b"".join(each.pem for each in rest))
        check_chain(certfile, keyfile, None, host)

    return check_file


@pytest.mark.parametrize("rest", [[ISSUING, MIDDLE], [ISSUING, MIDDLE, ROOT], [ISSUING], []])
def test_a_chain_in_order_is_accepted(check: Check, rest: list[Issued]) -> None:
    """With and without the root, which clients have."""
    check(LEAF, *rest)


@pytest.mark.parametrize("host", [HOST, "a.lan.example.org", "192.0.2.7", HOST.upper()])
def test_it_is_valid_for_each_of_its_names(check: Check, host: str) -> None:
    """Names, wildcards and addresses, compared as by clients."""
    check(LEAF, ISSUING, MIDDLE, host=host)


@pytest.mark.parametrize("host", ["example.org", "a.b.lan.example.org", "192.0.2.8", "service"])
def test_it_is_not_valid_for_other_names(check: Check, host: str) -> None:
    """The message has both, and the key of the settings; a common name does not count."""
    with pytest.raises(CertificateError) as caught:
        check(LEAF, ISSUING, MIDDLE, host=host)
    message = str(caught.value)
    assert f"is valid for {HOST}, *.lan.example.org, 192.0.2.7, not for {host}, " in message
    assert "[plain_port] public_origin" in message


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ([MIDDLE, ISSUING], "certificate 2 of .* (Middle) is not the issuer of certificate 1"),
        ([ISSUING, ROOT], "certificate 3 of .* (Root) is not the issuer of certificate 2"),
        ([OTHER], "certificate 2 of .* (Other) is not the issuer of certificate 1, which is Iss"),
        ([LEAF, ISSUING], "certificate 2 of .* is not a CA certificate"),
        ([Authority("Issuing", MIDDLE)], "clients would reject"),
        ([Authority("Issuing", MIDDLE, began=LONG_AGO)], "(Issuing) expired on"),
    ],
    ids=["swapped", "gap", "another", "twice", "namesake", "expired"],
)
def test_a_chain_out_of_order_is_rejected(check: Check, rest: list[Issued], said: str) -> None:
    """The message has the number of the certificate and the expected issuer."""
    pattern = said.replace("(", r"\(").replace(")", r"\)")
    with pytest.raises(CertificateError, match=pattern):
        check(LEAF, *rest)


def test_a_client_certificate_is_rejected(check: Check) -> None:
    """Its purpose is verified as by clients."""
    with pytest.raises(CertificateError, match=r"clients would reject .*purpose"):
        check(ROOT.issue("x", names=[HOST], usage=CLIENT))


def test_a_certificate_without_names_is_rejected(check: Check) -> None:
    """Clients ignore the common name."""
    with pytest.raises(CertificateError, match="is valid for no host"):
        check(ROOT.issue(HOST))


def test_an_invalid_certificate_is_reported_by_number(tmp_path: Path) -> None:
    """A truncated certificate in the file."""
    certfile, keyfile = LEAF.write(tmp_path, "served")
    torn = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    certfile.write_bytes(LEAF.pem + torn)
    with pytest.raises(CertificateError, match=r"certificate 2 of .* cannot be decoded"):
        check_chain(certfile, keyfile, None, HOST)


def test_without_a_host_only_the_pair_is_checked(tmp_path: Path) -> None:
    """Negative control: all errors above come from verifying the chain."""
    certfile, keyfile = LEAF.write(tmp_path, "served")
    certfile.write_bytes(LEAF.pem + OTHER.pem)
    assert check_chain(certfile, keyfile, None, None).names[0] == HOST


def test_an_encrypted_key_needs_its_passphrase(tmp_path: Path) -> None:
    """Without it, or with a wrong one, the message has the key of the settings."""
    certfile, keyfile = LEAF.write(tmp_path, "served")
    keyfile.write_bytes(LEAF.key_pem("open"))
    check_chain(certfile, keyfile, "open", HOST)
    with pytest.raises(CertificateError, match="tls__key_passphrase"):
        check_chain(certfile, keyfile, None, HOST)
    with pytest.raises(CertificateError, match="key_passphrase does not decrypt it"):
        check_chain(certfile, keyfile, "shut", HOST)


def test_a_certificate_needs_renewal_in_its_last_days() -> None:
    """The last 14 days of a year, or the last quarter of a short validity."""
    from tls.certificates import CertificateFacts  # noqa: PLC0415

    def facts(lived: float, left: float) -> CertificateFacts:
        now = datetime.now(UTC)
        began, ends = now - timedelta(days=lived), now + timedelta(days=left)
        return CertificateFacts("s", "i", (), (), began, ends)

    assert not facts(80, 15).needs_renewal(14)
    assert facts(80, 13).needs_renewal(14)
    assert not facts(3, 3).needs_renewal(14)
    assert facts(5, 1).needs_renewal(14)


def test_a_ca_certificate_before_the_service_s_own_is_rejected(tmp_path: Path) -> None:
    """The message is about the first, not the second."""
    certfile, keyfile = ISSUING.write(tmp_path, "served")
    certfile.write_bytes(ISSUING.pem + LEAF.pem)
    with pytest.raises(CertificateError, match=r"certificate 1 of .* is a CA certificate"):
        check_chain(certfile, keyfile, None, HOST)


def test_a_certificate_without_its_issuer(tmp_path: Path) -> None:
    """It is reported, since its issuer may not be a root."""
    certfile, keyfile = LEAF.write(tmp_path, "served")
    assert not check_chain(certfile, keyfile, None, HOST).without_issuer
    certfile.write_bytes(LEAF.pem)
    assert check_chain(certfile, keyfile, None, HOST).without_issuer


def test_openssl_s_old_label_is_accepted(tmp_path: Path) -> None:
    """OpenSSL accepts `X509 CERTIFICATE`, too."""
    certfile, keyfile = LEAF.write(tmp_path, "served")
    certfile.write_bytes(certfile.read_bytes().replace(b" CERTIFICATE", b" X509 CERTIFICATE"))
    assert check_chain(certfile, keyfile, None, HOST).names[0] == HOST
