"""Train the recogniser while the other cores render lines. It stops after a time, and can resume.

`python -m model.training.train FOLDER OUT --seconds S` takes the folder that the `prepare_...`
commands wrote. Every 45 s it writes OUT/weights.pt (averaged weights, float16, to export) and
OUT/latest.pt; the same command continues from the latter until S seconds are used in all.
OUT/float.pt has the averaged weights before quantisation, OUT/log.jsonl the losses.
"""

import argparse
import math
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import torch
from torch import Tensor

from model.training.batch_loader import Batch, BatchLoader
from model.training.checkpoint import load_network, load_state
from model.training.evaluation import exact_shares
from model.training.kernel_check import choose_kernels
from model.training.run_log import RunLog
from model.training.teacher_network import TeacherNetwork
from model.training.trainer import Schedule, Trainer

_SAVE_EVERY_S, _LOG_EVERY_S, _FIRST_BATCHES_S = 45, 10, 45
_END_S = 3  # kept for the last evaluation
_EVALUATED = 6  # batches that are never trained on


def options_of(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float, required=True, help="of all processes of the run")
    parser.add_argument("--begin", type=Path, help="first weights; default FOLDER/begin.pt")
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument(
        "--constant-rate", action="store_true", help="for a run that another one will continue"
    )
    parser.add_argument("--quantise-from", type=float, default=0.45, help="share of the time")
    parser.add_argument("--teacher-every", type=int, default=2, help="steps; 0: no teacher")
    parser.add_argument("--batch-px", type=int, default=512 * 320, help="columns of a batch")
    parser.add_argument("--workers", type=int, default=14, help="processes that render lines")
    parser.add_argument("--first-batches", type=int, default=12, help="to wait for")
    parser.add_argument("--rendered", type=Path, help="for rendered lines; default OUT/rendered")
    parser.add_argument("--device", default="cuda", help="or cpu")
    parser.add_argument("--weak", type=float, default=0.15, help="share of the weak kinds of text")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


def rendering_seed(options: argparse.Namespace) -> str:
    """Return the seed of the lines: a resumed run renders others than it has learnt from."""
    latest = options.out / "latest.pt"
    return f"{options.seed}/{load_state(latest)['step'] if latest.exists() else 0}"


def start_workers(options: argparse.Namespace, rendered: Path, stack: ExitStack) -> None:
    """Start the processes that render lines; they end with the stack."""
    rendered.mkdir(parents=True, exist_ok=True)
    for file in rendered.glob("*.lines"):
        file.unlink()
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    errors = stack.enter_context((options.out / "render.txt").open("a"))
    for number in range(options.workers):
        command = [
            sys.executable, "-m", "model.training.render_worker", options.folder, rendered,
            str(number), "--batch-px", str(options.batch_px), "--seed", rendering_seed(options),
            "--weak", str(options.weak),
        ]  # fmt: skip
        worker = subprocess.Popen(command, env=environment, stdout=errors, stderr=errors)  # noqa: S603
        stack.callback(worker.wait)
        stack.callback(worker.kill)


def load_teacher(path: Path, device: torch.device) -> TeacherNetwork:
    """Return the teacher that `prepare_weights` wrote."""
    weights = load_state(path)
    teacher = TeacherNetwork(len(weights["classifier.bias"]))
    teacher.load_state_dict({key: value.float() for key, value in weights.items()})
    teacher = teacher.to(device).eval().requires_grad_(False)
    teacher.trunk.to(memory_format=torch.channels_last)
    return teacher


def new_trainer(options: argparse.Namespace, device: torch.device) -> Trainer:
    """Return the trainer of the command line's run, new or resumed."""
    network, charset = load_network(options.begin or options.folder / "begin.pt")
    teacher = load_teacher(options.folder / "teacher.pt", device) if options.teacher_every else None
    schedule = Schedule(
        options.rate, options.constant_rate, options.quantise_from, options.teacher_every
    )
    return Trainer(
        network, charset, teacher=teacher, schedule=schedule, out=options.out, device=device
    )


class Run:
    """The loop of a run: steps, measurements, records and checkpoints until its time is used."""

    def __init__(self, trainer: Trainer, loader: BatchLoader, log: RunLog, seconds: float) -> None:
        self.trainer, self.loader, self.log = trainer, loader, log
        self._length_s = max(seconds - _END_S, 1e-3)
        self._before_s = trainer.used_s
        self._losses: list[Tensor] = []

    @property
    def used_s(self) -> float:
        """The seconds that the run has used, those of earlier processes included."""
        return self._before_s + time.monotonic() - self.log.started

    def train(self, evaluated: Sequence[Batch]) -> None:
        """Train until the time is used."""
        self._evaluate(evaluated)
        saved = logged = time.monotonic()
        while (done := self.used_s / self._length_s) < 1:
            if self.trainer.measure_if_due(done, self.loader.take):
                self.log.write(measured=self.trainer.measured, done=round(done, 3))
            self._losses.append(self.trainer.learn(self.loader.take(), done))
            now = time.monotonic()
            if now - logged > _LOG_EVERY_S:
                self._write_losses(now - logged, done)
                logged = now
            if now - saved > _SAVE_EVERY_S:
                self.trainer.save(self.used_s)
                self._evaluate(evaluated)
                saved = time.monotonic()
        self.trainer.save(self.used_s)
        self._evaluate(evaluated)
        self.log.write(ended=True, steps=self.trainer.step, lines=self.loader.lines)

    def _evaluate(self, batches: Sequence[Batch]) -> None:
        """Log how many lines the averaged weights recognise."""
        with self.trainer.averaged() as network, self.trainer.precision():
            self.log.write(step=self.trainer.step, **exact_shares(network, batches))

    def _write_losses(self, passed_s: float, done: float) -> None:
        ctc, kl, norm, weight = torch.stack(self._losses).mean(0).tolist()
        kl *= max(1, self.trainer.schedule.teacher_every)  # 0 in the other steps
        self.log.write(
            done=round(done, 3), step=self.trainer.step, lines=self.loader.lines,
            steps_s=round(len(self._losses) / passed_s, 2), available=self.loader.available,
            waited_s=round(self.loader.waited_s, 1), ctc=round(ctc, 4), kl=round(kl, 4),
            norm=round(norm, 4), weight=round(weight, 4),
        )  # fmt: skip
        self._losses = []
        if not all(map(math.isfinite, (ctc, kl, norm, weight))):
            self.log.write(error="losses are not finite: back to the average, half the rate")
            self.trainer.recover()


def run(options: argparse.Namespace) -> None:
    """Train with these options."""
    options.out.mkdir(parents=True, exist_ok=True)
    log = RunLog(options.out / "log.jsonl")
    device = torch.device(options.device)
    torch.manual_seed(options.seed)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    rendered = options.rendered or options.out / "rendered"
    with ExitStack() as stack:
        start_workers(options, rendered, stack)
        loader = BatchLoader(rendered, options.batch_px, device, seed=options.seed)
        stack.callback(loader.close)
        trainer = new_trainer(options, device)
        choose_kernels(device, log)
        evaluated = [loader.take() for _ in range(_EVALUATED)]
        while loader.available < options.first_batches:
            if time.monotonic() - log.started > _FIRST_BATCHES_S:
                break
            time.sleep(0.1)
        log.write(options={key: str(value) for key, value in vars(options).items()})
        Run(trainer, loader, log, options.seconds).train(evaluated)


def main() -> None:
    """Train as the command line says."""
    run(options_of())


if __name__ == "__main__":
    main()
