"""Reading for the tests: the plainest CTC decoding."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def read(scores: npt.NDArray[np.float32], charset: Sequence[str]) -> str:
    """Return the text of one line's scores, T x classes: first choices, repeats and blanks gone."""
    classes, best = ("", *charset, " "), scores.argmax(-1).tolist()
    return "".join(classes[b] for a, b in zip([0, *best], best, strict=False) if a != b)
