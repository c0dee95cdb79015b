"""The exported int8 trunk and neck of a network, run by ONNX Runtime on one thread."""

from collections.abc import Sequence

import numpy as np
import onnxruntime as ort
import torch
from onnx import helper
from torch import Tensor

from model.training.export import export
from model.training.fake_quantise import scale_and_zero
from model.training.network import Recogniser

_TRUNK, _FEATURES = "pool/q", "features"  # tensors of the exported graph, which takes one line


class FrozenTrunk:
    """The trunk's output for images, and the features that the neck had when it was exported."""

    def __init__(self, network: Recogniser, charset: Sequence[str]) -> None:
        model = export(network, charset)
        del model.graph.output[:]
        model.graph.output.extend(
            helper.make_empty_tensor_value_info(name) for name in (_TRUNK, _FEATURES)
        )
        ends = network.trunk.blocks[-1].sum.ends
        self._scale, self._zero = map(float, scale_and_zero(*(end.double() for end in ends)))
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = ort.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def run(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return N x T x 384 and N x T x 120, float16, of N x 3 x 48 x W, -1 to 1."""
        trunks, features = [], []
        for image in images.contiguous().split(1):
            steps, own = self._session.run([_TRUNK, _FEATURES], {"images": image.numpy()})
            trunk = (steps[0, :, 0].T.astype(np.float32) - self._zero) * self._scale
            trunks.append(torch.from_numpy(trunk.astype(np.float16)))
            features.append(torch.from_numpy(own[:, 0].astype(np.float16)))
        return torch.stack(trunks), torch.stack(features)
