"""scripts/keys: what it writes loads, and what would not load is not written."""

import json
import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from middleware.key_format import key_id_of, new_key
from scripts.key_state import shown, state_of
from settings import ApiKey, load_settings
from tests.authorities import CLIENT, SERVER, Authority
from tests.keys.conftest import Fail, Run, entries
from tests.system.service import ROOT, key_stanza

MTLS = {"OCR_TLS__CLIENT_CERTIFICATES": "optional", "OCR_TLS__CLIENT_CA": "ca.pem"}
NAMES = [
    "billing dept",
    "R&D <北京> 分公司",
    'the "big" one \\ C:\\new',
    "می‌خواهم",
    "👩‍💻 \U00020bb7野家",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_key_may_have_any_name(name: str, run: Run, tmp_path: Path) -> None:
    """Of any script, with white space, quotes and what has a meaning in TOML."""
    token = run("new", name)[0].strip()
    [key] = entries(tmp_path)
    assert (key.name, key.id) == (name, key_id_of(token))
    assert token not in (tmp_path / "settings.local.toml").read_text("utf-8")


def test_a_key_with_everything(run: Run, tmp_path: Path) -> None:
    """Each option becomes a value of the entry; the key alone is on standard output."""
    local = tmp_path / "settings.local.toml"
    local.write_text("[hsts]\nmax_age_s = 9 # end", encoding="utf-8")
    local.chmod(0o640)
    before = datetime.now(UTC).replace(microsecond=0)
    options = (
        "--limit /ocr=120/minute --limit *=600/minute --expires 90d --not-before 2026-01-01T06:00Z"
        " --network 10.1.0.0/16 --network 2001:db8::/32 --function /ocr --scope ocr"
        " --concurrent 4 --pages-per-day 100 --pages-per-month 2000"
    )
    token, said = run("new", "a", *options.split())
    assert token.startswith("ocr_")
    assert token not in said
    [key] = entries(tmp_path)
    assert key.limits == {"/ocr": "120/minute", "*": "600/minute"}
    assert (key.scopes, key.functions) == (("ocr",), ("/ocr",))
    assert key.networks == ("10.1.0.0/16", "2001:db8::/32")
    assert (key.concurrent, key.pages_per_day, key.pages_per_month) == (4, 100, 2000)
    assert key.not_before == datetime(2026, 1, 1, 6, tzinfo=UTC)
    assert key.expires
    assert before <= key.expires - timedelta(days=90) <= datetime.now(UTC)
    assert local.read_text("utf-8").startswith("[hsts]\nmax_age_s = 9 # end\n\n[[keys]]\n")
    assert local.stat().st_mode & 0o777 == 0o640
    assert sorted(each.name for each in tmp_path.iterdir()) == [local.name, "settings.toml"]


def test_the_life_of_a_key(run: Run, fail: Fail, tmp_path: Path) -> None:
    """New, checked, rotated twice, its previous key revoked, then itself; by name or id."""
    first = run("new", "hr")[0]
    run("new", "legal", "--expires", "20d")
    key_id = entries(tmp_path)[0].id
    assert run("check", typed=first)[0].startswith(f"valid\nentry: {key_id} (hr), in settings.loc")
    second, said = run("rotate", "hr", "--overlap", "2d")
    assert f"{key_id} (hr): the old key stays valid until " in said
    assert key_id_of(second.strip()) == key_id
    assert "valid: the key before the last rotation, valid until" in run("check", typed=first)[0]
    assert "valid: rotating until" in run("check", typed=second)[0]
    assert "functions: /ocr" in run("check", typed=second)[0]
    assert "expires: never\n" in run("check", typed=second)[0]
    assert "valid, rotating until" in run("list")[0]
    third, said = run("rotate", key_id)
    assert "the key before it, which was valid until" in said
    assert "its secret is not" in run("check", typed=first, status=1)[0]
    assert run("check", typed=second)[0].startswith("valid: the key before")
    assert "previous key is refused" in run("revoke", "hr", "--previous")[1]
    assert run("check", typed=second, status=1)[0].startswith("invalid")
    assert "has no previous key" in fail("revoke", "hr", "--previous")
    fourth, said = run("rotate", "hr", "--overlap", "0")
    assert "the old key is refused from now on" in said
    assert run("check", typed=third, status=1)[0].startswith("invalid")
    assert "removed: its requests are refused" in run("revoke", "hr")[1]
    assert "may have been revoked" in run("check", typed=fourth, status=1)[0]
    assert "expires in 19 days" in run("list")[0]
    said = run("rotate", "legal", "--overlap", "40d")[1]
    assert re.search(r"expires in (19|20) days\. --expires WHEN", said)
    [until] = re.findall(r"the old key stays valid until (.*)\.", said)  # not after the entry
    [legal] = json.loads(run("list", "--json")[0])
    assert shown(datetime.fromisoformat(legal["expires"])) == until
    assert legal["state"].endswith(f"rotating until {until}")
    assert "the development key (.dev/key) is valid again" in run("revoke", "legal")[1]
    assert (tmp_path / "settings.local.toml").read_text("utf-8") == ""


def test_keys_are_listed_with_their_states(run: Run, tmp_path: Path) -> None:
    """From all files; a column that no key needs is left out."""
    assert "development key" in run("list")[1]
    _, past = key_stanza("aaaa1111", "北京", "expires = 2026-01-01")
    _, future = key_stanza(
        "bbbb2222", "later", 'not_before = 2999-01-01\nnetworks = ["10.0.0.0/8"]'
    )
    (tmp_path / "settings.local.toml").write_text(past, encoding="utf-8")
    with (tmp_path / "settings.toml").open("a", encoding="utf-8") as file:
        file.write(future)
    table = run("list")[0]
    assert "  expired 2026-01-01 " in table
    assert "not yet valid, from 2999-01-01" in table
    assert "settings.local.toml:1" in table
    assert "certificate" not in table
    [later, late] = json.loads(run("list", "--json")[0])
    assert (later["name"], later["valid"], later["networks"]) == ("later", False, ["10.0.0.0/8"])
    assert late["files"] == ["settings.local.toml:1"]
    assert "sha256" not in late


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--certificate", "none.pem"], "none.pem: No such file"),
        (["--certificate", ROOT / "README.md"], "README.md has no certificate"),
        (["--no-key"], "require --certificate"),
        (["--scope", "orc"], "no function has the scope 'orc'; the scopes of [[functions]] a"),
        (["--function", "/orc"], "functions has '/orc', which is not the path of a function"),
        (["--function", "/metrics"], "needs the scope 'metrics'; add it to scopes"),
        (["--limit", "/orc=1/minute"], "limits has '/orc', which is not the path of a fun"),
        (["--limit", "/ocr=1/minute", "--limit", "/ocr=2/minute"], "--limit names /ocr twice"),
        (
            ["--limit", "/metrics=1/minute"],
            "limits has '/metrics', which needs the scope 'metrics'",
        ),
        (["--limit", "/ocr=often"], "'often' is not a rate limit such as"),
        (["--limit", "9/minute"], "'9/minute' is not PATH=LIMIT, such as /ocr=120/minute"),
        (["--network", "10.1.2.3/8"], "has host bits set; did you mean '10.0.0.0/8'?"),
        (["--pages-per-day", "9", "--pages-per-month", "8"], "could never be reached"),
        (["--pages-per-day", "-1"], "-1 is too small: at least 0"),
        (["--expires", "2020-02-02"], "2020-02-02 has passed"),
        (["--expires", "2020-02-02T00:00:00Z"], "has passed"),
        (["--expires", "90"], "'90' is neither a date such as 2027-12-31"),
        (["--not-before", "2027-01-01T10:00"], "nor a time with its zone such as"),
        (["--not-before", "9d", "--expires", "8d"], "not_before must be earlier than expires"),
        (["--file", "/none/settings.toml"], "/none/settings.toml does not exist; set OCR_SETTINGS"),
    ],
)
def test_invalid_arguments_are_refused(
    arguments: list[object], said: str, fail: Fail, tmp_path: Path
) -> None:
    """In one message, with what would be valid; nothing is written."""
    if "/none/settings.toml" in arguments:
        Path(tmp_path / "none").mkdir()
        arguments = ["--file", tmp_path / "none" / "settings.toml"]
    assert said.removeprefix("/none") in fail("new", "x", *arguments)
    assert [each.name for each in tmp_path.glob("settings.*")] == ["settings.toml"]


def test_names_with_controls_are_refused(fail: Fail) -> None:
    """A terminal would obey them."""
    assert "error" not in fail("new", "x\ny")
    assert "name: contains the control character U+001B" in fail("new", "x\x1b[31m")
    assert "name: contains the control character U+202E" in fail("new", "x\u202ey")


def test_limits_that_mean_less_than_they_say_are_noted(run: Run) -> None:
    """120 a minute for a function are no use where all functions together have 60."""
    first = run("new", "a", "--limit", "/ocr=120/minute")[1]
    assert "disables the development key" in first
    assert "all functions together 60/minute" in first
    assert "together" not in run("new", "b", "--limit", "/ocr=9/second", "--limit", "*=9/second")[1]
    assert "60/minute in all; /ocr 10/minute" in run("new", "c")[1]


@pytest.mark.parametrize("pin", [[], ["--pin"]])
def test_an_entry_for_a_certificate(
    pin: list[str], run: Run, fail: Fail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a key or without one; it is not rotated, since its CA renews it."""
    root = Authority("Root")
    issued = root.issue("OU=Books,CN=ledger\\, old+OU=7", usage=CLIENT)
    certfile, _ = issued.write(tmp_path, "ledger")
    monkeypatch.chdir(tmp_path)
    assert "set [tls] client_certificates" in fail("new", "x", "--certificate", certfile)
    server, _ = root.issue("x", usage=SERVER).write(tmp_path, "server")
    assert "not valid for clients" in fail("new", "x", "--certificate", server)
    for name, value in MTLS.items():
        monkeypatch.setenv(name, value)
    out, said = run("new", "ledger", "--no-key", "--certificate", certfile.name, *pin)
    assert "ocr_" not in out + said
    [key] = entries(tmp_path)
    assert bool(key.certificate_sha256) is bool(pin)
    assert key.sha256 is None
    assert "renew that" in fail("rotate", "ledger")
    assert "without a key" in run("list")[0]


def test_a_key_in_the_command_line_is_not_repeated(fail: Fail) -> None:
    """It is named by its id at most; the message says where a key belongs."""
    key = new_key("aaaa1111")
    for arguments in (("check", key), ("revoke", key), ("rotate", key), ("list", key)):
        said = fail(*arguments)
        assert key not in said
        assert "id, aaaa1111" in said or "has no such argument" in said
    assert "typed or piped in" in fail("check", key)


def test_check_tells_what_is_wrong(run: Run, tmp_path: Path) -> None:
    """Without the settings being changed; the development key is known, too."""
    token, late = key_stanza("aaaa1111", "late", "expires = 2026-01-01")
    assert "no key of this service" in run("check", typed="hunter2", status=1)[0]
    assert "nothing was entered" in run("check", typed="", status=1)[0]
    development = new_key("development")
    assert "valid: a development key" in run("check", typed=development)[0]
    (tmp_path / "settings.local.toml").write_text(late, encoding="utf-8")
    assert run("check", typed=f"{token}\n", status=1)[0].startswith("invalid: expired 2026-01-01\n")
    assert "development key is disabled" in run("check", typed=development, status=1)[0]


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(days=31), "valid"),
        (timedelta(days=2, hours=1), "expires in 2 days"),
        (timedelta(hours=1, minutes=59), "expires in 1 hour"),
        (timedelta(minutes=5, seconds=1), "expires in 5 minutes"),
        (timedelta(seconds=1), "expires in less than a minute"),
        (timedelta(0), "expired 2026-01-01 12:00 UTC"),
    ],
)
def test_a_key_s_end_is_told_in_its_largest_unit(left: timedelta, said: str) -> None:
    """From a month before on."""
    now = datetime(2026, 1, 1, 12, tzinfo=UTC) - left
    key = ApiKey(
        id="aaaa", name="x", sha256="0" * 64, scopes=("ocr",),
        expires=datetime(2026, 1, 1, 12, tzinfo=UTC),
    )  # fmt: skip
    assert state_of(key, now) == said


def test_the_command_is_usable_in_pipes(tmp_path: Path) -> None:
    """Its standard output is the key alone; one that cannot be printed is said to be lost."""
    (tmp_path / "settings.toml").write_text((ROOT / "settings.toml").read_text("utf-8"), "utf-8")
    variables = {**os.environ, "OCR_SETTINGS": str(tmp_path / "settings.toml")}
    variables.pop("PYTHONUNBUFFERED", None)  # with it, nothing is left to write at the exit
    command = (str(ROOT / "scripts" / "keys"), "new", "R&D 北京")
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=tmp_path, env=variables
    )
    assert key_id_of(done.stdout.removesuffix("\n")) == entries_of(variables)[0].id
    garbled = [*command[:1], "check"]
    asked = subprocess.run(
        garbled, input=b"\xff\n", capture_output=True, check=False, env=variables
    )
    assert (asked.returncode, asked.stdout[:29]) == (1, b"invalid: this is no key of th")
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        lost = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=variables
        )
    assert lost.returncode == 2
    assert f"scripts/keys rotate {entries_of(variables)[1].id} --overlap 0" in lost.stderr
    closed = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *command],
        stderr=subprocess.PIPE, text=True, check=False, env=variables,
    )  # fmt: skip
    assert closed.returncode == 2
    assert f"scripts/keys rotate {entries_of(variables)[2].id} --overlap 0" in closed.stderr


def entries_of(variables: dict[str, str]) -> list[ApiKey]:
    """Return the keys of the settings that variables name."""
    return list(load_settings(Path(variables["OCR_SETTINGS"]), {}).keys)
