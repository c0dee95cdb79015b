"""Our recogniser, as shipped: what it reads, how long a line may be, what its confidence means."""

import numpy as np
import onnxruntime as ort
import pytest

from model.vision.inference import Pixels
from model.vision.recogniser import Recogniser
from model.weights import load_manifest, pick
from tests.model.drawing import draw_line

LINES = (
    "TOTAL 1,234.50",
    "Invoice No. 2026-0042",
    "The quick brown fox jumps over the lazy dog",
    "(GST 6%) RM 17.90 x 3",
    "mixed Case, and: marks; too!",
)


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    """Return our recogniser."""
    return Recogniser(pick("sealed-crnn", "recogniser"), threads=1)


def drawn(text: str) -> Pixels:
    """Return a line's pixels, H x W x 3."""
    return np.asarray(draw_line(text).convert("RGB"))


@pytest.mark.parametrize("text", LINES)
def test_spaces_case_and_punctuation_are_read(recogniser: Recogniser, text: str) -> None:
    """What the ready-made CRNN loses: spaces, commas, and which letters are capitals."""
    assert recogniser.read_line(drawn(text)).text == text


def test_the_ready_made_crnn_loses_them() -> None:
    """The check above tells recognisers apart."""
    other = Recogniser(pick("ppocrv2-crnn", "recogniser"), threads=1)
    assert [other.read_line(drawn(text)).text for text in LINES] != list(LINES)


LONG = " ".join(f"{number}. item {number * 7}" for number in range(1, 17))


def test_a_line_longer_than_any_trained_on_is_read_whole(recogniser: Recogniser) -> None:
    """Some 180 characters, so several windows: nothing is lost or said twice at their seams."""
    assert len(LONG) > 160
    assert recogniser.read_line(drawn(LONG)).text == LONG


def test_windows_put_end_to_end_would_say_parts_twice(
    recogniser: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the seams the check above fails."""
    monkeypatch.setattr("model.vision.recogniser.joined", lambda parts, _: np.concatenate(parts))
    assert recogniser.read_line(drawn(LONG)).text != LONG


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 400), (400, 3), (48, 5), (20, 3000)])
def test_any_shape_is_read_in_bounded_time(recogniser: Recogniser, height: int, width: int) -> None:
    """Slivers and endless strips give some text, none, or rubbish, and no error."""
    read = recogniser.read_line(np.full((height, width, 3), 200, np.uint8))
    assert 0 <= read.confidence <= 1
    assert 0 <= read.mean_probability <= 1


def test_nothing_is_nothing(recogniser: Recogniser) -> None:
    """An empty line has no text and no confidence."""
    read = recogniser.read_line(np.full((40, 300, 3), 250, np.uint8))
    assert (read.text, read.mean_probability, read.confidence) == ("", 0.0, 0.0)


def test_confidence_falls_as_a_line_fades(recogniser: Recogniser) -> None:
    """A clear line is sure; the same line under heavy noise is not."""
    clear = drawn("SUBTOTAL 84.20")
    noise = np.random.default_rng(3).normal(0, 300, clear.shape)
    spoilt = np.clip(clear + noise, 0, 255).astype(np.uint8)
    assert recogniser.read_line(clear).confidence > 0.9
    assert recogniser.read_line(spoilt).confidence < 0.7


def test_confidence_without_calibration_is_the_certainty() -> None:
    """The ready-made recognisers have not been calibrated."""
    other = Recogniser(pick("ppocrv6-small", "recogniser"), threads=1)
    read = other.read_line(drawn("SUBTOTAL 84.20"))
    assert read.confidence == read.mean_probability


def test_int8_reads_the_same_on_every_processor() -> None:
    """Whole numbers added without saturation give what float32 gives from the same rounded weights.

    Without graph optimisation ONNX Runtime computes the rounded network in float32; with it, in
    int8, where a sum of products that outgrows 16 bits would be cut off on older processors.
    """
    weights = pick("sealed-crnn", "recogniser")
    blob = np.random.default_rng(5).uniform(-1, 1, (1, 3, 48, 320)).astype(np.float32)
    blob[:, :, 10:38, 20:300:9] = -1
    outputs = []
    for level in ("ORT_DISABLE_ALL", "ORT_ENABLE_ALL"):
        options = ort.SessionOptions()
        options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, level)
        session = ort.InferenceSession(
            weights.file.read(), options, providers=["CPUExecutionProvider"]
        )
        outputs.append(session.run(None, {session.get_inputs()[0].name: blob})[0])
    assert np.abs(outputs[0] - outputs[1]).mean() < 1e-4


def test_the_weights_are_small() -> None:
    """Our files together take at most 12 MB."""
    own = {f for entry in load_manifest().values() for f in entry.files if f.distribution is None}
    assert sum(file.locate().stat().st_size for file in own) <= 12_000_000
