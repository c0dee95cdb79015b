"""A process that renders lines while the network is trained.

`python -m model.training.render_worker FOLDER OUT NUMBER --batch-px N` runs until its parent
process has ended. A file holds lines of one width: pixels, labels (int16, padded with 0) and the
labels' lengths (int16), one after the other.
"""

import argparse
import os
import random
import time
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np

from model.training import widths
from model.training.charset_file import read_charset
from model.training.line_renderer import FontSet, render
from model.training.line_texts import LineTexts

_MAX_FILES = 1200  # then rendering pauses


class LineSampler:
    """Random lines that the network can learn: images at one of the widths, and their labels."""

    def __init__(self, folder: Path, seed: str, *, weak: float) -> None:
        """Use the texts and fonts of a folder that the `prepare_...` commands wrote.

        `weak` is the share of the kinds that are recognised worst.
        """
        self.charset = read_charset(folder / "charset.txt")
        self._class_of = {c: number for number, c in enumerate([*self.charset, " "], 1)}
        self._texts = LineTexts(folder, self.charset, weak=weak)
        self._fonts = FontSet.load(folder / "fonts")
        self._rng = random.Random(seed)

    def sample(self) -> tuple[widths.Pixels, str]:
        """Return a line's image and its text; one too long for its width is not returned."""
        while True:
            line = self._texts.sample(self._rng)
            try:
                rendered = render(self._rng, line, self._fonts)
            except (LookupError, OSError, ValueError):
                continue
            image = widths.fit(rendered)
            if image is not None and _fits(self.labels(line.text), image.shape[1]):
                return image, line.text

    def labels(self, text: str) -> list[int]:
        """Return the classes of a text."""
        return [self._class_of[character] for character in text]


def _fits(labels: list[int], width_px: int) -> bool:
    """Return whether CTC can align labels with a line of a width, and a file has space for them."""
    steps = width_px // widths.STRIDE_PX
    return widths.steps_needed(labels) <= min(widths.longest_label(width_px), steps - 1)


class Worker:
    """Renders lines and writes them to files, each of one width."""

    def __init__(self, sampler: LineSampler, out: Path, number: int, batch_px: int) -> None:
        self._sampler, self._out, self._number = sampler, out, number
        self._batch_px = batch_px
        self._pending: dict[int, list[tuple[widths.Pixels, list[int]]]] = defaultdict(list)
        self._count = 0

    def step(self) -> None:
        """Render a line; write a file if it is complete."""
        image, text = self._sampler.sample()
        lines = self._pending[image.shape[1]]
        lines.append((image, self._sampler.labels(text)))
        if len(lines) == widths.file_lines(image.shape[1], self._batch_px):
            self._write(image.shape[1])

    def _write(self, width_px: int) -> None:
        lines = self._pending.pop(width_px)
        labels = np.zeros((len(lines), widths.longest_label(width_px)), np.int16)
        for row, (_, label) in zip(labels, lines, strict=True):
            row[: len(label)] = label
        lengths = np.array([len(label) for _, label in lines], np.int16)
        name = f"{width_px:05}-{self._number:02}-{self._count:06}"
        self._count += 1
        partial = self._out / f".{name}"
        with partial.open("wb") as file:
            for image, _ in lines:
                file.write(image.tobytes())
            file.write(labels.tobytes())
            file.write(lengths.tobytes())
        partial.rename(self._out / f"{name}.lines")
        while len(os.listdir(self._out)) > _MAX_FILES:  # noqa: PTH208  # only their number
            time.sleep(0.1)


def main() -> None:
    """Render lines as the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("number", type=int)
    parser.add_argument("--batch-px", type=int, required=True)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--weak", type=float, required=True, help="share of the weak kinds")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    sampler = LineSampler(options.folder, f"{options.seed}/{options.number}", weak=options.weak)
    worker = Worker(sampler, options.out, options.number, options.batch_px)
    parent = os.getppid()
    while os.getppid() == parent:
        worker.step()


if __name__ == "__main__":
    main()
