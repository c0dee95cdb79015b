"""The reading of one request: its body, its images one after the other, and their problems."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from starlette.requests import Request

from handlers.bodies.body import Image
from handlers.bodies.body_errors import MalformedImage
from handlers.bodies.content_encoding import check_content_encoding
from handlers.bodies.uploads import body_of, media_type_of
from handlers.errors import FormatNotPartial, FormatSinglePage
from handlers.formats.registry import accepted_format, formats
from handlers.page_images import PageImages
from handlers.parameters import pages_after, parameters_of
from middleware.errors import PageQuotaError
from middleware.request_context import open_receive_window, request_context
from model.errors import TooManyPages, UploadError
from model.reader import Page, ReadingOptions, Slot, WordMode

Problem = UploadError | MalformedImage | PageQuotaError
Entry = Page | Problem


class Reading:
    """Reads the images of a request. Its parameters are complete once the body was received."""

    def __init__(self, request: Request) -> None:
        """Check what can be checked before the body is there.

        Raises:
            UnknownParameter: a parameter of the query is invalid.
            FormatNotPartial: the query names a format that cannot be partial.
            UnsupportedBody: the Content-Type cannot hold an image.
            UnsupportedEncoding: the body is compressed.

        """
        self._request = request
        self._query = request.query_params.multi_items()
        self.parameters = parameters_of(self._query)
        self._accepted = accepted_format(request.headers.get("accept"))
        self.format = self.parameters.format or self._accepted  # a parameter wins
        self._images: list[Image] = []
        if self.parameters.format is not None:
            self._check_partial()
        self._media_type = media_type_of(request)
        check_content_encoding(request.headers)

    @property
    def uploads(self) -> int:
        """How many images were received."""
        return len(self._images)

    async def receive(self) -> None:
        """Receive the body; complete the parameters, and by them the format.

        Raises:
            RequestError: the body is malformed, or its parameters are.
            AuditUnavailable: the documents could not be recorded.

        """
        open_receive_window(self._request.scope)
        body = await body_of(
            self._request, self._media_type, max_images=self._request.state.max_images
        )
        self.parameters = parameters_of([*self._query, *body.parameters])
        self.format = self.parameters.format or self._accepted
        self._check_partial()
        if self.format.single_page and len(body.images) > 1:
            raise FormatSinglePage(self.format.name)
        malformed = [image for image in body.images if isinstance(image, MalformedImage)]
        if malformed and not self.parameters.partial:
            raise malformed[0]
        self._images = body.images
        documents = [image for image in body.images if isinstance(image, bytes)]
        await request_context(self._request.scope).before_reading(documents)

    async def pages(self, slot: Slot) -> AsyncGenerator[tuple[int, Entry]]:
        """Yield each page with the number of its image, from 1.

        With `partial` the problem of an image that cannot be read is yielded in its place; without
        it, or if no image can be read, the first problem is raised.

        Raises:
            MalformedImage: an image is no base64, or empty.
            ReadingError: any.

        """
        images = self._images
        context = request_context(self._request.scope)
        context.start_reading(len(images))
        problems: list[tuple[int, Problem]] = []  # not yielded: without a page, the response
        for number, image in enumerate(images, 1):
            try:
                async with aclosing(self._pages_of(slot, image)) as pages:
                    async for page in pages:
                        while problems:
                            yield problems.pop(0)
                        context.count_page(len(page.lines))
                        if len(images) == 1:  # ?pages= selects pages of every image
                            context.next_pages = pages_after(self.parameters.pages, page.number)
                        yield number, page
            except (UploadError, MalformedImage, PageQuotaError) as error:
                error.image = number
                if not self.parameters.partial:
                    raise
                problems.append((number, error))
        if not context.pages:
            raise problems[0][1]
        for problem in problems:
            yield problem

    async def _pages_of(self, slot: Slot, image: Image) -> AsyncGenerator[Page]:
        if isinstance(image, MalformedImage):
            raise image
        reading = slot.pages(
            image,
            options=self._options(),
            ranges=self.parameters.pages,
            most=1 if self.format.single_page else None,
        )
        try:
            async with aclosing(reading) as pages:
                async for page in pages:
                    yield page.without_doubtful(self.parameters.min_confidence)
        except TooManyPages as error:
            if self.format.single_page:
                raise FormatSinglePage(self.format.name) from error
            raise

    def _options(self) -> ReadingOptions:
        """Return the options that were given, with what the format needs."""
        options = self.parameters.options
        if options.words is WordMode.NONE and self.format.words is not WordMode.NONE:
            options = replace(options, words=self.format.words)
        if self.format.image is not None:
            options = replace(options, image=self.format.image)
        page_images: PageImages = self._request.state.page_images
        return page_images.options(options, self.format)

    def _check_partial(self) -> None:
        if self.parameters.partial and not self.format.partial:
            raise FormatNotPartial(
                self.format.name, ", ".join(each.name for each in formats() if each.partial)
            )
