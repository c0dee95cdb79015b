"""Be a container's first process: unshare --pid --fork python -m tests.deploy.contain PLAN WORD ...

PLAN is a JSON file: the image's root, what is mounted in it, user, variables and working directory.
What follows is started as a runtime would with --read-only --cap-drop=ALL --security-opt=
no-new-privileges, with its usual filter of system calls; the network is the machine's.
"""

import json
import os
import sys
from pathlib import Path

from tests.deploy import mounts, runtime_profile
from tests.deploy.confine import give_up_privileges

_SHELLS = ("sh", "bash", "dash", "ash", "busybox", "env")  # and what would start one by name
_PRIVILEGES = {"CapabilityBoundingSet": ["none"], "User": ["image"], "NoNewPrivileges": ["yes"]}


def main() -> None:
    """Enter the image, drop the privileges in the plan, and execute the command."""
    plan = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    root = plan["root"]
    usual = runtime_profile.load()
    mounts.enter()
    mounts.bind(root, root)
    for target, source in plan["mounts"].items():
        place = Path(root + target)
        if not place.exists():
            place.mkdir(parents=True)
        mounts.bind(source, str(place))
    mounts.devices(root)
    for name in _SHELLS:
        for folder in ("bin", "usr/bin"):
            program = Path(root, folder, name)
            if program.exists():
                mounts.bind("/dev/null", str(program.resolve()))
    mounts.read_only(root)
    mounts.mount("proc", f"{root}/proc", kind="proc")
    os.chroot(root)
    os.chdir(plan["directory"])
    unit = {"MemoryDenyWriteExecute": [], **_PRIVILEGES}
    give_up_privileges(unit, plan["user"])
    usual.load()
    os.execve(sys.argv[2], sys.argv[2:], plan["environment"])  # noqa: S606 - what it is for


if __name__ == "__main__":
    main()
