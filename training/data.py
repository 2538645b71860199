"""Frames of the simulator as raw YUV 4:2:0 (640x360) with a text of boxes, and what is done to them in training.

A line of boxes: frame, class, x1, y1, x2, y2, visibility, measured (0 or 1), seed of the camera.
"""
import itertools

import cv2
import numpy as np
import torch

from model import INPUT

FRAME = (640, 360)
BOXES_MAX = 64
CROP = (320, 256)
# YUV -> RGB is done with BT.601's factors by the library; the frames are BT.709. This puts it right.
TO_709 = np.array([[1.0, -0.027, 0.0], [0.0, 1.0, 0.0], [0.0, -0.027, 1.0]], np.float32)


def load(stem):
    frames = np.memmap(stem + ".yuv", np.uint8, "r").reshape(-1, FRAME[1] * 3 // 2, FRAME[0])
    table = np.loadtxt(stem + ".txt", dtype=np.float32, ndmin=2)
    boxes = [np.zeros((0, 6), np.float32)] * len(frames)
    starts = np.searchsorted(table[:, 0], np.arange(len(frames) + 1))
    for i in range(len(frames)):
        rows = table[starts[i]:starts[i + 1]]
        boxes[i] = np.concatenate([rows[:, 2:6], rows[:, 1:2], rows[:, 7:8]], 1)  # box, class, measured
    return frames, boxes


def to_rgb(frame):
    return cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_YUV2RGB_I420)


def disturb(image, random):
    """Another camera: colours, light, sharpness, noise, compression."""
    matrix = TO_709
    if random.random() < 0.8:
        gray = np.full((3, 3), 1 / 3, np.float32)
        saturation = random.uniform(0.3, 1.6)
        matrix = (saturation * np.eye(3, dtype=np.float32) + (1 - saturation) * gray) @ TO_709
        matrix = np.diag(random.uniform(0.85, 1.15, 3).astype(np.float32)) @ matrix
        angle = random.uniform(-0.3, 0.3)  # hue: about the gray axis
        matrix = cv2.Rodrigues(np.full(3, angle / np.sqrt(3)))[0].astype(np.float32) @ matrix
    image = cv2.transform(image, matrix)
    if random.random() < 0.8:
        values = np.arange(256, dtype=np.float32) / 255
        values = values ** np.exp(random.uniform(-0.45, 0.45))
        contrast, light = random.uniform(0.65, 1.4), random.uniform(-0.15, 0.15)
        values = (values - 0.45) * contrast + 0.45 + light
        image = cv2.LUT(image, np.clip(values * 255, 0, 255).astype(np.uint8))
    draw = random.random()
    if draw < 0.12:
        image = cv2.GaussianBlur(image, (3, 3), random.uniform(0.4, 1.2))
    elif draw < 0.2:
        soft = cv2.GaussianBlur(image, (3, 3), 1.0)
        image = cv2.addWeighted(image, 1.7, soft, -0.7, 0)
    if random.random() < 0.15:
        noise = np.empty(image.shape, np.int16)
        cv2.setRNGSeed(int(random.integers(1 << 30)))
        cv2.randn(noise, 0, random.uniform(2, 10))
        image = cv2.add(image, noise, dtype=cv2.CV_8U)
    if random.random() < 0.35:
        quality = int(random.integers(25, 90))
        image = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 1)
    return image


def place(boxes, scale, shift, size, flip):
    """Boxes in a crop; what is mostly outside is no longer asked for. Columns: x1 y1 x2 y2 class measured."""
    boxes = boxes.copy()
    boxes[:, 0:4:2] = boxes[:, 0:4:2] * scale + shift[0]
    boxes[:, 1:4:2] = boxes[:, 1:4:2] * scale + shift[1]
    if flip:
        boxes[:, [0, 2]] = size[0] - boxes[:, [2, 0]]
    before = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    boxes[:, 0:4:2] = boxes[:, 0:4:2].clip(0, size[0])
    boxes[:, 1:4:2] = boxes[:, 1:4:2].clip(0, size[1])
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    boxes[(width * height < 0.35 * before) | (height < 6) | (width < 2), 5] = 0
    return boxes[(width > 1) & (height > 1)]


def sample(frame, boxes, random, mild):
    image = to_rgb(frame)
    base = INPUT[1] / FRAME[1]
    scale = base * np.exp(random.uniform(np.log(0.9), np.log(1.15)) if mild else
                          random.uniform(np.log(0.7), np.log(1.5)))
    width, height = CROP
    free = (width - FRAME[0] * scale, height - FRAME[1] * scale)
    shift = [random.uniform(min(f, 0), max(f, 0)) for f in free]
    flip = random.random() < 0.5
    measured = boxes[boxes[:, 5] > 0]
    if len(measured) and random.random() < (0.5 if mild else 0.85):  # rare classes as often as common ones
        kinds = np.unique(measured[:, 4])
        of_kind = measured[measured[:, 4] == random.choice(kinds)]
        box = of_kind[random.integers(len(of_kind))]
        for axis, size in ((0, width), (1, height)):
            middle = (box[axis] + box[axis + 2]) / 2 * scale
            wanted = size * random.uniform(0.2, 0.8) - middle
            shift[axis] = float(np.clip(wanted, min(free[axis], 0), max(free[axis], 0)))
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32)
    image = cv2.warpAffine(image, matrix, CROP, flags=cv2.INTER_AREA if scale < 0.6 else cv2.INTER_LINEAR,
                           borderValue=(114, 114, 114))
    if flip:
        image = image[:, ::-1]
    image = np.ascontiguousarray(image)
    image = cv2.transform(image, TO_709) if mild and random.random() < 0.75 else disturb(image, random)
    return image, place(boxes, scale, shift, CROP, flip)


def pad(boxes):
    out = np.full((BOXES_MAX, 6), -1, np.float32)
    order = np.argsort(-boxes[:, 5], kind="stable")[:BOXES_MAX]
    out[:len(order)] = boxes[order]
    return out


class Batches(torch.utils.data.IterableDataset):
    """Batch `first` and on, endless, each deterministic by seed and number; from `mild` on little disturbed."""

    def __init__(self, stem, batch, seed, first, mild):
        self.stem, self.batch, self.seed, self.first, self.mild = stem, batch, seed, first, mild

    def __iter__(self):
        cv2.setNumThreads(1)
        frames, boxes = load(self.stem)
        rounds, order = -1, []
        for number in itertools.count(self.first):
            random = np.random.default_rng([self.seed, 1, number])
            images, targets = [], []
            for place in range(number * self.batch, (number + 1) * self.batch):
                if place // len(frames) != rounds:  # a new order each time round
                    rounds = place // len(frames)
                    order = np.random.default_rng([self.seed, 2, rounds]).permutation(len(frames))
                i = order[place % len(frames)]
                image, found = sample(frames[i], boxes[i], random, number >= self.mild)
                images.append(image)
                targets.append(pad(found))
            yield torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(targets))


def whole(frame, boxes):
    """As the model card has it: letterbox to the input's size."""
    scale = INPUT[1] / FRAME[1]
    shift = ((INPUT[0] - FRAME[0] * scale) / 2, 0)
    matrix = np.array([[scale, 0, shift[0]], [0, scale, 0]], np.float32)
    image = cv2.transform(to_rgb(frame), TO_709)
    image = cv2.warpAffine(image, matrix, INPUT, flags=cv2.INTER_LINEAR, borderValue=(114, 114, 114))
    placed = boxes.copy()
    placed[:, 0:4] = placed[:, 0:4] * scale + np.array([shift[0], 0, shift[0], 0], np.float32)
    return image, placed
