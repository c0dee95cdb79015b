"""Hypercorn with its gaps closed: call `install` when the application is imported."""

import logging
from importlib.metadata import version
from typing import TYPE_CHECKING

from server.options import ServerOptions
from server.probes import NAMES, ProbeError, check_behaviour, check_names

if TYPE_CHECKING:
    from server.patches import ServerHandle

TESTED_VERSIONS = frozenset({"0.18.0"})
"""The Hypercorn versions that the tests in tests/tls ran against."""

log = logging.getLogger("sealed.transport")


def install(options: ServerOptions) -> "ServerHandle":
    """Apply the fixes in `server.patches` to the Hypercorn of this process.

    Raises: ProbeError if this Hypercorn is not one tested and a fix can't work with it.
    """
    installed = version("hypercorn")
    tested = installed in TESTED_VERSIONS
    if not tested:
        log.warning(
            "Hypercorn %s has not been tested (tested: %s): probing each fix",
            installed,
            ", ".join(sorted(TESTED_VERSIONS)),
        )
        for fix in NAMES:
            check_names(fix)
    # Only now: with an unknown Hypercorn even the import may fail, and the probes say it better.
    from server.patches import apply_all  # noqa: PLC0415

    transport = apply_all(options)
    if not tested:
        check_behaviour()
    return transport


__all__ = ["ProbeError", "ServerOptions", "install"]
