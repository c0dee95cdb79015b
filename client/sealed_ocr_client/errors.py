"""The errors of the client. The message of each says what happened and what to do."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any


class OcrError(Exception):
    """A file was not read."""

    # True: every other file of a batch would fail for the same reason.
    concerns_all = False


class UnusableOption(OcrError):
    """A URL, page numbers, a key's file or a CA's file cannot be used."""

    concerns_all = True


class UnreadableFile(OcrError):
    """The file cannot be read from the disk, or its result not be written."""

    @classmethod
    def because(cls, error: OSError) -> "UnreadableFile":
        """Return the error of a file for which the system gave this one."""
        where = f" ({error.filename})" if error.filename is not None else ""
        return cls(f"{error.strerror}{where}.")


class Unreachable(OcrError):
    """No connection could be made."""

    concerns_all = True


class Untrusted(OcrError):
    """The service's certificate is not trusted."""

    concerns_all = True


class ConnectionLost(OcrError):
    """The connection ended, or nothing came in time, before the response was complete.

    `begun` says whether a part of the response had come.
    """

    def __init__(self, message: str, *, begun: bool = False) -> None:
        super().__init__(message)
        self.begun = begun


class UnexpectedAnswer(OcrError):
    """The response is not one of a Sealed OCR service: another server answers at its URL."""


class NotDivisible(OcrError):
    """The document is too long for one request, and the format cannot be put together again."""


class Refused(OcrError):
    """The service sent an error response.

    `status` and `code` are its own (docs/api.md, Errors), `problem` is the whole problem document,
    empty if there was none, and `retry_after_s` its Retry-After.
    """

    def __init__(
        self, status: int, problem: Mapping[str, Any], retry_after_s: float | None = None
    ) -> None:
        self.status = status
        self.problem = problem
        self.code = str(problem.get("code", f"http_{status}"))
        self.retry_after_s = retry_after_s
        of_the_key = status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
        self.concerns_all = of_the_key and problem.get("code") != "pages_exceed_quota"
        super().__init__(self._message())

    @property
    def pages_read(self) -> int:
        """How many pages the service had read."""
        return self.number("pages_read") or 0

    def number(self, name: str) -> int | None:
        """Return a member of the problem document that is a number above zero; else None."""
        value = self.problem.get(name)
        return value if type(value) is int and value > 0 else None

    def _message(self) -> str:
        title, detail = self.problem.get("title"), self.problem.get("detail")
        if not title:
            return f"The server answered with status {self.status} and without a problem document."
        return f"{title}: {detail or ''} ({self.code})".replace(":  (", " (")
