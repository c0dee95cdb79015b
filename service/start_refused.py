"""Why the service does not start, and where the operator finds the cause."""

from collections.abc import Iterator
from contextlib import contextmanager


class StartRefused(Exception):
    """The service cannot start with these settings on this machine.

    `place` says what the message is about; `{file}` in it stands for the settings file's name. A
    subclass has one place for all of its messages.
    """

    place = "{file}: "

    def describe(self, file: str) -> str:
        """Return the message with its place, for the operator."""
        return self.place.format(file=file) + str(self)


@contextmanager
def refusing(*errors: type[Exception], place: str) -> Iterator[None]:
    """Raise `errors` of a lower layer as StartRefused, with the same message and this place.

    Raises:
        StartRefused: one of `errors` was raised.

    """
    try:
        yield
    except errors as error:
        refusal = StartRefused(str(error))
        refusal.place = place
        raise refusal from error
