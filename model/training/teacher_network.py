"""The teacher, PP-OCRv6 small, as a torch module: for a GPU, on batches of any width."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.training.network import FEATURES, TRUNK
from model.training.teacher_trunk import TeacherTrunk

_HEADS, _HIDDEN = 8, 240


class AttentionBlock(nn.Module):
    """A block of the neck: attention and two linear layers, each after a layer norm."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(FEATURES, eps=1e-5)
        self.norm2 = nn.LayerNorm(FEATURES, eps=1e-5)
        self.qkv, self.out = nn.Linear(FEATURES, 3 * FEATURES), nn.Linear(FEATURES, FEATURES)
        self.up, self.down = nn.Linear(FEATURES, _HIDDEN), nn.Linear(_HIDDEN, FEATURES)

    def forward(self, features: Tensor) -> Tensor:
        """Return N x T x 120 of N x T x 120."""
        count, steps, _ = features.shape
        size = FEATURES // _HEADS
        split = self.qkv(self.norm1(features)).reshape(count, steps, 3, _HEADS, size)
        queries, keys, values = split.permute(2, 0, 3, 1, 4)
        weights = torch.softmax((queries * size**-0.5) @ keys.transpose(-1, -2), -1)
        attended = (weights @ values).transpose(1, 2).reshape(count, steps, FEATURES)
        features = features + self.out(attended)
        return features + self.down(functional.silu(self.up(self.norm2(features))))


class TeacherNetwork(nn.Module):
    """PP-OCRv6 small with the classes of our charset."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.trunk = TeacherTrunk()
        self.direct, self.entry = nn.Linear(TRUNK, FEATURES), nn.Linear(TRUNK, FEATURES)
        self.near = nn.Conv1d(FEATURES, FEATURES, 7, padding=3, groups=FEATURES)
        self.blocks = nn.Sequential(AttentionBlock(), AttentionBlock())
        self.norm = nn.LayerNorm(FEATURES, eps=1e-6)
        self.classifier = nn.Linear(FEATURES, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits, N x T x classes."""
        trunk = self.trunk(images)
        entry = functional.silu(self.entry(trunk))
        entry = entry + functional.silu(self.near(entry.transpose(1, 2)).transpose(1, 2))
        features = self.norm(self.blocks(entry)) + functional.silu(self.direct(trunk))
        return self.classifier(features)
