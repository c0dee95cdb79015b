"""scripts/new-key: what it prints loads, and what would not load is refused."""

import subprocess
import sys
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from middleware.key_format import key_id_of
from scripts import new_key
from settings import ApiKey, load_settings
from tests.authorities import CLIENT, SERVER, Authority
from tests.system.service import ROOT, Service

MTLS = {"OCR_TLS__CLIENT_CERTIFICATES": "optional", "OCR_TLS__CLIENT_CA": "ca.pem"}
NAMES = [
    "billing dept",
    "R&D <北京> 分公司",
    "财务部　上海",
    'the "big" one \\ C:\\new',
    "Zoë's",
    "می‌خواهم",
    "👩‍💻 \U00020bb7野家",
    "# [[keys]] = {x}",
]

Print = Callable[..., tuple[str, str]]


@pytest.fixture
def printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Print:
    """Return what the program prints for some arguments: the entry, and the rest."""
    shipped = (ROOT / "settings.toml").read_text("utf-8")
    (tmp_path / "settings.toml").write_text(shipped, encoding="utf-8")
    monkeypatch.setenv("OCR_SETTINGS", str(tmp_path / "settings.toml"))

    def run(*arguments: object) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["new-key", *map(str, arguments)])
        new_key.main()
        return capsys.readouterr()

    return run


def loaded(directory: Path, entry: str) -> ApiKey:
    """Return the last key of the settings with an entry pasted at the end of the local file."""
    with (directory / "settings.local.toml").open("a", encoding="utf-8") as file:
        file.write(entry)
    return load_settings(directory / "settings.toml", {}).keys[-1]


@pytest.mark.parametrize("name", NAMES)
def test_an_entry_loads_with_any_name(name: str, printed: Print, tmp_path: Path) -> None:
    """Names of any script, with white space, quotes and what has a meaning in TOML."""
    entry, said = printed(name)
    key = loaded(tmp_path, entry)
    assert key.name == name
    [token] = [word for word in said.split() if word.startswith("ocr_")]
    assert key_id_of(token) == key.id
    assert token not in entry


def test_an_entry_loads_with_limits_scopes_and_expiry(printed: Print, tmp_path: Path) -> None:
    """Pasted at the end of a file without a final newline, and after another entry."""
    (tmp_path / "settings.local.toml").write_text("[hsts]\nmax_age_s = 9 # end", encoding="utf-8")
    limits = ["--limit", "/ocr=120/minute", "--limit", "*=10 per 5 minutes"]
    first = loaded(tmp_path, printed("a", *limits, "--expires", "2999-12-31")[0])
    assert first.limits == {"/ocr": "120/minute", "*": "10 per 5 minutes"}
    assert first.expires == datetime(2999, 12, 31, tzinfo=UTC)
    before = datetime.now(UTC).replace(microsecond=0)
    second = loaded(tmp_path, printed("b", "--scope", "ocr", "--expires", "90d")[0])
    assert second.expires is not None
    assert before + timedelta(days=90) <= second.expires <= datetime.now(UTC) + timedelta(days=90)
    assert second.scopes == ("ocr",)


def test_a_first_key_is_said_to_disable_the_development_key(printed: Print, tmp_path: Path) -> None:
    """A second one is not, nor where other machines reach the service: there is none there."""
    said = "disables the development key"
    entry, first = printed("a")
    assert said in first
    loaded(tmp_path, entry)
    assert said not in printed("b")[1]
    (tmp_path / "settings.local.toml").unlink()
    file = tmp_path / "settings.toml"
    text = file.read_text("utf-8").replace('"127.0.0.1:8443"', '"0.0.0.0:8443"')
    file.write_text(text, encoding="utf-8")
    assert said not in printed("a")[1]


def test_a_limit_that_cannot_be_reached_is_noted(printed: Print) -> None:
    """120 a minute for a function are no use where all functions together have 60."""
    note = "all functions together 60/minute"
    assert note in printed("a", "--limit", "/ocr=120/minute")[1]
    assert note not in printed("a", "--limit", "/ocr=1/second")[1]
    assert "together" not in printed("a", "--limit", "/ocr=9/second", "--limit", "*=9/second")[1]
    assert "60/minute in all; /ocr 10/minute" in printed("a")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x", "--certificate", "none.pem"], "none.pem: No such file"),
        (["x", "--certificate", ROOT / "README.md"], "README.md has no certificate"),
        (["x", "--no-key"], "require --certificate"),
        (["x\ny"], "error: name: contains the control character U+000A"),
        (["x\x1b[31m"], "name: contains the control character U+001B"),
        (["x\u202ey"], "name: contains the control character U+202E"),
        (["x", "--scope", "orc"], "no function has the scope 'orc'; the scopes of [[functions]] a"),
        (["x", "--scope", "\x7f"], "scopes (entry 1): must be a letter"),
        (["x", "--limit", "/orc=1/minute"], "limits has '/orc', which is not the path of a fun"),
        (["x", "--limit", "/ocr=often"], "'often' is not a rate limit such as"),
        (["x", "--limit", "9/minute"], "'9/minute' is not PATH=LIMIT, such as /ocr=120/minute"),
        (["x", "--expires", "2020-02-02"], "2020-02-02 has passed"),
        (["x", "--expires", "90"], "'90' is neither a date such as 2027-12-31 nor a duration"),
        (["x", "--expires", "0d"], "'0d' is neither a date"),
    ],
)
def test_invalid_arguments_are_refused(
    arguments: list[object], said: str, printed: Print, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, with what would be valid, and without a key."""
    with pytest.raises(SystemExit) as ended:
        printed(*arguments)
    assert ended.value.code == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert (shown.out, "ocr_" in shown.err) == ("", False)


def test_mistakes_in_the_settings_are_named(
    printed: Print, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An entry that cannot be checked is not printed."""
    (tmp_path / "settings.local.toml").write_text("[tsl]\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        printed("x")
    shown = capsys.readouterr()
    assert "settings.local.toml:1: [tsl]: unknown table" in shown.err
    assert shown.out == ""


@pytest.mark.parametrize("entries", ["x", "null", "{}", "3"])
def test_a_mistake_in_the_variable_of_keys_is_named(
    entries: str,
    printed: Print,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is no mistake of a certificate, and no entry is printed."""
    monkeypatch.setenv("OCR_KEYS", entries)
    with pytest.raises(SystemExit):
        printed("x")
    shown = capsys.readouterr()
    assert "error: OCR_KEYS is not a list of tables in JSON" in shown.err
    assert shown.out == ""


def test_the_command_is_usable_in_pipes(tmp_path: Path) -> None:
    """Its standard output is the entry alone, which the service accepts with the key."""
    done = subprocess.run(
        [ROOT / "scripts" / "new-key", "R&D 北京", "--expires", "2d"],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert set(tomllib.loads(done.stdout)) == {"keys"}
    [token] = [word for word in done.stderr.split() if word.startswith("ocr_")]
    with Service(tmp_path, local=done.stdout) as service, service.client(key=token) as client:
        assert client.post("/ocr", headers={"content-type": "text/x"}).status_code == 415


@pytest.mark.parametrize("pin", [[], ["--pin"]])
def test_an_entry_for_a_certificate_works(
    pin: list[str], printed: Print, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller is accepted by the given certificate, also given as a relative path."""
    root = Authority("Root")
    root.write(tmp_path, "root")
    issued = root.issue("OU=Books,CN=ledger\\, old+OU=7", usage=CLIENT)
    files = issued.write(tmp_path, "ledger")
    monkeypatch.chdir(tmp_path)
    for name, value in MTLS.items():
        monkeypatch.setenv(name, value)
    entry, said = printed("ledger", "--no-key", "--certificate", files[0].name, *pin)
    assert "ocr_" not in entry + said
    tables = f'[tls]\nclient_certificates = "optional"\nclient_ca = "{tmp_path}/root.pem"\n'
    (tmp_path / "s").mkdir()
    with (
        Service(tmp_path / "s", local=tables + entry) as service,
        service.client(key=None, certificate=files) as client,
    ):
        assert client.post("/ocr").status_code == 415


def test_no_entry_requires_a_certificate_that_no_handshake_asks_for(
    printed: Print, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor does one name a server's certificate, which every handshake would refuse."""
    root = Authority("Root")
    for usage, said in ((CLIENT, "set [tls] client_certificates"), (SERVER, "not valid for cli")):
        certfile, _ = root.issue("x", usage=usage).write(tmp_path, "x")
        with pytest.raises(SystemExit):
            printed("x", "--certificate", certfile)
        assert said in capsys.readouterr().err
