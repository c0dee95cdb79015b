"""Find out whether a line is upside down."""

import cv2
import numpy as np

from model.vision.inference import Network, Normalisation, Pixels
from model.weights import Weights

_WIDTH_PX = 192
_WINDOW_ASPECT = 6  # width of a window of a long line, in heights; the network squeezes it to 4
_MAX_WINDOWS = 3  # over a line, evenly spaced
_EXTREME = 1e-4  # probabilities nearer to 0 or 1 weigh no more


class Orientation:
    """A network that classifies lines as 0 or 180 degrees."""

    def __init__(self, weights: Weights, *, threads: int) -> None:
        self._network = Network(weights.file.read(), threads=threads)
        self._normalisation = Normalisation(weights.mean, weights.std)
        self._height_px = weights.height_px

    def upside_down_probability(self, line: Pixels) -> float:
        """Return the probability that a line, H x W x 3, must be rotated by 180 degrees.

        The letters of a long line, squeezed to the network's width, can't be told from each other:
        windows of it are classified, and their log-odds averaged.
        """
        windows = _windows(line)
        blob = np.zeros((len(windows), 3, self._height_px, _WIDTH_PX), np.float32)
        for index, window in enumerate(windows):
            height, width = window.shape[:2]
            width = min(_WIDTH_PX, max(1, round(width * self._height_px / height)))
            resized = cv2.resize(window, (width, self._height_px), interpolation=cv2.INTER_LINEAR)
            self._normalisation.write(resized, blob[index : index + 1])  # type: ignore[arg-type]
        found = self._network.run(blob)[:, 1].astype(np.float64)
        probabilities = np.clip(found, _EXTREME, 1 - _EXTREME)
        mean = np.log(probabilities / (1 - probabilities)).mean()
        return float(1 / (1 + np.exp(-mean)))


def _windows(line: Pixels) -> list[Pixels]:
    """Return the parts of a line that are classified: all of it, or windows of a long one."""
    height, width = line.shape[:2]
    size = _WINDOW_ASPECT * height
    if width <= size:
        return [line]
    count = min(_MAX_WINDOWS, -(-width // size))
    starts = np.linspace(0, width - size, count).round().astype(int)
    return [line[:, start : start + size] for start in starts]
