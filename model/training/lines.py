"""Rendered lines, each from a seed of its own: the text, and an image of the network's height.

There are few widths, so that lines of one width are trained together without padding: an image is
stretched to the nearest width, by a few per cent at most; narrow ones are padded.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from model.training.degrade import degrade
from model.training.render import render_line
from model.training.source import Source

Image = npt.NDArray[np.uint8]  # H x W x 3, RGB

HEIGHT_PX = 48
WIDTHS_PX = (*range(64, 320, 16), *range(320, 640, 32), *range(640, 1537, 64))


@dataclass(frozen=True)
class RenderedLine:
    """A line's image and its text."""

    image: Image
    text: str


class LineSource(Source):
    """Lines by number: the same number gives the same line."""

    def render(self, number: int, kind: str | None = None) -> RenderedLine:
        """Return line `number`, of a kind or of any, at the network's height."""
        line = self.render_full_size(number, kind)
        return RenderedLine(fit(line.image), line.text)

    def render_full_size(self, number: int, kind: str | None = None) -> RenderedLine:
        """Return line `number` in its original size."""
        rng = self._rng(f"{kind}/{number}")
        while True:
            text = self._text(rng, kind)
            try:
                pixels = render_line(rng, text, self._faces)
            except LookupError:
                continue
            degraded = degrade(rng, pixels, held_out=self._held_out)
            return RenderedLine(np.clip(degraded, 0, 255).astype(np.uint8), text)


def fit(image: Image) -> Image:
    """Return an image, H x W x 3, at the network's height and one of its widths."""
    height, width = image.shape[:2]
    wanted = max(1, round(width * HEIGHT_PX / height))
    nearest = min(WIDTHS_PX, key=lambda each: abs(each - wanted))
    if wanted >= WIDTHS_PX[0]:
        return cv2.resize(image, (nearest, HEIGHT_PX), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]
    padded = np.full((HEIGHT_PX, WIDTHS_PX[0], 3), 128, np.uint8)
    padded[:, :wanted] = cv2.resize(image, (wanted, HEIGHT_PX), interpolation=cv2.INTER_LINEAR)
    return padded


def as_input(images: Sequence[Image]) -> npt.NDArray[np.float32]:
    """Return N x 3 x 48 x W, BGR, -1 to 1, of images of one width."""
    batch = np.stack(images)[..., ::-1].transpose(0, 3, 1, 2)
    return np.ascontiguousarray(batch, np.float32) / 127.5 - 1
