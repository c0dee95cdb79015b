"""Letters on transparency can be seen, whatever their colour."""

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from model.decoding.images import ImageFile, rgb_strips
from tests.model.images import render_line, to_bytes

LINE = render_line("Seen on any paper")
Colour = tuple[int, int, int]
BLACK, WHITE, GREY = (0, 0, 0), (255, 255, 255), (128, 128, 128)


def sticker(*colours: Colour) -> Image.Image:
    """Return a transparent image with a line in each colour."""
    ink = LINE.convert("L").point(lambda level: 255 - level)
    image = Image.new("RGBA", (LINE.width, LINE.height * len(colours)), (9, 9, 9, 0))
    for row, colour in enumerate(colours):
        line = Image.new("RGBA", LINE.size, (*colour, 255))
        line.putalpha(ink)
        image.paste(line, (0, row * LINE.height))
    return image


def decoded(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Return the pixels, H x W x 3."""
    upright = ImageFile(to_bytes(image), 1_000_000).upright(1)
    flat = np.frombuffer(b"".join(rgb_strips(upright)), np.uint8)
    return flat.reshape(upright.height, upright.width, 3)


@pytest.mark.parametrize(
    ("colours", "paper"),
    [
        ([BLACK], WHITE),
        ([(200, 30, 30)], WHITE),
        ([WHITE], BLACK),
        ([(255, 240, 120)], BLACK),
        ([BLACK, WHITE], GREY),
        ([BLACK, BLACK, BLACK, BLACK, WHITE], WHITE),
    ],
)
@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_the_paper_shows_the_letters(colours: list[Colour], paper: Colour, mode: str) -> None:
    """White letters get black paper, letters of both kinds grey paper, all others white paper."""
    image = sticker(*colours)
    if mode != "RGBA":
        image = image.quantize(64)
    pixels = decoded(image)
    assert np.abs(pixels[0, 0].astype(int) - paper).max() < 8
    for row, colour in enumerate(colours):
        if paper != WHITE or colour != WHITE:
            line = pixels[row * LINE.height : (row + 1) * LINE.height].astype(int)
            assert (np.abs(line - paper).max(axis=2) > 90).mean() > 0.05


def test_a_white_card_stays_on_white() -> None:
    """A screenshot with transparent corners is what it was."""
    card = LINE.convert("RGBA")
    card.paste((0, 0, 0, 0), (0, 0, 6, 6))
    assert decoded(card)[0, 0].tolist() == [255, 255, 255]
