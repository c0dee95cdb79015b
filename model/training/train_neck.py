"""Train the neck and the classifier alone, on the features of the exported int8 trunk.

`python -m model.training.train_neck FOLDER OUT --begin WEIGHTS --seconds S` is for a machine
without a GPU: one process renders lines, runs the frozen trunk and trains. The losses are CTC on
the truth and the divergence from what the network was before, so that it forgets nothing. Every
two minutes it writes OUT/weights.pt (to export) and OUT/latest.pt; the same command continues
until S seconds are used in all.
"""

import argparse
import math
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.training import fake_quantise, losses
from model.training.checkpoint import load_network, load_state, save, weights_of
from model.training.frozen_trunk import FrozenTrunk
from model.training.layers import FakeQuantise
from model.training.neck_lines import NeckBatch, NeckLines
from model.training.network import Recogniser
from model.training.optimiser import optimiser_of
from model.training.render_worker import LineSampler
from model.training.run_log import RunLog

_POOL = 700  # lines that batches are chosen from
_SAVE_EVERY_S, _LOG_EVERY_S = 120, 30
_WARM_UP = 30  # steps
_AVERAGE = 0.998  # of the averaged weights, step to step
_CLIP = 3.0  # norm of the gradient
_LIKELY, _RANDOM = 400, 500  # Chinese classes of the losses: the likeliest of a batch, and any
_HANZI = range(0x3400, 0xFB00)
_KEPT = 2.0  # weight of the divergence


class NeckTrainer:
    """A network whose neck and classifier are trained, and what it was before."""

    def __init__(
        self,
        network: Recogniser,
        charset: Sequence[str],
        out: Path,
        *,
        kept: nn.Linear,
        rate: float,
    ) -> None:
        """Start a run, or continue that of OUT/latest.pt; `kept` is the classifier before."""
        self.network, self.charset, self.out, self.rate = network, charset, out, rate
        network.trunk.requires_grad_(requires_grad=False)
        with torch.no_grad():
            self._before = fake_quantise.quantise_weight(kept.weight).clone(), kept.bias.clone()
        is_always = [True, *(ord(character) not in _HANZI for character in charset), True]
        self._always = torch.tensor(is_always).nonzero().flatten()
        self._optimiser = optimiser_of(network, fused=False)
        self._trained = [each for each in network.parameters() if each.requires_grad]
        self._average = [each.detach().clone() for each in self._trained]
        self.step, self.used_s = 0, 0.0
        FakeQuantise.mode = "quantise"
        if (out / "latest.pt").exists():
            self._resume()

    def learn(self, batch: NeckBatch, done: float) -> Tensor:
        """Make a step; return the losses: CTC, divergence."""
        share = min(1.0, (self.step + 1) / _WARM_UP) * (
            0.02 + 0.49 * (1 + math.cos(math.pi * done))
        )
        for group in self._optimiser.param_groups:
            group["lr"] = self.rate * share * group["unit"]
        classes, extra, before = self._sampled(batch)
        before = functional.log_softmax(before + extra, -1)
        labels = torch.searchsorted(classes, batch.labels)
        features = self.network.features(self.network.neck(batch.trunk))
        classifier = self.network.classifier
        weight = fake_quantise.quantise_weight(classifier.weight[classes])
        logits = functional.linear(features, weight, classifier.bias[classes])
        logs = functional.log_softmax(logits + extra, -1)
        truth, _ = losses.truth(logs, labels, batch.lengths)
        divergence = losses.divergence(logs, before, losses.belief(before, labels, batch.lengths))
        (truth + _KEPT * divergence).backward()
        nn.utils.clip_grad_norm_(self._trained, _CLIP)
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        self.step += 1
        with torch.no_grad():
            torch._foreach_lerp_(
                self._average, self._trained, 1 - min(_AVERAGE, self.step / (self.step + 10))
            )
        return torch.stack([truth.detach(), divergence.detach()])

    @torch.no_grad()
    def _sampled(self, batch: NeckBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Return classes, what to add to their logits, and what the logits were before.

        The classes are all but Chinese characters, and of these the batch's own, the likeliest and
        random ones. Each random one stands for many: without that, rare classes would only be seen
        where they are right, and be read everywhere.
        """
        weight, bias = self._before
        ends = self.network.features.ends
        logits = functional.linear(fake_quantise.quantise(batch.features, *ends), weight, bias)
        likely = logits.flatten(0, 1).amax(0).topk(min(_LIKELY, len(bias))).indices
        chosen = torch.unique(torch.cat([self._always, batch.labels.flatten(), likely]))
        is_other = torch.ones(len(bias), dtype=torch.bool)
        is_other[chosen] = False
        others = is_other.nonzero().flatten()
        some = others[torch.randperm(len(others))[:_RANDOM]]
        classes, order = torch.cat([chosen, some]).sort()
        stands_for = math.log(len(others) / max(1, len(some))) if len(some) else 0.0
        extra = torch.cat([torch.zeros(len(chosen)), torch.full((len(some),), stands_for)])[order]
        return classes, extra, logits[..., classes]

    def save(self, used_s: float) -> None:
        """Write the averaged weights and what is needed to continue, after this time in all."""
        own = [p.detach().clone() for p in self._trained]
        with torch.no_grad():
            torch._foreach_copy_(self._trained, self._average)
            save(
                weights_of(self.network, self.network.state_dict(), self.charset),
                self.out / "weights.pt",
            )
            torch._foreach_copy_(self._trained, own)
        state = {
            "network": self.network.state_dict(), "average": self._average,
            "optimiser": self._optimiser.state_dict(), "step": self.step, "used_s": used_s,
        }  # fmt: skip
        save(state, self.out / "latest.pt")

    def _resume(self) -> None:
        state = load_state(self.out / "latest.pt")
        self.network.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._average, self.step, self.used_s = state["average"], state["step"], state["used_s"]


def train(trainer: NeckTrainer, lines: NeckLines, log: RunLog, seconds: float) -> None:
    """Train until the time is used."""
    before_s = trainer.used_s
    saved = logged = time.monotonic()
    found: list[Tensor] = []
    while (done := (before_s + time.monotonic() - log.started) / seconds) < 1:
        found.append(trainer.learn(lines.take(), done))
        now = time.monotonic()
        if now - logged > _LOG_EVERY_S:
            truth, divergence = torch.stack(found).mean(0).tolist()
            log.write(
                done=round(done, 3), step=trainer.step, lines=lines.lines,
                steps_s=round(len(found) / (now - logged), 2), ctc=round(truth, 4),
                kl=round(divergence, 5),
            )  # fmt: skip
            logged, found = now, []
        if now - saved > _SAVE_EVERY_S:
            trainer.save(before_s + now - log.started)
            saved = now
    trainer.save(seconds)
    log.write(ended=True, steps=trainer.step, lines=lines.lines)


def options_of(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--begin", type=Path, required=True, help="first weights")
    parser.add_argument("--keep", type=Path, help="weights to stay close to; default BEGIN's")
    parser.add_argument("--seconds", type=float, required=True, help="of all processes of the run")
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--batch-px", type=int, default=16 * 320, help="columns of a batch")
    parser.add_argument("--uses", type=int, default=3, help="steps that a line is used in")
    parser.add_argument("--weak", type=float, default=0.3, help="share of the weak kinds of text")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


def main() -> None:
    """Train as the command line says."""
    options = options_of()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    torch.set_flush_denormal(True)
    network, charset = load_network(options.begin)
    kept, _ = load_network(options.keep or options.begin)
    trunk = FrozenTrunk(kept, charset)
    trainer = NeckTrainer(network, charset, options.out, kept=kept.classifier, rate=options.rate)
    sampler = LineSampler(options.folder, f"neck/{options.seed}/{trainer.step}", weak=options.weak)
    lines = NeckLines(
        sampler, trunk, batch_px=options.batch_px, uses=options.uses,
        seed=options.seed + trainer.step, pool=_POOL,
    )  # fmt: skip
    log = RunLog(options.out / "log.jsonl")
    log.write(options={key: str(value) for key, value in vars(options).items()})
    train(trainer, lines, log, options.seconds)


if __name__ == "__main__":
    main()
