"""Training: it learns, keeps its time, can be stopped at any time, and resumes."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from model.training import batch_loader, train
from model.training.augment import as_input
from model.training.batch_loader import Batch, BatchLoader
from model.training.checkpoint import load_network, save, weights_of
from model.training.evaluation import decode, exact_shares
from model.training.layers import FakeQuantise
from model.training.losses import ctc
from model.training.network import Recogniser
from model.training.optimiser import optimiser_of
from model.training.render_worker import LineSampler, Worker
from model.training.trainer import Schedule, Trainer
from model.training.widths import WIDTHS_PX
from tests.training.conftest import SMALL_CHARSET

pytestmark = pytest.mark.training

CPU = torch.device("cpu")
BATCH_PX = 1320
SCHEDULE = Schedule(rate=0.03, constant=True, quantise_from=0.5, teacher_every=0)


@pytest.fixture(autouse=True)
def _float_mode() -> Iterator[None]:
    """Tests after this one start without quantisation."""
    yield
    FakeQuantise.mode = "float"


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Eight lines: the same image and label twice each."""
    generator = torch.Generator().manual_seed(3)
    images = torch.randint(0, 256, (4, 48, 64, 3), generator=generator, dtype=torch.uint8)
    labels = torch.tensor([[1, 2], [3, 0], [4, 5], [6, 0]])
    lengths = torch.tensor([2, 1, 2, 1])
    return Batch(images.repeat(2, 1, 1, 1), labels.repeat(2, 1), lengths.repeat(2))


@pytest.fixture
def trainer_in(network: Recogniser) -> Callable[[Path], Trainer]:
    """Return a trainer of the same small network for a folder."""
    first = {name: value.clone() for name, value in network.state_dict().items()}

    def make(out: Path) -> Trainer:
        again = Recogniser(network.shape, len(SMALL_CHARSET) + 2)
        again.load_state_dict(first)
        return Trainer(again, SMALL_CHARSET, teacher=None, schedule=SCHEDULE, out=out, device=CPU)

    return make


@torch.no_grad()
def loss_of(trainer: Trainer, batch: Batch) -> float:
    """Return the CTC loss a character, without weights of lines."""
    logs = trainer.network(as_input(batch.images)).log_softmax(-1)
    return float((ctc(logs, batch.labels, batch.lengths) / batch.lengths).mean())


def test_a_few_steps_lower_the_loss(
    trainer_in: Callable[[Path], Trainer], batch: Batch, tmp_path: Path
) -> None:
    """In float and quantised; the averaged weights follow."""
    trainer = trainer_in(tmp_path)
    before = [value.clone() for value in trainer.average]
    first = loss_of(trainer, batch)
    for _ in range(30):
        trainer.learn(batch, 0.1)
    learnt = loss_of(trainer, batch)
    assert learnt < 0.8 * first
    assert trainer.measure_if_due(0.5, lambda: batch)
    assert FakeQuantise.mode == "quantise"
    assert not trainer.measure_if_due(0.5, lambda: batch)
    for _ in range(10):
        trainer.learn(batch, 0.6)
    assert loss_of(trainer, batch) < 0.8 * first
    assert not any(a.equal(b) for a, b in zip(before, trainer.average, strict=True))
    assert (tmp_path / "float.pt").exists()


def test_a_resumed_run_has_the_same_state(
    trainer_in: Callable[[Path], Trainer], batch: Batch, tmp_path: Path
) -> None:
    """And makes the same next step: weights, averages, moments, ranges, time. Its lines are new."""
    one = trainer_in(tmp_path)
    for _ in range(3):
        one.learn(batch, 0.2)
    one.measure_if_due(0.5, lambda: batch)
    one.learn(batch, 0.6)
    one.save(used_s=12.5)
    other = trainer_in(tmp_path)
    assert (other.step, other.measured, other.used_s) == (4, 1, 12.5)
    new, resumed = (
        train.rendering_seed(train.options_of(["folder", str(out), "--seconds", "1"]))
        for out in (tmp_path / "new", tmp_path)
    )
    assert (new, resumed) == ("1/0", "1/4")
    assert FakeQuantise.mode == "quantise"
    for trainer in (one, other):
        torch.manual_seed(9)
        trainer.learn(batch, 0.6)
    own, others = one.network.state_dict(), other.network.state_dict()
    assert all(value.equal(others[name]) for name, value in own.items())
    assert all(a.equal(b) for a, b in zip(one.average, other.average, strict=True))
    assert other.step == 5


def test_losses_that_are_not_finite_are_recovered_from(
    trainer_in: Callable[[Path], Trainer], batch: Batch, tmp_path: Path
) -> None:
    """The weights are the averaged ones again, and steps half as large."""
    trainer = trainer_in(tmp_path)
    trainer.learn(batch, 0.1)
    with torch.no_grad():
        trainer.parameters[0].fill_(float("nan"))
    trainer.recover()
    assert trainer.rate_share == 0.5
    assert all(a.equal(b) for a, b in zip(trainer.average, trainer.parameters, strict=True))


def test_steps_are_in_proportion_to_the_weights(network: Recogniser) -> None:
    """Ten times the weights, ten times the step; the trunk's are smaller than the neck's."""

    def unit(name: str) -> float:
        parameter = dict(network.named_parameters())[name]
        groups = optimiser_of(network, fused=False).param_groups
        return next(g["unit"] for g in groups if any(p is parameter for p in g["params"]))

    before = unit("neck.exit.weight")
    with torch.no_grad():
        network.neck.exit.weight.mul_(10)
    assert unit("neck.exit.weight") / before == pytest.approx(10, rel=0.3)


def test_the_schedule_follows_the_time() -> None:
    """The rate falls to a hundredth; the ranges are measured three times."""
    schedule = Schedule(rate=1.0, constant=False, quantise_from=0.4, teacher_every=2)
    assert schedule.rate_at(0) == 1
    assert schedule.rate_at(1) == pytest.approx(0.01)
    assert [schedule.measurements(done) for done in (0.39, 0.4, 0.6, 0.99)] == [0, 1, 2, 3]
    assert SCHEDULE.rate_at(1) == SCHEDULE.rate_at(0)


def test_rendered_files_become_batches(folder: Path, tmp_path: Path) -> None:
    """Each width with its batch size, each line once; labels are the texts'."""
    sampler = LineSampler(folder, "1", weak=0.5)
    worker = Worker(sampler, tmp_path, 0, BATCH_PX)
    while not any(len(list(tmp_path.glob(f"{w:05}-*"))) >= 8 for w in WIDTHS_PX):
        worker.step()
    loader = BatchLoader(tmp_path, BATCH_PX, CPU, seed=1)
    try:
        batch = loader.take()
    finally:
        loader.close()
    count, height, width, channels = batch.images.shape
    assert (height, channels) == (48, 3)
    assert batch.labels.shape[0] == batch.lengths.shape[0] == count
    for label, length in zip(batch.labels.tolist(), batch.lengths.tolist(), strict=True):
        assert 0 < length < width // 8
        assert all(0 < number < len(SMALL_CHARSET) + 2 for number in label[:length])
        assert not any(label[length:])
    assert sampler.labels("! 一") == [1, len(SMALL_CHARSET) + 1, len(SMALL_CHARSET)]


def test_a_run_without_rendered_lines_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an error, not by waiting for ever."""
    monkeypatch.setattr(batch_loader, "_PATIENCE_S", 0)
    loader = BatchLoader(tmp_path, BATCH_PX, CPU, seed=1)
    try:
        with pytest.raises(RuntimeError, match="no lines were rendered"):
            loader.take()
    finally:
        loader.close()


def test_a_file_that_cannot_be_read_ends_the_run(tmp_path: Path) -> None:
    """The loader's thread gives its error to the caller."""
    for number in range(8):
        (tmp_path / f"00064-00-{number:06}.lines").write_bytes(b"short")
    loader = BatchLoader(tmp_path, BATCH_PX, CPU, seed=1)
    try:
        with pytest.raises(RuntimeError, match="another batch size"):
            loader.take()
    finally:
        loader.close()


def test_the_evaluation_counts_exact_lines(network: Recogniser, batch: Batch) -> None:
    """On the best path, without blanks and repetitions."""
    best = torch.tensor([[0, 1, 1, 0, 1, 2], [3, 3, 0, 0, 0, 0]]).numpy()
    assert decode(best) == [[1, 1, 2], [3]]
    assert exact_shares(network, [batch])["exact"] < 1


def test_the_command_trains_saves_and_goes_on(
    folder: Path, network: Recogniser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until its time is used; the same command then has no time left."""
    save(weights_of(network, network.state_dict(), SMALL_CHARSET), folder / "begin.pt")
    monkeypatch.setattr(train, "_EVALUATED", 1)

    def run(seconds: int) -> list[dict[str, float]]:
        train.run(train.options_of([
            str(folder), str(tmp_path), "--seconds", str(seconds), "--device", "cpu",
            "--workers", "1", "--batch-px", str(BATCH_PX), "--first-batches", "0",
            "--teacher-every", "0", "--quantise-from", "0.5",
        ]))  # fmt: skip
        return [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]

    began = time.monotonic()
    ended = run(9)[-1]
    assert time.monotonic() - began < 25
    assert ended["steps"] > 0
    loaded, charset = load_network(tmp_path / "weights.pt")
    assert charset == list(SMALL_CHARSET)
    assert not loaded.classifier.bias.equal(network.classifier.bias)
    assert run(9)[-1]["steps"] <= ended["steps"] + 1
