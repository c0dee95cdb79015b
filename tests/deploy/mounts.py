"""A service's view of the files, as systemd makes it: needs root, in a mount namespace of its own.

Source: systemd.exec(5), mount(2), mount_setattr(2).
"""

import ctypes
import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.deploy.units import Section

_LIBC = ctypes.CDLL(None, use_errno=True)
_NEW_NAMESPACE = 0x00020000  # CLONE_NEWNS
_BIND, _RECURSIVE, _PRIVATE = 4096, 16384, 1 << 18
_SET_ATTRIBUTES = 442
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_READ_ONLY = 1
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_HIDDEN = {
    "ProtectHome": ("/home", "/root", "/run/user"),
    "PrivateTmp": ("/tmp", "/var/tmp"),  # noqa: S108 - they are hidden
}
_SCRATCH = Path("/run")  # hidden while the views are made, and there on every machine


class _Attributes(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns", ctypes.c_uint64),
    )


def apply(unit: Section, *, installed: Mapping[str, str], kept: Iterable[str]) -> None:
    """Enter a namespace in which the unit's directives hold.

    `installed` maps where the unit expects things to where they are on this machine; `kept` are
    folders that must stay to be seen where they are, interpreter and libraries.
    """
    enter()
    sources = {target: os.open(place, os.O_PATH) for target, place in installed.items()}
    sources |= {place: os.open(place, os.O_PATH) for place in kept}
    for number, parent in enumerate(sorted({str(Path(target).parent) for target in installed})):
        overlay(parent, number)
    hidden = [place for directive, places in _HIDDEN.items() if unit[directive] for place in places]
    for place in filter(os.path.isdir, hidden):
        mount("tmpfs", place, kind="tmpfs", data=f"mode={'1777' if 'tmp' in place else '0755'}")
    for target, descriptor in sources.items():
        if not os.path.exists(target):  # noqa: PTH110 - a Path would follow no differently
            Path(target).mkdir(parents=True)
        bind(f"/proc/self/fd/{descriptor}", target)
        os.close(descriptor)
    if unit["PrivateDevices"] == ["yes"]:
        devices()
    if unit["ProtectProc"] or unit["ProcSubset"]:
        options = [f"hidepid={value}" for value in unit["ProtectProc"]]
        options += [f"subset={value}" for value in unit["ProcSubset"]]
        mount("proc", "/proc", kind="proc", data=",".join(options))
    if unit["ProtectSystem"] == ["strict"]:
        read_only("/")
        private = {place for place in hidden if "tmp" in place}
        for place in filter(os.path.ismount, {"/dev", "/proc"} | private):  # systemd's exceptions
            read_only(place, off=True)


def enter() -> None:
    """Enter a mount namespace of our own, from which nothing is seen outside."""
    _check(_LIBC.unshare(_NEW_NAMESPACE))
    mount("none", "/", flags=_RECURSIVE | _PRIVATE)


def bind(source: str, target: str) -> None:
    """Show a file or folder in a second place."""
    mount(source, target, flags=_BIND | _RECURSIVE)


def overlay(place: str, number: int) -> None:
    """Allow creating folders below `place` that the machine does not have."""
    layer = _SCRATCH / f"replayed-{os.getpid()}-{number}"
    layer.mkdir()
    mount("tmpfs", str(layer), kind="tmpfs", data="mode=0755")
    for name in ("upper", "work"):
        (layer / name).mkdir()
    options = f"lowerdir={place},upperdir={layer}/upper,workdir={layer}/work"
    mount("overlay", place, kind="overlay", data=options)
    subprocess.run(["umount", "--lazy", layer], check=True)
    layer.rmdir()


def devices(root: str = "/") -> None:
    """Mount a /dev of the harmless devices alone."""
    place = Path(root, "dev")
    descriptors = {name: os.open(f"/dev/{name}", os.O_PATH) for name in _DEVICES}
    mount("tmpfs", str(place), kind="tmpfs", data="mode=0755")
    for name, descriptor in descriptors.items():
        (place / name).touch()
        bind(f"/proc/self/fd/{descriptor}", str(place / name))
        os.close(descriptor)
    (place / "shm").mkdir(mode=0o1777)


def read_only(place: str, *, off: bool = False) -> None:
    """Let nothing be written to a mount and those below it; or to it again."""
    attributes = _Attributes(clear=_READ_ONLY) if off else _Attributes(set=_READ_ONLY)
    path, size = place.encode(), ctypes.sizeof(attributes)
    flags = ctypes.c_uint(0 if off else _AT_RECURSIVE)
    where = ctypes.c_int(_AT_FDCWD)
    number = ctypes.c_long(_SET_ATTRIBUTES)
    _check(_LIBC.syscall(number, where, path, flags, ctypes.byref(attributes), size))


def mount(source: str, target: str, *, kind: str = "none", flags: int = 0, data: str = "") -> None:
    """Mount. Raises OSError."""
    texts = [text.encode() for text in (source, target, kind)]
    _check(_LIBC.mount(*texts, ctypes.c_ulong(flags), data.encode()), f"{source} on {target}")


def _check(result: int, what: str = "") -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
