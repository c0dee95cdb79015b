"""The audit trail of a running service: a full disk, a killed process, and the command."""

import base64
import io
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from scripts.audit_command import main
from tests.system.conftest import draw
from tests.system.service import ROOT, Service

SECRET = "5" * 64
SETTINGS = """
[limits]
per_key = "6000/minute"
per_address = "6000/minute"
[audit]
directory = "{directory}"
on_failure = "{policy}"
[[functions]]
path = "/ocr"
limits = []
[[functions]]
path = "/api/ocr"
enabled = true
limits = []
"""
READY = 'sealed_ocr_ready{check="audit"}'
WARNING = 'sealed_ocr_warning{warning="audit"} 1'
MOST = 40  # requests until a disk is full of which the last memory page has some bytes left


class SmallDisk:
    """A file system of 64 KB in memory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "trail"
        self._filler = directory / "filler"

    def fill(self) -> None:
        """Leave no space."""
        with suppress(OSError), self._filler.open("wb", 0) as file:
            while True:
                file.write(bytes(4096))

    def free(self) -> None:
        """Leave space again."""
        self._filler.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Mount a small disk; that takes root."""
    directory = tmp_path / "disk"
    directory.mkdir()
    options = ("-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", directory)
    if subprocess.run(["mount", *options], check=False, capture_output=True).returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield SmallDisk(directory)
    finally:
        subprocess.run(["umount", "-l", directory], check=True)


@dataclass(frozen=True)
class Done:
    """What a command has printed, and its exit status."""

    status: int
    out: str
    errors: str


def audit(*words: str | Path) -> Done:
    """Run scripts/audit in this process: its imports take longer than its work."""
    out, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(errors):
        try:
            status = main([str(word) for word in words])
        except SystemExit as refusal:
            status = int(refusal.code or 0)
    return Done(status, out.getvalue(), errors.getvalue())


def secrets_of(directory: Path) -> dict[str, str]:
    """Return the variable that names a directory with the key."""
    secrets = directory / "secrets"
    secrets.mkdir(exist_ok=True)
    (secrets / "audit__key").write_text(f"{SECRET}\n", "ascii")
    return {"OCR_SECRETS_DIR": str(secrets)}


def serving(tmp_path: Path, disk: SmallDisk, policy: str) -> Service:
    """Return a service with an audit trail."""
    directory = tmp_path / policy
    directory.mkdir()
    local = SETTINGS.format(directory=disk.directory, policy=policy)
    return Service(directory, local=local, environment=secrets_of(directory))


def until(ask: Callable[[], bool]) -> None:
    """Ask until it is so."""
    assert any(ask() for _ in range(MOST))


def denying(client: httpx2.Client, service: Service, disk: SmallDisk, page: bytes) -> None:
    """Let the disk be full, and see that nothing is read; then see it go on."""
    files = {"image": page}
    assert client.post("/ocr", files=files).status_code == 200
    disk.fill()
    until(lambda: client.post("/ocr", files=files).status_code == 503)
    refused = client.post("/ocr", files=files)
    assert (refused.status_code, refused.json()["code"]) == (503, "audit_unavailable")
    assert refused.headers["retry-after"] == "5"
    assert "text" not in refused.json()
    assert "pages" not in refused.json()
    drop_in = client.post("/api/ocr", json={"base64": base64.b64encode(page).decode()})
    assert (drop_in.status_code, drop_in.json()["code"]) == (503, 503)  # in its own form
    ready = client.get("/readyz")
    assert (ready.status_code, "audit" in ready.json()["detail"]) == (503, True)
    metrics = client.get("/metrics").text  # they are served: an alert is to tell somebody
    assert f"{READY} 0" in metrics
    assert "sealed_ocr_audit_failures_total 0" not in metrics
    assert "No space left" in service.logged('"audit_failed"')
    disk.free()
    assert f"{READY} 1" in client.get("/metrics").text
    assert client.post("/ocr", files=files).status_code == 200
    service.logged('"audit_recovered"')


def killed(client: httpx2.Client, service: Service) -> None:
    """Kill the service under load."""

    def send() -> None:
        with suppress(httpx2.TransportError):
            while True:
                client.post("/ocr", files={"image": b"no image"})

    before = len(service.log)
    senders = [threading.Thread(target=send) for _ in range(3)]
    for sender in senders:
        sender.start()
    service.logged('"function": "/ocr"', after=before)
    service.process.send_signal(signal.SIGKILL)
    for sender in senders:
        sender.join()


def allowing(client: httpx2.Client, service: Service, disk: SmallDisk) -> None:
    """See that with the same full disk a request gets its usual response: the control."""
    disk.fill()

    def failed() -> bool:
        assert client.post("/ocr", files={"image": b"no image"}).status_code == 415
        return any('"audit_failed"' in line for line in service.log)

    until(failed)
    metrics = client.get("/metrics").text  # they make the checks of /readyz, each for itself
    assert f"{READY} 1" in metrics
    assert WARNING in metrics
    disk.free()
    metrics = client.get("/metrics").text
    assert f"{READY} 1" in metrics
    assert WARNING not in metrics


def test_the_audit_trail_of_a_service(
    tmp_path: Path, disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full disks and `kill -9` leave a trail in order, which answers who sent a document."""
    page = draw("SEALED")
    (tmp_path / "page.png").write_bytes(page)
    (tmp_path / "other.png").write_bytes(draw("OTHER"))
    with serving(tmp_path, disk, "deny") as service, service.client() as client:
        denying(client, service, disk, page)
        killed(client, service)
    with serving(tmp_path, disk, "allow") as service, service.client() as client:
        allowing(client, service, disk)
        service.stop()
    head = service.logged('"audit_head"').partition('"head": "')[2].rstrip('"}')
    monkeypatch.setenv("OCR_SECRETS_DIR", str(service.directory / "secrets"))
    done = audit("verify", "--config", service.settings, "--head", head)
    assert (done.status, done.errors) == (0, ""), done
    assert done.out.count("writes failed since") == 2
    assert "in order" in done.out
    asked(tmp_path, disk)
    tampered(service, disk)


def asked(tmp_path: Path, disk: SmallDisk) -> None:
    """Ask who sent a file at hand, and what a key did."""
    key = tmp_path / "deny" / "secrets" / "audit__key"
    shown = audit("show", disk.directory, "--key-file", key, "--document", tmp_path / "page.png")
    lines = shown.out.splitlines()[1:]
    assert len(lines) > 3
    assert all("development" in line and "127.0.0.1" in line for line in lines)
    [first] = [line for line in lines if " 200 " in line][:1]
    assert "/ocr" in first
    other = audit("show", disk.directory, "--key-file", key, "--document", tmp_path / "other.png")
    assert other.out.count("\n") == 1
    for words, found in (((), True), (("--until", "1h"), False), (("--function", "/x"), False)):
        done = audit("show", disk.directory, "--key", "development", "--format", "csv", *words)
        assert (done.out.count("\n") > 1) == found


def tampered(service: Service, disk: SmallDisk) -> None:
    """Change a record, as root may: it is named."""
    file = min(disk.directory.glob("*.jsonl"))
    lines = file.read_bytes().splitlines(keepends=True)
    changed = lines[1].replace(b"127.0.0.1", b"127.0.0.2")
    file.write_bytes(b"".join([lines[0], changed, *lines[2:]]))
    done = audit("verify", "--config", service.settings)
    assert done.status == 1
    assert f"WRONG: {file}, line 2: the record was changed" in done.errors
    assert "not in order" in done.out


def test_what_the_command_lacks_is_said(tmp_path: Path) -> None:
    """In one line, without a traceback; and an empty directory is no trail."""
    settings = tmp_path / "settings.toml"
    settings.write_text((ROOT / "settings.toml").read_text("utf-8"), "utf-8")
    key = tmp_path / "key"
    key.write_text("5" * 64)
    cases: tuple[tuple[list[str | Path], int, str], ...] = (
        (["verify"], 2, "directory is empty in the settings; name a DIRECTORY"),
        (["verify", tmp_path / "nowhere", "--key-file", key], 2, "is not a directory"),
        (["verify", tmp_path], 2, "the key is missing or too short"),
        (["verify", tmp_path, "--key-file", tmp_path / "no-key"], 2, "No such file"),
        (["show", tmp_path, "--since", "yesterday"], 2, "'yesterday' is no time; write"),
        (["show", tmp_path, "--address", "here"], 2, "'here' is no address or network"),
        (["verify", tmp_path, "--head", "12"], 2, "is not CHAIN:SEQ:MAC"),
        (["verify", tmp_path, "--from", "12"], 2, "is not CHAIN:SEQ"),
        (["verify", tmp_path, "--key-file", key], 1, "no records"),
        (["show", tmp_path, "--key", "nobody"], 0, "No recorded request matches."),
    )
    for words, status, said in cases:
        done = audit(*words, "--config", settings)
        assert (done.status, said in done.out + done.errors) == (status, True), done
    assert len(audit("new-key").out.strip()) == 64
    command = [sys.executable, "scripts/audit_command.py", "verify", "--config", str(settings)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr.count("\n")) == (2, 1)
