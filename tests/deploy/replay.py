"""What systemd does with our units, done here: it cannot be process 1 of a test's machine.

The ports are other ones; everything else is taken from the unit files.
"""

import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import Self

import httpx2

from tests.deploy.certificates import make_certificate
from tests.deploy.units import ROOT, UNITS, Section, command, environment, only, read_unit
from tests.system.service import key_stanza

USER = 10001  # no machine has it by chance, and no file belongs to it
PATIENCE_S = 60
LIMITS = '[limits]\nper_address = "100000/minute"\nper_key = "100000/minute"\n'
SOCKETS = {"bind": '["fd://3"]', "insecure_bind": '["fd://4"]'}


class Systemd:
    """Holds the sockets of the .socket unit and runs the .service unit on them.

    `sockets` are the values of the settings; `confined` false leaves the sandboxing out.
    """

    def __init__(
        self, directory: Path, *, sockets: dict[str, str] | None = None, confined: bool = True
    ) -> None:
        self.unit: Section = read_unit(UNITS / "sealed-ocr.service")["Service"]
        listening = read_unit(UNITS / "sealed-ocr.socket")["Socket"]
        self.confined = confined
        self.directory = directory
        self.etc = directory / "etc"
        self.etc.mkdir()
        self.authority = make_certificate(self.etc / "tls")
        self.key, self._stanza = key_stanza("aaaa1111", "someone")
        self._write_settings(sockets or SOCKETS)
        self.sockets = [self._listen(only(listening, "Backlog")) for _ in listening["ListenStream"]]
        self.log: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    def _listen(self, backlog: str) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", 0), backlog=int(backlog))
        listener.set_inheritable(True)
        return listener

    def _write_settings(self, top: dict[str, str]) -> None:
        values = {
            **top,
            "certfile": '"/etc/sealed-ocr/tls/certificate.pem"',
            "keyfile": '"/etc/sealed-ocr/tls/certificate.key"',
            "public_origin": '"https://ocr.test"',
        }
        if not self.confined:
            tls = self.etc / "tls" / "certificate"
            values |= {"certfile": f'"{tls}.pem"', "keyfile": f'"{tls}.key"'}
        text = (ROOT / "settings.toml").read_text(encoding="utf-8")
        for key, value in values.items():
            text, count = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value}", text, count=1)
            assert count == 1, key
        (self.etc / "settings.toml").write_text(text, encoding="utf-8")
        self.configure("")

    def configure(self, more: str) -> None:
        """Write what the operator sets beside the shipped settings."""
        local = self.etc / "settings.local.toml"
        allowed = self._stanza + 'limits = { "*" = "100000/minute", "/ocr" = "100000/minute" }\n'
        local.write_text(f"{LIMITS}{allowed}{more}", encoding="utf-8")
        if os.geteuid() == 0:  # as README has it: root's, and the service's group reads it
            subprocess.run(["chown", "-R", f"0:{USER}", self.etc], check=True)
            subprocess.run(["chmod", "-R", "u=rwX,g=rX,o=", self.etc], check=True)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.close()

    def close(self) -> None:
        """Do what `systemctl stop sealed-ocr.socket` does."""
        for listener in self.sockets:
            listener.close()

    def start(self) -> None:
        """Do what `systemctl start` does, and wait as a first client would."""
        started = len(self.log)
        if self.confined:
            # Without the sockets: systemd passes them to the main process only.
            subprocess.run(
                self.command(*command(self.unit, "ExecStartPre"), inherits=False),
                cwd=ROOT,
                env=self.variables(),
                check=True,
            )
        self.process = subprocess.Popen(
            self.command(*command(self.unit, "ExecStart")),
            cwd=ROOT,
            env=self.variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=[listener.fileno() for listener in self.sockets],
        )
        self._follower = threading.Thread(target=self._follow, args=[self.process], daemon=True)
        self._follower.start()
        self.wait_for("Running on https", since=started)

    def command(
        self, *words: str, without: Collection[str] = (), inherits: bool = True
    ) -> list[str]:
        """Return the command that runs another as the unit has it, some directives left out."""
        if self.confined:
            unit = {k: v for k, v in self.unit.items() if k not in without}
            plan = self._plan(unit, inherits=inherits)
        else:  # the same hand-over, by a program that does nothing else
            plan = self._plan({}, inherits=inherits)
            program = Path(sys.executable).with_name(Path(words[0]).name)
            words = (
                str(program),
                *(w.replace("/etc/sealed-ocr", str(self.etc)) for w in words[1:]),
            )
        return [sys.executable, "-m", "tests.deploy.confine", plan, *words]

    def variables(self) -> dict[str, str]:
        """Return what systemd gives a service: next to nothing."""
        return {"PATH": os.defpath}

    def _plan(self, unit: dict[str, list[str]], *, inherits: bool) -> str:
        variables = {"PATH": os.defpath, **environment(self.unit)}
        if not self.confined:
            variables["OCR_SETTINGS"] = str(self.etc / "settings.toml")
        environment_folder = Path(sys.prefix).resolve()
        plan = {
            "unit": unit,
            "installed": {"/opt/sealed-ocr": str(ROOT), "/etc/sealed-ocr": str(self.etc)},
            "kept": [str(environment_folder), str(Path(sys.base_prefix).resolve())],
            "user": USER,
            "sockets": [listener.fileno() for listener in self.sockets] if inherits else [],
            "environment": variables,
        }
        file = self.directory / "plan.json"
        file.write_text(json.dumps(plan), encoding="utf-8")
        return str(file)

    def _follow(self, process: "subprocess.Popen[str]") -> None:
        with process:
            for line in process.stdout or ():
                self.log.append(line.rstrip("\n"))

    def wait_for(self, text: str, since: int = 0) -> str:
        """Return the first line of the log, from a place on, that has a text in it."""
        due = time.monotonic() + PATIENCE_S
        while time.monotonic() < due:
            for line in self.log[since:]:
                if text in line:
                    return line
            if self.process is None or self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise AssertionError(f"{text!r} was not logged:\n" + "\n".join(self.log))

    def stop(self) -> int:
        """Do what `systemctl stop` does: SIGTERM, and after TimeoutStopSec it has failed."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(float(only(self.unit, "TimeoutStopSec")))
        self._follower.join(PATIENCE_S)
        self.process = None
        return status

    def reload(self) -> None:
        """Do what `systemctl reload` does."""
        assert self.process is not None
        subprocess.run(command(self.unit, "ExecReload", MAINPID=str(self.process.pid)), check=True)

    def run(
        self, program: str, without: Collection[str] = ()
    ) -> "subprocess.CompletedProcess[str]":
        """Run some Python as the unit would run the service, but for some directives."""
        return subprocess.run(
            self.command("/opt/sealed-ocr/.venv/bin/python", "-c", program, without=without),
            cwd=ROOT,
            env=self.variables(),
            capture_output=True,
            text=True,
            pass_fds=[listener.fileno() for listener in self.sockets],
            check=False,
        )

    @property
    def port(self) -> int:
        """Where HTTPS is served."""
        port: int = self.sockets[0].getsockname()[1]
        return port

    def client(self) -> httpx2.Client:
        """Return a client that verifies and has a key."""
        return httpx2.Client(
            http2=True,
            verify=ssl.create_default_context(cafile=self.authority),
            base_url=f"https://localhost:{self.port}",
            headers={"X-API-Key": self.key},
            timeout=PATIENCE_S,
        )


def missing() -> str:
    """Return what the replay lacks on this machine, or nothing."""
    if os.geteuid() != 0:
        return "only root may set up what systemd sets up"
    if shutil.which("systemd-analyze") is None:
        return "systemd-analyze is not installed"
    return ""
