"""The network: plain 3x3 convolutions, a small feature pyramid, one prediction a cell at strides 8, 16 and 32.

Input RGB 0..255. Predictions are [N, 4 + classes, cells]: centre x, y, width, height in input pixels, then class scores.
"""
import torch
from torch import nn
from torch.nn import functional as F

CLASSES = ["person", "bicycle", "motorcycle", "car", "bus", "truck"]
STRIDES = (8, 16, 32)
INPUT = (640, 352)  # width, height of the exported graph


def conv(inputs, outputs, stride=1, kernel=3, act=True):
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if act else nn.Sequential(*layers)


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = conv(channels, channels)

    def forward(self, x):
        return x + self.conv(x)


WIDTHS, NARROW = (16, 32, 48, 64, 96), (16, 32, 32, 64, 96)  # NARROW for the first part of the training


class StreetDetector(nn.Module):
    def __init__(self, widths=WIDTHS, neck=(32, 48), head=(32, 64, 64)):
        super().__init__()
        c2, c4, c8, c16, c32 = widths
        self.stem = nn.Sequential(conv(3, c2, 2), conv(c2, c4, 2))
        self.stage8 = nn.Sequential(conv(c4, c8, 2), Residual(c8), Residual(c8))
        self.stage16 = nn.Sequential(conv(c8, c16, 2), Residual(c16), Residual(c16))
        self.stage32 = nn.Sequential(conv(c16, c32, 2), Residual(c32))
        n8, n16 = neck
        self.side16, self.down_to16 = conv(c16, n16, 1, 1, False), conv(c32, n16, 1, 1, False)
        self.side8, self.down_to8 = conv(c8, n8, 1, 1, False), conv(n16, n8, 1, 1, False)
        self.mix16, self.mix8 = conv(n16, n16), Residual(n8)
        self.heads = nn.ModuleList(conv(i, o) for i, o in zip((n8, n16, c32), head))
        self.outputs = nn.ModuleList(nn.Conv2d(i, 4 + len(CLASSES), 1) for i in head)
        for layer in self.outputs:
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)
            nn.init.constant_(layer.bias[4:], -4.5)

    def levels(self, x):
        c8 = self.stage8(self.stem(x))
        c16 = self.stage16(c8)
        c32 = self.stage32(c16)
        p16 = self.mix16(F.relu(self.side16(c16) + F.interpolate(self.down_to16(c32), scale_factor=2.0)))
        p8 = self.mix8(F.relu(self.side8(c8) + F.interpolate(self.down_to8(p16), scale_factor=2.0)))
        return [output(head(p)) for p, head, output in zip((p8, p16, c32), self.heads, self.outputs)]

    def forward(self, x):
        """Raw: [N, cells, 4 + classes] (offsets, log sizes, logits), with the cells' centres and strides."""
        maps = self.levels(x)
        return torch.cat([m.flatten(2) for m in maps], 2).transpose(1, 2), *cells([m.shape[2:] for m in maps])


def widen(narrow):
    """The same function with more channels: what is added is drawn at random, and nothing listens to it yet."""
    wide = StreetDetector()
    state, old = wide.state_dict(), narrow.state_dict()
    for name, value in state.items():
        before = old[name]
        if value.shape == before.shape:
            value.copy_(before)
            continue
        if value.dim() == 4:
            value[:before.shape[0], before.shape[1]:] = 0
            value[:before.shape[0], :before.shape[1]] = before
        else:
            value[:before.shape[0]] = before
    return wide


def cells(shapes):
    centres, strides = [], []
    for (rows, columns), stride in zip(shapes, STRIDES):
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        centres.append(torch.stack([x, y], 2).reshape(-1, 2).float().add(0.5) * stride)
        strides.append(torch.full((rows * columns,), float(stride)))
    return torch.cat(centres), torch.cat(strides)


def decode(raw, centres, strides):
    """Boxes x1, y1, x2, y2."""
    middle = centres + raw[..., :2] * strides[:, None]
    half = torch.exp(raw[..., 2:4].clamp(-5, 5)) * strides[:, None]
    return torch.cat([middle - half, middle + half], -1)


class Exported(nn.Module):
    """Scores and boxes as the family `yolov8` of the model cards reads them."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        width, height = INPUT
        centres, strides = cells([(height // s, width // s) for s in STRIDES])
        self.register_buffer("centres", centres.t()[None].contiguous())
        self.register_buffer("strides", strides[None, None].contiguous())

    def forward(self, images):
        raw = torch.cat([m.flatten(2) for m in self.model.levels(images)], 2)
        middle = self.centres + raw[:, :2] * self.strides
        size = torch.exp(raw[:, 2:4].clamp(-5, 5)) * (2 * self.strides)
        return torch.cat([middle, size, torch.sigmoid(raw[:, 4:])], 1)
