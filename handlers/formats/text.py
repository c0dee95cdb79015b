"""Plain text."""

from collections.abc import Iterable

from handlers.formats.format import Format, ResponseInfo, Writer
from model.reader import Page

PAGE_BREAK = "\n\f"  # as in pdftotext's output
_UPLOAD_BREAK = "\n\n"


def text_of(pages: Iterable[Page]) -> str:
    """Return the text of an upload's pages."""
    return PAGE_BREAK.join(page.text for page in pages)


class TextWriter(Writer):
    """Writes the text of the pages, with a form feed between them."""

    def __init__(self, _info: ResponseInfo) -> None:
        self._upload = 0

    def page(self, upload: int, page: Page) -> bytes:
        """Return the text of a page, after what separates it from the one before."""
        first = not self._upload
        separator = PAGE_BREAK if upload == self._upload else _UPLOAD_BREAK
        self._upload = upload
        return (page.text if first else separator + page.text).encode()


FORMAT = Format(
    name="text",
    media_type="text/plain",
    extension="txt",
    title=("Plain text", "纯文本"),
    description=(
        "The text alone: an empty line between files, a form feed between pages.",
        "仅文本：文件之间以空行分隔，页面之间以换页符分隔。",
    ),
    writer=TextWriter,
)
