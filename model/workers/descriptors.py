"""What a request meets when the process has no file descriptor left."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from model.errors import Busy

_RETRY_AFTER_S = 1


@contextmanager
def busy_without_descriptors() -> Iterator[None]:
    """Raise an OSError for lack of descriptors as Busy.

    Raises:
        Busy: the process, or the system, has no descriptor left.

    """
    try:
        yield
    except OSError as error:
        if error.errno in {errno.EMFILE, errno.ENFILE}:
            raise Busy(_RETRY_AFTER_S) from error
        raise
