"""A kernel without seccomp: which services start, and their warnings."""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from model.sandbox import seccomp
from tests.system.service import Service, key_stanza
from tests.system.without_locks import WITHOUT_LOCKS, WITHOUT_SECCOMP

Start = Callable[..., Service]
KEY, STANZA = key_stanza("aaaa1111", "someone")
PUBLIC = {"bind": '["0.0.0.0:0"]', "insecure_bind": "[]"}
TRIAL = f"[tls]\nallow_development_certificate = true\n{STANZA}"
WARNING = "WARNING: the processes that parse uploads are not sandboxed"


def ready(client: httpx2.Client) -> dict[str, Any]:
    """Return what /readyz says once an engine has started."""
    due = time.monotonic() + 60
    while time.monotonic() < due:
        answer = client.get("/readyz")
        if answer.status_code == 200:
            document: dict[str, Any] = answer.json()
            return document
        time.sleep(0.1)
    raise AssertionError(answer.text)


def check_warned(service: Service) -> None:
    """Check that there is one warning, on stderr and in the log."""
    assert sum(line.startswith(WARNING) for line in service.log) == 1
    [entry] = [json.loads(line) for line in service.log if '"sandbox_missing"' in line]
    assert f"WARNING: {entry['warning']}" in service.log
    assert "seccomp" in entry["warning"]


@pytest.mark.parametrize("launcher", [WITHOUT_LOCKS, WITHOUT_SECCOMP], ids=["bare", "landlock"])
def test_on_loopback_it_starts_and_warns(
    start: Start, draw: Callable[..., bytes], launcher: tuple[str, ...]
) -> None:
    """Trying it out is possible everywhere; the log says once what is amiss, and /readyz does."""
    with start(launcher=launcher) as service, service.client() as client:
        document = ready(client)
        assert document["status"] == "ready"
        assert list(document["warnings"]) == ["sandbox"]
        assert "not sandboxed" in document["warnings"]["sandbox"]
        answer = client.post("/ocr?detect=false", files={"image": draw("4711 0815")})
        assert answer.json()["text"].replace(" ", "") == "47110815"
        check_warned(service)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"server": PUBLIC, "local": TRIAL}, ["settings.toml", "0.0.0.0:0"]),
        (
            {"server": PUBLIC, "local": f'[sandbox]\nrequire = "always"\n{TRIAL}'},
            ["settings.local.toml", "0.0.0.0:0"],
        ),
        ({"local": '[sandbox]\nrequire = "always"\n'}, ["settings.local.toml"]),
    ],
    ids=["public", "always, public", "always, loopback"],
)
def test_it_refuses_to_start(start: Start, options: dict[str, Any], named: list[str]) -> None:
    """Where others reach it, or locks are always asked for: file, table and mend are named."""
    status, said = start(launcher=WITHOUT_LOCKS, **options).refusal()
    assert status != 0
    mend = 'require = "never"'
    for name in ["[sandbox]", "seccomp", mend, *named]:
        assert name in said
    assert "Traceback" not in said
    assert "Running on" not in said


@pytest.mark.parametrize("server", [PUBLIC, {}], ids=["public", "loopback"])
def test_the_risk_can_be_accepted(start: Start, server: dict[str, str]) -> None:
    """With require = "never" it starts on every address, with the warning."""
    local = f'[sandbox]\nrequire = "never"\n{TRIAL}'
    with start(launcher=WITHOUT_LOCKS, server=server, local=local) as service:
        with service.client(key=KEY) as client:
            assert "sandbox" in ready(client)["warnings"]
        check_warned(service)


@pytest.mark.skipif(not seccomp.available(), reason="this kernel has no seccomp")
@pytest.mark.parametrize("require", ["public", "always", "never"])
def test_with_seccomp_there_is_no_warning(start: Start, require: str) -> None:
    """Where the locks are there, nothing is said, whatever is required."""
    local = f'[sandbox]\nrequire = "{require}"\n'
    with start(local=local) as service, service.client() as client:
        assert "warnings" not in ready(client)
        assert not any("WARNING" in line or "sandbox" in line for line in service.log)
