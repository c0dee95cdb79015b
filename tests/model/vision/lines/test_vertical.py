"""Columns of upright characters: segmentation, layout, and the texts that are read."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from model.vision.engine import load
from model.vision.inference import Mask, Pixels
from model.vision.lines import straighten, vertical
from model.vision.lines.vertical import Cell
from model.vision.lines.vertical_glyphs import Glyph, find_marks
from model.vision.page import PageReader

EM = 40
# Chinese characters made of horizontal strokes only: the height of each in the em square.
ONE, TWO, THREE = (0.5,), (0.2, 0.8), (0.12, 0.5, 0.88)
BOX = (0.1, 0.5, 0.9)  # with a vertical stroke on each side, as in the character for the sun
COLOURS = [("black", "white"), ("white", "black"), ("gold", "darkred"), ("navy", "skyblue")]


def to_horizontal(image: Pixels, beyond: int = 0) -> Pixels | None:
    """Return the image of a column's characters side by side."""
    found = vertical.to_horizontal(image, beyond)
    return None if found is None else found.pixels


def column(characters: list[tuple[float, ...]], pitch: float = 1.1) -> tuple[Pixels, list[Cell]]:
    """Return a column of characters made of strokes, H x W x 3, and the rows of each."""
    image = np.full((round(EM * pitch * len(characters)) + 8, EM + 12, 3), 255, np.uint8)
    cells = []
    for index, strokes in enumerate(characters):
        rows = [round(EM * (index * pitch + stroke)) + 4 for stroke in strokes]
        for row in rows:
            image[row - 1 : row + 2, 6 : 6 + EM] = 0
        if strokes is BOX:
            image[rows[0] : rows[-1], [6, 7, 8, EM + 3, EM + 4, EM + 5]] = 0
        cells.append((rows[0] - 1, rows[-1] + 2))
    return image, cells


def column_page(
    text: str, size_px: int = 40, pitch: float = 0.85, ink: str = "black", background: str = "white"
) -> Image.Image:
    """Return a page with one column of letters."""
    font = ImageFont.load_default(size_px)
    image = Image.new("RGB", (400, 900), background)
    pen = ImageDraw.Draw(image)
    for index, letter in enumerate(text):
        middle = 160 + size_px / 2, 50 + (index + 0.5) * pitch * size_px
        pen.text(middle, letter, ink, font, anchor="mm")
    return image


def find(image: Pixels) -> list[Cell]:
    """Return the cells of a column, H x W x 3."""
    return vertical.find_cells(vertical._ink(image, vertical._background(image)))


def assert_found(found: list[Cell], expected: list[Cell]) -> None:
    """Check that each cell was found, within three rows."""
    assert len(found) == len(expected)
    np.testing.assert_allclose(found, expected, atol=3)


@pytest.mark.parametrize("pitch", [1.0, 1.1, 1.5, 2.2])
@pytest.mark.parametrize(
    "characters",
    [
        [BOX] * 6,
        [BOX, ONE, BOX, TWO, BOX, THREE, BOX],
        [BOX, BOX, THREE, TWO, BOX, ONE, BOX],
        [TWO, BOX, BOX, BOX, THREE],
        [ONE, TWO, THREE, BOX, BOX, BOX],
        [BOX, ONE, ONE, BOX, BOX],
    ],
)
def test_characters_are_found_where_they_are(
    characters: list[tuple[float, ...]], pitch: float
) -> None:
    """Strokes are grouped by an even pitch, whatever the gaps inside a character."""
    image, expected = column(characters, pitch)
    assert_found(find(image), expected)
    assert_found(find(255 - image), expected)


def test_a_gap_between_words_splits_no_character() -> None:
    """The words are two cells apart."""
    image, expected = column([BOX, TWO, BOX, BOX])
    gap = np.full((2 * EM, image.shape[1], 3), 255, np.uint8)
    shift = len(image) + len(gap)
    both = np.concatenate([image, gap, image])
    assert_found(find(both), [*expected, *((top + shift, end + shift) for top, end in expected)])


@pytest.mark.parametrize("width", [1, 2, 4])
def test_characters_that_touch_are_cut(width: int) -> None:
    """If no row is free, the cut goes through the least ink."""
    image, expected = column([BOX] * 6)
    image[expected[0][0] : expected[-1][1], 20 : 20 + width] = 0
    found = find(image)
    assert len(found) == 6
    np.testing.assert_allclose([top for top, _ in found], [top for top, _ in expected], atol=12)


@pytest.mark.parametrize(("ink", "background"), COLOURS)
def test_any_colours(ink: str, background: str) -> None:
    """Ink is darker or lighter than the background."""
    image = np.asarray(column_page("HOTEL", 60, 0.9, ink, background))[:, 150:230]
    assert find(image) == find(np.asarray(column_page("HOTEL", 60, 0.9))[:, 150:230])
    assert len(find(image)) == 5


def test_characters_keep_their_height_in_the_line() -> None:
    """A low stroke stays low, and dashes are not enlarged."""
    for stroke, side in ((0.9, 1), (0.1, -1)):
        line = to_horizontal(column([BOX, BOX, (stroke,), BOX, BOX])[0])
        assert line is not None
        assert line.shape[0] == pytest.approx(EM, abs=12)
        assert line.shape[1] == pytest.approx(5 * 1.15 * EM, abs=30)
        pieces = np.array_split(line[..., 0], 5, axis=1)
        middles = [np.flatnonzero((piece < 128).any(axis=1)).mean() for piece in pieces]
        assert side * (middles[2] - middles[0]) > EM / 4
    dashes = to_horizontal(column([ONE, ONE, ONE])[0])
    assert dashes is not None
    assert dashes.shape[0] >= EM - 2


def with_gap(characters: int) -> tuple[Pixels, int]:
    """Return a column of boxes whose last but one square is empty, and the first row of that."""
    image, cells = column([BOX] * characters)
    top = cells[-3][1] + 5
    image[top : cells[-2][1] + 1] = 255
    return image, top


def pieces(line: Pixels) -> list[tuple[int, int, int, int]]:
    """Return the bounds of the connected ink in a line, from left to right."""
    _, _, bounds, _ = cv2.connectedComponentsWithStats((line[..., 0] < 128).astype(np.uint8))
    return sorted((int(x), int(y), int(w), int(h)) for x, y, w, h, _ in bounds[1:])


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("offset", [-8, 6])
def test_a_full_stop_in_the_upper_right_gets_low(offset: int, *, beside: bool) -> None:
    """Even if it starts beside the end of the character before it."""
    image, top = with_gap(5)
    image = np.pad(image, ((0, 0), (0, 14), (0, 0)), constant_values=255)
    left = EM + 11 if beside else EM - 8
    row = top + (offset if beside else 6)
    cv2.circle(image, (left + 5, row + 5), 5, (0, 0, 0), 2)
    line = to_horizontal(image)
    assert line is not None
    found = pieces(line)
    assert len(found) == 5
    _, stop_top, width, height = found[3]
    _, box_top, _, box_height = found[2]
    assert max(width, height) < 16
    assert stop_top + height == pytest.approx(box_top + box_height, abs=4)
    assert found[4][0] - found[3][0] > 0.6 * EM  # as wide as a square


def test_a_mark_keeps_a_mask_of_its_own_size_only() -> None:
    """A long column has many: a mask of the whole column for each would need too much memory."""
    image, top = with_gap(5)
    image = np.pad(image, ((0, 0), (0, 14), (0, 0)), constant_values=255)
    cv2.circle(image, (EM + 16, top - 3), 5, (0, 0, 0), -1)
    (mark,) = find_marks(vertical._ink(image, vertical._background(image)))
    assert mark.mask is not None
    assert mark.mask.shape == (mark.bottom - mark.top, mark.right - mark.left) == (11, 11)


def test_a_middle_dot_stays_in_the_middle() -> None:
    """Between the parts of a name."""
    image, top = with_gap(5)
    middle = top + EM // 2
    image[middle - 3 : middle + 3, 6 + EM // 2 - 3 : 6 + EM // 2 + 3] = 0
    line = to_horizontal(image)
    assert line is not None
    (_, dot, _, _), (_, box, _, height) = pieces(line)[3], pieces(line)[2]
    assert dot + 3 == pytest.approx(box + height / 2, abs=6)


def test_a_bracket_is_rotated_to_the_left() -> None:
    """A dash is not, even if the column leans."""
    image, top = with_gap(5)
    image[top + 20 : top + 23, 12 : 6 + EM] = 0
    image[top + 20 : top + 32, 3 + EM : 6 + EM] = 0
    line = to_horizontal(image)
    assert line is not None
    left, _, width, height = pieces(line)[3]
    assert height > 2 * width
    corner = line[:, left : left + width, 0] < 128
    assert corner[:, :3].sum() > corner[:, -3:].sum()  # the long stroke is on the left
    image, top = with_gap(5)
    cv2.line(image, (8, top + 24), (4 + EM, top + 14), (0, 0, 0), 3)
    line = to_horizontal(image)
    assert line is not None
    _, _, width, height = pieces(line)[3]
    assert width > 2 * height


def test_beyond_the_ends_only_a_mark_belongs_to_a_column() -> None:
    """A stroke of other text does not, whole or cut off."""
    image, _ = column([BOX] * 4)
    alone = to_horizontal(image)
    assert alone is not None
    beyond = 30
    more = np.pad(image, ((beyond, beyond), (0, 0), (0, 0)), constant_values=255)
    more[:6, 6 : 6 + EM] = 0  # the text above
    more[-20:, 10:14] = 0  # the text below
    line = to_horizontal(more, beyond)
    assert line is not None
    assert (line == alone).all()
    more[-20:] = 255
    cv2.circle(more, (EM - 4, len(more) - 22), 5, (0, 0, 0), 2)
    line = to_horizontal(more, beyond)
    assert line is not None
    assert len(pieces(line)) == 5


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (40, 500), (500, 40)])
def test_a_blank_image_is_no_column(size: tuple[int, int]) -> None:
    """There is nothing to lay out."""
    width, height = size
    assert to_horizontal(np.full((height, width, 3), 200, np.uint8)) is None


def test_long_columns_are_skipped() -> None:
    """The limit of 100 cells bounds the time."""
    assert to_horizontal(column([BOX] * 85)[0]) is not None
    assert to_horizontal(column([BOX] * 120)[0]) is None


def test_no_marks_are_searched_in_a_column_that_is_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Even a column full of marks has no costs then."""
    searched: list[int] = []

    def searched_in(ink: Mask) -> list[Glyph]:
        searched.append(len(ink))
        return find_marks(ink)

    monkeypatch.setattr(vertical, "find_marks", searched_in)
    for characters in (85, 120):
        to_horizontal(column([BOX] * characters)[0])
    assert len(searched) == 1


def test_noise_raises_nothing() -> None:
    """Any strip of pixels gives a line or none."""
    random = np.random.default_rng(4)
    for height, width in ((3, 1), (70, 7), (400, 3), (300, 60)):
        line = to_horizontal(random.integers(0, 256, (height, width, 3), np.uint8))
        assert line is None or line.size


@pytest.fixture(scope="module", params=["sealed-crnn-v2", "ppocrv6-small", "ppocrv2-crnn"])
def reader(request: pytest.FixtureRequest) -> PageReader:
    """Return a loaded reader, with each recogniser in turn."""
    return loaded("ppocrv6-small-det", request.param)


def loaded(detector: str, recogniser: str) -> PageReader:
    """Return a reader with these networks."""
    parts = {"detector": detector, "recogniser": recogniser, "threads": 2}
    # In a thread that ends, as in test_page: loading changes how its thread computes.
    with ThreadPoolExecutor(1) as loading:
        return loading.submit(load, parts).result()


def texts(reader: PageReader, image: Image.Image) -> list[str]:
    """Return the lines' texts without spaces."""
    reading = reader.read(np.asarray(image), detect=True, check=lambda: None)
    return [line.text.replace(" ", "") for line in reading.lines]


def test_a_column_is_read(reader: PageReader) -> None:
    """Letters below each other are read from top to bottom, light or dark."""
    assert texts(reader, column_page("NZHSIOX2")) == ["NZHSIOX2"]
    assert texts(reader, column_page("WAREHOUSE", ink="white", background="navy")) == ["WAREHOUSE"]


def test_without_the_layout_it_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: only rotated, an I on its side is no I.

    With the default networks: some of the others know rotated letters.
    """
    reader = loaded("ppocrv3-det", "sealed-crnn-v2")
    assert texts(reader, column_page("ZNIHZOWM")) == ["ZNIHZOWM"]
    monkeypatch.setattr(straighten, "to_horizontal", lambda *_: None)
    assert texts(reader, column_page("ZNIHZOWM")) != ["ZNIHZOWM"]


def test_a_column_beside_lines_and_below_a_heading_is_read(reader: PageReader) -> None:
    """Each in its own direction."""
    sheet = column_page("WAREHOUSE")
    pen = ImageDraw.Draw(sheet)
    for row, text in enumerate(("Harbour cafe", "Coffee 3.75", "Total 66.80")):
        pen.text((215, 60 + 50 * row), text, "black", ImageFont.load_default(26))
    found = texts(reader, sheet)
    assert {"WAREHOUSE", "Coffee3.75", "Total66.80"} <= set(found)


def test_columns_go_from_right_to_left(reader: PageReader) -> None:
    """The right one is read first."""
    sheet = column_page("KARAOKE")
    sheet.paste(column_page("PARKING").crop((150, 0, 250, 900)), (20, 0))
    assert texts(reader, sheet) == ["KARAOKE", "PARKING"]


@pytest.mark.parametrize("degrees", [90, 270])
def test_a_rotated_line_is_not_changed(
    reader: PageReader, degrees: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text that runs up or down the page is read as without the layout of columns."""
    sheet = Image.new("RGB", (600, 400), "white")
    pen = ImageDraw.Draw(sheet)
    for row, text in enumerate(("Black coffee 3.75", "HARBOUR CAFE", "Serial 48-1516")):
        pen.text((60, 80 + 90 * row), text, "black", ImageFont.load_default(32))
    rotated = sheet.rotate(degrees, expand=True)
    found = texts(reader, rotated)
    monkeypatch.setattr(straighten, "to_horizontal", lambda *_: None)
    assert found == texts(reader, rotated)
    assert len(found) == 3


def test_horizontal_lines_are_not_laid_out(
    reader: PageReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page without high boxes takes no time for it."""
    calls: list[Pixels] = []
    monkeypatch.setattr(straighten, "to_horizontal", lambda column, _: calls.append(column))
    sheet = Image.new("RGB", (700, 200), "white")
    ImageDraw.Draw(sheet).text((60, 80), "Black coffee", "black", ImageFont.load_default(32))
    assert texts(reader, sheet)
    assert calls == []
    texts(reader, sheet.rotate(270, expand=True))
    assert len(calls) == 1
