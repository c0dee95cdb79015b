"""Whether the service may start on a machine where the worker processes cannot be sandboxed."""

import sys
from collections.abc import Sequence

from model.sandbox import seccomp
from service.log import log_event
from service.start_refused import StartRefused

NO_SECCOMP = (
    "the processes that parse uploads are not sandboxed: this kernel has no seccomp filters, "
    "or this machine is neither x86_64 nor aarch64"
)


class SandboxError(StartRefused):
    """The settings require a sandbox that this machine does not have."""

    locs = (("sandbox", "require"),)


def check_sandbox(*, require: str, reachable_by: Sequence[str]) -> str | None:
    """Return why the worker processes cannot be sandboxed, after a warning; None if they can.

    Raises:
        SandboxError: without a sandbox the service may not start.

    """
    warning = sandbox_warning(
        available=seccomp.available(), require=require, reachable_by=reachable_by
    )
    if warning is not None:
        sys.stderr.write(f"WARNING: {warning}\n")
        log_event(event="sandbox_missing", warning=warning)
    return warning


def check_requirement(require: str, reachable_by: Sequence[str]) -> None:
    """Check that this machine has the sandbox that the settings require; log nothing.

    Raises:
        SandboxError: without a sandbox the service may not start.

    """
    sandbox_warning(available=seccomp.available(), require=require, reachable_by=reachable_by)


def sandbox_warning(*, available: bool, require: str, reachable_by: Sequence[str]) -> str | None:
    """Return what to warn the operator of, if anything.

    Raises:
        SandboxError: without a sandbox the service may not start.

    """
    if available:
        return None
    if require == "always" or (require == "public" and reachable_by):
        where = f" and {reachable_by[0]} is reachable from other machines" if reachable_by else ""
        raise SandboxError(
            f"{NO_SECCOMP}{where}. Allow seccomp (containers: the default profile does), "
            'or accept the risk with [sandbox] require = "never"'
        )
    return NO_SECCOMP
