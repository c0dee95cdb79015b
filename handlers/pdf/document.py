"""A searchable PDF, written page by page: the image of each page, and its text below it."""

from handlers.pdf.font import Font
from handlers.pdf.frame import frame
from handlers.pdf.objects import Objects
from handlers.pdf.text_layer import text_layer
from handlers.writing.language import Languages
from model.reader import Page

_IMAGE = (
    b"/Type/XObject/Subtype/Image/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode"
    b"/Width %d/Height %d"
)
_DRAWN = b"%.6f %.6f %.6f %.6f %.3f %.3f cm q %d 0 0 %d 0 0 cm/I Do Q\n"
_PAGE = (
    b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 %.2f %.2f]/Rotate %d/Contents %d 0 R"
    b"/Resources<</XObject<</I %d 0 R>>/Font<</F %d 0 R>>>>>>"
)
_PRODUCER = b"<</Producer(Sealed OCR)>>"


class Document:
    """One PDF. Each method returns the bytes to send next; together they are the file.

    It keeps an offset for each object and the characters used, not the pages.
    """

    def __init__(self) -> None:
        self._objects = Objects()
        self._root, self._tree = self._objects.reserve(), self._objects.reserve()
        self._font = Font(self._objects)
        self._pages: list[int] = []
        self._languages = Languages()

    def page(self, page: Page) -> bytes:
        """Write a page that has an image."""
        objects, placed = self._objects, frame(page)
        number, content, image = objects.reserve(), objects.reserve(), objects.reserve()
        self._pages.append(number)
        self._languages.add(page.text)
        objects.add_stream(image, _IMAGE % page.image_size, page.image or b"")
        operators = _DRAWN % (*placed.matrix, page.width, page.height)
        operators += text_layer(page, placed.skew, self._font)
        objects.add_compressed(content, b"", operators)
        sides = (placed.width, placed.height, placed.rotate)
        objects.add(number, _PAGE % (self._tree, *sides, content, image, self._font.number))
        return objects.take()

    def end(self) -> bytes:
        """Write what can only be known at the end: the font, the list of pages, the language."""
        objects, info = self._objects, self._objects.reserve()
        self._font.write(objects)
        pages = b" ".join(b"%d 0 R" % number for number in self._pages)
        objects.add(self._tree, b"<</Type/Pages/Count %d/Kids[%b]>>" % (len(self._pages), pages))
        language = self._languages.most()
        entry = b"/Lang(%b)" % language.encode() if language else b""
        objects.add(self._root, b"<</Type/Catalog/Pages %d 0 R%b>>" % (self._tree, entry))
        objects.add(info, _PRODUCER)
        objects.end(self._root, info)
        return objects.take()
