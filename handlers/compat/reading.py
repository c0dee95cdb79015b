"""The reading of one file for a function that answers as another service does."""

from collections.abc import Iterator
from contextlib import aclosing, contextmanager

from starlette.requests import Request

from handlers.bodies.body_errors import EmptyImage
from handlers.bodies.content_encoding import check_content_encoding
from handlers.large_pages import amount
from handlers.page_images import ImageBudget
from handlers.parameters import parameters_of
from middleware.request_context import caller_name, open_receive_window, request_context
from model.reader import Page, Reader, ReadingOptions, Slot

PLAIN = ReadingOptions()


class Reading:
    """Reads the file of one request, in its slot. `amount`: of what is to be written then."""

    def __init__(self, request: Request, slot: Slot) -> None:
        """Check the query.

        Raises:
            UnknownParameter: `pages` in the query is invalid.

        """
        given = [("pages", each) for each in request.query_params.getlist("pages")]
        self._ranges = parameters_of(given).pages
        self._context = request_context(request.scope)
        self._slot = slot
        self.amount = 0

    async def pages(self, file: bytes, options: ReadingOptions = PLAIN) -> list[Page]:
        """Return the pages of an image or document; `?pages=` of the query selects some.

        Raises:
            EmptyImage: the file has no bytes.
            AuditUnavailable: the file could not be recorded.
            ImagesTooLarge: the images of its pages have too many bytes.
            ReadingError: any.

        """
        if not file:
            raise EmptyImage(1)
        await self._context.before_reading([file])
        self._context.start_reading(1)
        pages, images = [], ImageBudget()
        reading = self._slot.pages(file, options=options, ranges=self._ranges)
        async with aclosing(reading) as found:  # at once, also where an image is one too many
            async for page in found:
                self._context.count_page(len(page.lines))
                images.consume(page)
                self.amount += amount(page)
                pages.append(page)
        return pages


@contextmanager
def admitted(request: Request) -> Iterator[Reading]:
    """Hold a slot for a request, whose body may then be received.

    Raises:
        Busy: there is none.
        UnsupportedEncoding: the body is compressed.
        UnknownParameter: `pages` in the query is invalid.

    """
    check_content_encoding(request.headers)
    reader: Reader = request.state.reader
    charge = request_context(request.scope).charge_pages
    with reader.slot(caller_name(request.scope), charge) as slot:
        reading = Reading(request, slot)
        open_receive_window(request.scope)
        yield reading
