"""What the envelope refuses. handlers.problems holds the answer to each."""


class MiddlewareError(Exception):
    """A request that the envelope stops before, or instead of, its function."""


class PlainHttpRefused(MiddlewareError):
    """A request other than GET or HEAD came over plain HTTP; what it carried is compromised."""


class MalformedForwarding(MiddlewareError):
    """A proxy that is trusted sent forwarding headers that do not follow their grammar."""


class NotAuthenticated(MiddlewareError):
    """No key, or none that is valid: unknown, wrong, expired and not yet valid look the same."""


class ScopeMissing(MiddlewareError):
    """The key is valid and lacks the function's scope."""

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.scope = scope


class RateLimited(MiddlewareError):
    """One request too many; `retry_after_s` is when the window has room again."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s


class LimitStorageFailed(MiddlewareError):
    """The limits' storage did not answer and the policy is to deny."""

    retry_after_s = 1


class BodyTooLarge(MiddlewareError):
    """The body is longer than the function takes."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(limit_bytes)
        self.limit_bytes = limit_bytes


class BodyTooSlow(MiddlewareError):
    """The body did not arrive in time."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(limit_s)
        self.limit_s = f"{limit_s:g}"


class DeadlineExceeded(MiddlewareError):
    """The answer was not ready in time."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(limit_s)
        self.limit_s = f"{limit_s:g}"
