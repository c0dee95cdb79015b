"""The certificates of a cluster, and what a node refuses to start with."""

import stat
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from cluster.__main__ import main
from cluster.errors import ClusterRefused
from cluster.secured import OPTIONS, security_of
from settings.tables import Cluster
from tls.certificates import CertificateError
from tls.cluster import make_cluster_ca, make_cluster_certificate

SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
FILES = {"ca": "ca.pem", "certificate": "node.pem", "key": "node.key"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the certificates of a node and a client."""
    made = tmp_path_factory.mktemp("certificates")
    make_cluster_ca(made)
    make_cluster_certificate(made, "node", node=True)
    make_cluster_certificate(made, "client", node=False)
    return made


def test_a_client_cannot_take_the_place_of_a_node(folder: Path) -> None:
    """Its certificate is for clients alone; a node is both. Keys are their owner's."""
    for name, usages in (("node", {SERVER, CLIENT}), ("client", {CLIENT})):
        certificate = x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())
        found = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert set(found) == usages
    keys = [*folder.glob("*.key")]
    assert {stat.S_IMODE(file.stat().st_mode) for file in keys} == {0o600}
    assert len(keys) == 3


def test_nothing_is_replaced(folder: Path, tmp_path: Path) -> None:
    """Neither the CA, which the nodes trust, nor a certificate; other mistakes are named, too."""
    with pytest.raises(CertificateError, match="is there already, and is not replaced"):
        make_cluster_ca(folder)
    for name, days, said in (
        ("node", 9, "is there already"),
        ("../x", 9, "no name of a file"),
        ("ca", 9, "no name of a file"),
        ("y", 9999, "1 to 730 days"),
    ):
        with pytest.raises(CertificateError, match=said):
            make_cluster_certificate(folder, name, node=True, days=days)
    with pytest.raises(CertificateError, match="has no CA: make one with scripts/cluster ca"):
        make_cluster_certificate(tmp_path, "x", node=True)


def test_a_node_starts_with_its_own_certificate_alone(folder: Path, tmp_path: Path) -> None:
    """Not with a client's, another CA's, or none; the message says how they are made."""
    security = security_of(Cluster.model_validate(FILES), folder)
    assert security.require_encryption
    make_cluster_ca(tmp_path)
    client = FILES | {"certificate": "client.pem", "key": "client.key"}
    other = FILES | {"ca": str(tmp_path / "ca.pem")}
    for files, said in (
        (client, "is a client's"),
        (other, "is not a certificate of the CA"),
        (FILES | {"key": "client.key"}, "is not the key of"),
        (FILES | {"certificate": "none.pem"}, "none.pem"),
    ):
        with pytest.raises(ClusterRefused, match=said):
            security_of(Cluster.model_validate(files), folder)


def test_nothing_is_stored_and_nothing_else_is_run() -> None:
    """The options that distributed must not be without, whatever its own files say."""
    memory = [name for name in OPTIONS if ".memory." in name]
    assert [OPTIONS[name] for name in memory] == [False] * 4
    assert OPTIONS["distributed.comm.require-encryption"] is True
    assert OPTIONS["distributed.scheduler.preload"] == OPTIONS["distributed.worker.preload"] == []
    assert OPTIONS["distributed.admin.low-level-log-length"] == 1


def test_a_mistake_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its status is 1; with the settings' line, the key and the mend."""
    file = tmp_path / "settings.toml"
    shipped = Path(__file__).parents[2] / "settings.toml"
    for change, said in (
        ('node = "tls://0.0.0.0:8787"', "every network of this machine: name one address"),
        ('node = "tcp://127.0.0.1:8787"', 'is not an address such as "tls://10.0.0.1:8786"'),
    ):
        text = shipped.read_text("utf-8").replace('node = "tls://127.0.0.1:8787"', change)
        file.write_text(text, encoding="utf-8")
        monkeypatch.setattr(sys, "argv", ["cluster", "worker", "--settings", str(file)])
        assert main() == 1
        assert said in capsys.readouterr().err
    file.write_text(shipped.read_text("utf-8"), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["cluster", "scheduler", "--settings", str(file)])
    assert main() == 1
    assert "scripts/cluster certificate make them" in capsys.readouterr().err
