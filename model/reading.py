"""The result of a reading, and the checks of what the child processes return.

A decoder parses files from strangers, and one of them may have taken it over: everything it returns
is checked.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from model.page_warnings import PageWarning
from model.resolution import IMAGE_DPI, image_dpi
from model.table_cell import Cell
from model.workers import memfd
from model.workers.channel import Message
from model.workers.failure import decoding_error

_MAX_COUNT = 1 << 40  # more than any number of pixels, pages or bytes
_RGB = 3  # bytes a pixel


@dataclass(frozen=True, slots=True)
class Word:
    """A word or a character of a line: text, polygon as a line's, and confidence from 0 to 1."""

    text: str
    polygon: tuple[tuple[int, int], ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line: text, confidence from 0 to 1, and polygon in px of the upright page.

    The polygon has four points, clockwise from the top left corner of the line's text. The text is
    None if its confidence is too low for the caller. The words, if the caller wants them, have all
    of the text but its spaces.
    """

    text: str | None
    confidence: float
    polygon: tuple[tuple[int, int], ...]
    words: tuple[Word, ...] = ()

    def spaced_words(self) -> Iterator[tuple[Word, bool]]:
        """Yield each word, and whether a space follows it before the next one."""
        text, place = self.text or "", 0
        for word in self.words:
            place = text.index(word.text, place) + len(word.text)
            yield word, text[place : place + 1].isspace()


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a column or a table: its polygon, its lines' indices, and "text" or "table".

    The polygon is the rectangle around its lines, as skewed as the page: four points, clockwise
    from the top left corner of its text. A table has cells, which have each of its lines once, in
    order; another block has none.
    """

    polygon: tuple[tuple[int, int], ...]
    lines: tuple[int, ...]
    kind: str
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A page that was read: lines in reading order, size in px, and the ms of each step.

    Each line is in one block; the blocks are in reading order. Most lines are turned clockwise by
    `rotation` degrees, a multiple of 90, and by `skew` more.

    `of_document` is true for a page of a document and false for an image that has no pages.
    `warnings` say what was wrong with its file. `dpi`: the pixels an inch of the page. `image`
    is a PNG or JPEG of it, if the caller wants one, and `image_size` its width and height in px.
    `document_pages`: how many pages the document has.
    """

    number: int
    of_document: bool
    lines: tuple[Line, ...]
    blocks: tuple[Block, ...]
    width: int
    height: int
    rotation: int
    skew: float
    model: str
    timing_ms: dict[str, float]
    warnings: tuple[PageWarning, ...] = ()
    dpi: float = IMAGE_DPI
    image: bytes | None = None
    image_size: tuple[int, int] = (0, 0)
    document_pages: int = 1

    @property
    def text(self) -> str:
        """The texts of the lines, separated by line feeds, with an empty line between blocks."""
        blocks = (
            [text for index in block.lines if (text := self.lines[index].text) is not None]
            for block in self.blocks
        )
        return "\n\n".join("\n".join(texts) for texts in blocks if texts)

    def without_doubtful(self, min_confidence: float) -> "Page":
        """Return the page with no text in the lines of a lower confidence."""
        if all(line.confidence >= min_confidence for line in self.lines):
            return self
        lines = tuple(
            replace(line, text=None, words=()) if line.confidence < min_confidence else line
            for line in self.lines
        )
        return replace(self, lines=lines)


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """A page's pixels, H x W x 3 bytes RGB in a sealed memory file, and its document's pages.

    It has `dpi` pixels an inch.
    """

    pixels: int
    width: int
    height: int
    pages: int
    of_document: bool
    dpi: float
    warnings: tuple[PageWarning, ...] = ()


class Implausible(Exception):
    """A child process returned what is impossible; it must get no further request."""


def decoded_image(response: Message, output: int, max_pixels: int) -> DecodedImage:
    """Return the pixels that a decoder, which has exited, wrote to its output buffer.

    Raises:
        ReadingError: the error that the decoder reports.
        Implausible: its response is impossible.

    """
    if "error" in response:
        raise _reported(response, max_pixels)
    width, height, pages = (count(response, name) for name in ("width", "height", "pages"))
    if width * height > max_pixels:
        raise Implausible("a page over the limit")
    if response.get("mode") != "RGB":
        raise Implausible("pixels of another mode")
    try:
        memfd.truncate_and_seal(output, width * height * _RGB)
    except OSError as error:
        raise Implausible("fewer pixels than width x height") from error
    is_document = response.get("document") is True
    dpi = _dpi(response) or image_dpi(width, height)
    return DecodedImage(output, width, height, pages, is_document, dpi, _warnings(response))


def _dpi(response: Message) -> float | None:
    """Return the pixels an inch of a decoder's response; None if the file does not say.

    Raises:
        Implausible: it is no positive number.

    """
    value = response.get("dpi")
    if value is None:
        return None
    if not isinstance(value, float) or not 0 < value < _MAX_COUNT:
        raise Implausible("no resolution")
    return value


def _reported(response: Message, max_pixels: int) -> Exception:
    """Return the error that a decoder reports, or Implausible."""
    try:
        return decoding_error(response, max_pixels=max_pixels)
    except ValueError:
        return Implausible("an unknown error")


def _warnings(response: Message) -> tuple[PageWarning, ...]:
    """Return the warnings of a decoder's response.

    Raises:
        Implausible: there is an unknown one.

    """
    try:
        return tuple(sorted({PageWarning(name) for name in response["warnings"]}))
    except (LookupError, TypeError, ValueError) as error:
        raise Implausible("an unknown warning") from error


def count(response: Message, name: str) -> int:
    """Return a positive whole number of a response.

    Raises:
        Implausible: there is none, or it is too large.

    """
    value = response.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _MAX_COUNT:
        raise Implausible(f"no {name}")
    return value
