"""Compares the service with its alternatives: `python bench/serve.py`; see bench/README.md.

All variants run at once on the same cores and are measured in alternation, one at a time, so that
other load on the machine affects them alike.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.cold import cold_starts
from bench.figures import in_turn
from bench.images import load_images
from bench.knative import launch_knative
from bench.machine import describe
from bench.peers import NEEDS, Missing, find_peers
from bench.report import show_alone, show_cold, show_peaks, show_sweep
from bench.servers import Launch, launch_ours
from bench.variants import CRNN, SMALL, Field, Variant, title_of

Json = dict[str, Any]

ALL = (
    f"ours:{CRNN}",
    f"in-process:{CRNN}",
    f"nginx-tls:{CRNN}",
    f"nginx-plain:{CRNN}",
    f"ours:{SMALL}",
    *NEEDS,
)


def main() -> int:
    """Run what the command line asks for; print the tables, keep the raw figures."""
    arguments = parse()
    images = load_images(arguments.images, arguments.take)
    raw: Json = {"machine": describe(), "images": len(images), "load": [os.getloadavg()]}
    print(
        f"{raw['machine']}\nImages: {len(images)}; load average at start {os.getloadavg()[0]:.1f}"
    )
    if arguments.cold:
        raw["cold"] = cold_starts(launches(arguments), arguments.cold, next(iter(images)))
        show_cold(raw["cold"])
    with Field(arguments.peers) as field:
        variants = [field.variant(name) for name in arguments.variants]
        for variant in variants:
            variant.ask(list(images)[:3], 1)  # loads the model, fills the caches
        raw["alone"] = alone(variants, list(images), arguments.requests)
        show_alone(raw["alone"], variants, images)
        if arguments.rounds:
            raw["load_sweep"] = sweep(variants, list(images), arguments)
            show_sweep(raw["load_sweep"], variants)
        raw["peak_mb"] = {variant.title: variant.peak_mb for variant in variants}
        show_peaks(raw["peak_mb"])
    raw["load"].append(os.getloadavg())
    print(f"\nLoad average at end {os.getloadavg()[0]:.1f}, the measuring itself included")
    if arguments.out:
        arguments.out.write_text(json.dumps(raw, ensure_ascii=False), "utf-8")
    return 0


def launches(arguments: argparse.Namespace) -> dict[str, Launch]:
    """Return what is started cold."""
    found: dict[str, Launch] = {
        f"ours, {CRNN}": lambda: launch_ours(CRNN),
        f"ours, {SMALL}": lambda: launch_ours(SMALL),
        f"ours, as on Knative, {CRNN}": lambda: launch_knative(CRNN),
    }
    for name, peer in arguments.peers.items():
        if name in arguments.variants:
            found[title_of(name, peer.note)] = peer.launch
    return found


def parse() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="serve", description=__doc__)
    parser.add_argument("--images", type=Path, help="folder with labels.jsonl")
    parser.add_argument("--take", type=int, default=8, help="images of it to use")
    parser.add_argument("--requests", type=int, default=40, help="requests alone, per variant")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of load; 0 leaves it out")
    parser.add_argument("--batch", type=int, default=16, help="requests in one round of load")
    parser.add_argument("--concurrency", default="2,4,8")
    parser.add_argument("--cold", type=int, default=5, help="cold starts; 0 leaves them out")
    parser.add_argument("--rapidocr", type=Path, help="python of a venv with rapidocr_api")
    parser.add_argument("--rapidocr-onnxruntime", type=Path, help="python of a venv with it")
    parser.add_argument("--variants", nargs="+", help=f"of {', '.join(ALL)}")
    parser.add_argument("--out", type=Path, help="file for the raw figures")
    arguments = parser.parse_args()
    try:
        arguments.peers = find_peers(arguments.rapidocr, arguments.rapidocr_onnxruntime)
    except Missing as error:
        parser.error(str(error))
    missing = NEEDS.keys() - arguments.peers.keys()
    if arguments.variants is None:
        arguments.variants = [name for name in ALL if name not in missing]
    for name in missing.intersection(arguments.variants):
        parser.error(f"{name} needs {NEEDS[name]}")
    return arguments


def alone(variants: Sequence[Variant], images: Sequence[str], requests: int) -> Json:
    """Ask one request at a time: each image goes to every variant before the next one."""
    found: Json = {variant.title: [] for variant in variants}
    for number in range(requests):
        for variant in in_turn(variants, number):
            answer = variant.ask([images[number % len(images)]], 1)
            costs = {
                "client_cpu_ms": answer["cpu_s"] * 1e3,
                "web_cpu_ms": answer["web_cpu_s"] * 1e3,
            }
            found[variant.title].append({**answer["results"][0], **costs})
    return found


def sweep(
    variants: Sequence[Variant], images: Sequence[str], arguments: argparse.Namespace
) -> Json:
    """Ask several requests at a time, in turns: images/s of every round."""
    batch = [images[number % len(images)] for number in range(arguments.batch)]
    found: Json = {variant.title: {} for variant in variants}
    for number in range(arguments.rounds):
        for concurrency in arguments.concurrency.split(","):
            for variant in in_turn(variants, number):
                answer = variant.ask(batch, int(concurrency))
                cell = found[variant.title].setdefault(concurrency, [])
                cell.append({
                    "images_s": len(batch) / answer["seconds"],
                    "client_share": answer["cpu_s"] / answer["seconds"],
                    "ms": [result["ms"] for result in answer["results"]],
                })  # fmt: skip
    return found


if __name__ == "__main__":
    sys.exit(main())
