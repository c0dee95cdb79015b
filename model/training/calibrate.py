"""Fit the calibration of a line's confidence: the probability that its text is correct.

`python -m model.training.calibrate ONNX CHARSET FACES` recognises lines rendered as for
training, but not used in it, and prints the slope and intercept for model/weights.toml. A line is
correct if its characters are, white space aside.
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

_SEED = 4242  # of no shard
_ROUNDS = 50


def fit(nlls: npt.NDArray[np.float64], correct: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the slope and intercept of a logistic regression over the logarithm of the NLL.

    The targets are smoothed, as Platt does, so that no separation is perfect.
    """
    wrong_count, correct_count = float((1 - correct).sum()), float(correct.sum())
    high, low = (correct_count + 1) / (correct_count + 2), 1 / (wrong_count + 2)
    targets = np.where(correct > 0, high, low)
    features = np.stack([np.log(np.maximum(nlls, MIN_NLL)), np.ones(len(nlls))], 1)
    weights = np.zeros(2)
    for _ in range(_ROUNDS):
        probability = 1 / (1 + np.exp(-features @ weights))
        gradient = features.T @ (targets - probability)
        hessian = (
            features * (probability * (1 - probability))[:, None]
        ).T @ features + 1e-6 * np.eye(2)
        weights = weights + np.linalg.solve(hessian, gradient)
    return float(weights[0]), float(weights[1])


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def main() -> None:
    """Fit the calibration of the network that the command line names."""
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
    nlls, correct = [], []
    for number in range(options.lines):
        line = source.render(number)
        probabilities = session.run(None, {"images": as_input([line.image])})[0][0]
        decoded = decode_ctc(probabilities, [*charset, " "])
        nlls.append(decoded.nll)
        correct.append(float(_plain(decoded.text) == _plain(line.text)))
    slope, intercept = fit(np.array(nlls), np.array(correct))
    print(
        f"calibration = [{slope:.3f}, {intercept:.3f}]  # {sum(correct) / len(correct):.1%} correct"
    )


if __name__ == "__main__":
    main()
