"""Draw receipt.png and receipt.txt: the page that scripts/serve reads to prove itself.

Needs Debian's fonts-noto-cjk and fonts-dejavu-core; what is drawn is kept in the repository, so
nobody has to run this.
"""

import random
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageFont

HERE = Path(__file__).parent
LATIN = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"
CHINESE = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
SIZE = (640, 860)
TILT_DEGREES = 0.6
GRAIN = 14

CENTRED = ["海风咖啡馆", "HARBOUR CAFE", "18 QUAY STREET"]
ROWS = [
    ("收据编号", "20261123-0042"),
    ("日期", "2026-11-23 09:41"),
    ("FLAT WHITE x2", "9.60"),
    ("桂花乌龙茶", "4.20"),
    ("ALMOND CROISSANT", "3.75"),
    ("SUBTOTAL", "17.55"),
    ("TAX 8%", "1.40"),
    ("合计 TOTAL", "18.95"),
    ("CARD", "**** 4471"),
]
CLOSING = ["谢谢惠顾", "THANK YOU"]


def font_for(text: str, size: int) -> ImageFont.FreeTypeFont:
    """Return a font that has the text's characters."""
    return ImageFont.truetype(LATIN if text.isascii() else CHINESE, size)


def draw() -> Image.Image:
    """Return the page: thermal print, photographed a little askew."""
    grain_of = random.Random(42)  # noqa: S311 - paper grain
    page = Image.new("L", SIZE, 244)
    pen = ImageDraw.Draw(page)
    y = 90
    for text in CENTRED:
        font = font_for(text, 40 if text == CENTRED[0] else 26)
        pen.text((SIZE[0] / 2, y), text, 30, font, anchor="ms")
        y += 62 if text == CENTRED[0] else 44
    y += 30
    for left, right in ROWS:
        pen.text((56, y), left, 36, font_for(left, 26), anchor="ls")
        pen.text((SIZE[0] - 56, y), right, 36, font_for(right, 26), anchor="rs")
        y += 50
    y += 20
    for text in CLOSING:
        pen.text((SIZE[0] / 2, y), text, 40, font_for(text, 26), anchor="ms")
        y += 44
    page = page.rotate(TILT_DEGREES, Image.Resampling.BICUBIC, fillcolor=244)
    grain = Image.frombytes("L", SIZE, grain_of.randbytes(SIZE[0] * SIZE[1]))
    page = Image.blend(page, grain, GRAIN / 255)
    return page.filter(ImageFilter.GaussianBlur(0.6))


if __name__ == "__main__":
    draw().save(HERE / "receipt.png", optimize=True)
    lines = [*CENTRED, *(word for row in ROWS for word in row), *CLOSING]
    (HERE / "receipt.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
