"""The units of the scheduler and of the worker: valid, confined as the service, and at work."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.processes import free_ports
from sealed_ocr_client.__main__ import main
from tests.cluster.nodes import wait_for
from tests.deploy.replay import USER, Systemd, missing
from tests.deploy.units import ROOT, UNITS, command, read_unit
from tls.cluster import make_cluster_ca, make_cluster_certificate

NAMES = ("scheduler", "worker")
# What differs, and why the rest of the service's replay does not show it.
OWN = {
    *("ExecStart", "ExecStartPre", "ExecReload", "Environment", "Restart", "TimeoutStopSec"),
    "LimitNOFILE",  # a scheduler has three connections for each worker
    "ProcSubset",  # distributed reads /proc/meminfo
}


def _unit(name: str) -> Path:
    return UNITS / f"sealed-ocr-{name}.service"


@pytest.mark.parametrize("name", NAMES)
def test_it_is_confined_as_the_service(name: str) -> None:
    """Its directives are the service's, which tests/deploy replays."""
    service = read_unit(UNITS / "sealed-ocr.service")["Service"]
    unit = read_unit(_unit(name))["Service"]
    assert {key: unit[key] for key in unit if key not in OWN} == {
        key: service[key] for key in service if key not in OWN
    }


@pytest.mark.parametrize("name", NAMES)
def test_it_is_valid(name: str, tmp_path: Path) -> None:
    """systemd-analyze has nothing to say; and names a directive that it does not know."""
    copy = tmp_path / _unit(name).name
    for change, said in ((("", ""), False), (("ProtectSystem=", "ProtectSystems="), True)):
        text = _unit(name).read_text("utf-8").replace(*change)
        copy.write_text(text.replace("/opt/sealed-ocr/.venv/bin/python", "/bin/true"))
        done = subprocess.run(
            ["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False
        )
        assert (copy.name in done.stderr) is said, done.stderr


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[Systemd]:
    """What runs a command as a unit has it; with the settings and certificates of a cluster."""
    if missing():
        pytest.skip(missing())
    unit = Systemd(tmp_path)
    scheduler, worker = free_ports(2)
    tls = unit.etc / "tls" / "cluster"
    make_cluster_ca(tls)
    make_cluster_certificate(tls, "node", node=True)
    make_cluster_certificate(tls, "client", node=False)
    unit.configure(
        f'[cluster]\nscheduler = "tls://127.0.0.1:{scheduler}"\nnode = "tls://127.0.0.1:{worker}"\n'
        "[engine]\nprocesses = 1\nthreads = 1\n"
    )
    yield unit
    unit.close()


@pytest.mark.timeout(300)
def test_they_read_under_their_units(
    holder: Systemd, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A page is read, by processes of the service's user; SIGTERM ends both with status 0."""
    log = tmp_path / "log"
    processes = []
    said = {
        "scheduler": lambda: "listening on" in log.read_text("utf-8"),
        "worker": lambda: ": connected to " in log.read_text("utf-8"),
    }
    with ExitStack() as stack, log.open("wb") as output:
        for name in NAMES:
            holder.unit = read_unit(_unit(name))["Service"]
            words = holder.command(*command(holder.unit, "ExecStart"), inherits=False)
            process = subprocess.Popen(
                words, cwd=ROOT, env=holder.variables(), stdout=output, stderr=output
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            processes.append(process)
            # The plan of the command is in one file for both.
            wait_for(said[name])
        assert {_user(process.pid) for process in processes} == {USER}
        tls = holder.etc / "tls" / "cluster"
        address = log.read_text("utf-8").split("listening on ")[1].split()[0]
        pair = [
            "--certificate",
            str(tls / "client.pem"),
            "--certificate-key",
            str(tls / "client.key"),
        ]
        files = [str(ROOT / "examples" / "receipt.png"), "--out", str(tmp_path / "out"), "--quiet"]
        status = main([*files, "--cluster", address, "--ca", str(tls / "ca.pem"), *pair])
        assert status == 0, capfd.readouterr().err + log.read_text("utf-8")
        for process in reversed(processes):
            process.terminate()
            assert process.wait(60) == 0
    assert "HARBOUR CAFE" in (tmp_path / "out" / "receipt.png.txt").read_text("utf-8")


def _user(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid
