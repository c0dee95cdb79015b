"""Fit the calibration of a line's confidence: the probability that its text is correct.

`python -m model.training.calibrate ONNX FOLDER` recognises lines rendered as for training, but not
used in it, and prints the slope and intercept for model/weights.toml. FOLDER is that of training. A
line is correct if its characters are, white space aside.
Source: Platt, Probabilistic Outputs for Support Vector Machines, 1999.
"""

import argparse
import unicodedata
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from model.training.render_worker import LineSampler
from model.training.widths import Pixels
from model.vision.lines.ctc import decode_ctc
from model.vision.lines.recogniser import MIN_NLL

_SEED = "calibration"  # of no worker
_WEAK = 0.15  # share of the kinds that are recognised worst
_ROUNDS = 50


def fit(nlls: npt.NDArray[np.float64], correct: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the slope and intercept of a logistic regression over the logarithm of the NLL."""
    features = np.stack([np.log(np.maximum(nlls, MIN_NLL)), np.ones(len(nlls))], 1)
    slope, intercept = fit_logistic(features, correct).tolist()
    return slope, intercept


def fit_logistic(
    features: npt.NDArray[np.float64], correct: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the weights, C, of a logistic regression over N x C features.

    The targets are smoothed, as Platt does, so that no separation is perfect.
    """
    wrong_count, correct_count = float((1 - correct).sum()), float(correct.sum())
    high, low = (correct_count + 1) / (correct_count + 2), 1 / (wrong_count + 2)
    targets = np.where(correct > 0, high, low)
    weights = np.zeros(features.shape[1])
    for _ in range(_ROUNDS):
        probability = 1 / (1 + np.exp(-features @ weights))
        gradient = features.T @ (targets - probability)
        hessian = (
            features * (probability * (1 - probability))[:, None]
        ).T @ features + 1e-6 * np.eye(len(weights))
        weights = weights + np.linalg.solve(hessian, gradient)
    return weights


def as_input(image: Pixels) -> npt.NDArray[np.float32]:
    """Return 1 x 3 x 48 x W, BGR, -1 to 1, of an image, H x W x 3, RGB."""
    return image[None, ..., ::-1].transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def main() -> None:
    """Fit the calibration of the network that the command line names."""
    parser = argparse.ArgumentParser()
    for name in ("onnx", "folder"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--lines", type=int, default=1500)
    options = parser.parse_args()
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = 1
    session = ort.InferenceSession(str(options.onnx), settings, providers=["CPUExecutionProvider"])
    sampler = LineSampler(options.folder, _SEED, weak=_WEAK)
    nlls, correct = [], []
    for _ in range(options.lines):
        image, text = sampler.sample()
        probabilities = session.run(None, {"images": as_input(image)})[0][0]
        decoded = decode_ctc(probabilities, [*sampler.charset, " "])
        nlls.append(decoded.nll)
        correct.append(float(_plain(decoded.text) == _plain(text)))
    slope, intercept = fit(np.array(nlls), np.array(correct))
    print(
        f"calibration = [{slope:.3f}, {intercept:.3f}]  # {sum(correct) / len(correct):.1%} correct"
    )


if __name__ == "__main__":
    main()
