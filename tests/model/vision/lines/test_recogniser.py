"""The project's own recogniser: what it reads, long lines, and its confidence."""

import numpy as np
import onnxruntime as ort
import pytest

from model.vision.inference import Pixels
from model.vision.lines.recogniser import Recogniser
from model.weights import load_manifest, pick
from settings.tables import Model
from tests.model.images import render_line

DEFAULT = Model().recogniser
LINES = (
    "TOTAL 1,234.50",
    "Invoice No. 2026-0042",
    "The quick brown fox jumps over the lazy dog",
    "(GST 6%) RM 17.90 x 3",
    "mixed Case, and: marks; too!",
)


def rendered(text: str) -> Pixels:
    """Return a line's pixels, H x W x 3."""
    return np.asarray(render_line(text).convert("RGB"))


@pytest.mark.parametrize("text", LINES)
def test_spaces_case_and_punctuation_are_read(recogniser: Recogniser, text: str) -> None:
    """The PP-OCRv2 CRNN loses spaces, commas and capitals."""
    assert recogniser.recognise(rendered(text)).text == text


def test_another_recogniser_loses_them() -> None:
    """Control: PP-OCRv2's does not pass the check above."""
    other = Recogniser(pick("ppocrv2-crnn", "recogniser"), threads=1)
    assert [other.recognise(rendered(text)).text for text in LINES] != list(LINES)


LONG = " ".join(f"{number}. item {number * 7}" for number in range(1, 17))


def test_a_line_longer_than_the_training_lines_is_read(recogniser: Recogniser) -> None:
    """180 characters are several windows: nothing is lost or repeated between them."""
    assert len(LONG) > 160
    assert recogniser.recognise(rendered(LONG)).text == LONG


def test_without_the_merge_it_is_not(
    recogniser: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: with concatenated windows the check above fails."""
    monkeypatch.setattr(
        "model.vision.lines.recogniser.merge", lambda parts, _: np.concatenate(parts)
    )
    assert recogniser.recognise(rendered(LONG)).text != LONG


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 400), (400, 3), (48, 5), (20, 3000)])
def test_any_shape_is_read_in_bounded_time(recogniser: Recogniser, height: int, width: int) -> None:
    """Any text or none may come out, but no error."""
    read = recogniser.recognise(np.full((height, width, 3), 200, np.uint8))
    assert 0 <= read.confidence <= 1
    assert 0 <= read.mean_probability <= 1


def test_an_empty_line_has_no_text(recogniser: Recogniser) -> None:
    """And no confidence."""
    read = recogniser.recognise(np.full((40, 300, 3), 250, np.uint8))
    assert (read.text, read.mean_probability, read.confidence) == ("", 0.0, 0.0)


def test_confidence_falls_with_noise(recogniser: Recogniser) -> None:
    """It is high for a clear line and low for the same line with heavy noise."""
    clear = rendered("SUBTOTAL 84.20")
    noise = np.random.default_rng(3).normal(0, 300, clear.shape)
    noisy = np.clip(clear + noise, 0, 255).astype(np.uint8)
    assert recogniser.recognise(clear).confidence > 0.9
    assert recogniser.recognise(noisy).confidence < 0.7


def test_confidence_without_calibration_is_the_mean_probability() -> None:
    """The other recognisers are not calibrated."""
    other = Recogniser(pick("ppocrv6-small", "recogniser"), threads=1)
    read = other.recognise(rendered("SUBTOTAL 84.20"))
    assert read.confidence == read.mean_probability


def test_int8_reads_the_same_on_every_processor() -> None:
    """int8 without saturation gives the result of float32 with the same rounded weights.

    Without graph optimisation ONNX Runtime computes the quantised network in float32; with it, in
    int8, where sums of products beyond 16 bits saturate on older processors.
    """
    weights = pick(DEFAULT, "recogniser")
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
    """The default recogniser takes at most 6 MB, each of the project's own files at most 8 MB."""
    own = {f for entry in load_manifest().values() for f in entry.files if f.distribution is None}
    assert all(file.locate().stat().st_size <= 8_000_000 for file in own)
    assert pick(DEFAULT, "recogniser").file.locate().stat().st_size <= 6_000_000


def test_the_previous_recogniser_can_still_be_chosen() -> None:
    """`[model] recogniser = "sealed-crnn"` loads, reads lines and has a confidence."""
    previous = Recogniser(pick("sealed-crnn", "recogniser"), threads=1)
    reads = [previous.recognise(rendered(text)) for text in LINES]
    assert [read.text for read in reads] == list(LINES)
    assert all(read.confidence > 0.9 for read in reads)
