"""A format of the responses of POST /ocr, and what writes one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from model.reader import Page, PageImage, WordMode

Problem = dict[str, Any]


class Writer:
    """Writes one response. Its methods return the bytes that can be sent, or none."""

    def page(self, upload: int, page: Page) -> bytes:
        """Write a page of an upload; uploads are counted from 1, and come in order."""
        raise NotImplementedError

    def problem(self, upload: int, problem: Problem) -> bytes:
        """Write the problem document that takes the place of an upload, or of its later pages.

        It is called only if the format is `partial`. At the end of a streamed response that is not
        complete, `upload` is 0 where the problem is not about an upload.
        """
        raise NotImplementedError

    def end(self) -> bytes:
        """Write what follows the last page."""
        return b""


@dataclass(frozen=True, slots=True)
class ResponseInfo:
    """What a writer may need beside the pages.

    `paged`: pages were selected by `?pages=`. `uploads`: how many the request has.
    """

    request_id: str
    paged: bool = False
    uploads: int = 1


@dataclass(frozen=True, slots=True)
class Format:
    """A format: how it is named, requested and described, and what writes it.

    `title` and `description` are in English and Chinese. `streamed`: what a writer returns is sent
    at once, while pages are read; otherwise it is sent when all of them have been read. `partial`:
    a response can hold the problem of an upload. `single_page`: a response has one page. `words`
    and `image` are what each page has to have.
    """

    name: str
    media_type: str
    extension: str
    title: tuple[str, str]
    description: tuple[str, str]
    writer: Callable[[ResponseInfo], Writer]
    streamed: bool = False
    partial: bool = False
    single_page: bool = False
    words: WordMode = WordMode.NONE
    image: PageImage | None = None

    @property
    def has_charset(self) -> bool:
        """Whether the media type is one of text whose charset has to be named; JSON's is not."""
        return self.media_type.startswith("text/") or self.media_type.endswith("+xml")

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a response in this format."""
        return {
            "content-type": self.media_type + "; charset=utf-8" * self.has_charset,
            "content-disposition": f'inline; filename="ocr.{self.extension}"',
        }
