"""Prepare the first weights of a run: the network for a charset, and its teacher.

`python -m model.training.prepare_weights TEACHER CHECKPOINT CHARSET FOLDER` writes `begin.pt` and
`teacher.pt`, float16. CHARSET begins with the checkpoint's charset. The classes of appended
characters begin with the teacher's weights; those of characters that it lacks with noise around the
mean of all classes, and a bias that makes them rare.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from model.training import teacher
from model.training.charset_file import read_charset
from model.training.checkpoint import load_state, save
from model.training.teacher import Floats
from model.training.teacher_network import TeacherNetwork
from model.training.teacher_trunk import convolutions

_SEED = 3
_RARE = 0.05  # quantile of the biases
_NEVER = -30.0  # bias of the characters that the teacher lacks


def rows_for(model: onnx.ModelProto, characters: Sequence[str]) -> tuple[Tensor, Tensor, Tensor]:
    """Return the teacher's rows and biases: for the blank, characters and space; which it knows.

    The rows of characters that it lacks are those of another character.
    """
    known = set(teacher.characters(model))
    mask = torch.tensor([character in known for character in characters], dtype=torch.bool)
    names = [character if character in known else "一" for character in characters]
    weight, bias = teacher.classifier_layer(model, names)
    rows = torch.from_numpy(weight.copy()).float(), torch.from_numpy(bias.copy()).float()
    return rows[0], rows[1], mask


def load_teacher(path: Path, charset: Sequence[str]) -> TeacherNetwork:
    """Return the teacher with the classes of a charset; those that it lacks never win."""
    model = onnx.load(path)
    network = TeacherNetwork(len(charset) + 2).eval()
    for target, layer in zip(convolutions(network.trunk), teacher.trunk_layers(model), strict=True):
        _put(target, *layer)
    values, layers = teacher.initializers(model), teacher.neck_layers(model)
    for name in ("direct", "entry", "near", "norm"):
        _put(getattr(network, name), *layers[name])
    for block_number, block in enumerate(network.blocks):
        for place, name in enumerate(("qkv", "out", "up", "down")):
            key = f"linear_{4 * block_number + place}"
            _put(getattr(block, name), values[f"{key}.w_0"].T, values[f"{key}.b_0"])
        for place, name in enumerate(("norm1", "norm2")):
            first = 4 * block_number + 2 * place
            _put(
                getattr(block, name),
                values[f"helper.reshape.{first}"],
                values[f"helper.reshape.{first + 1}"],
            )
    weight, bias, known = rows_for(model, charset)
    weight[1:-1][~known] = 0.0
    bias[1:-1][~known] = _NEVER
    _put(network.classifier, weight.numpy(), bias.numpy())
    return network


def _put(layer: nn.Module, weight: Floats, bias: Floats) -> None:
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight.copy()).reshape(layer.weight.shape))
        layer.bias.copy_(torch.from_numpy(bias.copy()).reshape(-1))


def extended(
    state: dict[str, Any], model: onnx.ModelProto, charset: Sequence[str]
) -> dict[str, Any]:
    """Return a checkpoint with classes for the characters that were appended to its charset.

    Raises:
        ValueError: the charset does not begin with the checkpoint's.

    """
    old = state["charset"].split("\n")
    if list(charset[: len(old)]) != old:
        raise ValueError("the charset must begin with the checkpoint's characters in their order")
    appended = charset[len(old) :]
    weights = dict(state["weights"])
    own, own_bias = (weights[f"classifier.{name}"].float() for name in ("weight", "bias"))
    rows, biases, known = rows_for(model, appended)
    rows, biases = rows[1:-1], biases[1:-1]
    torch.manual_seed(_SEED)
    noise = torch.randn(int((~known).sum()), own.shape[1])
    rows[~known] = own.mean(0) + 0.3 * own.std(0) * noise
    biases[~known] = own_bias.quantile(_RARE)
    weights["classifier.weight"] = torch.cat([own[:-1], rows, own[-1:]]).half()
    weights["classifier.bias"] = torch.cat([own_bias[:-1], biases, own_bias[-1:]]).half()
    print(f"{len(appended)} characters appended, the teacher lacks {int((~known).sum())} of them")
    return {**state, "charset": "\n".join(charset), "weights": weights}


def main() -> None:
    """Write the files that the command line names."""
    parser = argparse.ArgumentParser()
    for name in ("teacher", "checkpoint", "charset", "folder"):
        parser.add_argument(name, type=Path)
    options = parser.parse_args()
    charset = read_charset(options.charset)
    network = load_teacher(options.teacher, charset)
    halves = {key: value.half() for key, value in network.state_dict().items()}
    save(halves, options.folder / "teacher.pt")
    state = load_state(options.checkpoint)
    save(extended(state, onnx.load(options.teacher), charset), options.folder / "begin.pt")


if __name__ == "__main__":
    main()
