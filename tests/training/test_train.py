"""Training: it learns, can be stopped at any time, and resumes."""

import json
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from model.training import train
from model.training.checkpoint import load_weights
from model.training.network import Crnn
from model.training.train import Training, step_sizes

pytestmark = pytest.mark.training

Options = Callable[..., Namespace]


@pytest.fixture
def options(
    teacher_path: Path,
    charset_path: Path,
    shards: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Options:
    """Return the options of the command line: batches of 6 lines with 160 columns."""

    def make(run: str, lines: int, *more: str) -> Namespace:
        (tmp_path / run).mkdir(exist_ok=True)
        places = map(str, (teacher_path, charset_path, shards, tmp_path / run))
        given = ["--lines", str(lines), "--batch-px", "960", "--widest-px", "200"]
        monkeypatch.setattr(sys, "argv", ["train", *places, *given, *more])
        return train.arguments()

    return make


def test_a_run_that_was_stopped_goes_on(options: Options) -> None:
    """It ends at the same step as one that was not stopped, and starts with the saved average."""
    losses = ("--features", "1", "--truth", "0.1")
    Training(options("one", 24, *losses)).run()
    saved = torch.load(options("one", 24).run / "latest.pt", weights_only=True)
    assert (saved["step"], saved["lines"]) == (4, 24)

    again = Training(options("one", 48, *losses))
    assert (again.step, again.lines) == (4, 24)
    fresh = Training(options("fresh", 48, *losses))
    changed = {
        name for name, value in saved["average"].items() if not value.equal(fresh.average[name])
    }
    assert "neck.exit.weight" in changed
    assert all(again.average[name].equal(value) for name, value in saved["average"].items())
    again.run()
    fresh.run()
    assert (again.step, again.lines) == (fresh.step, fresh.lines) == (8, 48)
    assert again.optimiser.state_dict()["state"][0]["step"] == 8


def test_a_run_trains_only_the_parts_that_are_named(options: Options) -> None:
    """The neck gets nearer to the teacher's features, unless the rate is 0; the rest stays."""
    found = {}
    for rate in ("0.01", "0"):
        run = Training(
            options(f"rate{rate}", 96, "--features", "1", "--rate", rate, "--tell-s", "0")
        )
        before = {name: value.clone() for name, value in run.network.state_dict().items()}
        run.run()
        log = (run.options.run / "log.jsonl").read_text()
        records = [json.loads(line) for line in log.splitlines()]
        epochs = [
            sum(record["features"] for record in each) for each in (records[:4], records[-4:])
        ]
        found[rate] = epochs[1] / epochs[0]
        after = run.network.state_dict()
        changed = {name for name, value in before.items() if not value.equal(after[name])}
        assert changed == (
            {name for name in before if name.startswith("neck.")} if rate != "0" else set()
        )
    assert found["0.01"] < 0.97
    assert 0.97 < found["0"] < 1.03


def test_a_trunk_is_trained_on_images(options: Options) -> None:
    """Other parts of the trunk are frozen."""
    more = ("--train", "trunk.last,neck", "--near", "1", "--divergence", "1")
    run = Training(options("trunk", 6, *more))
    before = {name: value.clone() for name, value in run.network.state_dict().items()}
    run.run()
    after = run.network.state_dict()
    changed = {
        name.rsplit(".", 2)[0] for name, value in before.items() if not value.equal(after[name])
    }
    assert any(name.startswith("trunk.last") for name in changed)
    assert not any(
        name.startswith(("trunk.stem", "trunk.middle", "classifier")) for name in changed
    )


def test_a_run_begins_with_anothers_weights(options: Options, network: Crnn) -> None:
    """Those that match; the losses still use the teacher's own classifier."""
    path = options("begin", 6).run / "weights.pt"
    weights = {name: value + 1 for name, value in network.state_dict().items()}
    torch.save({"shape": {}, "weights": weights}, path)
    run = Training(options("next", 6, "--begin", str(path), "--features", "1"))
    assert run.network.classifier.bias.equal(weights["classifier.bias"])
    assert run.losses._classifier.bias.equal(network.classifier.bias)


def test_weights_of_another_form_are_left_out(network: Crnn, tmp_path: Path) -> None:
    """For example of a neck with another width: the rest is loaded."""
    other = {
        "neck.exit.bias": torch.ones(120),
        "neck.exit.weight": torch.ones(1, 2),
        "no": torch.ones(1),
    }
    torch.save({"weights": other}, tmp_path / "weights.pt")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    try:
        load_weights(network, tmp_path / "weights.pt")
        after = network.state_dict()
        changed = {name for name, value in before.items() if not value.equal(after[name])}
        assert changed == {"neck.exit.bias"}
    finally:
        network.load_state_dict(before)


def test_a_step_is_as_large_as_the_channel_allows(network: Crnn) -> None:
    """Each channel of a convolution has its own; none is 0."""
    units = dict(step_sizes(network.trunk.last))
    weight = network.trunk.last[0].reduce.weight
    assert units[weight].shape == (weight.shape[0], 1, 1, 1)
    assert all((unit > 0).all() for unit in units.values())
    assert units[weight].max() > 1.5 * units[weight].min()
