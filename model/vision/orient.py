"""Tell whether a line stands on its head."""

import cv2
import numpy as np

from model.vision.inference import Network, Normalisation, Pixels
from model.weights import Weights

_WIDTH_PX = 192
_SURE = 0.9  # turning an upright line costs its text, so the network must be sure


class Orientation:
    """A 0/180 degrees classifier."""

    def __init__(self, weights: Weights, *, threads: int) -> None:
        self._network = Network(weights.file.read(), threads=threads)
        self._normalisation = Normalisation(weights.mean, weights.std)
        self._height_px = weights.height_px

    def is_upside_down(self, line: Pixels) -> bool:
        """Tell whether a line, H x W x 3, must be turned by half a circle to be read."""
        height, width = line.shape[:2]
        width = min(_WIDTH_PX, max(1, round(width * self._height_px / height)))
        blob = np.zeros((1, 3, self._height_px, _WIDTH_PX), np.float32)
        small = cv2.resize(line, (width, self._height_px), interpolation=cv2.INTER_LINEAR)
        self._normalisation.into(small, blob)  # type: ignore[arg-type]
        return bool(self._network.run(blob)[0, 1] > _SURE)
