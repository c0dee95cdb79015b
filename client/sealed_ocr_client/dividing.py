"""Dividing a document into requests. The service counts its pages, and says how far it got.

The client has no PDF library: it asks for all pages. A document that has too many gets 413 with
`document_pages` and `max_pages`, and one that takes too long 504 with `pages_read`.
"""

from sealed_ocr_client.errors import NotDivisible, Refused
from sealed_ocr_client.formats import Format
from sealed_ocr_client.page_ranges import PageRanges

ALL = PageRanges(((1, None),))
TOO_SLOW = frozenset({"deadline_exceeded", "out_of_time"})


class Division:
    """Which pages of a document are left, and how many the next request selects.

    `after` is the last page that was read earlier; 0 if none was.
    """

    def __init__(self, pages: str | None, after: int) -> None:
        self._selected = pages is not None or after > 0
        self.left = PageRanges.parse(pages) if pages is not None else ALL
        self._some_read = after > 0
        if after:
            self.left = self.left.after(after)
        self._size: int | None = None
        self._asked = self.left
        self._came = False  # a page of the present request

    def query(self) -> dict[str, str]:
        """Return the parameter `pages` of the next request; none if it is the whole document."""
        self._came = False
        self._asked = self.left if self._size is None else self.left.first(self._size)
        return {"pages": str(self._asked)} if self._selected else {}

    def read(self, page: int) -> None:
        """Note that a page has come."""
        self.left = self.left.after(page)
        self._some_read = self._selected = self._came = True

    def end(self) -> None:
        """Note that a response is complete."""
        last = None if self._size is None else self._asked.last
        self.left = PageRanges(()) if last is None else self.left.after(last)
        self._some_read = True

    def divide(self, error: Refused) -> bool:
        """Return whether the next request may follow at once, with other pages or fewer."""
        if error.code in TOO_SLOW:
            return self._came
        return self._too_many(error) or self._past_the_end(error)

    def divide_whole(self, error: Refused, form: Format) -> bool:
        """Return the same for a response that has to be complete: the pages read are lost.

        Raises:
            NotDivisible: the format cannot be put together again.

        """
        too_slow = error.code in TOO_SLOW and error.pages_read > 0 and self._size != 1
        if form.join is None and (too_slow or error.code == "too_many_pages"):
            raise NotDivisible(
                f"{error} A document in the format {form.name} cannot be put together from several "
                "requests: select pages, or raise the service's limits."
            )
        if too_slow:
            fewer = error.pages_read * 2 // 3
            self._size = max(1, fewer if self._size is None else min(fewer, self._size - 1))
            self._selected = True
            return True
        return self._too_many(error) or self._past_the_end(error)

    def _too_many(self, error: Refused) -> bool:
        limit, pages = error.number("max_pages"), error.number("document_pages")
        if error.code != "too_many_pages" or not limit or not pages or self._size is not None:
            return False
        self.left = self.left.closed_at(pages)
        self._size, self._selected = limit, True
        return True

    def _past_the_end(self, error: Refused) -> bool:
        """Note the number of the last page: the request asked for pages beyond it."""
        pages = error.number("document_pages")
        if error.code != "no_such_page" or pages is None:
            return False
        closed = self.left.closed_at(pages)
        if closed == self.left or not (closed or self._some_read):
            return False
        self.left = closed
        return True
