"""Write shards with the output of another trunk for the same lines, for example an int8 one.

`python -m model.training.reshard TRUNK SHARDS OUT` takes an ONNX trunk (export --trunk-only,
quantise). The teacher's features stay; images are left out. A neck trained on these shards learns
the output of that trunk with its rounding, without training the trunk.
"""

import argparse
from pathlib import Path

import numpy as np
import onnxruntime as ort

from model.training.lines import as_input
from model.training.shards import Rows, read_shard, save_shard

_BATCH = 8


def _trunk(
    session: ort.InferenceSession, rows: Rows
) -> np.ndarray[tuple[int, ...], np.dtype[np.float16]]:
    """Return N x T x 384 of the lines' images."""
    parts = [
        session.run(None, {"images": as_input(list(rows.images[start : start + _BATCH]))})[0]
        for start in range(0, len(rows.texts), _BATCH)
    ]
    return np.concatenate(parts).astype(np.float16)


def main() -> None:
    """Write the shards that the command line names."""
    parser = argparse.ArgumentParser()
    for name in ("trunk", "shards", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument(
        "--step", type=int, default=1, help="every nth shard, for several processes"
    )
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = 1
    session = ort.InferenceSession(str(options.trunk), settings, providers=["CPUExecutionProvider"])
    for path in sorted(options.shards.glob("[0-9]*[0-9].npz"))[options.first :: options.step]:
        target = options.out / path.name
        if target.exists():
            continue
        arrays, texts = {}, {}
        for rows in read_shard(path):
            arrays[f"{rows.width_px}/trunk"] = _trunk(session, rows)
            arrays[f"{rows.width_px}/features"] = rows.features
            texts[rows.width_px] = rows.texts
        save_shard(target, arrays, texts)
        print(target.name, flush=True)


if __name__ == "__main__":
    main()
