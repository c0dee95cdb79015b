"""Training the neck and the classifier alone: it learns, keeps the trunk, and resumes."""

import copy
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from model.training import train_neck
from model.training.checkpoint import load_network, load_state, save, weights_of
from model.training.frozen_trunk import FrozenTrunk
from model.training.interpolate import interpolate
from model.training.layers import FakeQuantise
from model.training.losses import ctc
from model.training.neck_lines import NeckBatch, NeckLines
from model.training.network import Recogniser
from model.training.render_worker import LineSampler
from model.training.train_neck import NeckTrainer
from tests.training.conftest import SMALL_CHARSET

pytestmark = pytest.mark.training


@pytest.fixture(autouse=True)
def _float_mode() -> Iterator[None]:
    """Tests after this one start without quantisation."""
    yield
    FakeQuantise.mode = "float"


@pytest.fixture
def batch(network: Recogniser) -> NeckBatch:
    """Four images of noise with a label each, as the network's own trunk sees them."""
    images = torch.rand(4, 3, 48, 96, generator=torch.Generator().manual_seed(3)) * 2 - 1
    trunk, features = FrozenTrunk(network, SMALL_CHARSET).run(images)
    labels = torch.tensor([[1, 2], [3, 0], [4, 5], [6, 0]])
    return NeckBatch(trunk.float(), features.float(), labels, torch.tensor([2, 1, 2, 1]))


@torch.no_grad()
def _loss(network: Recogniser, batch: NeckBatch) -> float:
    """Return the CTC loss of a line."""
    logits = network.classifier(network.neck(batch.trunk))
    return float(ctc(logits.log_softmax(-1), batch.labels, batch.lengths).mean())


def test_the_frozen_trunk_is_the_exported_one(network: Recogniser, batch: NeckBatch) -> None:
    """Its output is what training with quantisation computes, to a step of its range."""
    images = torch.rand(4, 3, 48, 96, generator=torch.Generator().manual_seed(3)) * 2 - 1
    FakeQuantise.mode = "quantise"
    with torch.no_grad():
        trunk = network.trunk(images)
        features = network.neck(batch.trunk)
    low, high = network.trunk.blocks[-1].sum.ends
    assert batch.trunk.shape == trunk.shape == (4, 12, 384)
    assert (batch.trunk - trunk).abs().mean() < (high - low) / 255
    assert batch.features.shape == features.shape
    assert (batch.features - features).abs().mean() < 0.1


def test_it_learns_and_the_trunk_stays(
    network: Recogniser, batch: NeckBatch, tmp_path: Path
) -> None:
    """The loss falls; only the neck and the classifier change; another process goes on."""
    before = {name: value.clone() for name, value in network.state_dict().items()}
    kept = copy.deepcopy(network.classifier)
    trainer = NeckTrainer(network, SMALL_CHARSET, tmp_path, kept=kept, rate=0.05)
    first = _loss(network, batch)
    for _ in range(60):
        trainer.learn(batch, 0.0)
    assert _loss(network, batch) < 0.6 * first
    changed = {k for k, v in network.state_dict().items() if not torch.equal(v, before[k])}
    assert changed
    assert all(name.startswith(("neck", "classifier")) for name in changed)
    trainer.save(7.0)
    _, charset = load_network(tmp_path / "weights.pt")
    assert charset == list(SMALL_CHARSET)
    first_network = Recogniser(network.shape, len(charset) + 2)
    first_network.load_state_dict(before)
    again = NeckTrainer(first_network, charset, tmp_path, kept=kept, rate=0.05)
    assert (again.step, again.used_s) == (60, 7.0)
    assert torch.equal(again.network.classifier.weight, network.classifier.weight)


def test_a_lines_features_are_used_a_few_times(network: Recogniser, folder: Path) -> None:
    """Labels fit the lines; more batches than new lines."""
    sampler = LineSampler(folder, "1", weak=0.5)
    trunk = FrozenTrunk(network, SMALL_CHARSET)
    lines = NeckLines(sampler, trunk, batch_px=960, uses=3, seed=1, pool=20)
    taken = 0
    while taken < 120:
        batch = lines.take()
        count, steps, _ = batch.trunk.shape
        assert batch.labels.shape == (count, int(batch.lengths.max()))
        assert int(batch.lengths.max()) < steps
        taken += count
    assert taken / 3 <= lines.lines < taken


def test_weights_between_two_checkpoints(network: Recogniser, tmp_path: Path) -> None:
    """At the ends the checkpoints themselves; not between different charsets."""
    one = weights_of(network, network.state_dict(), SMALL_CHARSET)
    with torch.no_grad():
        network.classifier.bias += 1
    other = weights_of(network, network.state_dict(), SMALL_CHARSET)
    key = "classifier.bias"
    half = interpolate(one, other, 0.5)["weights"][key] - one["weights"][key]
    assert half.float().mean() == pytest.approx(0.5, abs=0.01)
    assert torch.equal(interpolate(one, other, 0.0)["weights"][key], one["weights"][key])
    save(interpolate(one, other, 1.0), tmp_path / "weights.pt")
    assert torch.equal(load_state(tmp_path / "weights.pt")["weights"][key], other["weights"][key])
    with pytest.raises(ValueError, match="different networks"):
        interpolate(one, {**other, "charset": "a"}, 0.5)


def test_the_command_trains_and_writes_weights(
    network: Recogniser, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its time; the log ends with the number of steps."""
    save(weights_of(network, network.state_dict(), SMALL_CHARSET), tmp_path / "begin.pt")
    monkeypatch.setattr(train_neck, "_POOL", 8)
    arguments = ["train_neck", str(folder), str(tmp_path / "run"), "--seconds", "2"]
    monkeypatch.setattr(sys, "argv", [*arguments, "--begin", str(tmp_path / "begin.pt")])
    train_neck.main()
    load_network(tmp_path / "run" / "weights.pt")
    assert "ended" in (tmp_path / "run" / "log.jsonl").read_text("utf-8").splitlines()[-1]
