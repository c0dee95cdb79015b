"""The share of lines that a network recognises exactly, on batches that are not trained on."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from model.training.augment import as_input
from model.training.batch_loader import Batch
from model.training.network import Recogniser


def decode(best: npt.NDArray[np.int64]) -> list[list[int]]:
    """Return the classes of each line's best path, N x T, without blanks and repetitions."""
    return [
        [int(c) for c, before in zip(row, [0, *row[:-1]], strict=True) if c and c != before]
        for row in best
    ]


@torch.no_grad()
def exact_shares(network: Recogniser, batches: Sequence[Batch]) -> dict[str, float]:
    """Return the shares of lines that are exact without spaces (`exact`) and with (`spaced`)."""
    space = len(network.classifier.bias) - 1
    count = exact = spaced = 0
    for batch in batches:
        best = network(as_input(batch.images)).argmax(-1).cpu().numpy()
        labels, lengths = batch.labels.cpu().tolist(), batch.lengths.tolist()
        for found, label, length in zip(decode(best), labels, lengths, strict=True):
            wanted = label[:length]
            count += 1
            spaced += found == wanted
            exact += [c for c in found if c != space] == [c for c in wanted if c != space]
    return {"exact": round(exact / count, 4), "spaced": round(spaced / count, 4)}
