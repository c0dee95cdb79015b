"""Train the network on shards. A run can be stopped at any time and resumed.

`python -m model.training.train TEACHER CHARSET SHARDS RUN [options]` writes the checkpoints
RUN/latest.pt (to resume) and RUN/weights.pt (the averaged weights) and appends to RUN/log.jsonl.
`--train` names the parts that are trained; the others keep their first weights.
"""

import argparse
import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.training.batches import Batch, batches
from model.training.checkpoint import load_state, load_weights, save
from model.training.initial import initial
from model.training.losses import Losses
from model.training.network import Shape
from model.training.shards import read_charset

_AVERAGE = 0.999  # of the weights, step to step
_WARM_UP = 200  # steps
_CLIP = 5.0
_CHECKPOINT_EVERY_S = 120
_MIN_STEP_SIZE, _BIAS_STEP_SIZE = 1e-4, 0.3


class Training:
    """A run: the network, its averaged weights, the optimiser, and the position in the data."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Start a run, or resume from RUN/latest.pt."""
        charset = read_charset(options.charset)
        shape = Shape()
        if options.begin:
            shape = Shape(**load_state(options.begin)["shape"])
        torch.manual_seed(options.seed)
        self.options = options
        self.network = initial(options.teacher, charset, shape).to(options.device)
        self.network.trunk.to(memory_format=torch.channels_last)
        self.losses = Losses(_copy(self.network.classifier), charset)
        if options.begin:
            load_weights(self.network, options.begin)
        self.parts = [self.network.get_submodule(name) for name in options.train.split(",")]
        for parameter in self.network.parameters():
            parameter.requires_grad_(False)
        self.trained = [each for part in self.parts for each in part.parameters()]
        self.step_sizes = [each for part in self.parts for each in step_sizes(part)]
        for parameter in self.trained:
            parameter.requires_grad_(True)
        self.optimiser = torch.optim.AdamW(self.trained, options.rate, weight_decay=options.decay)
        self.average = {k: v.clone() for k, v in self.network.state_dict().items()}
        self.step, self.lines = 0, 0
        self.shape = shape
        self._resume()

    def run(self) -> None:
        """Train until the number of lines has been reached."""
        saved = logged = time.monotonic()
        seen_before = self.lines
        sums: dict[str, float] = {}
        count = 0
        frozen_trunk = not any(name.startswith("trunk") for name in self.options.train.split(","))
        source = batches(
            self.options.shards,
            seed=self.options.seed + self.step,
            images=not frozen_trunk,
            widest_px=self.options.widest_px,
            size_px=self.options.batch_px,
        )
        for batch in source:
            if self.lines >= self.options.lines:
                break
            for name, value in self._train_step(batch.on(self.options.device)).items():
                sums[name] = sums.get(name, 0.0) + value
            count += 1
            now = time.monotonic()
            if now - logged > self.options.tell_s:
                speed = (self.lines - seen_before) / (now - logged)
                self._log({name: value / count for name, value in sums.items()}, speed)
                logged, seen_before, sums, count = now, self.lines, {}, 0
            if now - saved > _CHECKPOINT_EVERY_S:
                self.save_checkpoint()
                saved = now
        self.save_checkpoint()

    def _train_step(self, batch: Batch) -> dict[str, float]:
        """Make one step of the optimiser; return the losses."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.options.rate * self._rate_share()
        found = self._losses(batch)
        weights = {name: getattr(self.options, name) for name in found}
        total = torch.stack([weights[name] * value for name, value in found.items()]).sum()
        self.optimiser.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.trained, _CLIP)
        before = [parameter.detach().clone() for parameter, _ in self.step_sizes]
        self.optimiser.step()
        with torch.no_grad():
            for (parameter, size), old in zip(self.step_sizes, before, strict=True):
                parameter.copy_(old + (parameter - old) * size)
        self.step += 1
        self.lines += len(batch.texts)
        decay = min(_AVERAGE, self.step / (self.step + 10))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                self.average[name].lerp_(value, 1 - decay)
        return {name: float(value.detach()) for name, value in found.items()}

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return the losses whose weight is not zero."""
        options, found = self.options, {}
        trunk = batch.trunk if batch.images is None else self.network.trunk(batch.images)
        features = self.network.neck(trunk)
        if options.near:
            found["near"] = (trunk - batch.trunk).pow(2).mean() / batch.trunk.var()
        if options.features:
            found["features"] = self.losses.features(features, batch.features)
        if options.divergence or options.truth:
            classes = self.losses.sampled_classes(batch.features, batch.texts)
            own = self.network.classifier
            logits = functional.linear(features, own.weight[classes], own.bias[classes])
            if options.divergence:
                found["divergence"] = self.losses.divergence(logits, batch.features, classes)
            if options.truth:
                found["truth"] = self.losses.truth(logits, batch.features, classes, batch.texts)
        return found

    def _rate_share(self) -> float:
        """Return the share of the learning rate: a warm-up, then half a cosine."""
        done = min(1.0, self.lines / self.options.lines)
        return min(1.0, (self.step + 1) / _WARM_UP) * (
            0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done))
        )

    def _log(self, losses: dict[str, float], speed: float) -> None:
        record = {"step": self.step, "lines": self.lines, "lines_s": round(speed, 1)}
        record |= {name: round(value, 4) for name, value in losses.items()}
        print(json.dumps(record), flush=True)
        with (self.options.run / "log.jsonl").open("a") as log:
            log.write(json.dumps(record) + "\n")

    def save_checkpoint(self) -> None:
        """Write both checkpoints, each completely or not at all."""
        state: dict[str, Any] = {
            "network": self.network.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "lines": self.lines,
        }
        save(state, self.options.run / "latest.pt")
        save(
            {"shape": asdict(self.shape), "weights": self.average}, self.options.run / "weights.pt"
        )

    def _resume(self) -> None:
        path = self.options.run / "latest.pt"
        if not path.exists():
            return
        state = load_state(path, self.options.device)
        self.network.load_state_dict(state["network"])
        self.average = state["average"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.lines = state["step"], state["lines"]


def step_sizes(part: nn.Module) -> Iterator[tuple[nn.Parameter, Tensor]]:
    """Yield the parameters of a part's convolutions, each with the step sizes of its channels.

    The teacher's batch norms are folded into its convolutions, so the weights of their channels
    differ by orders of magnitude, and one step size does not suit all.
    """
    for layer in part.modules():
        if isinstance(layer, nn.Conv2d) and layer.bias is not None:
            size = layer.weight.detach().flatten(1).pow(2)
            yield layer.weight, size.mean(1).sqrt().clamp_min(_MIN_STEP_SIZE).reshape(-1, 1, 1, 1)
            yield layer.bias, _BIAS_STEP_SIZE * size.sum(1).sqrt().clamp_min(_MIN_STEP_SIZE)


def _copy(layer: nn.Linear) -> nn.Linear:
    """Return a frozen copy of a layer."""
    copy = nn.Linear(layer.in_features, layer.out_features)
    copy.load_state_dict(layer.state_dict())
    return copy.requires_grad_(False)


def arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser()
    for name in ("teacher", "charset", "shards", "run"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--begin", type=Path, help="checkpoint with the first weights and shape")
    parser.add_argument(
        "--train", default="neck", help="parts: trunk.middle,trunk.last,neck,classifier"
    )
    parser.add_argument("--lines", type=int, default=1_000_000, help="lines to train on in all")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--decay", type=float, default=1e-2)
    for name in ("near", "features", "divergence", "truth"):
        parser.add_argument(f"--{name}", type=float, default=0.0, help="weight of this loss")
    parser.add_argument("--widest-px", type=int, default=10_000, help="wider lines are left out")
    parser.add_argument("--batch-px", type=int, default=40 * 320, help="columns of a batch's lines")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu", help="or cuda")
    parser.add_argument("--tell-s", type=float, default=30)
    return parser.parse_args()


def main() -> None:
    """Train as the command line says."""
    options = arguments()
    options.run.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    torch.set_default_device(options.device)
    torch.set_flush_denormal(True)
    Training(options).run()


if __name__ == "__main__":
    main()
