"""The image, built without a registry or a daemon, and what runs in it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from tests.deploy.units import ROOT

TAG = "localhost/sealed-ocr"
_BASE = "localhost/base"
_PACKAGES = "ca-certificates,python3,python3-venv"
PATIENCE_S = 60


class Builder:
    """Buildah with its own storage."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._buildah = ["buildah", "--root", str(directory / "storage")]
        self._buildah += ["--runroot", str(directory / "run")]

    def run(self, *words: str | Path) -> str:
        """Run buildah; return what it says."""
        done = subprocess.run(
            [*self._buildah, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout.strip()

    def build(self) -> None:
        """Make a base of this machine's Debian, and the image on it."""
        root = self._directory / "base"
        codename, site = _debian()
        what = ["--variant=minbase", f"--include={_PACKAGES}", codename]
        subprocess.run(["debootstrap", *what, root, site], stdout=subprocess.DEVNULL, check=True)
        base = self.run("from", "scratch")
        self.run("copy", "-q", base, root, "/")
        self.run("commit", "-q", "--rm", base, _BASE)
        shutil.rmtree(root)
        options = ["--pull=never", "--isolation=chroot", "--format=docker"]
        options += [f"--build-arg=BASE={_BASE}", *self._pip()]
        self.run("bud", *options, "-f", "deploy/Containerfile", "-t", TAG, ".")

    def _pip(self) -> list[str]:
        """Return the secrets that let pip look where it looks on this machine."""
        listing = subprocess.run(
            [sys.executable, "-m", "pip", "config", "list"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        named = (line.partition("=") for line in listing.splitlines())
        told = {name.rpartition(".")[2]: value.strip("'") for name, _, value in named}
        lines = [f"{n} = {told[n]}" for n in ("index-url", "trusted-host") if n in told]
        secrets = []
        if "cert" in told:
            lines.append("cert = /run/secrets/ca")
            secrets.append(f"--secret=id=ca,src={told['cert']}")
        file = self._directory / "pip.conf"
        file.write_text("\n".join(["[global]", *lines, ""]), encoding="utf-8")
        return [*secrets, f"--secret=id=pip,src={file}"]

    def configuration(self) -> dict[str, Any]:
        """Return the image's configuration: user, entry point and the rest."""
        docker: dict[str, Any] = json.loads(self.run("inspect", "--type=image", TAG))["Docker"]
        found: dict[str, Any] = docker["config"]
        return found

    def mount(self) -> Path:
        """Return the root of a container of the image."""
        container = self.run("from", "--pull=never", TAG)
        return Path(self.run("mount", container))


class Container:
    """A root of the image, in which commands are started as its configuration says."""

    def __init__(self, builder: Builder, directory: Path, settings: Path) -> None:
        self.root = builder.mount()
        self.configuration = builder.configuration()
        self.log: list[str] = []
        plan = {
            "root": str(self.root),
            "mounts": {"/etc/sealed-ocr": str(settings)},
            "user": int(self.configuration["User"].partition(":")[0]),
            "environment": dict(pair.split("=", 1) for pair in self.configuration["Env"]),
            "directory": self.configuration["WorkingDir"],
        }
        self._plan = directory / "plan.json"
        self._plan.write_text(json.dumps(plan), encoding="utf-8")

    def command(self, *words: str) -> list[str]:
        """Return the command that runs another as process 1 of a container."""
        inside = [sys.executable, "-m", "tests.deploy.contain", str(self._plan), *words]
        return ["unshare", "--pid", "--ipc", "--uts", "--fork", "--kill-child", *inside]

    def start(self) -> None:
        """Start the entry point and wait until it listens."""
        self.process = subprocess.Popen(
            self.command(*self.configuration["Entrypoint"]),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._follower = threading.Thread(target=self._follow)
        self._follower.start()
        due = time.monotonic() + PATIENCE_S
        while not any("Running on" in line for line in self.log):
            if self.process.poll() is not None or time.monotonic() > due:
                raise AssertionError("\n".join(self.log))
            time.sleep(0.01)

    def _follow(self) -> None:
        with self.process:
            for line in self.process.stdout or ():
                self.log.append(line.rstrip("\n"))

    @property
    def first(self) -> int:
        """The id, outside, of the process that is 1 inside."""
        pid = self.process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()[0])

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run another command in the image, as a runtime's exec would."""
        return subprocess.run(
            self.command(*words), cwd=ROOT, capture_output=True, text=True, check=False
        )

    def stop(self) -> int:
        """Send SIGTERM to the process that is 1 inside; return what it ended with."""
        if self.process.poll() is None:
            os.kill(self.first, signal.SIGTERM)
        status = self.process.wait(PATIENCE_S)
        self._follower.join()
        return status


def _debian() -> tuple[str, str]:
    """Return the release's name and where this machine's packages come from."""
    listing = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(CODENAME) $(SITE)", "Identifier: Packages"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    system = Path("/etc/os-release").read_text("utf-8")
    codename = system.partition("VERSION_CODENAME=")[2].split()[0]
    return codename, next(
        line.split()[1] for line in listing.splitlines() if line.split()[0] == codename
    )
