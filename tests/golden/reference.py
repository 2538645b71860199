"""Independent reference for the head goldens: plain numpy in double precision, written from the papers and the models'
published formulas, one picture and one candidate at a time. Nothing here is shared with the C++ heads."""
import json
import math
import os

import numpy as np

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")


def letterbox(source, size, centered):
    """Scale and offset of a picture (width, height) placed in an input, aspect ratio kept."""
    scale = min(size[0] / source[0], size[1] / source[1])
    free = (size[0] - source[0] * scale, size[1] - source[1] * scale)
    offset = (free[0] / 2, free[1] / 2) if centered else (0.0, 0.0)
    return dict(scale=[scale, scale], offset=list(offset), input=list(size), source=list(source))


def stretch(source, size):
    return dict(scale=[size[0] / source[0], size[1] / source[1]], offset=[0.0, 0.0], input=list(size), source=list(source))


def to_source(transform, x, y):
    return ((x - transform["offset"][0]) / transform["scale"][0], (y - transform["offset"][1]) / transform["scale"][1])


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-np.asarray(x, np.float64)))


def softmax(x):
    e = np.exp(np.asarray(x, np.float64) - np.max(x))
    return e / e.sum()


def overlap(a, b):
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h
    return w * h / union


def clip(box, source):
    return [min(max(box[0], 0), source[0]), min(max(box[1], 0), source[1]),
            min(max(box[2], 0), source[0]), min(max(box[3], 0), source[1])]


def finish(candidates, transform, card, suppress=True):
    """candidates: dicts with box (corners, input pixels), score, cls, row and anything else. To source pixels, then greedy
    suppression, then clipping."""
    usable = []
    for c in candidates:
        x1, y1 = to_source(transform, c["box"][0], c["box"][1])
        x2, y2 = to_source(transform, c["box"][2], c["box"][3])
        box = [x1, y1, x2, y2]
        if not (np.all(np.isfinite(box)) and np.isfinite(c["score"])):
            continue
        clipped = clip(box, transform["source"])
        if clipped[2] <= clipped[0] or clipped[3] <= clipped[1]:
            continue
        usable.append(dict(c, box=box, clipped=clipped))
    usable.sort(key=lambda c: (-c["score"], c["cls"], c["row"]))
    kept = []
    for c in usable:
        if len(kept) == card.get("max_detections", 300):
            break
        rivals = [k for k in kept if card.get("class_agnostic", False) or k["cls"] == c["cls"]]
        if not suppress or all(overlap(k["box"], c["box"]) <= card["iou"] for k in rivals):
            kept.append(c)
    return kept


def detection(candidate, **parts):
    result = dict(box=[round(float(v), 5) for v in candidate["clipped"]], score=round(float(candidate["score"]), 8),
                  class_id=int(candidate["cls"]))
    result.update(parts)
    return result


def points(transform, xyv):
    """Keypoints in input pixels to the picture, cut to it."""
    placed = []
    for x, y, v in xyv:
        px, py = to_source(transform, x, y)
        placed.append([round(min(max(px, 0), transform["source"][0]), 5), round(min(max(py, 0), transform["source"][1]), 5),
                       round(float(v), 7)])
    return placed


def best_class(scores):
    """Index and value of the best score; what is not a number counts as nothing, the first of equals wins."""
    best, value = 0, -math.inf
    for i, s in enumerate(scores):
        if s > value:
            best, value = i, float(s)
    return best, value


def cells(size, strides):
    """(stride, column, row) of every cell, level after level, row by row."""
    for stride in strides:
        for y in range(math.ceil(size[1] / stride)):
            for x in range(math.ceil(size[0] / stride)):
                yield stride, x, y


def spec(name, array, dynamic=()):
    return dict(name=name, shape=[-1 if i in dynamic else n for i, n in enumerate(array.shape)])


def numbers(array):
    """float32 values as short text that reads back exactly; what is not finite as a word."""
    out = []
    for v in np.asarray(array, np.float32).ravel():
        if math.isnan(v):
            out.append("nan")
        elif math.isinf(v):
            out.append("inf" if v > 0 else "-inf")
        else:
            out.append(float(np.format_float_scientific(v, unique=True, trim="-")))
    return out


class Golden:
    """Collects the cases of one family and writes data/FAMILY.json."""

    def __init__(self, family):
        self.family, self.cases = family, []

    def add(self, name, card, transform, outputs, expected):
        """outputs: list of (name, float32 array with batch axis). expected: one result a batch entry."""
        self.cases.append(dict(
            name=name, card=card, transform=transform, expected=expected,
            outputs=[dict(name=n, shape=list(a.shape), data=numbers(a)) for n, a in outputs]))

    def write(self):
        os.makedirs(DATA, exist_ok=True)
        path = os.path.join(DATA, self.family + ".json")
        with open(path, "w") as file:
            file.write('{"family":"%s","cases":[\n' % self.family)
            file.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in self.cases))
            file.write("\n]}\n")
        print(path, os.path.getsize(path), "bytes,", len(self.cases), "cases")
