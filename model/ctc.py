"""A recogniser's output to text.

Source: Graves et al., Connectionist Temporal Classification, 2006 (best path decoding).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

BLANK = 0


def decode_ctc(probabilities: npt.NDArray[np.float32], charset: Sequence[str]) -> tuple[str, float]:
    """Return the text and its confidence, 0 to 1, of one line's T x C probabilities.

    C is 1 (the blank) + the charset. Of equal neighbours in time one character is kept; the
    confidence is the mean probability of the kept ones, 0.0 where there is none.
    """
    best = probabilities.argmax(axis=1)
    kept = best != BLANK
    kept[1:] &= best[1:] != best[:-1]
    steps = np.flatnonzero(kept)
    if not len(steps):
        return "", 0.0
    text = "".join(charset[index - 1] for index in best[steps])
    return text, float(probabilities[steps, best[steps]].mean())
