"""What training makes small."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from model.training.losses import Losses
from model.training.network import Crnn
from model.training.shards import Rows, read_shard
from model.vision.ctc import BLANK

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def losses(network: Crnn, charset: Sequence[str]) -> Losses:
    """The losses in the teacher's measures."""
    return Losses(network.classifier, charset)


@pytest.fixture(scope="module")
def rows(shards: Path) -> Rows:
    """Lines of one width."""
    return next(iter(read_shard(shards / "00000.npz", images=False)))


@pytest.fixture(scope="module")
def wanted(rows: Rows) -> Tensor:
    """The teacher's features of them."""
    return torch.from_numpy(rows.features.astype("float32"))


def logits_of(network: Crnn, features: Tensor, classes: Tensor) -> Tensor:
    """Return the classifier's logits for some classes."""
    own = network.classifier
    return functional.linear(features, own.weight[classes], own.bias[classes]).detach()


def test_the_distance_of_features_grows_from_nought(losses: Losses, wanted: Tensor) -> None:
    """The teacher's own features are no distance away; twice the error is more."""
    error = torch.randn(wanted.shape, generator=torch.Generator().manual_seed(1)) * 0.1
    assert losses.features(wanted, wanted) == 0
    assert 0 < losses.features(wanted + error, wanted) < losses.features(wanted + 2 * error, wanted)


def test_contenders_are_in_rising_order_with_the_texts_and_the_blank(
    losses: Losses, wanted: Tensor, rows: Rows, charset: Sequence[str]
) -> None:
    """Each class once; a fraction of all."""
    torch.manual_seed(1)
    classes = losses.sampled_classes(wanted, rows.texts).tolist()
    assert classes[0] == BLANK
    assert classes == sorted(set(classes))
    number = {character: place for place, character in enumerate([*charset, " "], 1)}
    assert {number[character] for text in rows.texts for character in text} <= set(classes)
    assert len(classes) < len(charset) / 2


def test_a_rare_character_contends_only_where_a_text_has_it(
    losses: Losses, wanted: Tensor, rows: Rows, charset: Sequence[str]
) -> None:
    """The check above is not blind."""
    torch.manual_seed(1)
    classes = losses.sampled_classes(wanted, rows.texts).tolist()
    absent = next(place for place in range(1, len(charset)) if place not in classes)
    torch.manual_seed(1)
    texts = [charset[absent - 1], *rows.texts[1:]]
    assert absent in losses.sampled_classes(wanted, texts).tolist()


def test_the_divergence_from_oneself_is_nought(
    losses: Losses, network: Crnn, wanted: Tensor, rows: Rows
) -> None:
    """It grows with the distance of what was found."""
    classes = losses.sampled_classes(wanted, rows.texts)
    error = torch.randn(wanted.shape, generator=torch.Generator().manual_seed(1)) * 0.2
    zero, near, far = (
        float(losses.divergence(logits_of(network, features, classes), wanted, classes))
        for features in (wanted, wanted + error, wanted + 3 * error)
    )
    assert abs(zero) < 1e-4
    assert 10 * abs(zero) < near < far


def test_the_truth_costs_less_where_it_is_said(
    losses: Losses, network: Crnn, wanted: Tensor, rows: Rows
) -> None:
    """The teacher's own logits cost little; those of another line much."""
    classes = losses.sampled_classes(wanted, rows.texts)
    own = logits_of(network, wanted, classes)
    right = float(losses.truth(own, wanted, classes, rows.texts))
    assert 0 <= right < 0.5
    assert float(losses.truth(own.roll(1, 0), wanted, classes, rows.texts)) > right + 1


def test_an_unreadable_line_does_not_count(
    losses: Losses, network: Crnn, wanted: Tensor, rows: Rows
) -> None:
    """Neither one that the teacher cannot read nor one that has too little room."""
    classes = losses.sampled_classes(wanted, rows.texts)
    logits = logits_of(network, wanted + 0.1, classes)
    costs = [
        float(losses.truth(logits[i : i + 1], wanted[i : i + 1], classes, rows.texts[i : i + 1]))
        for i in range(4)
    ]
    readable = next(place for place, cost in enumerate(costs) if cost > 0)
    one, text = slice(readable, readable + 1), rows.texts[readable]
    alone = losses.truth(logits[one], wanted[one], classes, [text])
    pair = [readable, (readable + 1) % 4]
    for unreadable in (rows.texts[8] + rows.texts[9], text * 20):
        assert losses.truth(logits[pair], wanted[pair], classes, [text, unreadable]) == alone
    assert losses.truth(logits[one], wanted[one], classes, [text * 20]) == 0
