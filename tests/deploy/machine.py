"""A machine for an operator's commands: the files of this one in namespaces of its own.

`python -m tests.deploy.machine KEPT ...` enters them and waits for its standard input to end; other
processes join by nsenter. What is written to /etc and /opt is seen inside alone, and so is what
listens on a port. `sudo` and `systemctl` are stand-ins: systemd cannot be process 1 there.
"""

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Self

from tests.deploy import mounts
from tests.deploy.units import ROOT

SUDO = """#!/bin/sh
[ "$1" = -u ] || exec "$@"
user=$2
shift 2
exec setpriv --reuid="$user" --regid="$user" --clear-groups --no-new-privs -- "$@"
"""
# Starts the service with its first connection, as the socket unit does. A restart ends it first.
SYSTEMCTL = """#!/bin/sh
set -eu
unit=/etc/systemd/system/sealed-ocr.service
get() { sed -n "s/^$1=//p" $unit; }
start() {
    cd "$(get WorkingDirectory)"
    as="setpriv --reuid=$(get User) --regid=$(get Group) --clear-groups --no-new-privs"
    variables=$(get Environment)
    before=$(get ExecStartPre)
    [ -z "$before" ] || env $variables $as $before
    listen=$(sed -n 's/^ListenStream=/--listen=/p' /etc/systemd/system/sealed-ocr.socket)
    setsid systemd-socket-activate $listen $(echo "$variables" | sed 's/^/--setenv=/') \\
        $as $(get ExecStart) >>/etc/log 2>&1 </dev/null &
    echo $! >/etc/pid
}
stop() {
    [ ! -e /etc/pid ] || ! kill "$(cat /etc/pid)" || tail --pid="$(cat /etc/pid)" -f /dev/null
    rm -f /etc/pid
}
case $1 in
    daemon-reload) ;;
    reload) kill -HUP "$(cat /etc/pid)" ;;
    stop) stop ;;
    enable | restart) stop; start ;;
    *) exit 1 ;;
esac
"""
STAND_INS = {
    "sudo": SUDO,
    "systemctl": SYSTEMCTL,
    "journalctl": "#!/bin/sh\ncat /etc/log\n",
}


class Machine:
    """Runs shell commands inside, as root, in a directory; `variables` are theirs."""

    def __init__(self, directory: Path, variables: dict[str, str]) -> None:
        commands = directory / "commands"
        commands.mkdir()
        for name, text in STAND_INS.items():
            (commands / name).write_text(text, encoding="utf-8")
            (commands / name).chmod(0o755)
        self._variables = {
            "PATH": f"{commands}:{os.defpath}:/usr/sbin:/sbin",
            "LC_ALL": "C.UTF-8",
            **variables,
        }
        kept = {str(Path(each).resolve()) for each in (sys.prefix, sys.base_prefix, ROOT)}
        self._holder = subprocess.Popen(
            ["unshare", "--net", sys.executable, "-m", "tests.deploy.machine", *sorted(kept)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != "ready\n":
            self._holder.communicate("")
            raise AssertionError("no namespaces")
        return self

    def __exit__(self, *_: object) -> None:
        self.run("systemctl stop", cwd=ROOT)
        self._holder.communicate("")

    def run(self, script: str, *, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run commands, which end with the first that fails."""
        namespaces = ["nsenter", f"--target={self._holder.pid}", "--mount", "--net"]
        return subprocess.run(
            [*namespaces, f"--wd={cwd}", "sh", "-eu", "-c", script],
            env=self._variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


def main(kept: list[str]) -> None:
    """Enter the namespaces, and stay until standard input ends."""
    directives: dict[str, list[str]] = defaultdict(list, ProtectHome=["yes"])
    mounts.apply(directives, installed={}, kept=kept)
    for number, place in enumerate(("/etc", "/opt")):
        mounts.overlay(place, number)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1:])
