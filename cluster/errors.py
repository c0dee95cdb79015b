"""Why a scheduler or a worker does not start."""


class ClusterRefused(Exception):
    """It cannot start with these settings on this machine; the message says how to mend it."""
