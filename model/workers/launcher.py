"""Start a child process: a new interpreter with one end of a channel and few variables."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
# Settings of glibc's allocator. By default it keeps more and more freed blocks; these thresholds
# make it map large blocks separately, which returns them when they are freed.
ALLOCATOR: Mapping[str, Mapping[str, str]] = {
    "engine": {
        "MALLOC_MMAP_THRESHOLD_": str(256 << 10),
        # An engine reads one caller's page after another's: freed memory is overwritten at once.
        "MALLOC_PERTURB_": "165",
    },
    "zygote": {
        "MALLOC_MMAP_THRESHOLD_": str(4 << 20),
        # A decoder's memory lasts one page: huge pages take a tenth of the page faults.
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    },
}


class Launcher:
    """Starts child processes with a bootstrap file and, by module, environment variables."""

    def __init__(self, bootstrap: Path, variables: Mapping[str, Mapping[str, str]]) -> None:
        self._bootstrap = bootstrap
        self._variables = variables

    def start(self, module: str, descriptor: int) -> subprocess.Popen[bytes]:
        """Start a module of bootstrap.MODULES; the child inherits only this descriptor.

        A session of its own keeps the terminal's Ctrl-C away: the parent stops it in order.

        Raises:
            OSError: the process could not be started.

        """
        command = [sys.executable, "-I", str(self._bootstrap), module]
        return subprocess.Popen(  # noqa: S603 - our own interpreter and file
            [*command, str(descriptor), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._environment(module),
            pass_fds=[descriptor],
            start_new_session=True,
        )

    def _environment(self, module: str) -> dict[str, str]:
        """Return the variables that a child needs; the service's own may hold secrets."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            # onnxruntime's Linux wheels send telemetry and write files unless this is set before
            # they are imported.
            "ORT_DISABLE_TELEMETRY": "1",
            "OPENBLAS_NUM_THREADS": "1",
            **self._variables[module],
        }


LAUNCHER = Launcher(BOOTSTRAP, ALLOCATOR)
