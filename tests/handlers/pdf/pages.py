"""Pages of which the text and the place of each word are known, turned and skewed as wanted."""

import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from handlers.pdf.document import Document
from model.reader import Block, Line, Page, Word

Point = tuple[float, float]
Corners = tuple[tuple[int, int], ...]

SIZE, ROW, LEFT, TOP = 40, 80, 150, 150
SIDES = (1200, 1000)
TEXTS = (
    "中文发票 Invoice 2026-11-27 No. 10086",
    "合计金额：¥ 1,234.50 元",
    "\U00020bb7\U0002a6d6野先生 and \U0003106c friends",  # the planes 2 and 3
    "The quick brown fox jumps over it",
    "111 lll 一一一 1l1",
    "价税合计（大写）壹仟贰佰",
    "i.e. a b c d e f 9",
)
COLUMNS = ("床前明月光疑是地上霜", "举头望明月\U00020bb7低头思故乡")
_HAN = r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef\U00020000-\U0003ffff]"
_WORDS = re.compile(rf"{_HAN}|(?:(?!{_HAN})\S)+")


@dataclass(frozen=True)
class Turn:
    """How a page is turned clockwise: by quarter turns and by a few degrees more."""

    rotation: int = 0
    skew: float = 0.0

    @property
    def sides(self) -> tuple[int, int]:
        """The width and height of the turned page."""
        return SIDES if self.rotation % 180 == 0 else SIDES[::-1]

    def point(self, point: Point) -> tuple[int, int]:
        """Return where a point of the upright page is."""
        (width, height), radians = self.sides, math.radians(self.rotation + self.skew)
        x, y = point[0] - SIDES[0] / 2, point[1] - SIDES[1] / 2
        cos, sin = math.cos(radians), math.sin(radians)
        return round(width / 2 + x * cos - y * sin), round(height / 2 + x * sin + y * cos)

    def polygon(self, polygon: Corners) -> Corners:
        """Return where a polygon of the upright page is."""
        return tuple(map(self.point, polygon))

    def line(self, line: Line) -> Line:
        """Return where a line of the upright page is."""
        words = [replace(word, polygon=self.polygon(word.polygon)) for word in line.words]
        return replace(line, polygon=self.polygon(line.polygon), words=tuple(words))

    def image(self, upright: Image.Image) -> Image.Image:
        """Return the pixels of the turned page."""
        turned = upright.rotate(-self.rotation, expand=True)
        return turned.rotate(-self.skew, Image.Resampling.BICUBIC, fillcolor="white")


UPRIGHT = Turn()


def row(text: str, top: float, left: float = LEFT) -> Line:
    """Return a line of text, with a box for each Chinese character and each other word."""
    length = _font().getlength
    words = []
    for match in _WORDS.finditer(text):
        start, end = (left + length(text[:index]) for index in match.span())
        words.append(Word(match[0], box(start, top, end, top + SIZE), 0.9))
    return Line(text, 0.9, box(left, top, left + length(text), top + SIZE), tuple(words))


def column(text: str, left: float) -> Line:
    """Return a column of characters one below the other."""
    tops = [TOP + SIZE * 1.1 * index for index in range(len(text))]
    words = [
        Word(character, box(left, top, left + SIZE, top + SIZE), 0.9)
        for character, top in zip(text, tops, strict=True)
    ]
    return Line(text, 0.9, box(left, TOP, left + SIZE, tops[-1] + SIZE), tuple(words))


def rows(texts: Sequence[str] = TEXTS) -> list[Line]:
    """Return lines of text, one below the other."""
    return [row(text, TOP + ROW * index) for index, text in enumerate(texts)]


def columns() -> list[Line]:
    """Return columns of text, from right to left."""
    return [column(text, SIDES[0] - 250 - ROW * index) for index, text in enumerate(COLUMNS)]


def box(left: float, top: float, right: float, bottom: float) -> Corners:
    """Return a level box."""
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return tuple((round(x), round(y)) for x, y in corners)


def page(lines: Sequence[Line], turn: Turn = UPRIGHT, *, dpi: float = 200, number: int = 1) -> Page:
    """Return a turned page with these lines in one block, and an image that shows them."""
    turned = tuple(map(turn.line, lines))
    width, height = turn.sides
    return Page(
        number,
        of_document=True,
        lines=turned,
        blocks=(Block(turned[0].polygon, tuple(range(len(lines))), "text"),) if lines else (),
        width=width,
        height=height,
        rotation=turn.rotation,
        skew=turn.skew,
        model="drawn",
        timing_ms={},
        dpi=dpi,
        image=_jpeg(turn.image(_drawn(lines))),
        image_size=(width, height),
    )


def written(*pages: Page) -> bytes:
    """Return the PDF of these pages."""
    document = Document()
    return b"".join([*map(document.page, pages), document.end()])


def _drawn(lines: Sequence[Line]) -> Image.Image:
    image = Image.new("RGB", SIDES, "white")
    draw = ImageDraw.Draw(image)
    for line in lines:
        for word in line.words:
            draw.text(word.polygon[0], word.text, font=_font(), fill="black")
    return image


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return file.getvalue()


@cache
def _font() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype("wqy-zenhei.ttc", SIZE)
