"""CTC decoding: a recogniser's output to text.

Source: Graves et al., Connectionist Temporal Classification, 2006 (best path decoding).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BLANK = 0
_CERTAIN = 0.999


@dataclass(frozen=True, slots=True)
class DecodedText:
    """A line's text; the mean probability of its characters, 0.0 for no text; its likelihood."""

    text: str
    mean_probability: float
    nll: float  # negative log-likelihood of the text, in nats


def decode_ctc(probabilities: npt.NDArray[np.float32], charset: Sequence[str]) -> DecodedText:
    """Return the text of one line's T x C probabilities.

    C is 1 (the blank) + the charset. Of equal classes in a row one character is taken, with the
    probability of its first step.
    """
    best = probabilities.argmax(axis=1)
    highest = probabilities[np.arange(len(best)), best]
    is_character = best != BLANK
    is_character[1:] &= best[1:] != best[:-1]
    steps = np.flatnonzero(is_character)
    nll = negative_log_likelihood(probabilities, best[steps])
    if not len(steps):
        return DecodedText("", 0.0, nll)
    text = "".join(charset[index - 1] for index in best[steps])
    return DecodedText(text, float(highest[steps].mean()), nll)


def negative_log_likelihood(
    probabilities: npt.NDArray[np.float32], classes: npt.NDArray[np.intp]
) -> float:
    """Return the negative log-likelihood, in nats, of a text's classes in T x C probabilities.

    It sums over all paths: a space that may be at any of several steps makes a text no less
    certain. Source: Graves et al., 2006, the forward variable.
    """
    states = np.full(2 * len(classes) + 1, BLANK)
    states[1::2] = classes
    # A character may follow another one without a blank between them, unless they are equal.
    skip = np.zeros(len(states))
    skip[3::2] = classes[1:] != classes[:-1]
    # In a row of steps that are certainly blank, all but the first can be left out.
    blank = probabilities[:, BLANK] > _CERTAIN
    blank[1:] &= blank[:-1].copy()
    blank[0] = False
    emitted = probabilities[np.ix_(~blank, states)].astype(np.float64)
    forward = np.zeros(len(states))
    forward[0] = 1.0
    nll = 0.0
    for step, emission in enumerate(emitted):
        entered = forward.copy()
        entered[1:] += forward[:-1]
        if step:  # a line can't start after its first character
            entered[2:] += forward[:-2] * skip[2:]
        forward = entered * emission
        total = forward.sum()
        nll -= float(np.log(total))
        forward /= total
    return nll - float(np.log(forward[-2:].sum()))
