"""Which groups a process's contexts are left with."""

import os
import subprocess
import sys
from pathlib import Path

from tests.server.servers import ROOT
from tls.profiles import RECOMMENDED, groups_in_force

CHOOSE = """
from tls.profiles import choose_groups, groups_in_force
print(choose_groups(), *groups_in_force())
"""


def chosen(**variables: str) -> list[str]:
    """Choose the groups in a new process; return whether that was done, and the groups."""
    environment = {"PATH": os.environ["PATH"], **variables}
    command = [sys.executable, "-c", CHOOSE]
    told = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return told.stdout.split()


def test_the_recommended_groups_are_set() -> None:
    """In the recommended order; the hybrid group if OpenSSL has it."""
    done, *groups = chosen()
    assert done == "True"
    assert groups == [group for group in RECOMMENDED if group in groups]
    assert {"X25519", "P-256", "P-384"} <= {*groups}


def test_the_default_groups_are_others() -> None:
    """Negative control: this process has not chosen any."""
    assert not {*groups_in_force()} <= {*RECOMMENDED}


def test_the_operator_s_own_configuration_is_kept(tmp_path: Path) -> None:
    """OPENSSL_CONF takes precedence."""
    ours = (ROOT / "tls" / "openssl.cnf").read_text("utf-8")
    own = tmp_path / "own.cnf"
    own.write_text(ours.replace("X25519:P-256:P-384", "P-384"), "utf-8")
    assert chosen(OPENSSL_CONF=str(own)) == ["False", "P-384"]
