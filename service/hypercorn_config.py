"""Make sure that Hypercorn runs with the file that was checked, and with all of it."""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from hypercorn.config import Config

from service.start_refused import StartRefused

# What Hypercorn's flags can set beside the file's keys: each would change what is served or
# logged. Not umask, user and group, which only concern Unix sockets, nor the name of the app.
COMMAND_LINE_ONLY = (
    "access_log_format",
    "accesslog",
    "ca_certs",
    "debug",
    "keyfile_password",
    "logconfig",
    "max_requests",
    "quic_bind",
    "read_timeout",
    "root_path",
    "server_names",
    "statsd_host",
    "use_reloader",
    "verify_mode",
)


class ConfigMismatch(StartRefused):
    """Hypercorn was told something else than the settings file says."""

    place = ""


def check_command_line(arguments: Sequence[str], settings_file: Path) -> None:
    """Compare `hypercorn --config FILE` with the file the service reads.

    Raises:
        ConfigMismatch: they are two files, or Hypercorn was given none.

    """
    if not arguments or Path(arguments[0]).name not in {"hypercorn", "__main__.py"}:
        return  # started by a program: `differences` sees what it was told
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=True)
    parser.add_argument("-c", "--config")
    named = parser.parse_known_args(arguments[1:])[0].config
    if named is None:
        raise ConfigMismatch(
            f"Hypercorn was started without a file, the service reads {settings_file}; "
            f"start with: hypercorn --config {settings_file.name} app:app"
        )
    if Path(named).resolve() != settings_file.resolve():
        raise ConfigMismatch(
            f"Hypercorn reads {named}, the service reads {settings_file}; "
            f"set OCR_SETTINGS={named}, or start with --config {settings_file}"
        )


def check_config(config: Config, settings_file: Path, keys: Iterable[str]) -> None:
    """Compare what Hypercorn runs with against what the file alone would have given.

    Raises:
        ConfigMismatch: a command-line flag, or a program, changed one of `keys`, or one that the
            file may not hold either.

    """
    told = Config.from_toml(settings_file)
    for key in (*keys, *COMMAND_LINE_ONLY):
        wanted, actual = getattr(told, key), getattr(config, key)
        if wanted != actual:
            raise ConfigMismatch(
                f"{key} is {wanted!r} in {settings_file.name} and {actual!r} on Hypercorn's "
                "command line; the file is the only place it is set"
            )
