"""Random images of all sizes and formats, some of them invalid."""

import io
import random
import string
from collections.abc import Iterator

from PIL import Image, ImageDraw, ImageFont

KINDS = ("PNG", "JPEG", "WEBP", "BMP")
BAD_SHARE = 0.05
GOOD = 200
BAD = (413, 415, 422)


def drawings(count: int, seed: int) -> Iterator[tuple[bytes, bool]]:
    """Yield `count` bodies and whether each is an image that can be read; the same every time."""
    source = random.Random(seed)  # noqa: S311 - test images, no secret
    for _ in range(count):
        image = draw(source)
        good = source.random() >= BAD_SHARE
        yield (image if good else spoil(image, source)), good


def draw(source: random.Random) -> bytes:
    """Return an image between a label and a page: 0 to 12 lines, 100 to 1,600 px wide."""
    size = source.randint(14, 44)
    width = int(100 * 16 ** source.random())
    lines = source.choice((0, 1, 1, 1, 2, 2, 3, 4, 6, 8, 12))
    font = ImageFont.load_default(size)
    page = Image.new(
        "RGB", (width, int(size * 1.5) * max(1, lines) + source.randint(8, 200)), "white"
    )
    pen = ImageDraw.Draw(page)
    for number in range(lines):
        text = words(source, width // size * 2)
        pen.text((size // 2, 4 + int(size * 1.5) * number), text, "black", font)
    stream = io.BytesIO()
    page.save(stream, source.choice(KINDS))
    return stream.getvalue()


def words(source: random.Random, length: int) -> str:
    """Return words and numbers, at most `length` characters."""
    letters = string.ascii_letters + string.digits
    text = " ".join("".join(source.choices(letters, k=source.randint(2, 9))) for _ in range(12))
    return text[: max(2, source.randint(length // 2, max(2, length)))]


def spoil(image: bytes, source: random.Random) -> bytes:
    """Return what is no readable image: cut short, no image at all, or too large to decode."""
    way = source.randrange(3)
    if way == 0:
        return image[: source.randint(12, max(13, len(image) // 3))]
    if way == 1:
        return source.randbytes(source.randint(1, 20_000))
    stream = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(stream, "PNG")
    return stream.getvalue()
