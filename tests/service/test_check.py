"""The check before a start: all mistakes at once, each with its place; nothing is made."""

import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from service import certificate, check, start_checks
from service.check import Report
from tests.service.test_bind_addresses import HOLD
from tests.settings.conftest import KEY

SHIPPED = Path(__file__).parents[2] / "settings.toml"
Check = Callable[..., Report]


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """The shipped settings on free ports, with certificates in a directory of their own."""
    text = SHIPPED.read_text(encoding="utf-8").replace('"tls/local/', f'"{tmp_path}/tls/')
    file = tmp_path / "settings.toml"
    file.write_text(re.sub(r":(8443|8080)\"\]", ':0"]', text), encoding="utf-8")
    return file


def _set(file: Path, key: str, value: str) -> None:
    text, count = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value}", file.read_text("utf-8"))
    assert count == 1
    file.write_text(text, encoding="utf-8")


def _local(file: Path, text: str) -> None:
    file.with_name("settings.local.toml").write_text(text, encoding="utf-8")


def _mistakes(file: Path) -> list[str]:
    return check.check(file, starting=False).mistakes


def test_the_shipped_settings_have_no_mistakes(settings: Path) -> None:
    """And the check makes neither the certificate nor the key."""
    assert check.check(settings, starting=True) == Report()
    assert [file.name for file in settings.parent.iterdir()] == ["settings.toml"]


def test_all_mistakes_are_found_at_once(
    settings: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of every source, and of what the settings name, each with its own place."""
    (tmp_path / "broken_handlers.py").write_text("\n\nno_such_name\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("OCR_LIMIT__STORAGE", "x")
    monkeypatch.setenv("OCR_MODEL__DETECTOR", "no-such-detector")
    _set(settings, "certfile", '"/nowhere.pem"')
    _set(settings, "graceful_timeout", '"30"')
    _local(
        settings,
        '[model]\nrecogniser = "no-such"\nmax_pages = true\n'
        '[tls]\nclient_certificates = "optional"\nclient_ca = "no-ca.pem"\n'
        '[[functions]]\npath = "/b"\nhandler = "broken_handlers:x"\n'
        'scope = "ocr"\n[[functions]]\npath = "/n"\nhandler = "no_such_module:x"\nscope = "ocr"\n',
    )
    found = _mistakes(settings)
    said = {
        "OCR_LIMIT__STORAGE matches no table": "did you mean OCR_LIMITS?",
        "settings.local.toml:3: [model] max_pages: true is not a whole number": "50",
        "OCR_MODEL__DETECTOR: [model] detector: no detector is called": "ppocrv3-det",
        "settings.local.toml:9: [[functions]] /b handler = 'broken_handlers:x'": (
            "NameError in " + str(tmp_path / "broken_handlers.py, line 3: name 'no_such_name'")
        ),
        "settings.local.toml:13: [[functions]] /n handler = 'no_such_module:x'": "No module named",
    }
    for beginning, rest in said.items():
        [line] = [line for line in found if line.startswith(beginning)]
        assert rest in line
    assert re.match(r"settings\.toml:\d+: graceful_timeout: \"30\" is a string", found[1])
    assert all("\n" not in line for line in found)
    _set(settings, "graceful_timeout", "30")
    found = _mistakes(settings)
    assert any(
        re.match(r"settings\.toml:\d+, .*: certfile, keyfile: .*/nowhere\.pem", x) for x in found
    )
    [line] = [line for line in found if "no-ca.pem" in line]
    assert line.startswith("settings.local.toml:6: [tls] client_ca")


def test_a_broken_file_is_one_mistake(settings: Path) -> None:
    """What it would have set is not said to be missing; the other sources are still read."""
    settings.write_text('bind = [\n"x"\n', encoding="utf-8")
    _local(settings, "[tls]\nreload_poll_s = 0\n[tls2]\n")
    found = _mistakes(settings)
    assert len(found) == 2
    assert found[0].startswith(
        "settings.toml:2: not valid TOML, in what begins in line 1: the list"
    )
    assert found[1].startswith("settings.local.toml:3: [tls2]: unknown table")


def test_a_storage_url_that_cannot_be_used_is_refused(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its password is not shown."""
    monkeypatch.setenv("OCR_LIMITS__STORAGE", "async+redis://:hunter2@h/0?protocol=nine")
    found = _mistakes(settings)
    assert all(
        line.startswith("OCR_LIMITS__STORAGE: [limits] storage: the URL can") for line in found
    )
    assert "hunter2" not in "".join(found)


def test_an_address_that_cannot_be_bound_is_a_mistake(settings: Path) -> None:
    """With its key and its line; an inherited socket is checked where it is inherited only."""
    _set(settings, "insecure_bind", '["203.0.113.9:80", "fd://987"]')
    _local(settings, KEY)
    found = check.check(settings, starting=False).mistakes
    addresses = [line for line in found if "insecure_bind" in line]
    assert len(addresses) == 1
    assert "insecure_bind: 203.0.113.9:80: this machine has no address" in addresses[0]
    found = check.check(settings, starting=True, inherits=True).mistakes
    assert "insecure_bind: fd://987: not a socket" in found[-1]


def test_the_port_of_the_running_service_is_no_mistake(settings: Path) -> None:
    """Before a reload; for a start it is one, as is another program's port in any case."""
    for arguments, mistakes in ((["--config", str(settings)], 0), ([], 1)):
        with subprocess.Popen(
            [sys.executable, "-c", HOLD, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            _set(settings, "bind", f'["127.0.0.1:{int(process.stdout.readline())}"]')
            beside = check.check(settings, starting=False)
            starting = check.check(settings, starting=True)
            process.communicate()
        assert len(beside.mistakes) == mistakes
        assert ("the service is running" in "".join(beside.notes)) is (mistakes == 0)
        assert f"in use by process {process.pid} (" in starting.mistakes[0]


def test_a_port_that_public_origin_does_not_name_is_warned_of(settings: Path) -> None:
    """A warning is no mistake; without a port in the origin something forwards 443."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    _set(settings, "bind", f'["127.0.0.1:{port}"]')
    report = check.check(settings, starting=True)
    assert report.mistakes == []
    [warning] = report.notes
    assert re.match(
        r"Warning: settings\.toml:\d+: \[plain_port\] public_origin names port 8443", warning
    )
    assert f'set public_origin = "https://localhost:{port}"' in warning
    for origin in (f"https://localhost:{port}", "https://localhost"):
        _set(settings, "public_origin", f'"{origin}"')
        assert check.check(settings, starting=True) == Report()


def test_directories_that_cannot_be_written_to_are_named(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The development certificate and key are made there."""
    monkeypatch.setattr(certificate, "is_writable", lambda _: False)
    monkeypatch.setattr(start_checks, "is_writable", lambda _: False)
    first, second = _mistakes(settings)
    assert "certificate.pem cannot be made: the directory is not writable" in first
    assert second.startswith("there are no [[keys]], and the development key cannot be made in ")


def test_a_file_of_hypercorn_must_be_writable(settings: Path) -> None:
    """Hypercorn opens it before it imports the app."""
    text = settings.read_text(encoding="utf-8")
    settings.write_text(f'pid_path = "/no/such/pid"\n{text}', encoding="utf-8")
    [said] = _mistakes(settings)
    assert said.startswith("settings.toml:1: pid_path: /no/such/pid cannot be written to")


def test_the_report_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Mistakes make the status 1; notes do not."""
    assert Report(["one", "two"], ["note"]).print(starting=True) == 1
    assert capsys.readouterr().err == "Sealed OCR does not start:\none\ntwo\nnote\n"
    assert Report([], ["note"]).print(starting=False) == 0
    assert capsys.readouterr().err == "note\n"


@pytest.mark.parametrize(("more", "said"), [([], "Warning: x\n"), (["--no-warnings"], "")])
def test_what_the_start_logs_is_said_once(
    more: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """scripts/serve checks first, and then starts the service, whose log has the warning, too."""
    monkeypatch.setattr(check, "check", lambda *_, **__: Report(notes=["Warning: x"]))
    monkeypatch.setattr(sys, "argv", ["check", "--start", *more])
    assert check.main() == 0
    assert capsys.readouterr().err == said
