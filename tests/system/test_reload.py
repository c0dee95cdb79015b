"""Reloading settings: what applies at once, what needs a restart, and invalid settings."""

import hashlib
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from middleware.key_format import new_key
from tests.system.service import Service, key_stanza
from tls.development import ensure_development_certificate

Start = Callable[..., Service]
FAST = "[tls]\nreload_poll_s = 0.05\n"
FIRST, FIRST_STANZA = key_stanza("aaaa1111", "first", 'limits = { "*" = "1000/minute" }')
SECOND, SECOND_STANZA = key_stanza("bbbb2222", "second")


@pytest.fixture
def service(start: Start) -> Iterator[Service]:
    """Start a service that looks at its files twenty times a second, with one key."""
    with start(local=FAST + FIRST_STANZA) as running:
        yield running


def rewrite(service: Service, local: str, event: str) -> dict[str, object]:
    """Replace settings.local.toml and return the log entry."""
    seen = len(service.log)
    file = service.directory / "settings.local.toml"
    file.with_suffix(".next").write_text(local, encoding="utf-8")
    file.with_suffix(".next").replace(file)
    entry: dict[str, object] = json.loads(service.logged(event, after=seen))
    return entry


def status(service: Service, key: str) -> int:
    """Request a reading without a body: 401 without a valid key, 415 with one."""
    with service.client(key=key) as client:
        return client.post("/ocr").status_code


def test_keys_are_added_and_removed(service: Service) -> None:
    """A new key is valid, one that was removed is not, on the connection they were used on."""
    with service.client(key=FIRST) as client:
        assert client.post("/ocr").status_code == 415
        entry = rewrite(service, FAST + SECOND_STANZA, "settings_loaded")
        assert entry["tables"] == ["keys"]
        assert entry["keys"] == {"added": ["bbbb2222"], "changed": [], "removed": ["aaaa1111"]}
        assert client.post("/ocr").status_code == 401
        assert client.post("/ocr", headers={"x-api-key": SECOND}).status_code == 415
    refused = json.loads(service.logged('"unknown key"'))
    assert (refused["key"], refused["key_id"]) == (None, "aaaa1111")
    assert service.process.poll() is None


def test_a_key_that_expires_stops_by_itself(service: Service) -> None:
    """To the second, without anything being loaded."""
    expires = datetime.now(UTC) + timedelta(seconds=4)
    token, stanza = key_stanza("cccc3333", "third", f"expires = {expires.isoformat()}")
    rewrite(service, FAST + FIRST_STANZA + stanza, "settings_loaded")
    with service.client(key=token) as client:
        assert client.post("/ocr").status_code == 415
        time.sleep(max(0, (expires - datetime.now(UTC)).total_seconds()))
        assert client.post("/ocr").status_code == 401


def test_limits_are_reloaded(service: Service) -> None:
    """A new limit counts from now on; one that stays goes on counting."""
    with service.client(key=FIRST) as client:
        assert client.post("/ocr").headers["ratelimit"].startswith('"address";r=599')
        local = FAST + FIRST_STANZA + '[limits]\nfailed_authentications = "1/minute"\n'
        rewrite(service, local, "settings_loaded")
        assert client.post("/ocr").headers["ratelimit"].startswith('"address";r=598')
        wrong = {"x-api-key": SECOND}
        assert client.post("/ocr", headers=wrong).status_code == 401
        assert client.post("/ocr", headers=wrong).status_code == 429


def test_hsts_is_reloaded(service: Service) -> None:
    """The next response has the new max-age, which is short for development."""
    with service.client(key=FIRST) as client:
        assert client.get("/healthz").headers["strict-transport-security"] == "max-age=60"
        local = FAST + FIRST_STANZA + "[hsts]\ndevelopment_max_age_s = 7\n"
        assert rewrite(service, local, "settings_loaded")["tables"] == ["hsts"]
        assert client.get("/healthz").headers["strict-transport-security"] == "max-age=7"


def test_origins_of_pages_are_reloaded(service: Service) -> None:
    """A page is allowed from the next request on, and no longer once its origin is gone."""
    page = {"origin": "https://intranet.example.org"}
    allowed = "access-control-allow-origin"
    with service.client(key=FIRST) as client:
        assert allowed not in client.get("/healthz", headers=page).headers
        local = FAST + FIRST_STANZA + f'[cors]\norigins = ["{page["origin"]}"]\n'
        assert rewrite(service, local, "settings_loaded")["tables"] == ["cors"]
        assert client.get("/healthz", headers=page).headers[allowed] == page["origin"]
        rewrite(service, FAST + FIRST_STANZA, "settings_loaded")
        assert allowed not in client.get("/healthz", headers=page).headers


def test_settings_that_need_a_restart_are_named(service: Service) -> None:
    """In the log and in /readyz, until reverted; other changes apply at once."""
    local = FAST + SECOND_STANZA + '[engine]\nmax_waiting = 3\n[model]\nrecogniser = "x"\n'
    entry = rewrite(service, local, "settings_loaded")
    assert entry["tables"] == ["keys"]
    assert entry["needs_restart"] == ["[model] recogniser", "[engine] max_waiting"]
    with service.client(key=SECOND) as client:
        ready = client.get("/readyz")
        assert ready.status_code == 200
        assert ready.json()["warnings"] == {
            "restart": "needed for changes of [model] recogniser, [engine] max_waiting"
        }
        rewrite(service, FAST + FIRST_STANZA, "settings_loaded")
        assert "warnings" not in client.get("/readyz").json()


@pytest.mark.parametrize(
    "broken",
    [
        SECOND_STANZA + "[limits]\nper_key = 1\n",
        SECOND_STANZA + "[limit]\n",
        SECOND_STANZA + "x",
        SECOND_STANZA + SECOND_STANZA.replace("scopes", "scope"),
    ],
)
def test_broken_settings_change_nothing(service: Service, broken: str) -> None:
    """The old ones stay, all of them; it is logged, and /readyz is red until it is mended."""
    entry = rewrite(service, FAST + broken, "settings_not_loaded")
    assert "settings.local.toml" in str(entry["error"])
    assert (status(service, FIRST), status(service, SECOND)) == (415, 401)
    with service.client(key=FIRST) as client:
        assert client.get("/readyz").json()["detail"] == "Failed checks: settings."
        rewrite(service, FAST + SECOND_STANZA, "settings_loaded")
        assert client.get("/readyz").status_code == 200
    assert (status(service, FIRST), status(service, SECOND)) == (401, 415)


def test_corrected_settings_are_reported(service: Service) -> None:
    """Also where they are the old ones again, and nothing is left to take up."""
    rewrite(service, "x", "settings_not_loaded")
    entry = rewrite(service, FAST + FIRST_STANZA, "settings_loaded")
    assert entry["tables"] == entry["needs_restart"] == []


def test_the_first_key_ends_the_development_key(start: Start) -> None:
    """From then on it is an unknown one, which is logged once."""
    disabled = '"development_key_disabled"'
    with start(local=FAST) as service:
        assert status(service, service.key) == 415
        assert disabled not in "".join(service.log)
        rewrite(service, FAST + FIRST_STANZA, "settings_loaded")
        assert (status(service, service.key), status(service, FIRST)) == (401, 415)
        assert ".dev/key" in json.loads(service.logged(disabled))["file"]
        rewrite(service, FAST + FIRST_STANZA + SECOND_STANZA, "settings_loaded")
        assert "".join(service.log).count(disabled) == 1
        rewrite(service, FAST, "settings_loaded")
        assert status(service, service.key) == 415
        assert ".dev/key" in json.loads(service.logged('"development_key_enabled"'))["file"]


def test_a_secret_is_reloaded(start: Start, tmp_path: Path) -> None:
    """Files of the secrets directory are settings like the others."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    with start(local=FAST, environment={"OCR_SECRETS_DIR": str(secrets)}) as service:
        digest = hashlib.sha256(SECOND.encode()).hexdigest()
        keys = [{"id": "bbbb2222", "name": "second", "sha256": digest, "scopes": ["ocr"]}]
        (secrets / "keys").write_text(json.dumps(keys), encoding="utf-8")
        service.logged("settings_loaded")
        assert status(service, SECOND) == 415


def test_sighup_reloads_everything_at_once(start: Start) -> None:
    """SIGHUP waits for no look: settings, keys and certificate, and nothing is dropped."""
    with start(local="[tls]\nreload_poll_s = 600\n" + FIRST_STANZA) as service:
        with service.client(key=FIRST) as client:
            assert client.post("/ocr").status_code == 415
            rewritten = "[tls]\nreload_poll_s = 600\n" + SECOND_STANZA
            (service.directory / "settings.local.toml").write_text(rewritten, encoding="utf-8")
            ensure_development_certificate(service.directory / "tls", ["ocr.lan"])
            assert client.post("/ocr").status_code == 415
            service.process.send_signal(signal.SIGHUP)
            service.logged('"reloaded"')
            assert client.post("/ocr").status_code == 401
        assert "ocr.lan" in service.logged("certificate_loaded")
        assert status(service, SECOND) == 415


def test_sighup_restarts_workers(start: Start) -> None:
    """The supervisor handles the signal; what a worker process logs has the service's format."""
    text = '[log]\nformat = "text"\n'
    with start(server={"workers": "1"}, local=text + FIRST_STANZA) as service:
        assert status(service, FIRST) == 415
        assert re.search(r"\d  worker_started: pid \d+$", service.logged("worker_started"))
        (service.directory / "settings.local.toml").write_text(SECOND_STANZA, encoding="utf-8")
        seen = len(service.log)
        os.kill(service.process.pid, signal.SIGHUP)
        service.logged("Running on https", after=seen)
        service.ports.clear()
        for line in service.log[seen:]:
            if "Running on https" in line:
                service.ports["https"] = int(line.rpartition(":")[2].split()[0])
        assert (status(service, FIRST), status(service, SECOND)) == (401, 415)
        assert service.logged("worker_started", after=seen).startswith("{")


def test_every_worker_reloads(start: Start) -> None:
    """The watch is in every worker, and needs no signal."""
    with start(server={"workers": "1"}, local=FAST + FIRST_STANZA) as service:
        assert rewrite(service, FAST + SECOND_STANZA, "settings_loaded")["tables"] == ["keys"]
        assert (status(service, FIRST), status(service, SECOND)) == (401, 415)


def test_settings_that_are_invalid_together_are_not_mixed(start: Start) -> None:
    """New [[keys]] beside a [proxy] that is still in force: the development key would open it."""
    proxied = FAST + '[proxy]\ntrusted = ["127.0.0.0/8"]\n'
    with start(local=proxied + FIRST_STANZA) as service:
        error = str(rewrite(service, FAST, "settings_not_loaded")["error"])
        assert "only with a restart" in error
        assert "the service behind [proxy] is reachable" in error
        assert status(service, FIRST) == 415


def test_an_unexpected_failure_is_reported_without_its_text(start: Start) -> None:
    """A storage that cannot be opened: the old keys stay, /readyz is red, no password is shown."""
    with start(local=FAST + FIRST_STANZA) as service:
        local = FAST + '[limits]\nstorage = "async+redis://:s3cret/pw@host:6379"\n'
        rewrite(service, local + SECOND_STANZA, "settings_not_loaded")
        assert "s3cret" not in "\n".join(service.log)
        assert (status(service, FIRST), status(service, SECOND)) == (415, 401)
        with service.client(key=None) as client:
            assert client.get("/readyz").json()["detail"] == "Failed checks: settings."


def test_sighup_during_the_start_does_not_end_it(start: Start) -> None:
    """There is nothing to reload yet, and nothing to end for."""
    service = start(local=FAST + FIRST_STANZA)
    while not any('"engine_sized"' in line for line in service.log):
        time.sleep(0.001)
    service.process.send_signal(signal.SIGHUP)
    with service:
        assert status(service, FIRST) == 415


def test_a_change_during_the_start_is_seen(start: Start) -> None:
    """The files are watched from before they are read."""
    service = start(local=FAST + FIRST_STANZA)
    while not any('"engine_sized"' in line for line in service.log):
        time.sleep(0.001)
    (service.directory / "settings.local.toml").write_text(FAST + SECOND_STANZA, "utf-8")
    with service:
        service.logged("settings_loaded")
        assert (status(service, FIRST), status(service, SECOND)) == (401, 415)


def test_sighup_reports_what_was_not_reloaded(service: Service) -> None:
    """`reloaded` alone would look like success."""
    (service.directory / "settings.local.toml").write_text("x", encoding="utf-8")
    service.logged("settings_not_loaded")
    service.process.send_signal(signal.SIGHUP)
    entry = json.loads(service.logged('"reloaded"'))
    assert len(entry["problems"]) == 1
    assert "settings.local.toml" in entry["problems"][0]


def test_why_a_key_was_refused_is_in_the_log_alone(service: Service) -> None:
    """Callers see one answer, operators the reason."""
    with service.client(key=None) as client:
        for key, reason in (
            (SECOND, "unknown key"),
            (new_key("aaaa1111"), "wrong key"),
            ("", "unknown key"),
        ):
            answer = client.post("/ocr", headers={"x-api-key": key})
            assert answer.status_code == 401
            assert reason not in answer.text
            entry = json.loads(service.logged(answer.headers["x-request-id"]))
            assert entry["reason"] == reason


def test_a_service_whose_keys_have_all_expired_says_so(start: Start) -> None:
    """In /readyz, because no request can be authenticated."""
    _, stanza = key_stanza("aaaa1111", "late", "expires = 2026-01-01")
    with start(local=FAST + stanza) as service, service.client(key=None) as client:
        assert client.get("/readyz").json()["warnings"] == {"keys": "all of them have expired"}
