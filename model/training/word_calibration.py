"""Fit the calibration of a word's confidence: the probability that its characters are right.

`python -m model.training.word_calibration RECOGNISER DIR...` reads the lines of held-out sets with
a recogniser of model/weights.toml. It fits a logistic regression on the words and the characters of
every second line of the sets that are not under --only-measured, and prints its parameters for that
file, and how many words of the other lines are right in each band of confidence, for each set. Of a
set with characters that the recogniser does not have, nothing should be learnt.
"""

import argparse
import json
import unicodedata
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from model.options import WordMode
from model.training.calibrate import fit_logistic
from model.vision.inference import Pixels
from model.vision.lines.brackets import equally_wide
from model.vision.lines.recogniser import Recogniser
from model.vision.lines.second_reading import read_again
from model.vision.lines.straighten import Straightened
from model.vision.lines.trace import trace_of
from model.vision.lines.words import grouped
from model.vision.polygon import whole_page
from model.weights import pick

_BANDS = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 1.01)
_MODES = (WordMode.WORD, WordMode.CHAR)

Judged = tuple[float, float, bool]  # a word's doubt, its line's, and whether it is right


def judged(words: Sequence[str], truth: str) -> Iterator[bool]:
    """Yield of each word whether it is in the true text, whole and in its place.

    White space does not count, nor do differences that NFKC removes.
    """
    read, wanted = [_plain(word) for word in words], _plain(truth)
    matcher = SequenceMatcher(None, "".join(read), wanted, autojunk=False)
    blocks = matcher.get_matching_blocks()
    first = 0
    for word in read:
        last = first + len(word)
        yield any(block.a <= first and last <= block.a + block.size for block in blocks)
        first = last


def words_of(recogniser: Recogniser, image: Pixels, truth: str, mode: WordMode) -> Iterator[Judged]:
    """Yield the words of the image of a line, H x W x 3."""
    text = read_again(recogniser, image, recogniser.recognise(image))
    if text.output is None or not text.text:
        return
    line = Straightened(image, whole_page(*image.shape[:2]))
    trace = trace_of(image, line, text, text.output, None)
    characters = equally_wide(text.text)
    groups = list(grouped(characters, mode))
    words = ["".join(characters[index] for index in group) for group in groups]
    yield from (
        (*doubts, right)
        for doubts, right in zip(trace.doubts(groups), judged(words, truth), strict=True)
    )


def measure(recogniser: Recogniser, folder: Path, most: int, mode: WordMode) -> list[list[Judged]]:
    """Return the words of each line of a set."""
    found = []
    for listed in (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines()[:most]:
        label = json.loads(listed)
        with Image.open(folder / label["image"]) as image:
            pixels = np.asarray(image.convert("RGB"))
        found.append(list(words_of(recogniser, pixels, label["lines"][0]["text"], mode)))
    return found


def bands(found: Sequence[Judged], parameters: npt.NDArray[np.float64]) -> str:
    """Return the share of right words in each band of confidence, as a row of a table."""
    features, right = _features(found), np.array([each[2] for each in found], bool)
    confidences = 1 / (1 + np.exp(-features @ parameters))
    cells = []
    for low, high in pairwise(_BANDS):
        band = right[(low <= confidences) & (confidences < high)]
        cells.append(f"{100 * band.mean():.1f} % of {len(band)}" if len(band) else "-")
    return " | ".join(cells)


def _features(found: Sequence[Judged]) -> npt.NDArray[np.float64]:
    """Return the doubts of words, N x 3; the last column is 1."""
    return np.array([(*each[:2], 1.0) for each in found], float).reshape(-1, 3)


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def main() -> None:
    """Fit and measure what the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recogniser")
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--only-measured", nargs="*", default=["unknown"], metavar="SET")
    parser.add_argument("--lines", type=int, default=1000, help="of each set")
    options = parser.parse_args()
    recogniser = Recogniser(pick(options.recogniser, "recogniser"), threads=1)
    sets = {
        (folder.name, mode): measure(recogniser, folder, options.lines, mode)
        for folder in options.folders
        for mode in _MODES
    }
    learnt = [
        word
        for (name, _), lines in sets.items()
        if name not in options.only_measured
        for line in lines[::2]
        for word in line
    ]
    right = np.array([float(each[2]) for each in learnt])
    parameters = fit_logistic(_features(learnt), right)
    print(f"{len(learnt)} words, {right.mean():.1%} right")
    print(f"word_calibration = [{', '.join(f'{each:.3f}' for each in parameters)}]\n")
    print("| set | " + " | ".join(f"{a:g}-{min(b, 1):g}" for a, b in pairwise(_BANDS)) + " |")
    for (name, mode), lines in sets.items():
        rest = [word for line in lines[1::2] for word in line]
        print(f"| {name}, {mode.value} | {bands(rest, parameters)} |")


if __name__ == "__main__":
    main()
