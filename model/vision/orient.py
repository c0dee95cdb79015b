"""Find out whether a line is upside down."""

import cv2
import numpy as np

from model.vision.inference import Network, Normalisation, Pixels
from model.weights import Weights

_WIDTH_PX = 192
# Probability from which a line is upside down. It is high, because the text of an upright line is
# lost when it is rotated.
_THRESHOLD = 0.9


class Orientation:
    """A network that classifies lines as 0 or 180 degrees."""

    def __init__(self, weights: Weights, *, threads: int) -> None:
        self._network = Network(weights.file.read(), threads=threads)
        self._normalisation = Normalisation(weights.mean, weights.std)
        self._height_px = weights.height_px

    def is_upside_down(self, line: Pixels) -> bool:
        """Return whether a line, H x W x 3, must be rotated by 180 degrees."""
        height, width = line.shape[:2]
        width = min(_WIDTH_PX, max(1, round(width * self._height_px / height)))
        blob = np.zeros((1, 3, self._height_px, _WIDTH_PX), np.float32)
        resized = cv2.resize(line, (width, self._height_px), interpolation=cv2.INTER_LINEAR)
        self._normalisation.write(resized, blob)  # type: ignore[arg-type]
        return bool(self._network.run(blob)[0, 1] > _THRESHOLD)
