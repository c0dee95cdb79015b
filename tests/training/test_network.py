"""The network: its shapes, its quantisation, its checkpoint, its losses."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch

from model.training import fake_quantise, losses
from model.training.charset import select
from model.training.charset_file import appended_from
from model.training.checkpoint import load_network, load_state, save, weights_of
from model.training.layers import FakeQuantise
from model.training.network import Recogniser
from model.training.teacher import teacher_charset
from tests.training.conftest import SMALL_CHARSET

pytestmark = pytest.mark.training

CHECKPOINT = Path(__file__).parents[2] / "model/training/checkpoints/sealed-crnn-v2.pt"


@pytest.mark.parametrize("width_px", [64, 104, 1320])
def test_a_width_gives_an_eighth_of_steps(network: Recogniser, width_px: int) -> None:
    """For each step the logits of all classes."""
    with torch.no_grad():
        logits = network(torch.zeros(2, 3, 48, width_px))
    assert logits.shape == (2, width_px // 8, len(SMALL_CHARSET) + 2)


def test_quantised_values_are_steps_of_the_range() -> None:
    """At most half a step away, 0 exactly 0; outside the range there is no gradient."""
    values = torch.linspace(-2, 3, 1001).requires_grad_()
    low, high = torch.tensor(-1.3), torch.tensor(2.1)
    found = fake_quantise.quantise(values, low, high)
    scale, zero = fake_quantise.scale_and_zero(low, high)
    steps = found / scale + zero
    assert torch.allclose(steps, steps.round(), atol=1e-3)
    inside = (values > low) & (values < high - scale)
    assert float((found - values)[inside].abs().max().detach()) <= float(scale) / 2 + 1e-6
    assert float(fake_quantise.quantise(torch.zeros(1), low, high)) == 0
    found.sum().backward()  # type: ignore[no-untyped-call]
    assert values.grad is not None
    assert set(values.grad.tolist()) == {0.0, 1.0}
    assert bool((values.grad[inside] == 1).all())


def test_weights_have_seven_bits_for_each_channel() -> None:
    """Each row uses the whole of -63 to 63; the gradient is that of the weights."""
    weight = (torch.randn(4, 30) * torch.tensor([[1.0], [10], [100], [0.1]])).requires_grad_()
    found = fake_quantise.quantise_weight(weight)
    steps = (found / fake_quantise.weight_scale(weight)).detach()
    assert torch.allclose(steps, steps.round(), atol=1e-3)
    assert steps.abs().amax(1).round().tolist() == [63.0] * 4
    found.sum().backward()  # type: ignore[no-untyped-call]
    assert weight.grad is not None
    assert bool((weight.grad == 1).all())


def test_a_range_covers_all_but_outliers() -> None:
    """One of 100,000 values does not widen it."""
    each = FakeQuantise(unsigned=False)
    values = torch.linspace(-1, 2, 100_000)
    values[500] = 1000.0
    each.measure(values)
    low, high = (float(end) for end in each.ends)
    assert low == pytest.approx(-1, abs=0.01)
    assert high == pytest.approx(2, abs=0.01)


def test_a_checkpoint_gives_the_network_back(network: Recogniser, tmp_path: Path) -> None:
    """With its shape, charset and ranges; the weights as float16. The file is whole or absent."""
    save(weights_of(network, network.state_dict(), SMALL_CHARSET), tmp_path / "weights.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["weights.pt"]
    loaded, charset = load_network(tmp_path / "weights.pt")
    assert charset == list(SMALL_CHARSET)
    assert loaded.shape == network.shape
    own = network.state_dict()
    assert all(torch.allclose(v, own[k], atol=1e-3) for k, v in loaded.state_dict().items())


def test_the_committed_checkpoint_has_appended_classes(teacher_path: Path) -> None:
    """Its charset begins with the selection from the teacher; what was appended is in order."""
    charset = load_state(CHECKPOINT)["charset"].split("\n")
    selected = select(teacher_charset(teacher_path))
    assert appended_from(charset) == len(selected) == 8515
    assert charset[:8515] == selected
    assert all(one < other for one, other in pairwise(charset[8515:]))
    network, _ = load_network(CHECKPOINT)
    assert len(network.classifier.bias) == len(charset) + 2 == 10_836


def test_an_unlikely_text_weighs_less() -> None:
    """Probably it is illegible: the weight falls with the square of the loss a character."""
    labels, lengths = torch.tensor([[1, 2], [3, 0]]), torch.tensor([2, 1])
    certain = torch.full((2, 8, 5), -20.0)
    for line, path in enumerate(([1, 1, 0, 2, 0, 0, 0, 0], [4] * 8)):
        certain[line, range(8), path] = 20.0
    logs = certain.log_softmax(-1)
    each = losses.ctc(logs, labels, lengths) / lengths
    assert each[0] < 0.01
    assert each[1] > 20
    _, weight = losses.truth(logs, labels, lengths)
    assert float(weight) == pytest.approx((1 + (2.5 / float(each[1])) ** 2) / 2, abs=1e-4)


def test_the_teachers_divergence_is_zero_for_its_own_output() -> None:
    """And counts little for lines that it gets wrong."""
    teacher = torch.randn(2, 8, 5).log_softmax(-1)
    beliefs = losses.belief(teacher, torch.tensor([[1, 2], [3, 3]]), torch.tensor([2, 2]))
    assert ((beliefs > 0) & (beliefs < 1)).all()
    assert float(losses.divergence(teacher, teacher, beliefs)) == pytest.approx(0, abs=1e-5)
    other = torch.randn(2, 8, 5).log_softmax(-1)
    assert float(losses.divergence(other, teacher, beliefs)) > 0
    assert float(losses.divergence(other, teacher, beliefs * 0)) == 0
