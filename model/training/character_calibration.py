"""Measure what the probability of a single character means.

`python -m model.training.character_calibration ONNX DIR...` reads the lines of held-out sets and
prints how many characters of each band of probability are right, for each set; and for a logistic
regression over all of them its slope and intercept (as in `calibrate`), for the logarithm of the
negative logarithm of the probability.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from PIL import Image

from model.training.calibrate import as_input, fit
from model.training.widths import HEIGHT_PX, STRIDE_PX, Pixels
from model.vision.lines.ctc import BLANK

_MIN_WIDTH_PX = 64
_BANDS = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.995, 1.01)

Characters = list[tuple[str, float]]


def characters_of(probabilities: npt.NDArray[np.float32], charset: Sequence[str]) -> Characters:
    """Return the characters of a line's T x C probabilities, each with the highest of its steps."""
    best = probabilities.argmax(axis=1)
    found: Characters = []
    before = BLANK
    for step, number in zip(probabilities, best, strict=True):
        if number == BLANK:
            pass
        elif number != before:
            found.append((charset[number - 1], float(step[number])))
        else:
            character, highest = found[-1]
            found[-1] = character, max(highest, float(step[number]))
        before = number
    return found


def judged(found: Characters, truth: str) -> Iterator[tuple[float, bool]]:
    """Yield each character's probability and whether it is in the true text, white space aside."""
    read = [(character, p) for character, p in found if not character.isspace()]
    wanted = "".join(truth.split())
    matcher = SequenceMatcher(None, [character for character, _ in read], wanted, autojunk=False)
    right = {
        place + offset for place, _, size in matcher.get_matching_blocks() for offset in range(size)
    }
    for place, (_, probability) in enumerate(read):
        yield probability, place in right


def resized(image: Pixels) -> Pixels:
    """Return an image as the service gives it to the network: 48 px high, 64 wide or more."""
    height, width = image.shape[:2]
    wanted = max(1, round(width * HEIGHT_PX / height))
    if wanted > _MIN_WIDTH_PX:
        wanted = round(wanted / STRIDE_PX) * STRIDE_PX
    padded = np.full((HEIGHT_PX, max(_MIN_WIDTH_PX, wanted), 3), 128, np.uint8)
    padded[:, :wanted] = cv2.resize(image, (wanted, HEIGHT_PX), interpolation=cv2.INTER_LINEAR)
    return padded


def measure(session: ort.InferenceSession, folder: Path, most: int) -> list[tuple[float, bool]]:
    """Return the probabilities of a set's characters, each with whether it is right."""
    charset = [*session.get_modelmeta().custom_metadata_map["character"].split("\n"), " "]
    found: list[tuple[float, bool]] = []
    for listed in (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines()[:most]:
        label = json.loads(listed)
        with Image.open(folder / label["image"]) as image:
            pixels = np.asarray(image.convert("RGB"))
        probabilities = session.run(None, {"images": as_input(resized(pixels))})[0][0]
        found += judged(characters_of(probabilities, charset), label["lines"][0]["text"])
    return found


def bands(found: Sequence[tuple[float, bool]]) -> str:
    """Return the share of right characters in each band of probability, as a row of a table."""
    cells = []
    for low, high in pairwise(_BANDS):
        band = [right for probability, right in found if low <= probability < high]
        cells.append(f"{100 * sum(band) / len(band):.1f} % of {len(band)}" if band else "-")
    return " | ".join(cells)


def main() -> None:
    """Measure the sets that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("onnx", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--lines", type=int, default=1000, help="of each set")
    options = parser.parse_args()
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = 1
    session = ort.InferenceSession(str(options.onnx), settings, providers=["CPUExecutionProvider"])
    print("| set | " + " | ".join(f"{a:g}-{min(b, 1):g}" for a, b in pairwise(_BANDS)) + " |")
    every: list[tuple[float, bool]] = []
    for folder in options.folders:
        found = measure(session, folder, options.lines)
        print(f"| {folder.name} | {bands(found)} |", flush=True)
        every += found
    probabilities = np.clip([probability for probability, _ in every], 1e-6, 1 - 1e-6)
    correct = np.array([float(right) for _, right in every])
    slope, intercept = fit(-np.log(probabilities), correct)
    print(f"{len(every)} characters, {correct.mean():.1%} right: [{slope:.3f}, {intercept:.3f}]")


if __name__ == "__main__":
    main()
