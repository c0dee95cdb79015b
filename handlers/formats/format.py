"""A format of the responses of POST /ocr, and what writes one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from model.reader import Page

Problem = dict[str, Any]


class Writer(Protocol):
    """Writes one response. Its methods return the bytes that can be sent, or none."""

    def page(self, upload: int, page: Page) -> bytes:
        """Write a page of an upload; uploads are counted from 1, and come in order."""

    def problem(self, upload: int, problem: Problem) -> bytes:
        """Write the problem document that takes the place of an upload, or of its later pages.

        It is called only if the format is `partial`. At the end of a streamed response that is not
        complete, `upload` is 0 where the problem is not about an upload.
        """

    def end(self) -> bytes:
        """Write what follows the last page."""


@dataclass(frozen=True, slots=True)
class ResponseInfo:
    """What a writer may need beside the pages.

    `paged`: pages were selected by `?pages=`.
    """

    request_id: str
    paged: bool


@dataclass(frozen=True, slots=True)
class Format:
    """A format: how it is named, requested and described, and what writes it.

    `title` and `description` are in English and Chinese. `streamed`: what a writer returns is sent
    at once, while pages are read; otherwise it is sent when all of them have been read. `partial`:
    a response can hold the problem of an upload.
    """

    name: str
    media_type: str
    extension: str
    title: tuple[str, str]
    description: tuple[str, str]
    writer: Callable[[ResponseInfo], Writer]
    streamed: bool = False
    partial: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a response in this format."""
        has_charset = self.media_type.startswith("text/") or self.media_type.endswith("+xml")
        return {
            "content-type": self.media_type + "; charset=utf-8" * has_charset,
            "content-disposition": f'inline; filename="ocr.{self.extension}"',
        }
