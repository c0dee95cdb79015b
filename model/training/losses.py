"""The losses: distances to the teacher's output and to the true text.

Sources: Hinton et al., Distilling the Knowledge in a Neural Network, 2015; Graves et al.,
Connectionist Temporal Classification, 2006.
"""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.vision.ctc import BLANK

_CONSIDERED_NATS = -6.0  # below the best class; the teacher considers no class with a lower logit
_RANDOM_CLASSES = 700
_READABLE_NATS = 1.5  # a line with more CTC loss per character by the teacher is unreadable


class Losses:
    """The losses, each a mean over lines, with the metric of a teacher's classifier."""

    def __init__(self, classifier: nn.Linear, charset: Sequence[str]) -> None:
        """Use the teacher's classifier, reduced to the charset."""
        self._classifier = classifier
        self._numbers = {character: number for number, character in enumerate(charset, 1)}
        self._numbers[" "] = len(charset) + 1
        weight = classifier.weight.detach()
        centred = weight - weight.mean(0)
        gram = centred.T @ centred / len(centred)
        self._metric = torch.linalg.cholesky(gram + 1e-4 * torch.eye(len(gram)))

    def features(self, found: Tensor, wanted: Tensor) -> Tensor:
        """Return the distance of features from the teacher's, in the metric of its classifier."""
        error = (found - wanted) @ self._metric
        scale = ((wanted - wanted.mean((0, 1))) @ self._metric).pow(2).mean()
        return error.pow(2).mean() / scale + functional.smooth_l1_loss(found, wanted)

    def sampled_classes(self, wanted: Tensor, texts: Sequence[str]) -> Tensor:
        """Return the classes that a batch is trained on, in ascending order; the blank is first.

        They are those that the teacher considers, those of the texts, and random ones: a fifth of
        all, because the classifier takes most of the time of a step.
        """
        with torch.no_grad():
            logits = self._classifier(wanted).flatten(0, 1)
            nearest = (logits - logits.amax(1, keepdim=True)).amax(0) > _CONSIDERED_NATS
            nearest[torch.randint(len(nearest), (_RANDOM_CLASSES,))] = True
            nearest[self._targets(texts)] = True
            nearest[BLANK] = True
        return torch.nonzero(nearest).flatten()

    def divergence(self, logits: Tensor, wanted: Tensor, classes: Tensor) -> Tensor:
        """Return the Kullback-Leibler divergence from the teacher's distributions, per step."""
        target = functional.log_softmax(self._teachers(wanted, classes), -1).flatten(0, 1)
        found = functional.log_softmax(logits, -1).flatten(0, 1)
        return functional.kl_div(found, target, reduction="batchmean", log_target=True)

    def truth(
        self, logits: Tensor, wanted: Tensor, classes: Tensor, texts: Sequence[str]
    ) -> Tensor:
        """Return the CTC loss per character of the readable lines."""
        steps = logits.shape[1]
        lengths = torch.tensor([len(text) for text in texts])
        teacher = self._ctc(self._teachers(wanted, classes), classes, texts)
        fits = torch.tensor([len(text) + _repeats(text) <= steps for text in texts])
        readable = fits & (teacher / lengths < _READABLE_NATS)
        if not readable.any():
            return logits.sum() * 0
        return (self._ctc(logits, classes, texts) / lengths)[readable].mean()

    def _teachers(self, wanted: Tensor, classes: Tensor) -> Tensor:
        """Return the teacher's logits for those classes."""
        with torch.no_grad():
            return functional.linear(
                wanted, self._classifier.weight[classes], self._classifier.bias[classes]
            )

    def _targets(self, texts: Sequence[str]) -> Tensor:
        """Return the classes of all characters in a row."""
        return torch.tensor([self._numbers[c] for text in texts for c in text])

    def _ctc(self, logits: Tensor, classes: Tensor, texts: Sequence[str]) -> Tensor:
        """Return each line's CTC loss."""
        return functional.ctc_loss(
            functional.log_softmax(logits, -1).transpose(0, 1),
            torch.searchsorted(classes, self._targets(texts)),
            torch.full((len(texts),), logits.shape[1]),
            torch.tensor([len(text) for text in texts]),
            BLANK,
            "none",
            zero_infinity=True,
        )


def _repeats(text: str) -> int:
    """Return the number of equal neighbours, which need a blank between them."""
    return sum(a == b for a, b in itertools.pairwise(text))
