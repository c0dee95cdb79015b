"""Coverage of the servers that tests start as processes."""

import os

VARIABLE = "COVERAGE_PROCESS_CONFIG"


def measuring() -> dict[str, str]:
    """Return what a server's environment needs for its lines to count; empty without coverage.

    Its decoding and reading processes get an environment of their own and are not measured: their
    sandbox does not let them write a file.
    """
    return {VARIABLE: os.environ[VARIABLE]} if VARIABLE in os.environ else {}
