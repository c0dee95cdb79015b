"""The errors of the middleware stack. handlers.problem_table has the response to each."""


class MiddlewareError(Exception):
    """A request that the middleware stack rejects."""


class PlainHttpRefused(MiddlewareError):
    """A request other than GET or HEAD came over plain HTTP; the key in it is compromised."""


class MalformedForwarding(MiddlewareError):
    """A trusted proxy sent forwarding headers that do not follow their grammar."""


class MalformedHttp(MiddlewareError):
    """The server cannot parse the request, or parts of it contradict each other."""


class HeadersTooLarge(MiddlewareError):
    """The request line and headers are longer than the server accepts."""


class TransferCodingUnknown(MiddlewareError):
    """The request body has a transfer coding other than chunked."""


class WebSocketRefused(MiddlewareError):
    """The request asks for a WebSocket."""


class NotAuthenticated(MiddlewareError):
    """No valid key. Missing, unknown, wrong, expired and not yet valid keys look the same."""


class ScopeMissing(MiddlewareError):
    """The key is valid and lacks the function's scope."""

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.scope = scope


class FunctionNotAllowed(MiddlewareError):
    """The key is valid, and for other functions only."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class RateLimited(MiddlewareError):
    """The limit `policy` is used up; a request is allowed again in `retry_after_s` seconds."""

    def __init__(self, policy: str, limit: int, window_s: int, retry_after_s: int) -> None:
        super().__init__(policy)
        self.policy = policy
        self.limit = limit
        self.window_s = window_s
        self.retry_after_s = retry_after_s


class TooManyConcurrentRequests(MiddlewareError):
    """The key has as many requests under way as it may."""

    retry_after_s = 1

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


class PageQuotaError(MiddlewareError):
    """A request's pages do not fit into one of the key's quotas, which `policy` names."""

    def __init__(self, policy: str, quota: int, pages: int) -> None:
        super().__init__(policy)
        self.policy = policy
        self.quota = quota
        self.pages = pages
        self.image: int | None = None  # the number of the upload, from 1


class PagesExceedQuota(PageQuotaError):
    """The request has more pages than the quota of a whole day or month: it can never fit."""


class PageQuotaUsedUp(PageQuotaError):
    """The day or month has too few pages left; the next one begins on the date `renewed`, in UTC.

    That is in `retry_after_s` seconds.
    """

    def __init__(
        self, policy: str, quota: int, left: int, pages: int, *, renewed: str, retry_after_s: int
    ) -> None:
        super().__init__(policy, quota, pages)
        self.left = left
        self.renewed = renewed
        self.retry_after_s = retry_after_s


OF_PAGES = (PagesExceedQuota, PageQuotaUsedUp)
"""What charging the pages of a file raises."""


class LimitStorageFailed(MiddlewareError):
    """The rate-limit storage did not answer, and the policy is to deny."""

    retry_after_s = 1


class AuditUnavailable(MiddlewareError):
    """The request could not be recorded in the audit trail, and the policy is to deny."""

    retry_after_s = 5


class BodyTooLarge(MiddlewareError):
    """The request body is longer than the function accepts."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(limit_bytes)
        self.limit_bytes = limit_bytes


class BodyTooSlow(MiddlewareError):
    """The request body did not arrive in time."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(limit_s)
        self.limit_s = f"{limit_s:g}"


class DeadlineExceeded(MiddlewareError):
    """The response was not ready in time."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(limit_s)
        self.limit_s = f"{limit_s:g}"
