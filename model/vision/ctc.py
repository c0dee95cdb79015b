"""A recogniser's output to text.

Source: Graves et al., Connectionist Temporal Classification, 2006 (best path decoding).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BLANK = 0
_SURE = 0.999


@dataclass(frozen=True, slots=True)
class Decoded:
    """A line's text; the mean probability of its characters, 0.0 without any; and its doubt."""

    text: str
    mean_probability: float
    doubt: float  # nats: minus the logarithm of the text's probability


def decode_ctc(probabilities: npt.NDArray[np.float32], charset: Sequence[str]) -> Decoded:
    """Return what one line's T x C probabilities say.

    C is 1 (the blank) + the charset. Of equal neighbours in time one character is kept, with the
    probability it has at its first step.
    """
    best = probabilities.argmax(axis=1)
    highest = probabilities[np.arange(len(best)), best]
    kept = best != BLANK
    kept[1:] &= best[1:] != best[:-1]
    steps = np.flatnonzero(kept)
    doubt = doubt_of(probabilities, best[steps])
    if not len(steps):
        return Decoded("", 0.0, doubt)
    text = "".join(charset[index - 1] for index in best[steps])
    return Decoded(text, float(highest[steps].mean()), doubt)


def doubt_of(probabilities: npt.NDArray[np.float32], classes: npt.NDArray[np.intp]) -> float:
    """Return minus the logarithm, in nats, of the probability that a line says these classes.

    Summed over every way to spell them out in time: a space may lie at any of several steps
    without the text being any less sure. Source: Graves et al., 2006, the forward variable.
    """
    states = np.full(2 * len(classes) + 1, BLANK)
    states[1::2] = classes
    # From a character to the next one without a blank between, unless they are equal.
    leap = np.zeros(len(states))
    leap[3::2] = classes[1:] != classes[:-1]
    # Of a row of steps that are surely blank the first says it all.
    blank = probabilities[:, BLANK] > _SURE
    blank[1:] &= blank[:-1].copy()
    blank[0] = False
    emitted = probabilities[np.ix_(~blank, states)].astype(np.float64)
    ways = np.zeros(len(states))
    ways[0] = 1.0
    doubt = 0.0
    for step, chances in enumerate(emitted):
        entered = ways.copy()
        entered[1:] += ways[:-1]
        if step:  # a line cannot begin beyond its first character
            entered[2:] += ways[:-2] * leap[2:]
        ways = entered * chances
        total = ways.sum()
        doubt -= float(np.log(total))
        ways /= total
    return doubt - float(np.log(ways[-2:].sum()))
