"""Check that Hypercorn runs with exactly the settings file that the service has checked."""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from hypercorn.config import Config

from service.start_refused import StartRefused

# Keys that only Hypercorn's command line can set; each would change what is served or logged.
# Left out: umask, user and group, which only concern Unix sockets, and the name of the app.
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
    """Hypercorn's configuration differs from the settings file."""


def check_command_line(arguments: Sequence[str], settings_file: Path) -> None:
    """Check that `hypercorn --config FILE` names the file that the service reads.

    Raises:
        ConfigMismatch: it names another file, or none.

    """
    if not arguments or Path(arguments[0]).name not in {"hypercorn", "__main__.py"}:
        return  # started by another program: check_config sees its configuration
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
    """Check that Hypercorn's configuration is what the file alone gives.

    Raises:
        ConfigMismatch: a command-line flag or a program has changed one of `keys`, or a key that
            only the command line can set.

    """
    expected = Config.from_toml(settings_file)
    for key in (*keys, *COMMAND_LINE_ONLY):
        wanted, actual = getattr(expected, key), getattr(config, key)
        if wanted != actual:
            raise ConfigMismatch(
                f"{key} is {wanted!r} in {settings_file.name} and {actual!r} on Hypercorn's "
                "command line; the file is the only place it is set"
            )
