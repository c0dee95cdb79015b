"""The network before training: the teacher's weights wherever they fit."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from model.training.initial import initial
from model.training.lines import RenderedLine, as_input
from model.training.network import FULL, Crnn, Shape
from model.training.teacher import Teacher
from tests.training.reading import read

pytestmark = pytest.mark.training


def difference(network: Crnn, teacher: Teacher, width_px: int) -> float:
    """Return how far a trunk is from the teacher's, on noise of a width."""
    noise = np.random.default_rng(width_px).uniform(-1, 1, (2, 3, 48, width_px))
    images: npt.NDArray[np.float32] = noise.astype(np.float32)
    wanted, _ = teacher.run(images)
    with torch.no_grad():
        found = network.trunk(torch.from_numpy(images)).numpy()
    assert found.shape == wanted.shape
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


@pytest.mark.parametrize("width_px", [64, 100, 320])
def test_its_trunk_is_the_teachers(network: Crnn, teacher: Teacher, width_px: int) -> None:
    """Number by number, up to rounding, even where the width is not a multiple of 8."""
    assert difference(network, teacher, width_px) < 1e-4


def test_a_narrower_trunk_is_not(
    teacher_path: Path, teacher: Teacher, charset: Sequence[str]
) -> None:
    """It begins with random weights."""
    narrower = initial(teacher_path, charset, Shape((*FULL[:-1], 700)))
    assert difference(narrower, teacher, 64) > 0.1


def test_its_classifier_is_the_teachers(
    network: Crnn, teacher: Teacher, charset: Sequence[str], lines: Sequence[RenderedLine]
) -> None:
    """From the teacher's features it reads the lines; with its rows shuffled it reads none."""
    classifier = network.classifier
    right = shuffled = 0
    for line in lines:
        _, features = teacher.run(as_input([line.image]))
        with torch.no_grad():
            scores = classifier(torch.from_numpy(features))[0].numpy()
        right += read(scores, charset) == line.text
        shuffled += read(np.roll(scores, 1, 1), charset) == line.text
    assert right > len(lines) * 0.6
    assert shuffled == 0


def test_it_reads_before_it_has_learnt(
    network: Crnn, charset: Sequence[str], lines: Sequence[RenderedLine]
) -> None:
    """What fits of the teacher's neck is enough for a part of the lines."""
    with torch.no_grad():
        texts = [
            read(network(torch.from_numpy(as_input([line.image])))[0].numpy(), charset)
            for line in lines
        ]
    assert sum(text == line.text for text, line in zip(texts, lines, strict=True)) > len(lines) / 4
