"""What stops a start: each mistake is named, and the exit status says so."""

import json
import subprocess
from collections.abc import Callable

import pytest

from model.sizing import this_machine
from tests.system.service import HYPERCORN, ROOT, Service, key_stanza

Start = Callable[..., Service]
KEY, STANZA = key_stanza("aaaa1111", "someone")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"server": {"certfil": '"x"'}}, ["settings.toml", "certfil", "certfile"]),
        ({"local": "[limits]\nstorag = 1\n"}, ["settings.local.toml", "storag", "storage"]),
        (
            {"local": '[engine]\nthreads = "0"\n'},
            ["settings.local.toml:2", "threads", "whole number"],
        ),
        ({"local": "[engine]\nthreads = 0\n"}, ["settings.local.toml", "threads", '"auto"']),
        ({"local": '[engine]\nprocesses = "al"\n'}, ["processes", "whole number", '"auto"']),
        ({"environment": {"OCR_ENGINE__PROCESSES": "0"}}, ["processes", "a number", '"auto"']),
        ({"environment": {"OCR_SETINGS": "x"}}, ["OCR_SETINGS", "OCR_SETTINGS"]),
        ({"local": "workers = 4\n"}, ["settings.local.toml", "workers", "settings.toml"]),
        ({"environment": {"OCR_BIND": "0.0.0.0:1"}}, ["OCR_BIND", "settings.toml"]),
        ({"environment": {"OCR_LIMIT__STORAGE": "x"}}, ["OCR_LIMIT__STORAGE", "OCR_LIMITS"]),
        ({"environment": {"OCR_SETTINGS": "/nowhere.toml"}}, ["/nowhere.toml", "settings.toml"]),
        ({"server": {"workers": "2"}}, ["workers", "storage"]),
        ({"server": {"bind": '["0.0.0.0:0"]'}}, ["0.0.0.0:0", "scripts/keys new"]),
        (
            {"server": {"bind": '["0.0.0.0:0"]'}, "local": STANZA},
            ["settings.toml", "certfile", "certificate.pem", "is missing"],
        ),
        ({"server": {"certfile": '"/nowhere.pem"'}}, ["/nowhere.pem"]),
        (
            {"local": '[model]\nrecogniser = "ppocrv9"\n'},
            ["settings.local.toml:2: [model] recogniser: ", "ppocrv9", "ppocrv6-small"],
        ),
        (
            {"local": '[[functions]]\npath = "/x"\nhandler = "handlers.x:y"\nscope = "ocr"\n'},
            ["settings.local.toml:3: [[functions]] /x", "handlers.x"],
        ),
        ({"arguments": ("--bind", "127.0.0.1:1")}, ["bind", "127.0.0.1:1", "settings.toml"]),
        ({"arguments": ("--workers", "3")}, ["workers", "settings.toml"]),
    ],
)
def test_invalid_settings_are_named(
    start: Start, options: dict[str, object], named: list[str]
) -> None:
    """The message names key, file and remedy; the exit status is not 0; nothing is served."""
    status, said = start(**options).refusal()
    assert status != 0
    for name in named:
        assert name in said
    assert "Traceback" not in said
    assert "Running on" not in said


def test_a_supervised_start_fails_visibly(start: Start) -> None:
    """With workers, whose supervisor always exits 0, a refused start is still visible."""
    server = {"workers": "1", "certfile": '"/nowhere.pem"'}
    status, said = start(server=server).refusal()
    assert status != 0
    assert said.count("/nowhere.pem") == 1


def test_another_file_is_refused(start: Start, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Hypercorn reading one file and the service another is refused with both names."""
    other = tmp_path_factory.mktemp("other") / "other.toml"
    other.write_text((ROOT / "settings.toml").read_text("utf-8"), encoding="utf-8")
    service = start(environment={"OCR_SETTINGS": str(other)})
    status, said = service.refusal()
    assert status != 0
    assert str(other) in said
    assert str(service.settings) in said


def test_no_file_at_all_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    """`hypercorn app:app` alone would serve plain HTTP with Hypercorn's defaults."""
    done = subprocess.run(
        [HYPERCORN, "app:app"],
        cwd=ROOT,
        env={"PATH": "/usr/bin", "HOME": str(tmp_path_factory.mktemp("home"))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "--config settings.toml" in done.stderr


def test_a_development_certificate_stays_private(start: Start) -> None:
    """It is refused where other machines reach it, and allowed by one line."""
    server = {"bind": '["0.0.0.0:0"]', "insecure_bind": "[]"}
    trial = "[tls]\nallow_development_certificate = true\n"
    with start(server=server, local=trial + STANZA) as service:
        with service.client(key=KEY) as client:
            assert client.get("/healthz").status_code == 200
        made = {
            "certfile": f'"{service.directory}/tls/certificate.pem"',
            "keyfile": f'"{service.directory}/tls/certificate.key"',
        }
        status, said = start(server={**server, **made}, local=STANZA).refusal()
    assert status != 0
    assert "allow_development_certificate" in said


def test_overrides_take_effect(start: Start, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Local file, secrets directory and environment each change what is served, in that order."""
    secrets = tmp_path_factory.mktemp("secrets")
    (secrets / "hsts__development_max_age_s").write_text("22")
    local = "[hsts]\ndevelopment_max_age_s = 11\n"
    for environment, expected in (
        ({}, "max-age=11"),
        ({"OCR_SECRETS_DIR": str(secrets)}, "max-age=22"),
        (
            {"OCR_SECRETS_DIR": str(secrets), "OCR_HSTS__DEVELOPMENT_MAX_AGE_S": "33"},
            "max-age=33",
        ),
    ):
        with (
            start(local=local, environment=environment) as service,
            service.client() as client,
        ):
            assert client.get("/healthz").headers["strict-transport-security"] == expected


@pytest.mark.parametrize("processes", ['"auto"', "1000"])
def test_the_number_of_engines_is_explained(start: Start, processes: str) -> None:
    """What "auto" came to is in the log, and what it came from; and that 1,000 are too many."""
    local = f"[engine]\nprocesses = {processes}\n"
    with start(local=local) as service, service.client() as client:
        assert client.get("/healthz").status_code == 200
        said = [json.loads(line) for line in service.log if "engine_sized" in line]
    machine = this_machine()
    [entry] = said
    assert f"{machine.processors} processors" in entry["machine"]
    if processes == "1000":
        assert "half of the memory is enough for" in entry["warning"]
    else:
        assert 1 <= entry["processes"] <= machine.processors
        assert entry["warning"] is None
