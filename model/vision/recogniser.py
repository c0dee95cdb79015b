"""Read one line: resize, run the recogniser, decode, say how sure it is."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from model.errors import WeightsError
from model.vision.ctc import decode_ctc
from model.vision.inference import Network, Normalisation, Pixels
from model.vision.windows import joined, windows
from model.weights import Weights

_MIN_WIDTH_PX = 64
_WIDTH_STEP_PX = 8  # the networks' strides in width are 4 and 8
_MAX_ASPECT = 100  # longer lines are squeezed to this: it bounds one line's time and memory
LEAST_DOUBT = 1e-4  # nats; there is no telling surer lines apart


@dataclass(frozen=True, slots=True)
class ReadText:
    """A line's text; how sure its characters are, on average; how sure it is as a whole."""

    text: str
    mean_probability: float  # 0 to 1, the mean probability of its characters
    confidence: float  # 0 to 1, the chance that all of it is right, where that was measured


class Recogniser:
    """A CTC recogniser and its charset."""

    def __init__(self, weights: Weights, *, threads: int) -> None:
        """Load the network. Raises WeightsError where network and charset do not fit."""
        self.network = Network(weights.file.read(), threads=threads)
        self._normalisation = Normalisation(weights.mean, weights.std)
        self._height_px = weights.height_px
        self._calibration = weights.calibration
        listed = (
            self.network.metadata["character"]
            if weights.charset is None
            else weights.charset.read().decode()
        )
        # Lines are split at "\n" alone: str.splitlines would split at characters of the set.
        self._charset = [*listed.replace("\r\n", "\n").removesuffix("\n").split("\n"), " "]
        classes = self.network.run(self._blank(_MIN_WIDTH_PX)).shape[2]
        if classes != 1 + len(self._charset):
            raise WeightsError(
                f"{weights.name} has {classes} classes for {len(self._charset)} characters"
            )

    def read_line(self, line: Pixels) -> ReadText:
        """Return what a line, H x W x 3, says.

        Lines are read one by one at their own width: a batch would pad all to its widest.
        """
        blob = self._blob(line)
        spans = windows(blob.shape[3], _WIDTH_STEP_PX)
        parts = [self.network.run(blob[..., first:last])[0] for first, last in spans]
        decoded = decode_ctc(joined(parts, spans), self._charset)
        text = decoded.text.strip()
        return ReadText(
            text,
            decoded.mean_probability,
            self._confidence(decoded.mean_probability, decoded.doubt),
        )

    def _blob(self, line: Pixels) -> npt.NDArray[np.float32]:
        """Return a line as the network's input, 1 x 3 x H x W.

        W is a multiple of the networks' stride: stretching a line by a few columns costs less than
        a margin that it does not have. Only the shortest get one, of mid-grey.
        """
        height, width = line.shape[:2]
        wanted = self._height_px * min(width / height, _MAX_ASPECT)
        if wanted > _MIN_WIDTH_PX:
            wanted = max(_MIN_WIDTH_PX, round(wanted / _WIDTH_STEP_PX) * _WIDTH_STEP_PX)
        shape = (max(1, math.ceil(wanted)), self._height_px)
        blob = self._blank(max(_MIN_WIDTH_PX, shape[0]))
        small = cv2.resize(line, shape, interpolation=cv2.INTER_LINEAR)
        self._normalisation.into(small, blob)  # type: ignore[arg-type]
        return blob

    def _confidence(self, mean_probability: float, doubt: float) -> float:
        """Return the chance that a line is right; uncalibrated weights have their mean probability.

        Source: Platt, Probabilistic Outputs for Support Vector Machines, 1999.
        """
        if self._calibration is None or mean_probability == 0:
            return mean_probability
        slope, intercept = self._calibration
        return 1 / (1 + math.exp(-intercept - slope * math.log(max(doubt, LEAST_DOUBT))))

    def _blank(self, width: int) -> npt.NDArray[np.float32]:
        """Return an input of mid-grey, 1 x 3 x H x width."""
        return np.zeros((1, 3, self._height_px, width), np.float32)
