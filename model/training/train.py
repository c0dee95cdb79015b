"""Train the network on shards, resumably: stop it at any time, start it again, it goes on.

`python -m model.training.train TEACHER CHARSET SHARDS RUN [options]` keeps RUN/latest.pt (all that
resuming needs) and RUN/weights.pt (the averaged weights) and appends to RUN/log.jsonl. What is
trained is named by `--train`; the rest keeps the weights it began with.
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
from model.training.checkpoint import load_weights, loaded, save
from model.training.initial import initial
from model.training.losses import Losses
from model.training.network import Shape
from model.training.shards import read_charset

_AVERAGE = 0.999  # of the weights, step to step
_WARM_UP = 200  # steps
_CLIP = 5.0
_KEEP_EVERY_S = 120
_LEAST_UNIT, _BIAS_UNIT = 1e-4, 0.3


class Training:
    """One run: the network, its average, the optimiser, and where in the data it stands."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Begin, or take up what RUN/latest.pt kept."""
        charset = read_charset(options.charset)
        shape = Shape()
        if options.begin:
            shape = Shape(**loaded(options.begin)["shape"])
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
        self.units = [(p, unit) for part in self.parts for p, unit in own_units(part)]
        for parameter in self.trained:
            parameter.requires_grad_(True)
        self.optimiser = torch.optim.AdamW(self.trained, options.rate, weight_decay=options.decay)
        self.average = {k: v.clone() for k, v in self.network.state_dict().items()}
        self.step, self.lines = 0, 0
        self.shape = shape
        self._resume()

    def run(self) -> None:
        """Train until the lines of the budget have been seen."""
        kept = told = time.monotonic()
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
            for name, value in self._learn(batch.on(self.options.device)).items():
                sums[name] = sums.get(name, 0.0) + value
            count += 1
            now = time.monotonic()
            if now - told > self.options.tell_s:
                speed = (self.lines - seen_before) / (now - told)
                self._tell({name: value / count for name, value in sums.items()}, speed)
                told, seen_before, sums, count = now, self.lines, {}, 0
            if now - kept > _KEEP_EVERY_S:
                self.keep()
                kept = now
        self.keep()

    def _learn(self, batch: Batch) -> dict[str, float]:
        """Take one step; return the losses."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.options.rate * self._pace()
        found = self._losses(batch)
        weights = {name: getattr(self.options, name) for name in found}
        total = torch.stack([weights[name] * value for name, value in found.items()]).sum()
        self.optimiser.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.trained, _CLIP)
        before = [parameter.detach().clone() for parameter, _ in self.units]
        self.optimiser.step()
        with torch.no_grad():
            for (parameter, unit), old in zip(self.units, before, strict=True):
                parameter.copy_(old + (parameter - old) * unit)
        self.step += 1
        self.lines += len(batch.texts)
        keep = min(_AVERAGE, self.step / (self.step + 10))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                self.average[name].lerp_(value, 1 - keep)
        return {name: float(value.detach()) for name, value in found.items()}

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return the losses that have a weight."""
        options, found = self.options, {}
        trunk = batch.trunk if batch.images is None else self.network.trunk(batch.images)
        features = self.network.neck(trunk)
        if options.near:
            found["near"] = (trunk - batch.trunk).pow(2).mean() / batch.trunk.var()
        if options.features:
            found["features"] = self.losses.features(features, batch.features)
        if options.divergence or options.truth:
            classes = self.losses.contenders(batch.features, batch.texts)
            own = self.network.classifier
            logits = functional.linear(features, own.weight[classes], own.bias[classes])
            if options.divergence:
                found["divergence"] = self.losses.divergence(logits, batch.features, classes)
            if options.truth:
                found["truth"] = self.losses.truth(logits, batch.features, classes, batch.texts)
        return found

    def _pace(self) -> float:
        """Return the learning rate's share: a warm-up, then half a cosine."""
        done = min(1.0, self.lines / self.options.lines)
        return min(1.0, (self.step + 1) / _WARM_UP) * (
            0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done))
        )

    def _tell(self, losses: dict[str, float], speed: float) -> None:
        record = {"step": self.step, "lines": self.lines, "lines_s": round(speed, 1)}
        record |= {name: round(value, 4) for name, value in losses.items()}
        print(json.dumps(record), flush=True)
        with (self.options.run / "log.jsonl").open("a") as log:
            log.write(json.dumps(record) + "\n")

    def keep(self) -> None:
        """Write what resuming needs, and the averaged weights, whole or not at all."""
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
        state = loaded(path, self.options.device)
        self.network.load_state_dict(state["network"])
        self.average = state["average"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.lines = state["step"], state["lines"]


def own_units(part: nn.Module) -> Iterator[tuple[nn.Parameter, Tensor]]:
    """Yield a part's convolutions' parameters, each with the size of a step, channel by channel.

    The teacher's batch norms are folded into its convolutions, whose channels so differ in size by
    orders of magnitude: a step that is small for one would wreck another.
    """
    for layer in part.modules():
        if isinstance(layer, nn.Conv2d) and layer.bias is not None:
            size = layer.weight.detach().flatten(1).pow(2)
            yield layer.weight, size.mean(1).sqrt().clamp_min(_LEAST_UNIT).reshape(-1, 1, 1, 1)
            yield layer.bias, _BIAS_UNIT * size.sum(1).sqrt().clamp_min(_LEAST_UNIT)


def _copy(layer: nn.Linear) -> nn.Linear:
    """Return a layer that stays as this one is now."""
    copy = nn.Linear(layer.in_features, layer.out_features)
    copy.load_state_dict(layer.state_dict())
    return copy.requires_grad_(False)


def arguments() -> argparse.Namespace:
    """Return the command line's."""
    parser = argparse.ArgumentParser()
    for name in ("teacher", "charset", "shards", "run"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--begin", type=Path, help="weights, and so the shape, to begin with")
    parser.add_argument(
        "--train", default="neck", help="parts: trunk.middle,trunk.last,neck,classifier"
    )
    parser.add_argument("--lines", type=int, default=1_000_000, help="lines to see before it ends")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--decay", type=float, default=1e-2)
    for name in ("near", "features", "divergence", "truth"):
        parser.add_argument(f"--{name}", type=float, default=0.0, help="that loss's weight")
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
