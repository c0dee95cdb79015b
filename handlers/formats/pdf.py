"""A searchable PDF: the image of each page, with its text invisibly over it."""

from handlers.formats.format import Format, ResponseInfo, Writer
from handlers.pdf.document import Document
from model.reader import Page, PageImage, WordMode


class PdfWriter(Writer):
    """Writes all pages into one document, in the order in which they are read."""

    def __init__(self, _info: ResponseInfo) -> None:
        self._document = Document()

    def page(self, _upload: int, page: Page) -> bytes:
        """Return the objects of a page."""
        return self._document.page(page)

    def end(self) -> bytes:
        """Return what follows the last page."""
        return self._document.end()


FORMAT = Format(
    name="pdf",
    media_type="application/pdf",
    extension="pdf",
    title=("Searchable PDF", "可搜索的 PDF"),
    description=(
        "The pages as images, with invisible text that can be searched, selected and copied.",
        "页面图像，附不可见的文字层，可搜索、选择和复制。",
    ),
    writer=PdfWriter,
    streamed=True,
    words=WordMode.WORD,
    image=PageImage.JPEG,
)
