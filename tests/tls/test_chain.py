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
    """Check a file of these certificates with the first one's key."""

    def check_file(first: Issued, *rest: Issued, host: str = HOST) -> None:
        certfile, keyfile = first.write(tmp_path, "served")
        certfile.write_bytes(first.pem + b"".join(each.pem for each in rest))
        check_chain(certfile, keyfile, None, host)

    return check_file


@pytest.mark.parametrize("rest", [[ISSUING, MIDDLE], [ISSUING, MIDDLE, ROOT], [ISSUING], []])
def test_a_chain_in_order_is_fine(check: Check, rest: list[Issued]) -> None:
    """With or without the root, which clients have; where it stops nobody can say here."""
    check(LEAF, *rest)


@pytest.mark.parametrize("host", [HOST, "a.lan.example.org", "192.0.2.7", HOST.upper()])
def test_it_is_for_each_of_its_names(check: Check, host: str) -> None:
    """Names, wildcards and addresses, as clients compare them."""
    check(LEAF, ISSUING, MIDDLE, host=host)


@pytest.mark.parametrize("host", ["example.org", "a.b.lan.example.org", "192.0.2.8", "service"])
def test_it_is_for_no_other_name(check: Check, host: str) -> None:
    """Both are named, and where the wanted one comes from; a common name is none."""
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
def test_a_chain_out_of_order_is_named(check: Check, rest: list[Issued], said: str) -> None:
    """Which certificate of the file it is, and what should be in its place."""
    pattern = said.replace("(", r"\(").replace(")", r"\)")
    with pytest.raises(CertificateError, match=pattern):
        check(LEAF, *rest)


def test_a_client_s_certificate_is_no_server_s(check: Check) -> None:
    """What it may be used for is looked at as clients do."""
    with pytest.raises(CertificateError, match=r"clients would reject .*purpose"):
        check(ROOT.issue("x", names=[HOST], usage=CLIENT))


def test_a_certificate_without_names_is_named(check: Check) -> None:
    """A common name has not been enough for ten years."""
    with pytest.raises(CertificateError, match="is valid for no host"):
        check(ROOT.issue(HOST))


def test_what_cannot_be_read_is_numbered(tmp_path: Path) -> None:
    """A torn certificate in the middle of the file."""
    certfile, keyfile = LEAF.write(tmp_path, "served")
    torn = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    certfile.write_bytes(LEAF.pem + torn)
    with pytest.raises(CertificateError, match=r"certificate 2 of .* cannot be decoded"):
        check_chain(certfile, keyfile, None, HOST)


def test_without_a_host_the_pair_alone_is_checked(tmp_path: Path) -> None:
    """The negative control: all of the above comes from looking at the chain."""
    certfile, keyfile = LEAF.write(tmp_path, "served")
    certfile.write_bytes(LEAF.pem + OTHER.pem)
    assert check_chain(certfile, keyfile, None, None).names[0] == HOST


def test_an_encrypted_key_needs_its_passphrase(tmp_path: Path) -> None:
    """With it all is well; without, or with another, the message says where it belongs."""
    certfile, keyfile = LEAF.write(tmp_path, "served")
    keyfile.write_bytes(LEAF.key_pem("open"))
    check_chain(certfile, keyfile, "open", HOST)
    with pytest.raises(CertificateError, match="tls__key_passphrase"):
        check_chain(certfile, keyfile, None, HOST)
    with pytest.raises(CertificateError, match="key_passphrase does not decrypt it"):
        check_chain(certfile, keyfile, "shut", HOST)


def test_a_certificate_is_due_in_its_last_days() -> None:
    """Fourteen days of a year's life, or the last quarter of a short one."""
    from tls.certificates import CertificateFacts  # noqa: PLC0415

    def facts(lived: float, left: float) -> CertificateFacts:
        now = datetime.now(UTC)
        began, ends = now - timedelta(days=lived), now + timedelta(days=left)
        return CertificateFacts("s", "i", (), (), began, ends)

    assert not facts(80, 15).needs_renewal(14)
    assert facts(80, 13).needs_renewal(14)
    assert not facts(3, 3).needs_renewal(14)
    assert facts(5, 1).needs_renewal(14)


def test_an_authority_before_the_service_s_own_is_named(tmp_path: Path) -> None:
    """It is the first that is wrong then, not the one after it."""
    certfile, keyfile = ISSUING.write(tmp_path, "served")
    certfile.write_bytes(ISSUING.pem + LEAF.pem)
    with pytest.raises(CertificateError, match=r"certificate 1 of .* is a CA certificate"):
        check_chain(certfile, keyfile, None, HOST)


def test_one_that_stands_alone_says_so(tmp_path: Path) -> None:
    """Nobody can tell here whether its issuer is a root; its issuer in the file settles it."""
    certfile, keyfile = LEAF.write(tmp_path, "served")
    assert not check_chain(certfile, keyfile, None, HOST).without_issuer
    certfile.write_bytes(LEAF.pem)
    assert check_chain(certfile, keyfile, None, HOST).without_issuer


def test_openssl_s_old_label_is_read_too(tmp_path: Path) -> None:
    """`X509 CERTIFICATE` is what OpenSSL also takes for one."""
    certfile, keyfile = LEAF.write(tmp_path, "served")
    certfile.write_bytes(certfile.read_bytes().replace(b" CERTIFICATE", b" X509 CERTIFICATE"))
    assert check_chain(certfile, keyfile, None, HOST).names[0] == HOST
