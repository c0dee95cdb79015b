"""One request to POST /ocr, and its failures as this package's errors."""

import json
import os
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx2

from sealed_ocr_client.errors import (
    ConnectionLost,
    OcrError,
    Refused,
    UnexpectedAnswer,
    Unreachable,
    Untrusted,
    UnusableOption,
)
from sealed_ocr_client.trust import is_loopback

CONNECT_S = 10
NDJSON = "application/x-ndjson"
LONGEST_LINE = 256 << 20  # bytes; a page of the service has fewer
MEMBERS = {"page": int, "text": str, "model": str, "timing_ms": dict, "request_id": str}


class Transport:
    """Sends uploads over one connection: HTTP/2, or HTTP/1.1 if a proxy speaks only that."""

    def __init__(
        self,
        url: str,
        *,
        key: str | None,
        trust: ssl.SSLContext | None,
        timeout_s: float,
        language: str,
    ) -> None:
        """Prepare the connection; the first request opens it.

        Raises:
            UnusableOption: the URL is none of HTTPS, or the key cannot be sent.

        """
        address = httpx2.URL(url)
        if address.scheme != "https" or not address.host:
            raise UnusableOption(
                f"The service's URL must begin with https://, not {url!r}: otherwise the key and "
                "the documents would be sent unencrypted."
            )
        self.url = url.rstrip("/")
        self._connected = False
        if key is not None and not (key.isascii() and key.isprintable() and " " not in key):
            raise UnusableOption("The API key has characters that no key has.")
        headers = {"accept-language": language, "user-agent": "sealed-ocr-client"}
        if key is not None:
            headers["x-api-key"] = key
        self._http = httpx2.AsyncClient(
            http2=True,
            verify=True if trust is None else trust,
            headers=headers,
            timeout=httpx2.Timeout(timeout_s, connect=CONNECT_S),
            # One connection is opened, and another one when it is lost. A lost one still counts in
            # httpcore2: with a limit of 1 the next request would wait for ever.
            limits=httpx2.Limits(max_connections=None),
            trust_env=not is_loopback(url),  # a proxy cannot reach this machine's loopback
        )

    async def close(self) -> None:
        """Close the connection."""
        await self._http.aclose()

    async def whole(self, upload: bytes, query: Mapping[str, str]) -> bytes:
        """Return the body of the response.

        Raises:
            OcrError: Refused, or the connection failed.

        """
        async with self._response(upload, query, {}) as response:
            return await response.aread()

    async def lines(
        self, upload: bytes, query: Mapping[str, str]
    ) -> AsyncGenerator[dict[str, Any]]:
        """Yield the pages of a streamed response, as they arrive.

        Raises:
            OcrError: Refused, also by the stream's last line, or the connection failed.

        """
        async with (
            self._response(upload, query, {"accept": NDJSON}) as response,
            aclosing(_lines_of(response)) as lines,
        ):
            document: dict[str, Any] | None = None
            async for line in lines:
                document = self._document(line)
                if "code" in document:
                    raise Refused(document.get("status", response.status_code), document)
                yield document
            if document is None:
                raise ConnectionLost(f"The response of {self.url} is empty.")

    def _document(self, line: bytes) -> dict[str, Any]:
        """Return the page, or the problem document, that a line of a stream holds.

        Raises:
            UnexpectedAnswer: it is neither.

        """
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            raise self._unexpected() from None
        if isinstance(document, dict) and "code" in document:
            return document
        if not isinstance(document, dict) or not all(
            isinstance(document.get(name), kind) for name, kind in MEMBERS.items()
        ):
            raise self._unexpected()
        return document

    def _unexpected(self) -> UnexpectedAnswer:
        return UnexpectedAnswer(
            f"The response of {self.url} is not that of a Sealed OCR service. Is the URL right?"
        )

    @asynccontextmanager
    async def _response(
        self, upload: bytes, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> AsyncIterator[httpx2.Response]:
        """Yield a response of status 200, whose body has not been read.

        Raises:
            OcrError: Refused, or the connection failed.

        """
        begun = False
        try:
            async with self._http.stream(
                "POST",
                f"{self.url}/ocr",
                params=query,
                content=upload,
                headers={"content-type": "application/octet-stream", **headers},
            ) as response:
                self._connected = begun = True
                if not response.is_success:
                    raise _refusal(response, await response.aread())
                if response.headers.get("content-type", "").startswith("text/html"):
                    raise self._unexpected()  # a login page; hOCR has a type of its own
                yield response
        except httpx2.ConnectError as error:
            raise self._no_connection(error) from None
        except httpx2.HTTPError as error:
            reason = str(error) or type(error).__name__
            message = f"The connection to {self.url} was lost ({reason})."
            if begun:
                message = (
                    "The response broke off: the service's time limit (timeout_s) is over, or the "
                    f"connection to {self.url} was lost."
                )
            raise ConnectionLost(message, begun=begun) from None

    def _no_connection(self, error: httpx2.ConnectError) -> OcrError:
        for each in _causes(error):
            if isinstance(each, ssl.SSLCertVerificationError):
                return Untrusted(
                    f"The certificate of {self.url} is not trusted ({each.verify_message}). Name "
                    "the CA's certificate with --ca (as a library: ca=)."
                )
        reason = _reason(error)
        if self._connected:
            return ConnectionLost(f"{self.url} can no longer be reached ({reason}).")
        return Unreachable(f"{self.url} cannot be reached ({reason}). Is the service running?")


async def _lines_of(response: httpx2.Response) -> AsyncGenerator[bytes]:
    """Yield what line feeds separate; httpx2's lines also end at U+2028, which a text may have.

    Raises:
        UnexpectedAnswer: a line is longer than any of the service.

    """
    rest = bytearray()
    async for piece in response.aiter_bytes():
        first, *more = piece.split(b"\n")
        rest += first
        if len(rest) > LONGEST_LINE:
            raise UnexpectedAnswer("The response has a line without end.")
        for following in more:
            yield bytes(rest)
            rest = bytearray(following)


def _causes(error: BaseException | None) -> list[BaseException]:
    """Return an exception and those that it came from; of a group, its first."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        group = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else None
        error = error.__cause__ or error.__context__ or group
    return found


def _reason(error: BaseException) -> str:
    """Return what the operating system says, such as "Connection refused"."""
    numbers = [each.errno for each in _causes(error) if isinstance(each, OSError) and each.errno]
    return os.strerror(numbers[-1]) if numbers and numbers[-1] > 0 else str(error)


def _refusal(response: httpx2.Response, body: bytes) -> Refused:
    try:
        problem = json.loads(body)
    except ValueError:
        problem = {}
    waits = response.headers.get("retry-after", "")
    return Refused(
        response.status_code,
        problem if isinstance(problem, dict) else {},
        float(waits) if waits.isdecimal() else None,
    )
