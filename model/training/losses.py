"""The losses of a batch: CTC on the true texts, and the divergence from the teacher."""

import torch
from torch import Tensor
from torch.nn import functional

_TRUSTED = 2.5  # nats a character; a less likely text is perhaps illegible
_BELIEF = -0.5  # exponent of the teacher's own loss: how much a line's output of it counts


def ctc(log_probabilities: Tensor, labels: Tensor, lengths: Tensor) -> Tensor:
    """Return the CTC loss of each line, for N x T x classes and N x L labels."""
    count, steps, _ = log_probabilities.shape
    return functional.ctc_loss(
        log_probabilities.transpose(0, 1), labels, torch.full((count,), steps), lengths,
        blank=0, reduction="none", zero_infinity=True,
    )  # fmt: skip


def truth(log_probabilities: Tensor, labels: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Return the CTC loss a character and the mean weight of lines; unlikely lines weigh less."""
    each = ctc(log_probabilities, labels, lengths) / lengths.to(log_probabilities.device)
    weights = (_TRUSTED / each.detach().clamp_min(1e-3)).clamp(max=1.0).square()
    return (each * weights).mean(), weights.mean()


def belief(log_probabilities: Tensor, labels: Tensor, lengths: Tensor) -> Tensor:
    """Return the weight of the teacher's output for each line, from the true text's likelihood."""
    return torch.exp(_BELIEF * ctc(log_probabilities, labels, lengths))


def divergence(log_probabilities: Tensor, teacher: Tensor, beliefs: Tensor) -> Tensor:
    """Return the Kullback-Leibler divergence from the teacher, the mean of weighted lines."""
    apart = (teacher.exp() * (teacher - log_probabilities)).sum((1, 2)) / teacher.shape[1]
    return (apart * beliefs).mean()
