"""Fit what turns a line's doubt into the chance that it is right.

`python -m model.training.calibrate ONNX CHARSET FACES` reads lines drawn as for training, but never
trained on, and prints the slope and intercept that model/weights.toml takes. A line is right where
its characters are, white space aside.
Source: Platt, Probabilistic Outputs for Support Vector Machines, 1999.
"""

import argparse
import unicodedata
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from model.training.lines import LineSource, as_input
from model.training.shards import read_charset
from model.vision.ctc import decode_ctc
from model.vision.recogniser import MIN_NLL

_SEED = 4242  # no shard has it
_ROUNDS = 50


def fit(doubts: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the slope and intercept of a logistic regression over the logarithm of doubt.

    The targets are drawn in a little, as Platt does, so that no separation is perfect.
    """
    wrong_count, right_count = float((1 - right).sum()), float(right.sum())
    high, low = (right_count + 1) / (right_count + 2), 1 / (wrong_count + 2)
    targets = np.where(right > 0, high, low)
    features = np.stack([np.log(np.maximum(doubts, MIN_NLL)), np.ones(len(doubts))], 1)
    weights = np.zeros(2)
    for _ in range(_ROUNDS):
        chance = 1 / (1 + np.exp(-features @ weights))
        slope = features.T @ (targets - chance)
        bend = (features * (chance * (1 - chance))[:, None]).T @ features + 1e-6 * np.eye(2)
        weights = weights + np.linalg.solve(bend, slope)
    return float(weights[0]), float(weights[1])


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def main() -> None:
    """Fit the network that the command line names."""
    parser = argparse.ArgumentParser()
    for name in ("onnx", "charset", "faces"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--lines", type=int, default=1500)
    options = parser.parse_args()
    charset = read_charset(options.charset)
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = 1
    session = ort.InferenceSession(str(options.onnx), settings, providers=["CPUExecutionProvider"])
    source = LineSource(options.faces, set(charset), seed=_SEED, held_out=False)
    doubts, right = [], []
    for number in range(options.lines):
        line = source.draw(number)
        probabilities = session.run(None, {"images": as_input([line.image])})[0][0]
        decoded = decode_ctc(probabilities, [*charset, " "])
        doubts.append(decoded.nll)
        right.append(float(_plain(decoded.text) == _plain(line.text)))
    slope, intercept = fit(np.array(doubts), np.array(right))
    print(f"calibration = [{slope:.3f}, {intercept:.3f}]  # {sum(right) / len(right):.1%} right")


if __name__ == "__main__":
    main()
