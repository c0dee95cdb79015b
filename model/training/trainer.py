"""One run of training: its state, its steps, its checkpoints.

The learning rate falls with the time that is used, and quantisation starts at a share of it. What
`save` writes to OUT/latest.pt is what another process needs to continue the run.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.training import losses
from model.training.augment import augmented
from model.training.batch_loader import Batch
from model.training.checkpoint import load_state, save, weights_of
from model.training.layers import FakeQuantise
from model.training.network import Recogniser
from model.training.optimiser import optimiser_of

_WARM_UP = 60  # steps
_AVERAGE = 0.998  # of the averaged weights, step to step
_CLIP = 3.0  # norm of the gradient
_MEASURED = 8  # batches for the ranges
# The ranges are measured when quantisation starts and at these shares of the time after it.
_MEASURED_AT = (0.0, 0.3, 0.65)


@dataclass(frozen=True)
class Schedule:
    """What depends on the share of the time that is used."""

    rate: float
    constant: bool  # the rate does not fall: a later run will continue with these weights
    quantise_from: float
    teacher_every: int  # steps; 0: no teacher

    def rate_at(self, done: float) -> float:
        """Return the learning rate."""
        return self.rate * (
            1.0 if self.constant else 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done))
        )

    def measurements(self, done: float) -> int:
        """Return how often the ranges must have been measured."""
        rest = 1 - self.quantise_from
        return sum(done >= self.quantise_from + share * rest for share in _MEASURED_AT)


class Trainer:
    """A network, its averaged weights, its teacher and the optimiser."""

    def __init__(
        self, network: Recogniser, charset: Sequence[str], *, teacher: nn.Module | None,
        schedule: Schedule, out: Path, device: torch.device,
    ) -> None:  # fmt: skip
        """Start a run, or continue that of OUT/latest.pt."""
        self.network, self.charset, self.teacher = network.to(device), charset, teacher
        self.network.trunk.to(memory_format=torch.channels_last)
        self.schedule, self.out, self.device = schedule, out, device
        # The step sizes are those of the first weights, also when a run continues.
        self.optimiser = optimiser_of(self.network, fused=device.type == "cuda")
        self.parameters = list(self.network.parameters())
        self.average = [parameter.detach().clone() for parameter in self.parameters]
        self.step, self.measured, self.used_s, self.rate_share = 0, 0, 0.0, 1.0
        FakeQuantise.mode = "float"
        if (out / "latest.pt").exists():
            self._resume()

    def precision(self) -> torch.autocast:
        """Return the context in which matrix products are bfloat16, on a GPU."""
        return torch.autocast("cuda", torch.bfloat16, enabled=self.device.type == "cuda")

    def learn(self, batch: Batch, done: float) -> Tensor:
        """Make a step; return the losses (CTC, teacher), the gradient's norm, the lines' weight."""
        for group in self.optimiser.param_groups:
            warm_up = min(1.0, (self.step + 1) / _WARM_UP)
            group["lr"] = self.schedule.rate_at(done) * self.rate_share * group["unit"] * warm_up
        images = augmented(batch.images)
        every = self.schedule.teacher_every
        taught = self._teach(images, batch) if every and self.step % every == 0 else None
        with self.precision():
            logits = self.network(images)
        logs = functional.log_softmax(logits.float(), -1)
        loss, weight = losses.truth(logs, batch.labels, batch.lengths)
        parts = [loss.detach(), torch.zeros_like(weight)]
        if taught is not None:
            divergence = losses.divergence(logs, *taught)
            parts[1] = divergence.detach()
            loss = loss + (0.8 - 0.5 * done) * divergence
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.parameters, _CLIP, foreach=True)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        decay = min(_AVERAGE, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.parameters, 1 - decay)
        self.step += 1
        return torch.stack([*parts, norm, weight])

    @torch.no_grad()
    def _teach(self, images: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the teacher's log probabilities and their weight for each line."""
        if self.teacher is None:
            raise ValueError("a schedule with a teacher needs one")
        with self.precision():
            logits = self.teacher(images)
        logs = functional.log_softmax(logits.float(), -1)
        return logs, losses.belief(logs, batch.labels, batch.lengths)

    def measure_if_due(self, done: float, take: Callable[[], Batch]) -> bool:
        """Start quantisation, or measure its ranges again; return whether it was time to."""
        if self.measured >= self.schedule.measurements(done):
            return False
        if self.measured == 0:
            self.save_weights("float.pt")
            self.use_average()
        self._measure(take)
        self.measured += 1
        return True

    @torch.no_grad()
    def _measure(self, take: Callable[[], Batch]) -> None:
        FakeQuantise.mode = "measure"
        self.network.reset_ranges()
        with self.precision():
            for _ in range(_MEASURED):
                self.network(augmented(take().images))
        self.network.trunk.share_ranges()
        FakeQuantise.mode = "quantise"

    @torch.no_grad()
    def use_average(self) -> None:
        """Replace the weights by their average."""
        torch._foreach_copy_(self.parameters, self.average)

    @contextmanager
    def averaged(self) -> Iterator[Recogniser]:
        """Return a context in which the network has the averaged weights."""
        own = [parameter.detach().clone() for parameter in self.parameters]
        self.use_average()
        yield self.network
        with torch.no_grad():
            torch._foreach_copy_(self.parameters, own)

    def recover(self) -> None:
        """After losses that are not finite: return to the average, with half the rate."""
        self.use_average()
        self.rate_share /= 2
        self.optimiser.state.clear()

    def averaged_weights(self) -> dict[str, Tensor]:
        """Return the averaged weights and the ranges, by name."""
        names = [name for name, _ in self.network.named_parameters()]
        return {**self.network.state_dict(), **dict(zip(names, self.average, strict=True))}

    def save_weights(self, name: str) -> None:
        """Write the averaged weights, to export or to begin another run with."""
        save(weights_of(self.network, self.averaged_weights(), self.charset), self.out / name)

    def save(self, used_s: float) -> None:
        """Write the averaged weights and what is needed to continue, after this time in all."""
        self.save_weights("weights.pt")
        state = {
            "network": self.network.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "measured": self.measured,
            "rate_share": self.rate_share,
            "used_s": used_s,
        }
        save(state, self.out / "latest.pt")

    def _resume(self) -> None:
        state = load_state(self.out / "latest.pt", str(self.device))
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.average = state["average"]
        self.step, self.measured = state["step"], state["measured"]
        self.rate_share, self.used_s = state["rate_share"], state["used_s"]
        if self.measured:
            FakeQuantise.mode = "quantise"
