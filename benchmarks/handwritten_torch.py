"""Two networks as one writes them for PyTorch by hand: what generated code is timed against.

They are built the way such files usually are: a class for the block, `nn.Sequential`, activations in place.
They give logits, and begin with PyTorch's own initial weights.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn


class Bottleneck(nn.Module):
    """1×1, 3×3 and 1×1 to four times the width, and a shortcut; the stride stands in the 3×3."""

    def __init__(self, channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, kernel_size=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, kernel_size=1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels != 4 * width:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, 4 * width, kernel_size=1, stride=stride, bias=False),
                nn.BatchNorm2d(4 * width),
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, channels, H, W) → (N, 4 · width, H / stride, W / stride)."""
        out: torch.Tensor = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out += self.shortcut(x)
        return torch.relu_(out)


class ResNet50(nn.Module):
    """ResNet-50, version 1.5."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
        )
        stages = []
        channels = 64
        for width, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
            for number in range(blocks):
                stages.append(Bottleneck(channels, width, stride if number == 0 else 1))
                channels = 4 * width
        self.stages = nn.Sequential(*stages)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W) → (N, classes)."""
        x = self.pool(self.stages(self.stem(x)))
        logits: torch.Tensor = self.fc(torch.flatten(x, 1))
        return logits


def convolution(
    channels: int, filters: int, kernel: int = 1, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """A convolution, batch normalisation and ReLU6, padded as the spec and TensorFlow have it."""
    same: list[nn.Module] = [nn.ZeroPad2d((0, 1, 0, 1))] if stride == 2 else []
    padding = 0 if same else (kernel - 1) // 2
    return nn.Sequential(
        *same,
        nn.Conv2d(channels, filters, kernel, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(filters, eps=1e-3),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """A 1×1 that expands, a depthwise 3×3, a linear 1×1, and a shortcut where the sizes agree."""

    def __init__(self, channels: int, filters: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = channels * expansion
        steps = [convolution(channels, hidden)] if expansion > 1 else []
        self.body = nn.Sequential(
            *steps,
            convolution(hidden, hidden, kernel=3, stride=stride, groups=hidden),
            nn.Conv2d(hidden, filters, kernel_size=1, bias=False),
            nn.BatchNorm2d(filters, eps=1e-3),
        )
        self.residual = stride == 1 and channels == filters

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, channels, H, W) → (N, filters, H / stride, W / stride)."""
        out: torch.Tensor = self.body(x)
        return x + out if self.residual else out


class MobileNetV2(nn.Module):
    """MobileNetV2; a stride of 2 pads an even size at its end alone."""

    SETTINGS = (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    )
    """Expansion, channels, repetitions, stride of the first."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        features: list[nn.Module] = [convolution(3, 32, kernel=3, stride=2)]
        channels = 32
        for expansion, filters, blocks, stride in self.SETTINGS:
            for number in range(blocks):
                features.append(InvertedResidual(channels, filters, stride if number == 0 else 1, expansion))
                channels = filters
        features.append(convolution(channels, 1280))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Linear(1280, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W) → (N, classes)."""
        logits: torch.Tensor = self.classifier(self.features(x).mean(dim=(2, 3)))
        return logits


NETWORKS: dict[str, Callable[[], nn.Module]] = {"resnet50": ResNet50, "mobilenet_v2": MobileNetV2}
