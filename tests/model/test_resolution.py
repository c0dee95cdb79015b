"""How large a page is on paper."""

import pytest

from model.resolution import image_dpi, image_size
from tests.model.decoding.decoders import SMALL, decoded, running
from tests.model.decoding.pdfs import pdf

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("size", "dpi"),
    [
        ((640, 860), 200),
        ((1654, 2339), 200),  # A4 at 200 dpi
        ((2480, 3508), 300),
        ((4032, 3024), 365.8),  # a photo, 210 mm high
        ((720, 9000), 200),
        ((1, 1), 200),
    ],
)
def test_an_image_is_at_most_as_wide_as_a4(size: tuple[int, int], dpi: float) -> None:
    """That is its shorter side; a small image has 200 pixels an inch."""
    assert image_dpi(*size) == pytest.approx(dpi, rel=1e-3)


@pytest.mark.parametrize(
    ("size", "dpi", "max_dpi", "expected"),
    [
        ((1654, 2339), 200, None, (1654, 2339)),
        ((1654, 2339), 200, 100, (827, 1170)),
        ((1654, 2339), 200, 400, (1654, 2339)),
        ((4032, 3024), 344.8, 200, (2339, 1754)),
        ((3, 90_000), 200, None, (2, 65_500)),  # no JPEG is longer
        ((1, 50), 200, 36, (1, 9)),
    ],
)
def test_an_image_is_at_most_as_large_as_its_page(
    size: tuple[int, int], dpi: float, max_dpi: int | None, expected: tuple[int, int]
) -> None:
    """Its resolution can be lowered only."""
    assert image_size(*size, dpi, max_dpi) == expected


async def test_a_decoded_page_has_its_resolution() -> None:
    """A PDF's is the one at which it was rendered, an image's depends on its size."""
    async with running(dpi=144) as decoders:
        async with decoded(decoders, pdf("X"), 1) as page:
            assert page.dpi == 144
        async with decoded(decoders, SMALL, 1) as page:
            assert page.dpi == 200
