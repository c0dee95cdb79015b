"""docs/production.md: its commands, run as they are written, install, upgrade and restore."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.authorities import Authority
from tests.deploy.machine import Machine
from tests.deploy.replay import missing
from tests.deploy.units import ROOT
from tests.system.service import copy_project

NAME = "ocr.example.org"
FENCE = re.compile(r"^ *```(sh|toml)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INSTALL = 'sudo -u sealed-ocr "$version/scripts/install"'  # tests/system/test_scripts.py has it
READY = "curl -sS --fail --retry 9 --retry-connrefused --retry-all-errors"
SETTINGS = "/etc/sealed-ocr/settings.toml"


def blocks(heading: str) -> list[str]:
    """Return the code of a section, block by block."""
    page = (ROOT / "docs" / "production.md").read_text("utf-8")
    section = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [re.sub(r"(?m)^ +(?=\S)", "", code) for _, code in FENCE.findall(section)]


@dataclass
class Operator:
    """Runs the documents' commands in one shell, in a clone; its variables live on."""

    machine: Machine
    clone: Path

    def run(self, *scripts: str) -> str:
        """Run commands; return what they print. What they set is there for the next ones."""
        script = "\n".join(scripts).replace(INSTALL, f'ln -s {sys.prefix} "$version/.venv"')
        script = script.replace("curl https", f"{READY} https").replace("curl -H", f"{READY} -H")
        kept = "\nset | grep -E '^(version|previous|KEY)=' >/etc/shell || true"
        # The strictest umask that an operator may have: the service must be able to read the files.
        done = self.machine.run(
            f"umask 077\n[ ! -e /etc/shell ] || . /etc/shell\n{script}{kept}", cwd=self.clone
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    def log(self) -> str:
        """Return the log of the service."""
        return self.machine.run("cat /etc/log", cwd=self.clone).stdout

    def install(self) -> str:
        """Do what "With systemd" says; return the first key."""
        steps = blocks("With systemd")
        user, install, folder, certificate, values, key, check, units, verify, later = steps
        self.run(user, install, folder, certificate)
        for name, value in re.findall(r"(?m)^(\w+) = (\S+)", values):
            self.run(f"sed -i 's|^{name} = .*|{name} = {value}|' {SETTINGS}")
        [token] = re.findall(r"ocr_\w+", self.run(key))
        assert "no mistakes" in self.run(check)
        self.run(units, f"KEY={token}")
        assert "HARBOUR CAFE" in self.run(verify)
        assert "no mistakes" in self.run(later)
        return str(token)

    def status(self, token: str) -> str:
        """Return the status of a request without a body: 415 with a valid key."""
        reply = f"{READY.replace('--fail ', '')} -o /dev/null -w '%{{http_code}}'"
        return self.run(f"{reply} -X POST -H 'X-API-Key: {token}' https://{NAME}/ocr")


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    """An operator with a clone of two commits, the older checked out, and a certificate."""
    if missing():
        pytest.skip(missing())
    clone = copy_project(tmp_path / "clone")
    authority = Authority("Root")
    certfile, keyfile = authority.issue(NAME, names=[NAME]).write(tmp_path, "leaf")
    root, _ = authority.write(tmp_path, "root")
    shutil.copy(certfile, clone / "fullchain.pem")
    shutil.copy(keyfile, clone / "privkey.pem")
    git(clone, "init", "-q")
    (clone / ".git" / "info" / "exclude").write_text("*.pem\n")
    git(clone, "add", ".")
    git(clone, "commit", "-q", "-m", "one")
    with (clone / "app.py").open("a", encoding="utf-8") as file:
        file.write("\nprint('the second version', flush=True)\n")
    git(clone, "commit", "-q", "-a", "-m", "two")
    git(clone, "checkout", "-q", "HEAD~1")
    with Machine(tmp_path, {"CURL_CA_BUNDLE": str(root)}) as machine:
        found = Operator(machine, clone)
        found.run(f"echo 127.0.0.1 {NAME} >>/etc/hosts")
        yield found


def git(clone: Path, *words: str) -> None:
    """Run git as somebody."""
    who = ["-c", "user.name=x", "-c", "user.email=x@x.test"]
    subprocess.run(["git", *who, *words], cwd=clone, check=True)


def test_an_operator_installs_upgrades_rolls_back_and_restores(operator: Operator) -> None:
    """Each step in its order; keys and certificates stay, and two keys overlap."""
    first = operator.install()
    upgrade, check, switch, back = blocks("Upgrading")
    git(operator.clone, "checkout", "-q", "-")
    operator.run(upgrade, check)
    assert "the second version" not in operator.log()
    assert '"ready"' in operator.run(switch)
    assert operator.log().count("the second version") == 1
    add_key = blocks("With systemd")[5]
    [second] = re.findall(r"ocr_\w+", operator.run(add_key, "sudo systemctl reload sealed-ocr"))
    assert (operator.status(first), operator.status(second)) == ("415", "415")
    keep, restore = blocks("Backup")
    operator.run(keep, "rm -r /etc/sealed-ocr")
    assert (operator.clone / "sealed-ocr-backup.tar.gz").stat().st_mode & 0o077 == 0
    operator.run(restore, back)
    assert (operator.status(first), operator.status(second)) == ("415", "415")
    assert operator.status(first[:-1]) == "401"
    assert operator.log().count("the second version") == 1
