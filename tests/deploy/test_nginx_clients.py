"""Client certificates: shown to nginx, verified by it and by the service, forged by nobody."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest

from tests.deploy.nginx import CLIENTS, Behind, Nginx
from tests.deploy.nginx_certificates import Authority
from tests.deploy.nginx_functions import FUNCTIONS, HANDLERS
from tests.system.service import key_stanza

SETTINGS = """
[tls]
client_certificates = "optional"
client_ca = "{folder}/clients.pem"
client_crl = "{folder}/clients.crl"
"""
BY_CERTIFICATE = """
[[keys]]
id = "machine1"
name = "machine"
certificate_subject = "CN=machine"
scopes = ["ocr"]
"""
Ask = Callable[..., httpx2.Response]


class Bank:
    """A service that knows a caller by key and certificate, and one by its certificate alone."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder / "authority")
        for name in ("ledger", "machine", "other", "revoked"):
            self.authority.issue(name)
        self.authority.revoke("revoked")
        stranger = Authority(folder / "stranger")
        stranger.issue("ledger")
        self.stranger = stranger
        self.key, stanza = key_stanza("ledger01", "ledger", 'certificate_subject = "CN=ledger"')
        self.revoked_key, revoked = key_stanza(
            "revoked1", "revoked", 'certificate_subject = "CN=revoked"'
        )
        (folder / "service").mkdir()
        self.service = Behind(
            folder / "service",
            local=FUNCTIONS + SETTINGS.format(folder=self.authority.folder),
            proxy='client_certificate_header = "client-cert"',
            keys=stanza + revoked + BY_CERTIFICATE,
            modules={"nginx_handlers.py": HANDLERS},
        )

    @contextmanager
    def behind_nginx(
        self, folder: Path, *directives: str, changes: dict[str, str] | None = None
    ) -> Iterator[Ask]:
        """Run nginx with these directives of the shipped file in force; give how it is asked."""
        nginx = Nginx(
            folder, self.service.socket, self.authority, changes=changes, uncomment=directives
        )

        def ask(
            key: str | None,
            certificate: str | None,
            *,
            http2: bool = True,
            headers: dict[str, str] | None = None,
        ) -> httpx2.Response:
            with nginx.client(key, http2=http2, certificate=certificate) as client:
                return client.post("/count", content=b"12345", headers=headers)

        with nginx:
            yield ask

    def escaped(self, name: str) -> str:
        """Return a certificate as nginx passes it on."""
        return quote((self.authority.folder / f"{name}.pem").read_text("ascii"), safe="")


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    """The service, for all of these tests."""
    bank = Bank(tmp_path_factory.mktemp("bank"))
    with bank.service:
        yield bank


@pytest.fixture(scope="module")
def ask(bank: Bank, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Ask through nginx with every directive of client certificates."""
    with bank.behind_nginx(tmp_path_factory.mktemp("asked") / "nginx", *CLIENTS) as asking:
        yield asking


@pytest.mark.parametrize("http2", [True, False])
def test_a_certificate_reaches_its_entry(bank: Bank, ask: Ask, *, http2: bool) -> None:
    """With the key it belongs to, or alone where the entry has no key."""
    both = ask(bank.key, "ledger", http2=http2)
    assert (both.status_code, both.text) == (200, "5")
    assert ask(None, "machine", http2=http2).status_code == 200


def test_no_certificate_or_an_unknown_one_is_unauthenticated(bank: Bank, ask: Ask) -> None:
    """401 as for a wrong key; who needs none is served without."""
    assert ask(bank.key, None).status_code == 401
    assert ask(bank.key, "other").status_code == 401
    assert ask(None, None).status_code == 401
    assert ask(None, "ledger").status_code == 401
    assert ask(bank.service.token, None).status_code == 200


@pytest.mark.parametrize("shown", [None, "other"])
@pytest.mark.parametrize("header", ["Client-Cert", "client-cert", "Client_Cert"])
def test_a_client_s_own_header_is_not_passed_on(
    bank: Bank, ask: Ask, header: str, shown: str | None
) -> None:
    """Whether it has a certificate of its own or not."""
    forged = {header: bank.escaped("ledger")}
    for http2 in (True, False):
        assert ask(bank.key, shown, http2=http2, headers=forged).status_code == 401


def test_a_header_passed_on_would_be_trusted(bank: Bank, tmp_path: Path) -> None:
    """The control: nginx without the line that sets the header or empties it."""
    changes = {"proxy_set_header Client-Cert $verified_certificate;": ""}
    forged = {"Client-Cert": bank.escaped("ledger")}
    with bank.behind_nginx(tmp_path / "nginx", *CLIENTS, changes=changes) as careless:
        assert careless(bank.key, None, headers=forged).status_code == 200


def test_a_revoked_one_is_refused_by_nginx(bank: Bank, ask: Ask) -> None:
    """Before the service hears of it."""
    answer = ask(bank.revoked_key, "revoked")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")


def test_a_revoked_one_is_refused_by_the_service(bank: Bank, tmp_path: Path) -> None:
    """Where nginx has no list."""
    with bank.behind_nginx(tmp_path / "nginx", *CLIENTS[:2]) as asking:
        assert asking(bank.revoked_key, "revoked").status_code == 401
        assert asking(bank.key, "ledger").status_code == 200


def test_a_certificate_that_only_nginx_trusts_is_unauthenticated(
    bank: Bank, tmp_path: Path
) -> None:
    """An authority that only nginx was told of: the service verifies by its own."""
    stranger = bank.stranger.folder
    changes = {f"{bank.authority.folder}/clients.pem": f"{stranger}/clients.pem"}
    for name in ("pem", "key"):
        (bank.authority.folder / f"strange.{name}").write_bytes(
            (stranger / f"ledger.{name}").read_bytes()
        )
    with bank.behind_nginx(tmp_path / "nginx", *CLIENTS[:2], changes=changes) as asking:
        assert asking(bank.key, "strange").status_code == 401
