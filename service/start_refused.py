"""Why the service does not start, and where the operator finds the cause."""

from collections.abc import Iterator
from contextlib import contextmanager

from settings import Loc, Origins


class StartRefused(Exception):
    """The service cannot start with these settings on this machine.

    `locs` are the settings that the message is about; `subject` is what it begins with in place of
    their names. A subclass has the same for all of its messages, unless one is given.
    """

    locs: tuple[Loc, ...] = ()
    subject: str | None = None

    def describe(self, origins: Origins) -> str:
        """Return the message with its source, line and key, for the operator."""
        labels = dict.fromkeys(origins.label(loc) for loc in self.locs)
        subject = ", ".join(labels) if self.subject is None else self.subject
        parts = [origins.where(*self.locs) if self.locs else "", subject, str(self)]
        return ": ".join(part for part in parts if part)


@contextmanager
def refusing(
    *errors: type[Exception], locs: tuple[Loc, ...] = (), subject: str | None = None
) -> Iterator[None]:
    """Raise `errors` of a lower layer as StartRefused, with the same message.

    Raises:
        StartRefused: one of `errors` was raised.

    """
    try:
        yield
    except errors as error:
        refusal = StartRefused(str(error))
        refusal.locs, refusal.subject = locs, subject
        raise refusal from error
