"""Shards: files of lines with the features of a trunk."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest

from model.training import reshard
from model.training import shards as shards_module
from model.training.batches import batches
from model.training.export import export
from model.training.lines import RenderedLine, as_input
from model.training.network import Crnn
from model.training.shards import read_shard
from model.training.teacher import Teacher

pytestmark = pytest.mark.training


def test_a_shard_reads_back(shards: Path, lines: Sequence[RenderedLine], teacher: Teacher) -> None:
    """The same images and texts, and the teacher's features of them."""
    assert [path.name for path in shards.iterdir()] == ["00000.npz"]
    found = {rows.width_px: rows for rows in read_shard(shards / "00000.npz")}
    assert set(found) == {line.image.shape[1] for line in lines}
    for width, rows in found.items():
        wanted = [line for line in lines if line.image.shape[1] == width]
        assert rows.texts == [line.text for line in wanted]
        assert np.array_equal(rows.images, np.stack([line.image for line in wanted]))
        trunk, features = teacher.run(as_input([line.image for line in wanted[:8]]))
        assert rows.trunk.shape == (len(wanted), width // 8, 384)
        assert rows.features.shape == (len(wanted), width // 8, 120)
        assert np.allclose(rows.trunk[:8], trunk, rtol=2e-3, atol=1e-3)
        assert np.allclose(rows.features[:8], features, rtol=2e-3, atol=1e-3)
        assert not np.allclose(rows.features[:8], features[::-1], atol=0.1)


def test_images_and_wide_lines_may_stay_on_disk(shards: Path) -> None:
    """Neither images nor wide lines, if a run does not need them."""
    (rows,) = read_shard(shards / "00000.npz", images=False, widest_px=200)
    assert rows.width_px == 160
    assert rows.images.size == 0
    assert len(rows.trunk) == len(rows.texts)


def test_writing_shards_is_resumed(
    teacher_path: Path,
    charset_path: Path,
    listing: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An existing shard stays; the same number gives the same shard."""
    monkeypatch.setattr(shards_module, "LINES_PER_SHARD", 3)
    command = ["shards", *map(str, (teacher_path, charset_path, listing, tmp_path)), "--last"]
    monkeypatch.setattr(sys, "argv", [*command, "1"])
    shards_module.main()
    first = (tmp_path / "00000.npz").read_bytes()
    monkeypatch.setattr(sys, "argv", [*command, "2"])
    shards_module.main()
    assert capsys.readouterr().out.split() == ["00000.npz", "00001.npz"]
    assert (tmp_path / "00000.npz").read_bytes() == first
    texts = [
        [text for rows in read_shard(tmp_path / f"0000{number}.npz") for text in rows.texts]
        for number in (0, 1)
    ]
    assert [len(each) for each in texts] == [3, 3]
    assert texts[0] != texts[1]


def test_a_shard_is_written_again_with_another_trunk(
    shards: Path,
    network: Crnn,
    charset: Sequence[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the teacher's trunk, exported, it has the same features; images are left out."""
    trunk = tmp_path / "trunk.onnx"
    onnx.save(export(network, charset, trunk_only=True), trunk)
    out = tmp_path / "again"
    monkeypatch.setattr(sys, "argv", ["reshard", str(trunk), str(shards), str(out)])
    reshard.main()
    for old, new in zip(
        read_shard(shards / "00000.npz"), read_shard(out / "00000.npz", images=False), strict=True
    ):
        assert new.texts == old.texts
        assert np.array_equal(new.features, old.features)
        assert np.allclose(new.trunk, old.trunk, atol=1e-2)
        assert not np.array_equal(new.trunk[0], new.trunk[1])


def test_batches_are_of_one_width_and_bounded(shards: Path) -> None:
    """Every line comes once an epoch, with its features, in the order of the seed."""

    def epoch(seed: int) -> list[str]:
        texts: list[str] = []
        for batch in batches(shards, seed=seed, images=True, widest_px=10_000, size_px=1600):
            assert batch.images is not None
            count, _, _, width = batch.images.shape
            assert len(batch.texts) == len(batch.features) == len(batch.trunk) == count
            assert count * width <= 1600
            texts += batch.texts
            if len(texts) == 48:
                return texts
        raise AssertionError

    every = [text for rows in read_shard(shards / "00000.npz") for text in rows.texts]
    assert sorted(epoch(1)) == sorted(every)
    assert epoch(1) == epoch(1)
    assert epoch(1) != epoch(2)
