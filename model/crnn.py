"""Read one line: resize, run the recogniser, decode."""

import math

import cv2
import numpy as np

from model.ctc import decode_ctc
from model.errors import WeightsError
from model.inference import Network, Normalisation, Pixels
from model.weights import Weights

_MIN_WIDTH_PX = 64
_WIDTH_STEP_PX = 8  # the networks' strides in width are 4 and 8
_MAX_ASPECT = 100  # longer lines are squeezed to this: it bounds one line's time and memory


class Recogniser:
    """A CTC recogniser and its charset."""

    def __init__(self, weights: Weights, *, threads: int) -> None:
        """Load the network. Raises WeightsError where network and charset do not fit."""
        self._network = Network(weights.file.read(), threads=threads)
        self._normalisation = Normalisation(weights.mean, weights.std)
        self._height_px = weights.height_px
        listed = (
            self._network.metadata["character"]
            if weights.charset is None
            else weights.charset.read().decode()
        )
        # Lines are split at "\n" alone: str.splitlines would split at characters of the set.
        self._charset = [*listed.replace("\r\n", "\n").removesuffix("\n").split("\n"), " "]
        classes = self._network.run(self._blank(_MIN_WIDTH_PX)).shape[2]
        if classes != 1 + len(self._charset):
            raise WeightsError(
                f"{weights.name} has {classes} classes for {len(self._charset)} characters"
            )

    def read_line(self, line: Pixels) -> tuple[str, float]:
        """Return the text and confidence of a line, H x W x 3.

        Lines are read one by one at their own width: a batch would pad all to its widest.
        """
        height, width = line.shape[:2]
        width = math.ceil(self._height_px * min(width / height, _MAX_ASPECT))
        padded = max(_MIN_WIDTH_PX, math.ceil(width / _WIDTH_STEP_PX) * _WIDTH_STEP_PX)
        blob = self._blank(padded)
        small = cv2.resize(line, (width, self._height_px), interpolation=cv2.INTER_LINEAR)
        self._normalisation.into(small, blob)  # type: ignore[arg-type]
        text, confidence = decode_ctc(self._network.run(blob)[0], self._charset)
        return text.strip(), confidence

    def _blank(self, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        """Return an input of mid-grey, 1 x 3 x H x width."""
        return np.zeros((1, 3, self._height_px, width), np.float32)
