"""CTC decoding: a recogniser's output to text.

Source: Graves et al., Connectionist Temporal Classification, 2006 (best path decoding).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BLANK = 0
_CERTAIN = 0.999
# A step has at least one state to be in and at most three to come from: for T steps the scaled sums
# stay between _SHRINK ** -T and _SHRINK ** T. The longest line has 800 steps.
_SHRINK = 3**0.5


@dataclass(frozen=True, slots=True)
class DecodedText:
    """A line's text; the mean probability of its characters, 0.0 for no text; its likelihood."""

    text: str
    mean_probability: float
    nll: float  # negative log-likelihood of the text, in nats
    steps: npt.NDArray[np.intp]  # the first one of each character
    classes: npt.NDArray[np.intp]  # the number of each character in the network's output


def decode_ctc(probabilities: npt.NDArray[np.float32], charset: Sequence[str]) -> DecodedText:
    """Return the text of one line's T x C probabilities.

    C is 1 (the blank) + the charset. Of equal classes in a row one character is taken, with the
    probability of its first step.
    """
    best = probabilities.argmax(axis=1)
    is_character = best != BLANK
    is_character[1:] &= best[1:] != best[:-1]
    steps = is_character.nonzero()[0]
    classes = best[steps]
    nll = negative_log_likelihood(probabilities, classes)
    if not len(steps):
        return DecodedText("", 0.0, nll, steps, classes)
    text = "".join([charset[index - 1] for index in classes])
    return DecodedText(text, float(probabilities[steps, classes].mean()), nll, steps, classes)


def negative_log_likelihood(
    probabilities: npt.NDArray[np.float32], classes: npt.NDArray[np.intp]
) -> float:
    """Return the negative log-likelihood, in nats, of a text's classes in T x C probabilities.

    It sums over all paths: a space that may be at any of several steps makes a text no less
    certain. Source: Graves et al., 2006, the forward variable.
    """
    states = np.full(2 * len(classes) + 1, BLANK)
    states[1::2] = classes
    emitted = probabilities[_informative(probabilities)[:, None], states].astype(np.float64)
    # With the most probable state of each step at 1 / _SHRINK, neither the best path nor the sum
    # of all paths leaves the range of a float64, so that no step has to be normalised.
    scale = _SHRINK * emitted.max(axis=1)
    emitted /= scale[:, None]
    # A character may follow another one without a blank between them, unless they are equal.
    skip = np.zeros(len(states))
    skip[3::2] = classes[1:] != classes[:-1]
    forward = np.zeros(2 + len(states))  # two more states, in front, are never entered
    forward[2] = 1.0
    stayed, before, skipped = forward[2:], forward[1:-1], forward[:-2]
    entered = np.empty(len(states))
    for emission in emitted:
        np.multiply(skipped, skip, out=entered)
        entered += before
        entered += stayed
        np.multiply(entered, emission, out=stayed)
    return -float(np.log(scale).sum() + np.log(forward[-2:].sum()))


def _informative(probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    """Return the steps without those that are certainly blank and follow such a step."""
    blank = probabilities[:, BLANK] > _CERTAIN
    blank[1:] &= blank[:-1].copy()
    blank[0] = False
    steps: npt.NDArray[np.intp] = (~blank).nonzero()[0]
    return steps
