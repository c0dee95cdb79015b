"""Check everything, then serve as Hypercorn does: `python -m service --config settings.toml`.

Hypercorn reads the settings and opens the ports before it imports the app, and what it cannot read
or open ends in a traceback. Here it ends in the words of `scripts/check`. All other arguments are
Hypercorn's.
"""

import sys

# The functions of Hypercorn that run before it serves, and raise OSError.
STARTING = {"from_toml", "write_pid_file", "create_sockets"}


def main() -> int:
    """Serve; return the exit status."""
    # Not at the top: Hypercorn's worker processes import this module, and nothing may be imported
    # in them before they fork (server/respawn.py).
    import argparse  # noqa: PLC0415
    import os  # noqa: PLC0415
    import traceback  # noqa: PLC0415
    from contextlib import suppress  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    from hypercorn.__main__ import main as hypercorn  # noqa: PLC0415
    from hypercorn.config import Config  # noqa: PLC0415

    from service.check import check  # noqa: PLC0415
    from service.second_signal import forward_second_signal  # noqa: PLC0415
    from settings import settings_path  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="service", description=__doc__, add_help=False)
    parser.add_argument("-c", "--config", type=Path, default=settings_path())
    arguments, others = parser.parse_known_args()
    os.environ.setdefault("OCR_SETTINGS", str(arguments.config))
    before = check(arguments.config, starting=True, inherits=True)
    if before.mistakes:
        return before.print(starting=True)
    command_line = ["--config", str(arguments.config), *others, "app:app"]
    sys.argv[1:] = command_line  # the service checks that it reads the file that Hypercorn reads
    with suppress(OSError):  # Hypercorn reads the file again, and its error is the one to explain
        if Config.from_toml(arguments.config).workers:
            forward_second_signal()
    try:
        return hypercorn(command_line)
    except OSError as error:  # such as a port that was taken after the check
        if STARTING.isdisjoint(f.f_code.co_name for f, _ in traceback.walk_tb(error.__traceback__)):
            raise  # it has served
        again = check(arguments.config, starting=True, inherits=True)
        if not again.mistakes:
            again.mistakes.append(f"{error.strerror}: {error.filename or 'a socket'}")
        return again.print(starting=True)


if __name__ == "__main__":
    sys.exit(main())
