"""Whether this machine can bind the addresses of the settings, and what is in the way."""

import errno
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from service.port_holder import Holder, holder_of_port, holder_of_unix_socket
from settings.server import bind_host
from settings.tables import UNIX

LONGEST_PATH = 107  # bytes: sun_path has 108, with the final zero (unix(7))
IN_USE = "in use by {holder}; stop it, or use another {what}"


@dataclass(frozen=True, slots=True)
class BindProblem:
    """Why an address cannot be bound; `holder` is who has it, where that is known."""

    text: str
    holder: Holder | None = None


def bind_problem(address: str) -> BindProblem | None:
    """Return why this process cannot bind an address; None if it can."""
    host = bind_host(address)
    if host == UNIX:
        return _unix_problem(address.removeprefix("unix:"))
    if host == "fd":
        return _descriptor_problem(int(address.removeprefix("fd://")))
    port = int(address.rpartition(":")[2])
    try:
        # Hypercorn's own choice of the family. Not SO_REUSEPORT, which Hypercorn sets for several
        # workers: with it two services of one user would share a port without a word.
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return _tcp_problem(host, port, error)
    except (TypeError, UnicodeError):  # a label of the name is empty or too long
        return BindProblem(f"{host} is no valid host name; use an IP address")
    return None


def _tcp_problem(host: str, port: int, error: OSError) -> BindProblem:
    if isinstance(error, socket.gaierror):
        return _name_problem(host, error)
    match error.errno:
        case errno.EADDRINUSE:
            holder = holder_of_port(port)
            said = IN_USE.format(holder=holder or "another program", what="port")
            return BindProblem(said, holder)
        case errno.EADDRNOTAVAIL:
            return BindProblem(
                f"this machine has no address {host}; use one that it has, 127.0.0.1 for this "
                "machine only, or 0.0.0.0 for all of its addresses"
            )
        case errno.EACCES | errno.EPERM:
            return BindProblem(
                f"this user may not use port {port}; use a port from 1024 up, or let systemd open "
                "it (deploy/systemd/sealed-ocr.socket)"
            )
        case errno.EAFNOSUPPORT:
            return BindProblem("this machine has no IPv6; use an IPv4 address")
    return BindProblem(f"it cannot be bound: {error.strerror}")


def _name_problem(host: str, error: socket.gaierror) -> BindProblem:
    if error.errno == socket.EAI_AGAIN:
        return BindProblem(
            f"the name {host} cannot be resolved now: the name server does not respond; start "
            "again later, or use an IP address"
        )
    return BindProblem(
        f"the name {host} has no IPv4 address here; use an IP address, or correct the name"
    )


def _unix_problem(path: str) -> BindProblem | None:
    said = _unusable_path(Path(path))
    if said is not None:
        return BindProblem(said)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(1)
            one.connect(path)
    except OSError:  # it does not exist, or an ended service has left it: Hypercorn removes it
        return None
    holder = holder_of_unix_socket(path)
    return BindProblem(IN_USE.format(holder=holder or "another program", what="path"), holder)


def _unusable_path(path: Path) -> str | None:
    directory = path.parent
    if len(os.fsencode(path)) > LONGEST_PATH:
        return f"the path is longer than {LONGEST_PATH} bytes; use a shorter one"
    if not directory.is_dir():
        return f"the directory {directory} does not exist; create it"
    if not os.access(directory, os.W_OK | os.X_OK):
        return f"the directory {directory} is not writable for this user"
    if path.exists() and not stat.S_ISSOCK(path.stat().st_mode):
        return "it exists and is not a socket; remove it, or use another path"
    return None


def _descriptor_problem(number: int) -> BindProblem | None:
    try:
        with socket.socket(fileno=os.dup(number)) as inherited:
            kind = inherited.type
    except OSError as error:
        return BindProblem(
            f"not a socket ({error.strerror}); it has to be passed in, as systemd does with "
            "deploy/systemd/sealed-ocr.socket"
        )
    if kind != socket.SOCK_STREAM:
        return BindProblem("not a stream socket; set ListenStream= in the .socket unit")
    return None
