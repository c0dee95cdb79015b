"""What a function refuses. handlers.problems holds the answer to each."""


class RequestError(Exception):
    """A request that is not what the function takes."""


class UnknownParameter(RequestError):
    """A query parameter that the function does not take, or takes with other values."""

    def __init__(self, takes: str) -> None:
        super().__init__(takes)
        self.takes = takes


class UnsupportedBody(RequestError):
    """The Content-Type is none of those the function takes."""


class MalformedBody(RequestError):
    """The body is not what its Content-Type says, or holds no image."""


class TooManyImages(RequestError):
    """More images than one request may bring."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


class NotReady(Exception):
    """The service cannot read at present; `failed` names the checks that say so."""

    def __init__(self, failed: tuple[str, ...]) -> None:
        super().__init__(failed)
        self.failed = ", ".join(failed)


class OutOfTime(Exception):
    """An answer that is under way cannot be finished before its function's timeout_s."""
