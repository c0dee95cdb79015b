"""Measures how time grows with a page: `python bench/growth.py [--rounds N] [--plots DIR]`.

Pages are read in-process, one at a time, with decoder and engine processes as in the service: the
same document at higher and higher resolution, and one page with more and more lines. Prints
Markdown: each series with its least-squares line and R squared. With `--plots`, draws them there.
"""

import argparse
import asyncio
import io
import random
import re
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pygal
from PIL import Image, ImageDraw, ImageFont

from bench.figures import table
from bench.inprocess import new_reader
from bench.machine import describe
from bench.variants import CRNN
from bench.varied_images import words
from model.reader import Reader

_LETTERS_PX, _LINE_PX, _MARGIN_PX = 28, 48, 40
_TEXT, _COLUMNS = 22, 3  # characters of a line, and how many lines stand side by side
_WIDTH_PX, _HEIGHT_PX = 1240, 1754  # A4 at 150 dots an inch
_ROWS = (_HEIGHT_PX - 2 * _MARGIN_PX) // _LINE_PX


@dataclass
class Series:
    """Pages that grow: what grows, what they are, and the ms each took in every round."""

    name: str
    unit: str
    file: str
    pages: list[tuple[float, bytes]]
    ms: dict[float, list[float]] = field(default_factory=dict)

    @property
    def points(self) -> list[tuple[float, float]]:
        """The medians: size, ms."""
        return [(size, statistics.median(ms)) for size, ms in sorted(self.ms.items())]

    def fit(self) -> tuple[float, float, float]:
        """Return the straight line's start in ms, its slope in ms a unit, and R squared."""
        x, y = np.array(self.points).T
        slope, start = np.polyfit(x, y, 1)
        residual = ((y - start - slope * x) ** 2).sum()
        return float(start), float(slope), float(1 - residual / ((y - y.mean()) ** 2).sum())


def draw(lines: int, scale: float) -> bytes:
    """Return an A4 page with so many lines as a JPEG, `scale` times 150 dots an inch."""
    source = random.Random(7)  # noqa: S311 - test images, no secret
    page = Image.new("RGB", (round(_WIDTH_PX * scale), round(_HEIGHT_PX * scale)), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(_LETTERS_PX * scale)
    for number in range(lines):
        row, column = divmod(number, _COLUMNS)
        left, top = _MARGIN_PX + column * _WIDTH_PX / _COLUMNS, _MARGIN_PX + row * _LINE_PX
        text = words(source, _TEXT).ljust(_TEXT, "o")
        pen.text((left * scale, top * scale), text, "black", font)
    stream = io.BytesIO()
    page.save(stream, "JPEG", quality=90)
    return stream.getvalue()


def all_series(pages: int | None) -> list[Series]:
    """Return what is measured: the first so many pages of each series, or all."""
    page_mp = _WIDTH_PX * _HEIGHT_PX / 1e6
    scales = (0.75, 1, 1.5, 2, 2.5, 3, 3.5, 4)
    counts = (3, 6, 12, 24, 36, 48, 60, 72, 84, 96, _ROWS * _COLUMNS)
    return [
        Series(
            "24 lines, at 112 to 600 dots an inch",
            "megapixels",
            "growth-area.svg",
            [(page_mp * scale**2, draw(24, scale)) for scale in scales[:pages]],
        ),
        Series(
            f"lines on one page of {page_mp:.1f} megapixels",
            "lines",
            "growth-lines.svg",
            [(count, draw(count, 1)) for count in counts[:pages]],
        ),
    ]


async def measure(reader: Reader, series: Sequence[Series], rounds: int) -> None:
    """Read every page in every round, all series in turns."""
    for number in range(rounds + 1):
        for each in series:
            for size, content in each.pages:
                [page] = await reader.read(content)
                if number:  # the first round warms
                    each.ms.setdefault(size, []).append(page.timing_ms["total"])


def plot(each: Series, file: Path) -> None:
    """Draw the medians and the straight line."""
    start, slope, _ = each.fit()
    most = max(ms for _, ms in each.points)
    chart = pygal.XY(
        range=(0, most),
        title=each.name, x_title=each.unit, y_title="ms a page", js=[], width=640, height=420,
        legend_at_bottom=True, style=pygal.style.CleanStyle,
    )  # fmt: skip
    last = max(size for size, _ in each.points)
    chart.add("median", each.points, stroke=False)
    chart.add("best straight line", [(0, start), (last, start + slope * last)], show_dots=False)
    # Without the comments in which pygal names itself, its makers and the day.
    file.write_text(re.sub("<!--.*?-->", "", chart.render(is_unicode=True)) + "\n", "utf-8")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="growth", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--pages", type=int, help="the first so many of each series; default: all")
    parser.add_argument("--recogniser", default=CRNN)
    parser.add_argument("--plots", type=Path, help="folder for the drawings")
    arguments = parser.parse_args()
    if arguments.plots:
        arguments.plots.mkdir(parents=True, exist_ok=True)
    print(describe() + "\n")
    series = all_series(arguments.pages)

    async def run() -> None:
        reader = new_reader(arguments.recogniser)
        try:
            await measure(reader, series, arguments.rounds)
        finally:
            await reader.aclose()

    asyncio.run(run())
    for each in series:
        start, slope, fit = each.fit()
        print(f"### {each.name}\n\n{start:.0f} ms + {slope:.1f} ms x {each.unit}, R2 {fit:.3f}\n")
        print(table([each.unit, "ms"], [[f"{x:.2f}", f"{y:.0f}"] for x, y in each.points]) + "\n")
        if arguments.plots:
            plot(each, arguments.plots / each.file)


if __name__ == "__main__":
    main()
