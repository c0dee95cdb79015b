"""What the writers of XML documents have in common: a head, pages, an end."""

from collections.abc import Iterator
from typing import ClassVar

from handlers.formats.format import ResponseInfo, Writer
from handlers.writing.page_numbers import PageNumbers
from handlers.writing.xml_text import xml_text
from model.reader import Page


class XmlWriter(Writer):
    """Writes one document. `head` has a place for the name of the `{model}`."""

    head: ClassVar[str]
    foot: ClassVar[str]

    def __init__(self, info: ResponseInfo) -> None:
        self._numbers = PageNumbers(info)
        self._pages = 0

    def parts(self, page: Page, number: int, place: int) -> Iterator[str]:
        """Yield the XML of a page: its number in its upload, and its place in the document."""
        raise NotImplementedError

    def page(self, _upload: int, page: Page) -> bytes:
        """Return a page, the first time below the document's head."""
        self._pages += 1
        head = self.head.format(model=xml_text(page.model)) if self._pages == 1 else ""
        parts = self.parts(page, self._numbers.next(page), self._pages)
        return (head + "".join(parts)).encode()

    def end(self) -> bytes:
        """Return the end of the document."""
        return self.foot.encode()
