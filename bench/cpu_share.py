"""A control group (cgroup, version 1 or 2) that caps and counts the processor time of a host.

A host has the priority of the process that makes it (a cgroup takes no account of the niceness
inside), or comes before all others, so that it gets its share also while they are busy. In version
1 the cap and the count are two hierarchies, in version 2 one.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
PERIOD_US = 20_000  # short, so that a capped host pauses for milliseconds only
PATIENCE_S = 5
WEIGHTS = {"cpu.weight": 100, "cpu.shares": 1024}  # of a process that is not nice
FIRST = 100  # times as much
NICE = 1.25  # a level of niceness is worth so much, as for processes


class NoControlGroup(Exception):
    """This machine has no cgroup that this process may write."""


class CpuShare:
    """The cgroups of one host; `cores` is the cap, in cores (None: no cap)."""

    def __init__(self, name: str, cores: float | None, *, first: bool = False) -> None:
        """Create the cgroups.

        Raises:
            NoControlGroup: a cap is wanted, and this machine has no cgroup to write to.

        """
        self._folders: list[Path] = []
        self._cores = cores
        try:
            self._folders = [_make(root / name) for root in _hierarchies()]
            self._weigh(FIRST if first else NICE ** -os.getpriority(os.PRIO_PROCESS, 0))
            self.uncap() if cores is None else self._cap(cores)
        except OSError as error:
            self.remove()
            self._folders = []
            if cores is not None:
                raise NoControlGroup(
                    f"a host cannot be capped at {cores} cores: no cpu cgroup below {ROOT} is"
                    f" writable ({error}); run as root, or leave the cap out"
                ) from error

    @property
    def entrance(self) -> list[str]:
        """Return the start of a command line that runs the rest of it in the cgroups."""
        files = " ".join(f"{folder}/cgroup.procs" for folder in self._folders)
        script = f'for each in {files}; do echo $$ >"$each" || exit 126; done; exec "$@"'
        return ["sh", "-c", script, "sh"]

    @property
    def used_s(self) -> float:
        """Return the processor seconds that its processes have used, also those that have ended.

        Raises:
            NoControlGroup: nothing counts them.

        """
        for folder in self._folders:
            if (folder / "cpuacct.usage").exists():
                return int((folder / "cpuacct.usage").read_text("ascii")) / 1e9
            if (folder / "cpu.max").exists():
                counts = dict(map(str.split, (folder / "cpu.stat").read_text("ascii").splitlines()))
                return int(counts["usage_usec"]) / 1e6
        raise NoControlGroup(f"no cgroup below {ROOT} is writable: processor time is not counted")

    @property
    def pids(self) -> set[int]:
        """The processes in the cgroups."""
        texts = [(folder / "cgroup.procs").read_text("ascii") for folder in self._folders]
        return {int(pid) for text in texts for pid in text.split()}

    def _weigh(self, times: float) -> None:
        for folder in self._folders:
            for name, weight in WEIGHTS.items():
                if (folder / name).exists():
                    (folder / name).write_text(str(max(2, round(times * weight))), "ascii")

    def _cap(self, cores: float) -> None:
        quota_us = max(1000, round(cores * PERIOD_US))
        for folder in self._folders:
            if (folder / "cpu.max").exists():
                (folder / "cpu.max").write_text(f"{quota_us} {PERIOD_US}", "ascii")
            elif (folder / "cpu.cfs_quota_us").exists():
                (folder / "cpu.cfs_period_us").write_text(f"{PERIOD_US}", "ascii")
                (folder / "cpu.cfs_quota_us").write_text(f"{quota_us}", "ascii")

    def uncap(self) -> None:
        """Lift the cap: a process that is killed needs processor time to end."""
        for folder in self._folders:
            if (folder / "cpu.max").exists():
                (folder / "cpu.max").write_text(f"max {PERIOD_US}", "ascii")
            elif (folder / "cpu.cfs_quota_us").exists():
                (folder / "cpu.cfs_quota_us").write_text("-1", "ascii")

    def recap(self) -> None:
        """Set the cap again, after `uncap`."""
        if self._cores is not None:
            self._cap(self._cores)

    def remove(self) -> None:
        """Remove the cgroups, whose processes have been killed."""
        for folder in self._folders:
            remove_group(folder)


def _hierarchies() -> list[Path]:
    """Return where cgroups are made."""
    if (ROOT / "cgroup.controllers").exists():
        enabled = ROOT / "cgroup.subtree_control"
        if "cpu" not in enabled.read_text("ascii").split():
            enabled.write_text("+cpu", "ascii")
        return [ROOT]
    found = [ROOT / name for name in ("cpu", "cpuacct") if (ROOT / name).is_dir()]
    if ROOT / "cpu" not in found:
        raise FileNotFoundError(f"{ROOT}/cpu is missing")
    return list({folder.resolve(): folder for folder in found}.values())


def _make(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def remove_group(folder: Path) -> None:
    """Remove one cgroup; wait until its killed processes have ended."""
    due = time.monotonic() + PATIENCE_S
    while folder.exists() and time.monotonic() < due:
        with suppress(OSError):
            folder.rmdir()
            return
        time.sleep(0.005)


def groups(prefix: str) -> list[Path]:
    """Return the cgroups whose names begin with `prefix`."""
    with suppress(OSError):
        return [each for root in _hierarchies() for each in root.glob(f"{prefix}*")]
    return []
