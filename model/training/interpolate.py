"""Write the weights between those of two checkpoints of one network.

`python -m model.training.interpolate FIRST SECOND SHARE OUT` takes SHARE of the way from FIRST to
SECOND. Between a network and what it became when it was trained further, for few kinds of text,
most of what it learnt is kept, and little of what it forgot.
Source: Wortsman et al., Robust fine-tuning of zero-shot models, 2022.
"""

import argparse
from pathlib import Path
from typing import Any

from model.training.checkpoint import load_state, save


def interpolate(first: dict[str, Any], second: dict[str, Any], share: float) -> dict[str, Any]:
    """Return a checkpoint of `weights_of` between two others.

    Raises:
        ValueError: the shapes or the charsets of the networks differ.

    """
    if any(first[key] != second[key] for key in ("shape", "charset")):
        raise ValueError("the checkpoints are of different networks")
    weights = {
        name: value.float().lerp(second["weights"][name].float(), share).to(value.dtype)
        for name, value in first["weights"].items()
    }
    return {**first, "weights": weights}


def main() -> None:
    """Write the checkpoint that the command line names."""
    parser = argparse.ArgumentParser()
    for name in ("first", "second"):
        parser.add_argument(name, type=Path)
    parser.add_argument("share", type=float, help="0: the first; 1: the second")
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    first, second = load_state(options.first), load_state(options.second)
    save(interpolate(first, second, options.share), options.out)


if __name__ == "__main__":
    main()
