"""What a start checks beside the settings themselves: all of it, one mistake per line."""

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from service.audit import check_audit
from service.certificate import check_certificate_before_start, client_trust, is_writable
from service.descriptors import allow_descriptors
from service.reader import check_weights
from service.routes import load_handler
from service.sandbox import check_requirement
from service.start_refused import StartRefused
from service.storage import open_storage
from settings import Examination, Settings
from settings.tables import Model

NO_START = "Sealed OCR does not start:"
"""The line before the mistakes that have ended a start."""

Attempt = Callable[[], object]


class FileRefused(StartRefused):
    """A file or directory that the settings name cannot be used."""


def mistakes(examination: Examination, settings_file: Path) -> list[str]:
    """Return the mistakes of the settings, and of what their valid tables name."""
    directory = settings_file.resolve().parent
    found = list(examination.mistakes)
    attempts = list(_of_values(examination.right_values))
    for tables, check in CHECKS:
        if tables <= examination.valid:
            attempts += check(examination.settings, directory)
    for attempt in attempts:
        try:
            attempt()
        except StartRefused as refusal:
            found.append(refusal.describe(examination.origins))
    return found


def _of_values(values: Mapping[str, Any]) -> Iterator[Attempt]:
    """Yield what can be checked of a table also where others of its keys or entries are wrong."""
    model = Model.model_construct(**values.get("model", {}))
    yield lambda: check_weights(model.detector, model.recogniser)
    for function in values.get("functions", []):
        if {"path", "handler"} <= function.keys() and function.get("enabled", True):
            yield partial(load_handler, function["path"], function["handler"])


def check_development_key(settings: Settings, directory: Path) -> None:
    """Check that the development key can be read or made, where the settings have no other.

    Raises:
        FileRefused: it cannot.

    """
    folder = directory / ".dev"
    if not settings.keys and not (os.access(folder / "key", os.R_OK) or is_writable(folder)):
        raise FileRefused(
            f"there are no [[keys]], and the development key cannot be made in {folder}: the "
            "directory is not writable for this user; create a key with scripts/keys new NAME"
        )


def _tls(settings: Settings, directory: Path) -> Iterator[Attempt]:
    yield lambda: check_certificate_before_start(settings)
    yield lambda: client_trust(settings, directory)


def _sandbox(settings: Settings, _directory: Path) -> Iterator[Attempt]:
    yield lambda: check_requirement(settings.sandbox.require, settings.reachable_by)


def _storage(settings: Settings, directory: Path) -> Iterator[Attempt]:
    yield lambda: open_storage(settings.limits, directory)


def _descriptors(settings: Settings, _directory: Path) -> Iterator[Attempt]:
    yield lambda: allow_descriptors(settings)


def _development_key(settings: Settings, directory: Path) -> Iterator[Attempt]:
    yield lambda: check_development_key(settings, directory)


def _audit(settings: Settings, directory: Path) -> Iterator[Attempt]:
    yield lambda: check_audit(settings, directory)


def _hypercorn_s_files(settings: Settings, _directory: Path) -> Iterator[Attempt]:
    for key in ("pid_path", "errorlog"):
        path = getattr(settings.server, key)
        if path not in {None, "-"}:
            yield partial(_check_writable, key, Path(path))


def _check_writable(key: str, path: Path) -> None:
    usable = os.access(path, os.W_OK) if path.exists() else path.parent.is_dir()
    if not usable or not (path.exists() or is_writable(path.parent)):
        refusal = FileRefused(f"{path} cannot be written to by this user; use another path")
        refusal.locs = (("server", key),)
        raise refusal


CHECKS: tuple[tuple[set[str], Callable[[Settings, Path], Iterator[Attempt]]], ...] = (
    ({"server", "tls", "plain_port"}, _tls),
    ({"sandbox", "server", "proxy"}, _sandbox),
    ({"limits"}, _storage),
    ({"tls", "engine"}, _descriptors),
    ({"keys"}, _development_key),
    ({"server"}, _hypercorn_s_files),
    ({"audit"}, _audit),
)
"""Each check, and the tables that it reads."""
