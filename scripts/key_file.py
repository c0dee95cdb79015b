"""The settings file whose [[keys]] entries are edited: found, locked, checked, replaced at once."""

import contextlib
import fcntl
import os
import pwd
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from settings import LOCAL_NAME, Settings, load_settings, settings_path
from settings.toml_file import read_text

LOCK_WAIT_S = 10
Change = Callable[[str], str]
Confirm = Callable[[Settings], None]


class FileUnusable(Exception):
    """The file cannot be edited; the message names it and says what to do."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The file that is edited, and the settings.toml that it belongs to."""

    main: Path
    path: Path

    @classmethod
    def of(cls, named: Path | None, variables: Mapping[str, str]) -> "KeyFile":
        """Return the file that is named, or the settings.local.toml of the service's settings.

        Raises:
            FileUnusable: it is a symbolic link to another directory.

        """
        main = settings_path(variables)
        if named is None:
            path = main.with_name(LOCAL_NAME)
        elif named.name == LOCAL_NAME:
            path, main = named, named.with_name(main.name)
        else:
            path = main = named
        target = path.resolve()
        if path.is_symlink() and target.parent != path.parent.resolve():
            raise FileUnusable(
                f"{path} is a symbolic link to {target}, in another directory, which may belong to "
                "something else; edit that file, or put a file in the link's place"
            )
        return cls(main, path)

    def settings(self, variables: Mapping[str, str], text: str | None = None) -> Settings:
        """Return the settings, with `text` in place of the file's.

        Raises:
            SettingsError: they are invalid.

        """
        return load_settings(self.main, variables, {} if text is None else {self.path: text})

    def edit(
        self,
        change: Change,
        variables: Mapping[str, str],
        confirm: Confirm = lambda _settings: None,
    ) -> Settings:
        """Replace the file by its text after `change`, if the settings are valid with it.

        `confirm` gets them, and raises where they are not what was meant.

        Raises:
            SettingsError: they are not, or the file is not valid TOML; nothing is changed then.
            FileUnusable: the file cannot be read or replaced.

        """
        target = self.path.resolve()
        with _explained(target), _locked(target.parent):
            seen = _stamp(target)
            text, crlf = self._read()
            after = change(text)
            settings = self.settings(variables, after)
            confirm(settings)
            if _stamp(target) != seen:
                raise FileUnusable(f"{target} was changed meanwhile; run the command again")
            _replace(target, after.replace("\n", "\r\n") if crlf else after, like=self.main)
        return settings

    def _read(self) -> tuple[str, bool]:
        """Return the file's text, lines ended by LF, and whether the file ends them by CRLF."""
        if self.path != self.main and not self.path.exists():
            return "", False
        text = read_text(self.path)
        return text, b"\r\n" in self.path.read_bytes()


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        owner = _owner(path if path.exists() else path.parent)
        raise FileUnusable(
            f"{path} cannot be replaced: {error.strerror}; run the command as {owner} or root"
        ) from None
    except OSError as error:
        raise FileUnusable(f"{path} cannot be replaced: {error.strerror}") from None


def _owner(path: Path) -> str:
    try:
        number = path.stat().st_uid
        return pwd.getpwuid(number).pw_name
    except (OSError, KeyError):
        return "its owner"


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Wait until no other run edits a file of a directory; the lock leaves no file behind."""
    descriptor = os.open(directory, os.O_RDONLY)
    due = time.monotonic() + LOCK_WAIT_S
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > due:
                    raise FileUnusable(
                        f"{directory} is locked by another program for {LOCK_WAIT_S} s; run the "
                        "command again once it has ended"
                    ) from None
                time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _replace(path: Path, text: str, *, like: Path) -> None:
    """Write a file of the same owner and mode, then put it in the place of the old one.

    A new file belongs to the owner and group of settings.toml: 0600, and 0640 where it is by its
    group that the service reads settings.toml.
    """
    if path.exists():
        model = path.stat()
        mode = stat.S_IMODE(model.st_mode)
    else:
        model = like.stat()
        by_group = model.st_mode & stat.S_IRGRP and not model.st_mode & stat.S_IROTH
        mode = 0o640 if by_group else 0o600
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            written = os.fstat(file.fileno())
            if (written.st_uid, written.st_gid) != (model.st_uid, model.st_gid):
                os.fchown(file.fileno(), model.st_uid, model.st_gid)
            os.fchmod(file.fileno(), mode)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)  # noqa: PTH105 - the name is of mkstemp
    except BaseException:
        os.unlink(name)  # noqa: PTH108
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
