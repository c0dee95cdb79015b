"""The units as text: valid, without privileges, and what each directive takes away."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from settings import Settings
from tests.deploy.confine import NOT_REPLAYED, REPLAYED
from tests.deploy.filters import allowed_calls
from tests.deploy.replay import SOCKETS, Systemd, missing
from tests.deploy.units import UNITS, read_unit

NAMES = ("sealed-ocr.service", "sealed-ocr.socket")
EXPOSURE = 13  # tenths, of 100: systemd-analyze's own sum of what a service could do
# What the service has no use for, and the directives that take it away from root, too.
ATTEMPTS = {
    "write where it is installed": ("os.rmdir(os.mkdir('/opt/x') or '/opt/x')", {"ProtectSystem"}),
    "write its settings": ("open('/etc/sealed-ocr/settings.toml', 'a')", {"ProtectSystem"}),
    "see a home": ("os.stat('/root/.profile')", {"ProtectHome"}),
    "see others' temporary files": ("os.stat({file!r})", {"PrivateTmp"}),
    "see the machine's devices": ("assert len(os.listdir('/dev')) > 9", {"PrivateDevices"}),
    "see the machine in /proc": ("open('/proc/meminfo')", {"ProcSubset"}),
    "ask the kernel for more": ("socket.socket(16, 3)", {"RestrictAddressFamilies"}),
    "become another user": ("os.setuid(0)", {"SystemCallFilter"}),
    "change an owner": ("os.chown('/tmp', 0, 0)", {"SystemCallFilter"}),
    "put itself first": ("os.nice(-1)", {"SystemCallFilter"}),
    "look into others": ("call('process_vm_readv', *[0] * 6)", {"SystemCallFilter"}),
    "make a namespace": ("call('unshare', 0x20000)", {"RestrictNamespaces"}),
    "change its personality": ("call('personality', 8)", {"LockPersonality"}),
    "make a setuid file": ("os.mknod('/tmp/x'); os.chmod('/tmp/x', 0o4755)", {"RestrictSUIDSGID"}),
    "write code into memory": ("mmap.mmap(-1, 4096, prot=7)", {"MemoryDenyWriteExecute"}),
    "see other processes": ("os.stat('/proc/1')", {"ProtectProc", "ProcSubset", "User"}),
    "bind a port of root's": (
        "socket.create_server(('127.0.0.1', 911))",
        {"CapabilityBoundingSet", "User"},
    ),
    "gain by a setuid program": (
        "assert 'NoNewPrivs:\\t0' in open('/proc/self/status').read()",
        {"NoNewPrivileges"},
    ),
    "have a capability": (
        "assert 'CapBnd:\\t' + 16 * '0' not in open('/proc/self/status').read()",
        {"CapabilityBoundingSet"},
    ),
}
PRIVILEGES = {"User", "Group", "CapabilityBoundingSet"}
_CALL = """
import ctypes, mmap, os, socket
def call(name, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    numbers = {"unshare": 272, "personality": 135, "process_vm_readv": 310}
    if libc.syscall(numbers[name], *map(ctypes.c_long, arguments)) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
"""
_LANDLOCK = "from model.sandbox import landlock; print(landlock.deny_everything())"


@pytest.fixture(scope="module")
def holder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systemd]:
    """The unit, without the service running."""
    if missing():
        pytest.skip(missing())
    unit = Systemd(tmp_path_factory.mktemp("confined"))
    yield unit
    unit.close()


def _verify(unit: Path) -> str:
    done = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False
    )
    # Units of the machine that are wrong are none of ours.
    return "\n".join(line for line in done.stderr.splitlines() if "sealed-ocr" in line)


def _copy(directory: Path, change: tuple[str, str] = ("", "")) -> Path:
    """Copy the units, with a program that is there in place of the service."""
    for name in NAMES:
        text = (UNITS / name).read_text("utf-8").replace(*change)
        for program in (".venv/bin/hypercorn", "scripts/check"):
            text = text.replace(f"/opt/sealed-ocr/{program}", "/bin/true")
        (directory / name).write_text(text, encoding="utf-8")
    return directory / NAMES[0]


def test_the_units_are_valid(tmp_path: Path) -> None:
    """systemd-analyze has nothing to say; and names a directive that it does not know."""
    assert _verify(_copy(tmp_path)) == ""
    assert "ProtectSystems" in _verify(_copy(tmp_path, ("ProtectSystem=", "ProtectSystems=")))


@pytest.mark.parametrize("name", ["secrets.conf", "audit.conf"])
def test_secrets_reach_the_service_as_files(tmp_path: Path, name: str) -> None:
    """The drop-in is valid, and what it loads has the names of settings."""
    folder = tmp_path / f"{NAMES[0]}.d"
    folder.mkdir()
    shutil.copy(UNITS / name, folder)
    assert _verify(_copy(tmp_path)) == ""
    secrets = read_unit(UNITS / name)["Service"]
    assert secrets["Environment"] == ["OCR_SECRETS_DIR=%d"]
    tables = {line.partition("__")[0] for line in secrets["LoadCredential"]}
    assert tables <= set(Settings.tables())


def test_little_is_exposed(tmp_path: Path) -> None:
    """systemd-analyze's sum is low; and is not without the directives."""
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}"]
    assert subprocess.run([*command, _copy(tmp_path)], check=False).returncode == 0
    bare = _copy(tmp_path, ("SystemCallFilter=", "#"))
    assert subprocess.run([*command, bare], check=False).returncode != 0


def test_the_settings_take_the_sockets_in_their_order() -> None:
    """The .socket unit opens HTTPS, then HTTP: as many as bind and insecure_bind name."""
    ports = read_unit(UNITS / NAMES[1])["Socket"]["ListenStream"]
    assert ports == ["443", "80"]
    assert SOCKETS == {"bind": '["fd://3"]', "insecure_bind": '["fd://4"]'}


def test_every_directive_is_replayed() -> None:
    """A directive that is added to the unit is tried out, or it is said why not."""
    used = set(read_unit(UNITS / NAMES[0])["Service"])
    assert used - NOT_REPLAYED.keys() - REPLAYED == set()
    assert (NOT_REPLAYED.keys() | REPLAYED) - used == set()


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_the_unit_takes_it_away(holder: Systemd, attempt: str) -> None:
    """From the service, and from root; only without the directive that is named root may."""
    action, directives = ATTEMPTS[attempt]
    program = f"{_CALL}\n{action.format(file=str(holder.etc))}\nprint('done')"
    as_root = [] if directives & PRIVILEGES else [PRIVILEGES]
    for without in [set(), *as_root]:
        refused = holder.run(program, without)
        assert "done" not in refused.stdout
        assert "Error" in refused.stderr
    allowed = holder.run(program, PRIVILEGES | directives)
    assert allowed.stdout == "done\n", allowed.stderr


def test_landlock_is_left(holder: Systemd) -> None:
    """It works under the unit as without a filter; systemd's own set of calls is without it."""
    confined, free = holder.run(_LANDLOCK), holder.run(_LANDLOCK, {"SystemCallFilter"})
    assert int(confined.stdout) == int(free.stdout) > 0
    full = list(holder.unit["SystemCallFilter"])
    try:
        holder.unit["SystemCallFilter"][:] = ["@system-service"]
        if not allowed_calls(["@system-service"]) & {"landlock_restrict_self"}:
            assert holder.run(_LANDLOCK).stdout.strip() in {"", "0"}
    finally:
        holder.unit["SystemCallFilter"][:] = full
