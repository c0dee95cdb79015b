"""The certificate the service starts with."""

from pathlib import Path

import pytest

from service.certificate import ready_certificate
from tls.certificates import CertificateError, CertificateFacts
from tls.development import ensure_development_certificate

PUBLIC = ("0.0.0.0:8443",)


def _ready(
    directory: Path,
    *,
    public: tuple[str, ...] = (),
    allow: bool = False,
    name: str = "certificate",
    host: str = "localhost",
) -> CertificateFacts:
    return ready_certificate(
        directory / f"{name}.pem",
        directory / f"{name}.key",
        passphrase=None,
        host=host,
        public_binds=public,
        allow_development=allow,
    )


def test_one_is_made_for_a_private_service(tmp_path: Path) -> None:
    """The first start makes a certificate, the next one keeps it."""
    made = _ready(tmp_path, host="ocr.test")
    assert made.development
    assert "ocr.test" in made.names
    before = (tmp_path / "certificate.pem").read_bytes()
    assert _ready(tmp_path, host="ocr.test") == made
    assert (tmp_path / "certificate.pem").read_bytes() == before


def test_none_is_made_for_a_public_service(tmp_path: Path) -> None:
    """Where other machines reach the service a missing certificate is an error."""
    with pytest.raises(CertificateError, match=r"certificate\.pem"):
        _ready(tmp_path, public=PUBLIC)
    assert not list(tmp_path.iterdir())


def test_a_development_certificate_is_refused_in_public(tmp_path: Path) -> None:
    """The refusal names three remedies, one of them allowing it."""
    ensure_development_certificate(tmp_path)
    with pytest.raises(CertificateError) as caught:
        _ready(tmp_path, public=PUBLIC)
    said = str(caught.value)
    for part in ("0.0.0.0:8443", "127.0.0.1", "allow_development_certificate = true", "certfile"):
        assert part in said
    assert _ready(tmp_path, public=PUBLIC, allow=True).development


def test_files_of_other_names_are_never_made(tmp_path: Path) -> None:
    """No development certificate is made at a misspelled path."""
    with pytest.raises(CertificateError, match=r"fullchain\.pem"):
        _ready(tmp_path, name="fullchain")
    assert not list(tmp_path.iterdir())


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    """A key that does not match is found at start, not in a handshake."""
    one, other = tmp_path / "one", tmp_path / "other"
    for directory in (one, other):
        ensure_development_certificate(directory)
        for suffix in ("pem", "key"):
            (directory / f"certificate.{suffix}").rename(directory / f"real.{suffix}")
    assert _ready(one, name="real").development
    (one / "real.key").write_bytes((other / "real.key").read_bytes())
    with pytest.raises(CertificateError):
        _ready(one, name="real")
