"""The client for programs without an event loop of their own."""

from collections.abc import Iterator
from typing import Any, Self

from anyio.from_thread import BlockingPortal, start_blocking_portal

from sealed_ocr_client.client import AsyncClient, FilePath, Source
from sealed_ocr_client.options import Options
from sealed_ocr_client.result import Document


class Client:
    """AsyncClient with methods that block; threads may share it. Close it, or use it with `with`.

    It takes the arguments of AsyncClient. Its event loop runs in a thread of its own, so that it
    also works where one is running already, as in a notebook.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        key: str | None = None,
        ca: FilePath | None = None,
        **more: Any,
    ) -> None:
        self._starting = start_blocking_portal()
        self._portal: BlockingPortal = self._starting.__enter__()
        try:
            self._client = self._portal.call(
                lambda: AsyncClient(url, key=key, ca=ca, **more),
            )
        except BaseException:
            self._starting.__exit__(None, None, None)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection and end the thread."""
        self._portal.call(self._client.close)
        self._starting.__exit__(None, None, None)

    def read(self, source: Source, options: Options | None = None) -> Document:
        """Return the pages of a file, or of its bytes.

        Raises:
            OcrError: it could not be read; Refused if the service says so.

        """
        return self._portal.call(self._client.read, source, options)

    def pages(self, source: Source, options: Options | None = None) -> Iterator[dict[str, Any]]:
        """Yield each page as soon as it has been read.

        Raises:
            OcrError: a page could not be read.

        """
        pages = self._client.pages(source, options)
        try:
            while (page := self._portal.call(anext, pages, None)) is not None:
                yield page
        finally:
            self._portal.call(pages.aclose)

    def render(self, source: Source, name: str, options: Options | None = None) -> bytes:
        """Return a file in a format of the service: "text", "json", "tsv", "pdf" and others.

        Raises:
            OcrError: it could not be read; NotDivisible if it is too long for one request and this
                format cannot be put together again.

        """
        return self._portal.call(self._client.render, source, name, options)
