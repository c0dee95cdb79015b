"""Pages drawn with text, and the box of the ink of every word and character on them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from model.options import WordMode
from model.vision.lines.words import grouped

Pixels = npt.NDArray[np.uint8]
Corners = npt.NDArray[np.float64]  # 4 x 2, from the top left of the text

_FONTS = ("DejaVuSans.ttf", "DejaVuSerif.ttf", "wqy-zenhei.ttc")
_CHINESE = _FONTS[2]
_FAINT = 64  # of 255: less is the edge of a stroke
_MARGIN_PX, _LEADING = 60, 2.2
LINES = (
    ("Payment is due within 30 days", 0),
    ("Invoice No. 2026-0042, total 1,284.50 EUR", 1),
    ("发票号码：20261123，合计：￥1,284.50元", 2),  # noqa: RUF001 - full-width marks
    ("北京市海淀区中关村大街二十七号院", 2),
    ("收货人 王小川 电话 138-0013-8000", 2),
    ("第一条 本合同自双方签字盖章之日起生效。", 2),
    ("Quarterly figures: +3.5% (Q1), illicit fill", 0),
)
COLUMNS = ("春眠不觉晓处处闻啼鸟", "夜来风雨声花落知多少", "白日依山尽黄河入海流")


@dataclass(frozen=True, slots=True)
class DrawnWord:
    """A word, or a character, of a page, and the box of its ink."""

    text: str
    box: Corners


@dataclass(slots=True)
class WordPage:
    """A page, H x W x 3, with its words; `detect` is how it is read."""

    pixels: Pixels
    words: list[DrawnWord]
    detect: bool = True


@dataclass(slots=True)
class _Sheet:
    """A page being drawn."""

    width: int
    height: int
    ink: str = "black"
    paper: str = "white"
    words: list[DrawnWord] = field(default_factory=list)
    image: Image.Image = field(init=False)

    def __post_init__(self) -> None:
        self.image = Image.new("RGB", (self.width, self.height), self.paper)

    def write(self, text: str, font: Any, left: float, top: float, mode: WordMode) -> None:
        """Write a line, whose words are told apart as in the service."""
        pen = ImageDraw.Draw(self.image)
        pen.text((left, top), text, self.ink, font)
        for group in grouped(text, mode):
            word = "".join(text[index] for index in group)
            self._keep(word, font, (left + font.getlength(text[: group[0]]), top))

    def stack(self, text: str, font: Any, left: float, top: float, pitch: float) -> None:
        """Write characters below each other."""
        pen = ImageDraw.Draw(self.image)
        for index, character in enumerate(text):
            place = (left, top + index * pitch)
            pen.text(place, character, self.ink, font)
            self._keep(character, font, place)

    def page(self) -> WordPage:
        """Return what was drawn."""
        return WordPage(np.asarray(self.image), self.words)

    def _keep(self, word: str, font: Any, place: tuple[float, float]) -> None:
        """Draw a word alone, to know where its ink is."""
        alone = Image.new("L", self.image.size)
        ImageDraw.Draw(alone).text(place, word, 255, font)
        down, across = np.nonzero(np.asarray(alone) > _FAINT)
        left, top, right, bottom = across.min(), down.min(), across.max() + 1, down.max() + 1
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)
        self.words.append(DrawnWord(word, corners))


def _font(number: int, size_px: int) -> Any:
    return ImageFont.truetype(_FONTS[number], size_px)


def lines(mode: WordMode, size_px: int = 30, ink: str = "black", paper: str = "white") -> WordPage:
    """Return a page of level lines."""
    sheet = _Sheet(900, round(_LEADING * size_px * len(LINES)) + 2 * _MARGIN_PX, ink, paper)
    for index, (text, font) in enumerate(LINES):
        top = _MARGIN_PX + index * _LEADING * size_px
        sheet.write(text, _font(font, size_px), _MARGIN_PX, top, mode)
    return sheet.page()


def stacked(_mode: WordMode) -> WordPage:
    """Return a page of columns of upright characters, from right to left."""
    sheet = _Sheet(420, 560)
    for index, text in enumerate(COLUMNS):
        sheet.stack(text, _font(2, 36), 310 - 100 * index, 50, 46)
    return sheet.page()


def ruled(mode: WordMode) -> WordPage:
    """Return a page of a table whose texts nearly touch its rules."""
    sheet = _Sheet(900, 440)
    pen, font = ImageDraw.Draw(sheet.image), _font(2, 28)
    rows = [("品名", "Quantity", "单价 EUR"), ("机械键盘", "2 pcs", "128.50"),
            ("无线鼠标", "10 pcs", "39.00"), ("Garden lamp", "1 set", "7.25")]  # fmt: skip
    lefts = (60, 230, 360, 540)
    for row in range(len(rows) + 1):
        pen.line((lefts[0], 60 + 60 * row, lefts[-1], 60 + 60 * row), "black", 2)
    for left in lefts:
        pen.line((left, 60, left, 60 + 60 * len(rows)), "black", 2)
    for row, texts in enumerate(rows):
        for left, text in zip(lefts, texts, strict=False):
            sheet.write(text, font, left + 8, 72 + 60 * row, mode)
    return sheet.page()


def narrow(mode: WordMode) -> WordPage:
    """Return a page of condensed letters, which are read twice, stretched the second time."""
    return changed(lines(mode, 34), np.array([[0.62, 0, 0], [0, 1.0, 0]]))


def long(mode: WordMode, copies: int = 4) -> WordPage:
    """Return an image of one line that is read in windows, or is compressed."""
    text = " ".join([LINES[2][0], LINES[0][0]] * copies)
    font = _font(2, 30)
    sheet = _Sheet(round(font.getlength(text)) + 40, 60)
    sheet.write(text, font, 20, 12, mode)
    page = sheet.page()
    page.detect = False
    return page


def turned(page: WordPage, degrees: float) -> WordPage:
    """Return a page turned clockwise."""
    height, width = page.pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    return changed(page, matrix.astype(np.float64))


def changed(page: WordPage, matrix: npt.NDArray[np.float64]) -> WordPage:
    """Return a page after a transformation, 2 x 3, moved so that all of it is there."""
    height, width = page.pixels.shape[:2]
    outline = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    placed = outline @ matrix[:, :2].T + matrix[:, 2]
    matrix = matrix.copy()
    matrix[:, 2] -= placed.min(axis=0)
    size = tuple(int(side) for side in np.ceil(np.ptp(placed, axis=0)))
    # Pixels are squares: their middles are half a pixel from the corners that boxes are made of.
    shift = matrix[:, :2] @ (0.5, 0.5) - 0.5
    of_middles = np.column_stack([matrix[:, :2], matrix[:, 2] + shift])
    paper = page.pixels[0, 0].tolist()
    pixels = cv2.warpAffine(page.pixels, of_middles, size, flags=cv2.INTER_CUBIC, borderValue=paper)
    words = [DrawnWord(each.text, each.box @ matrix[:, :2].T + matrix[:, 2]) for each in page.words]
    return WordPage(pixels.astype(np.uint8), words, page.detect)


def worn(page: WordPage) -> WordPage:
    """Return a page as a cheap camera sees it: blurred, noisy, unevenly lit."""
    rng = np.random.default_rng(7)
    height, width = page.pixels.shape[:2]
    light = np.linspace(0.55, 0.95, width)[None, :, None]
    soft = cv2.GaussianBlur(page.pixels, (0, 0), 1.0) * light + rng.normal(0, 6, (height, width, 1))
    return WordPage(np.clip(soft, 0, 255).astype(np.uint8), page.words, page.detect)


KINDS: dict[str, Callable[[WordMode], WordPage]] = {
    "level": lines,
    "small": lambda mode: lines(mode, 16),
    "white on black": lambda mode: lines(mode, ink="white", paper="#202830"),
    "worn": lambda mode: worn(lines(mode)),
    "tilted by 4 degrees": lambda mode: turned(lines(mode), 4),
    "tilted by -7 degrees": lambda mode: turned(lines(mode), -7),
    "upside down": lambda mode: turned(lines(mode), 180),
    "turned to the right": lambda mode: turned(lines(mode), 90),
    "turned to the left": lambda mode: turned(lines(mode), 270),
    "upside down and tilted": lambda mode: turned(lines(mode), 183),
    "stacked columns": stacked,
    "stacked columns, tilted": lambda mode: turned(stacked(mode), 2),
    "divided at rules": ruled,
    "condensed": narrow,
    "a long line": long,
    "a longer line": lambda mode: long(mode, 7),
}
