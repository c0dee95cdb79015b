"""The client: files to pages, or to a format of the service."""

import os
import ssl
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, Self

from sealed_ocr_client.dividing import Division
from sealed_ocr_client.errors import ConnectionLost, OcrError, Refused, UnreadableFile
from sealed_ocr_client.formats import FORMATS, Format
from sealed_ocr_client.keys import find_key
from sealed_ocr_client.options import Options
from sealed_ocr_client.result import Document
from sealed_ocr_client.retries import Gate, Patience
from sealed_ocr_client.services import Services
from sealed_ocr_client.transport import Transport
from sealed_ocr_client.trust import ca_file, trust_of

DEFAULT_URL = "https://localhost:8443"
RETRIES = 8
MAX_WAIT_S = 300.0
TIMEOUT_S = 180.0
PDF_HEADER_WITHIN = 1024  # bytes; a PDF may begin with something else

Source = bytes | str | os.PathLike[str]
FilePath = str | os.PathLike[str]


def no_report(_wait_s: float, _error: OcrError) -> None:
    """Say nothing about waits."""


def no_notice(_error: OcrError) -> None:
    """Say nothing about a service that does not respond."""


class AsyncClient:
    """Reads files over one connection. Use it with `async with`, from as many tasks as you like.

    With several URLs each file goes to the service that has the fewest requests, over a connection
    to each; one that does not respond is left out for a while, and `left_out` is called with the
    error. Without `key`, it is looked for as the command does (find_key). `ca` is the file of the
    CA's certificate; without it the system's are trusted. `waiting` is called with the seconds and
    the error before each wait.
    """

    def __init__(
        self,
        url: str | Sequence[str] | None = None,
        *,
        key: str | None = None,
        ca: FilePath | None = None,
        certificate: FilePath | None = None,
        certificate_key: FilePath | None = None,
        retries: int = RETRIES,
        max_wait_s: float = MAX_WAIT_S,
        timeout_s: float = TIMEOUT_S,
        language: str = "en",
        waiting: Callable[[float, OcrError], None] = no_report,
        left_out: Callable[[OcrError], None] = no_notice,
    ) -> None:
        """Find the key and the CA.

        Raises:
            UnusableOption: the URL, the key's file or the CA's cannot be used.

        """
        urls = urls_of(url)
        key = find_key(urls[0]) if key is None else key

        def transport(to: str) -> Transport:
            trust: ssl.SSLContext | None = trust_of(ca_file(to, ca), certificate, certificate_key)
            return Transport(to, key=key, trust=trust, timeout_s=timeout_s, language=language)

        self._services = Services([transport(each) for each in urls], left_out)
        self._gate = Gate()
        self._retries = retries
        self._max_wait_s = max_wait_s
        self._waiting = waiting

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._services.close()

    async def read(self, source: Source, options: Options | None = None) -> Document:
        """Return the pages of a file, or of its bytes.

        Raises:
            OcrError: it could not be read; Refused if the service says so.

        """
        upload, options = bytes_of(source), options or Options()
        async with aclosing(self.pages(upload, options)) as pages:
            return Document(tuple([page async for page in pages]), is_document(upload, options))

    async def pages(
        self, source: Source, options: Options | None = None, *, after: int = 0
    ) -> AsyncGenerator[dict[str, Any]]:
        """Yield each page as soon as it has been read, beginning with the one after page `after`.

        Where a request ends too early (a limit on time or on pages, a lost connection), the next
        one continues.

        Raises:
            OcrError: a page could not be read.

        """
        upload, options = bytes_of(source), options or Options()
        division, patience = Division(options.pages, after), self._patience()
        while division.left:
            query = options.query() | division.query()
            try:
                await self._gate.passed()
                with self._services.one() as service:
                    async with aclosing(service.lines(upload, query)) as lines:
                        async for page in lines:
                            division.read(page["page"])
                            patience.progress()
                            yield page
                division.end()
            except Refused as error:
                if not division.divide(error):
                    await patience.pause(error)
            except ConnectionLost as error:
                await patience.pause(error)

    async def render(self, source: Source, name: str, options: Options | None = None) -> bytes:
        """Return a file in a format of the service: "text", "json", "tsv", "pdf" and others.

        Raises:
            OcrError: it could not be read; NotDivisible if it is too long for one request and this
                format cannot be put together again.

        """
        upload, options, form = bytes_of(source), options or Options(), FORMATS[name]
        if form.from_pages is not None:
            document = await self.read(upload, options)
            return form.from_pages(document.pages, document.paged)
        return await self._joined(upload, form, options)

    async def _joined(self, upload: bytes, form: Format, options: Options) -> bytes:
        parts: list[bytes] = []
        division, patience = Division(options.pages, 0), self._patience()
        while division.left:
            query = {"format": form.name} | options.query() | division.query()
            try:
                await self._gate.passed()
                with self._services.one() as service:
                    parts.append(await service.whole(upload, query))
                division.end()
                patience.progress()
            except Refused as error:
                if not division.divide_whole(error, form):
                    await patience.pause(error)
            except ConnectionLost as error:
                # The service ends a streamed PDF early when the time for it is over.
                await patience.pause(error, once=error.begun)
        return parts[0] if form.join is None else form.join(parts)

    def _patience(self) -> Patience:
        return Patience(
            self._gate,
            self._services.another,
            retries=self._retries,
            max_wait_s=self._max_wait_s,
            waiting=self._waiting,
        )


def urls_of(url: str | Sequence[str] | None) -> list[str]:
    """Return the URLs of the services: those given, else those of SEALED_OCR_URL, else the default.

    In the variable they are separated by spaces.
    """
    given = [url] if isinstance(url, str) else list(url or ())
    return [*given] or os.environ.get("SEALED_OCR_URL", "").split() or [DEFAULT_URL]


def bytes_of(source: Source) -> bytes:
    """Return the bytes of a file, or those given.

    Raises:
        UnreadableFile: there is no such file, or it cannot be read.

    """
    if isinstance(source, bytes):
        return source
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise UnreadableFile(error.strerror or str(error)) from None


def is_document(upload: bytes, options: Options) -> bool:
    """Return whether the service's response has `pages` even for a single page."""
    return options.pages is not None or b"%PDF-" in upload[:PDF_HEADER_WITHIN]
