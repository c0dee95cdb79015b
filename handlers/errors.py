"""The errors of functions. handlers.problem_table has the response to each."""


class RequestError(Exception):
    """A request that the function does not accept."""


class LoggedError(Exception):
    """A fault, 500 to the client, whose message is logged: it must hold no content of a request.

    The messages of all other exceptions are neither logged nor sent.
    """


class UnknownParameter(RequestError):
    """A parameter that the function does not have."""

    def __init__(self, takes: str) -> None:
        super().__init__(takes)
        self.takes = takes


class RepeatedParameter(UnknownParameter):
    """A parameter that is given more than once."""

    def __init__(self, takes: str, name: str) -> None:
        super().__init__(takes)
        self.name = name


class InvalidParameter(UnknownParameter):
    """A parameter with an invalid value; `takes` has its valid ones alone."""

    def __init__(self, takes: str, name: str) -> None:
        super().__init__(takes)
        self.name = name


class InvalidPages(InvalidParameter):
    """Page numbers that are not valid; `takes` is an example of valid ones."""


class FormatNotPartial(RequestError):
    """A partial response was requested in a format that has no place for a problem.

    `takes` has the formats that have one.
    """

    def __init__(self, name: str, takes: str) -> None:
        super().__init__(name, takes)
        self.name = name
        self.takes = takes


class FormatSinglePage(RequestError):
    """A format that has one page was requested for several; `name` is the format's."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class UnsupportedBody(RequestError):
    """The function does not accept this Content-Type.

    `declared` is the format in handlers.bodies.other_formats whose media type it is; None if none.
    """

    def __init__(self, declared: str | None = None) -> None:
        super().__init__(declared)
        self.declared = declared


class UnsupportedEncoding(RequestError):
    """The body has a Content-Encoding; `encoding` is a name from the service's own list."""

    def __init__(self, encoding: str) -> None:
        super().__init__(encoding)
        self.encoding = encoding


class MalformedBody(RequestError):
    """The body does not match its Content-Type, or holds no image: see bodies.body_errors."""


class TooManyImages(RequestError):
    """The request holds more images than allowed."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


class ImagesTooLarge(RequestError):
    """The images of the pages of a response that is not streamed take more than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


class NotReady(Exception):
    """The service cannot read at present; `failed` names the checks that failed."""

    def __init__(self, failed: tuple[str, ...]) -> None:
        super().__init__(failed)
        self.failed = ", ".join(failed)


class OutOfTime(Exception):
    """A response that has begun cannot be completed before its function's timeout_s."""
