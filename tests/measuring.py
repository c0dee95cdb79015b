"""Coverage of the processes that tests start."""

import os

VARIABLE = "COVERAGE_PROCESS_CONFIG"


def unmeasured() -> dict[str, str]:
    """Return the environment of a process that restricts itself and cannot write its coverage."""
    return {name: value for name, value in os.environ.items() if name != VARIABLE}


def measuring() -> dict[str, str]:
    """Return what a server's environment needs for its lines to count; empty without coverage.

    Its decoding and reading processes get an environment of their own and are not measured: their
    sandbox does not let them write a file.
    """
    return {VARIABLE: os.environ[VARIABLE]} if VARIABLE in os.environ else {}
