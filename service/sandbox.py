"""Whether the service may start on a machine where the processes that read cannot be locked."""

from collections.abc import Sequence

NO_SECCOMP = (
    "the processes that parse uploads are not locked: this kernel filters no system calls "
    "(seccomp), or this machine is neither x86_64 nor aarch64"
)


class SandboxError(Exception):
    """The settings ask for locks that this machine does not have."""


def sandbox_warning(*, available: bool, require: str, reachable_by: Sequence[str]) -> str | None:
    """Return what the operator is to be warned of, if anything.

    Raises:
        SandboxError: without locks the service may not start.

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
