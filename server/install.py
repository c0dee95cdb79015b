"""Hypercorn with its gaps closed: call `install` when the application is created."""

import logging
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, NoReturn

from server import respawn, supervisor
from server.options import ServerOptions
from server.probes import ProbeError, check_all, check_behaviour, imports_of, uses_of

if TYPE_CHECKING:
    from server.patches import ServerHandle

TESTED = {
    "Hypercorn": frozenset({"0.18.0"}),
    "h2": frozenset({"4.4.1"}),
    "Python": frozenset({"3.11", "3.12", "3.13"}),
}
"""The versions that the tests in tests/server ran with."""

log = logging.getLogger("sealed.transport")


def install(options: ServerOptions) -> "ServerHandle":
    """Have Hypercorn serve by `server.serving` in this process; a later call replaces this one.

    Raises:
        ProbeError: Hypercorn, h2 or Python is not a tested version, and lacks what a module needs.

    """
    untested = {name: found for name, found in _installed().items() if found not in TESTED[name]}
    for name, found in untested.items():
        log.warning(
            "%s %s has not been tested (tested: %s): probing what the server builds on",
            name,
            found,
            ", ".join(sorted(TESTED[name])),
        )
    if untested:
        check_all(imports_of)
        check_all(uses_of)
    # Only now: with an untested version even the import may fail, and the probes explain why.
    from server.patches import apply  # noqa: PLC0415

    handle = apply(options)
    if untested:
        check_behaviour()
    return handle


def _installed() -> dict[str, str]:
    return {
        "Hypercorn": version("hypercorn"),
        "h2": version("h2"),
        "Python": f"{sys.version_info.major}.{sys.version_info.minor}",
    }


def refuse_start(message: str) -> NoReturn:
    """End the whole command with this message on stderr, once, and a status that is not 0."""
    if respawn.current() is None:
        sys.exit(message)
    supervisor.refuse(message)


__all__ = ["ProbeError", "ServerOptions", "install", "refuse_start"]
