"""Quantise the exported network to int8: weights and activations of the large convolutions.

`python -m model.training.quantise IN OUT SHARDS` calibrates on training lines. Weights are int8 per
channel with one bit unused: processors without VNNI add pairs of products in 16 bits, which
saturate with all eight bits (onnxruntime, "Quantize ONNX Models", on U8S8), so that the results
would differ between machines.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from model.training.export import with_float16_weights
from model.training.lines import as_input
from model.training.shards import read_shard

# Parts of the names of nodes that stay float32. The stem's own convolutions and the last stage's
# have half of the error and take little time; the neck and the classifier take hardly any.
KEEP = ("stem.0", "last.1/reduce", "last.2/reduce", "neck", "classifier", "squeeze", "excite")
_WIDTH_PX = 320  # of the calibration lines: histograms need tensors of one shape
_LINES = 60
# Of the activations' values that are not clipped: a few outliers would coarsen all the others.
_PERCENTILE = 99.99


class _Lines(CalibrationDataReader):  # type: ignore[misc]
    """Training lines, one at a time."""

    def __init__(self, shards: Path) -> None:
        self._lines = _inputs(shards, _LINES)

    def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
        """Return the next input."""
        return next(self._lines, None)


def _inputs(shards: Path, count: int) -> Iterator[dict[str, npt.NDArray[np.float32]]]:
    count_yielded = 0
    for path in sorted(shards.glob("[0-9]*[0-9].npz")):
        for rows in read_shard(path, widest_px=_WIDTH_PX):
            for image in rows.images if rows.width_px == _WIDTH_PX else ():
                if count_yielded == count:
                    return
                count_yielded += 1
                yield {"images": as_input([image])}


def quantise_network(
    source: Path, target: Path, shards: Path, *, keep: Sequence[str] = KEEP, all_bits: bool = False
) -> None:
    """Write the int8 network; the nodes in `keep` and depthwise convolutions stay float32."""
    prepared = target.with_suffix(".prepared.onnx")
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    model = onnx.load(prepared)
    quantize_static(
        str(prepared),
        str(target),
        _Lines(shards),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        reduce_range=not all_bits,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["Conv"],
        nodes_to_exclude=[node.name for node in model.graph.node if _stays_float32(node, keep)],
        calibrate_method=CalibrationMethod.Percentile,
        extra_options={"CalibPercentile": _PERCENTILE, "WeightSymmetric": True},
    )
    prepared.unlink()
    onnx.save(with_float16_weights(onnx.load(target)), target)


def _stays_float32(node: onnx.NodeProto, keep: Sequence[str]) -> bool:
    """Return whether a node stays float32."""
    if any(part in node.name for part in keep):
        return True
    return any(each.name == "group" and each.i > 1 for each in node.attribute)


def main() -> None:
    """Quantise the network that the command line names."""
    parser = argparse.ArgumentParser()
    for name in ("source", "target", "shards"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--all-bits", action="store_true", help="to measure the error without VNNI")
    options = parser.parse_args()
    quantise_network(options.source, options.target, options.shards, all_bits=options.all_bits)
    print(f"{options.target.name}: {options.target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
