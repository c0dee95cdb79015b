"""Recognise one line: resize it, run the network, decode the output, compute the confidence."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from model.errors import WeightsError
from model.vision.inference import Network, Normalisation, Pixels
from model.vision.lines.ctc import DecodedText, decode_ctc
from model.vision.lines.look_alikes import CHARACTERS, decided
from model.vision.lines.unread import unread_ink
from model.vision.lines.windows import merge, windows
from model.weights import Weights

_MIN_WIDTH_PX = 64
_WIDTH_STEP_PX = 8  # the strides of the networks in width are 4 and 8
_MAX_ASPECT = 100  # longer lines are compressed to this, which bounds time and memory
_INCOMPLETE = 0.3  # confidence of a line with ink that was not read, at most
READABLE = 0.5  # mean probability below which a line is noise
MIN_NLL = 1e-4  # nats; lower values mean nothing


@dataclass(frozen=True, slots=True)
class Output:
    """What a network gave for a line: T x C probabilities, and the text that they decode to."""

    probabilities: npt.NDArray[np.float32]
    decoded: DecodedText
    step: float  # share of the line's width


@dataclass(frozen=True, slots=True)
class RecognisedText:
    """A line's text, the mean probability of its characters, and its confidence."""

    text: str
    mean_probability: float  # 0 to 1
    confidence: float  # 0 to 1; the probability that all of the text is correct, if calibrated
    nll: float  # negative log-likelihood of the text, in nats
    incomplete: bool  # whether ink of a character was found that is not in the text
    output: Output | None = None


class Recogniser:
    """A CTC network and its charset."""

    def __init__(self, weights: Weights, *, threads: int) -> None:
        """Load the network.

        Raises:
            WeightsError: its number of classes does not match the charset.

        """
        self.network = Network(weights.file.read(), threads=threads)
        self._normalisation = Normalisation(weights.mean, weights.std)
        self._height_px = weights.height_px
        self._calibration = weights.calibration
        self.word_calibration = weights.word_calibration
        listed = (
            self.network.metadata["character"]
            if weights.charset is None
            else weights.charset.read().decode()
        )
        # Not str.splitlines: it also splits at some characters that are in the charset.
        self._charset = [*listed.replace("\r\n", "\n").removesuffix("\n").split("\n"), " "]
        self._look_alikes = {
            character: number
            for number, character in enumerate(self._charset, 1)
            if character in CHARACTERS and self.calibrated
        }
        classes = self.network.run(self._blank(_MIN_WIDTH_PX)).shape[2]
        if classes != 1 + len(self._charset):
            raise WeightsError(
                f"{weights.name} has {classes} classes for {len(self._charset)} characters"
            )

    @property
    def calibrated(self) -> bool:
        """Whether a confidence is the probability that the text is right."""
        return self._calibration is not None

    def recognise(self, line: Pixels, *, stretch: float = 1.0) -> RecognisedText:
        """Return the text of a line, H x W x 3, whose width is multiplied by `stretch`.

        Lines are recognised one by one, at their own width: a batch would be padded to the widest.
        """
        blob, width_px = self._blob(line, stretch)
        spans = windows(blob.shape[3], _WIDTH_STEP_PX)
        parts = [self.network.run(blob[..., first:last])[0] for first, last in spans]
        probabilities = merge(parts, spans)
        decoded = decode_ctc(probabilities, self._charset)
        confidence = self._confidence(decoded.mean_probability, decoded.nll)
        incomplete = self.calibrated and unread_ink(blob[0], decoded, _WIDTH_STEP_PX, stretch)
        return RecognisedText(
            decided(decoded, probabilities, self._look_alikes).strip(),
            decoded.mean_probability,
            min(confidence, _INCOMPLETE) if incomplete else confidence,
            decoded.nll,
            incomplete,
            Output(probabilities, decoded, blob.shape[3] / len(probabilities) / width_px),
        )

    def _blob(self, line: Pixels, stretch: float) -> tuple[npt.NDArray[np.float32], int]:
        """Return a line as the network's input, 1 x 3 x H x W, and the line's width in it.

        W is a multiple of the networks' stride: to stretch a line by a few columns loses less
        accuracy than a margin would. Only the shortest lines get a margin, of mid-grey.
        """
        height, width = line.shape[:2]
        wanted = self._height_px * min(width / height * stretch, _MAX_ASPECT)
        if wanted > _MIN_WIDTH_PX:
            wanted = max(_MIN_WIDTH_PX, round(wanted / _WIDTH_STEP_PX) * _WIDTH_STEP_PX)
        shape = (max(1, math.ceil(wanted)), self._height_px)
        blob = self._blank(max(_MIN_WIDTH_PX, shape[0]))
        resized = cv2.resize(line, shape, interpolation=cv2.INTER_LINEAR)
        self._normalisation.write(resized, blob)  # type: ignore[arg-type]
        return blob, shape[0]

    def _confidence(self, mean_probability: float, nll: float) -> float:
        """Return the probability that a line is correct, or the mean probability if not calibrated.

        Source: Platt, Probabilistic Outputs for Support Vector Machines, 1999.
        """
        if self._calibration is None or mean_probability == 0:
            return mean_probability
        slope, intercept = self._calibration
        return 1 / (1 + math.exp(-intercept - slope * math.log(max(nll, MIN_NLL))))

    def _blank(self, width: int) -> npt.NDArray[np.float32]:
        """Return an input of mid-grey, 1 x 3 x H x width."""
        return np.zeros((1, 3, self._height_px, width), np.float32)
