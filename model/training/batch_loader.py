"""Batches of rendered lines on the device: one batch size for each width, each line once."""

import queue
import random
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from model.training import widths

_PATIENCE_S = 120
_AHEAD = 6  # batches on the device in advance


@dataclass(frozen=True)
class Batch:
    """Lines of one width: N x 48 x W x 3 bytes, N x L labels padded with 0, N lengths."""

    images: Tensor
    labels: Tensor
    lengths: Tensor  # on the CPU, as CTC takes them


class BatchLoader:
    """Loads the files that `render_worker` processes write, and deletes them."""

    def __init__(self, folder: Path, batch_px: int, device: torch.device, *, seed: int) -> None:
        self._folder, self._batch_px, self._device = folder, batch_px, device
        self._rng = random.Random(seed)
        self._ready: queue.Queue[Batch] = queue.Queue(maxsize=_AHEAD)
        self.lines, self.waited_s = 0, 0.0
        self.available = 0  # batches that the files make
        self._error: str | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop loading."""
        self._closed.set()
        self._thread.join()

    def take(self) -> Batch:
        """Return the next batch.

        Raises:
            RuntimeError: loading has failed, or nothing was rendered for two minutes.

        """
        started = time.monotonic()
        while True:
            try:
                batch = self._ready.get(timeout=1)
            except queue.Empty:
                if self._error is not None:
                    raise RuntimeError(self._error) from None
                if time.monotonic() - started > _PATIENCE_S:
                    raise RuntimeError("no lines were rendered: see render.txt") from None
                continue
            self.waited_s += time.monotonic() - started
            return batch

    def _work(self) -> None:
        try:
            with torch.no_grad():
                self._prepare()
        except Exception as error:  # noqa: BLE001  # raised again by `take`
            self._error = repr(error)

    def _prepare(self) -> None:
        cuda = self._device.type == "cuda"
        stream = torch.cuda.Stream() if cuda else None
        size = (
            max(widths.batch_lines(w, self._batch_px) * w for w in widths.WIDTHS_PX)
            * widths.HEIGHT_PX
            * 3
        )
        host = torch.empty(size, dtype=torch.uint8, pin_memory=cuda)
        while paths := self._choose():
            width = int(paths[0].name[:5])
            count = widths.batch_lines(width, self._batch_px)
            images = host[: count * widths.HEIGHT_PX * width * 3].view(
                count, widths.HEIGHT_PX, width, 3
            )
            labels, lengths = self._read(paths, images.numpy())
            if stream is None:
                batch = Batch(images.clone(), torch.from_numpy(labels), torch.from_numpy(lengths))
            else:
                with torch.cuda.stream(stream):
                    batch = Batch(
                        images.to(self._device, non_blocking=True),
                        torch.from_numpy(labels).to(self._device), torch.from_numpy(lengths),
                    )  # fmt: skip
                stream.synchronize()
                for tensor in (batch.images, batch.labels):
                    tensor.record_stream(torch.cuda.default_stream())
            self.lines += count
            self._put(batch)

    def _put(self, batch: Batch) -> None:
        """Wait until there is space for a batch, or the loader is closed."""
        while not self._closed.is_set():
            try:
                self._ready.put(batch, timeout=0.1)
            except queue.Full:
                continue
            return

    def _choose(self) -> list[Path]:
        """Return the files of a batch; a width is as likely as it has files.

        Without any when the loader is closed.
        """
        files = widths.FILES
        while not self._closed.is_set():
            by_width = defaultdict(list)
            for path in self._folder.glob("[0-9]*.lines"):
                by_width[path.name[:5]].append(path)
            ready = [paths for paths in by_width.values() if len(paths) >= files]
            self.available = sum(len(paths) // files for paths in ready)
            if ready:
                paths = self._rng.choices(ready, [len(paths) for paths in ready])[0]
                return self._rng.sample(paths, files)
            time.sleep(0.01)
        return []

    def _read(
        self, paths: list[Path], images: npt.NDArray[np.uint8]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Read files into `images`; return labels and lengths."""
        _, _, width, _ = images.shape
        count, longest = widths.file_lines(width, self._batch_px), widths.longest_label(width)
        size = count * (images[0].size + 2 * longest + 2)
        labels, lengths = [], []
        for number, path in enumerate(paths):
            if path.stat().st_size != size:
                raise ValueError(f"{path.name} has another batch size")
            with path.open("rb") as file:
                file.readinto(images[number * count : (number + 1) * count])  # type: ignore[arg-type]
                labels.append(np.frombuffer(file.read(2 * count * longest), np.int16))
                lengths.append(np.frombuffer(file.read(2 * count), np.int16))
            path.unlink()
        stacked = np.concatenate(labels).reshape(-1, longest).astype(np.int64)
        return stacked, np.concatenate(lengths).astype(np.int64)
