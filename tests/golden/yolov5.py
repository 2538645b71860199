"""YOLOv5: decoded export and raw levels with anchors (the repository's Detect layer)."""
import math

import numpy as np

from reference import Golden, best_class, detection, finish, letterbox, sigmoid

STRIDES = [8, 16, 32]
ANCHORS = [[(10, 13), (16, 30), (33, 23)], [(30, 61), (62, 45), (59, 119)], [(116, 90), (156, 198), (373, 326)]]


def from_decoded(rows, card, transform):
    candidates = []
    for i, p in enumerate(np.asarray(rows, np.float64)):
        cls, value = best_class(p[5:])
        score = p[4] * value
        if p[4] >= card["min_score"] and score >= card["min_score"]:
            x, y, w, h = p[:4]
            candidates.append(dict(box=[x - w / 2, y - h / 2, x + w / 2, y + h / 2], score=score, cls=cls, row=i))
    return [detection(c) for c in finish(candidates, transform, card)]


def decode_levels(levels, anchors):
    """The Detect layer: sigmoid of everything, then boxes in input pixels."""
    rows = []
    for stride, level, shapes in zip(STRIDES, levels, anchors):
        for a, (aw, ah) in enumerate(shapes):
            for y in range(level.shape[1]):
                for x in range(level.shape[2]):
                    p = sigmoid(level[a, y, x])
                    rows.append(np.concatenate([[(p[0] * 2 - 0.5 + x) * stride, (p[1] * 2 - 0.5 + y) * stride,
                                                 (p[2] * 2) ** 2 * aw, (p[3] * 2) ** 2 * ah], p[4:]]))
    return np.array(rows)


def main():
    golden, rng = Golden("yolov5"), np.random.default_rng(5)
    size, source = (96, 64), (200, 300)

    def decoded(batch, n, classes):
        out = np.zeros((batch, n, 5 + classes), np.float32)
        out[..., 0] = rng.uniform(0, size[0], (batch, n))
        out[..., 1] = rng.uniform(0, size[1], (batch, n))
        out[..., 2:4] = rng.uniform(6, 40, (batch, n, 2))
        out[..., 4:] = rng.uniform(0, 1, (batch, n, 1 + classes)) ** 2
        return out

    def case(name, out, transform, **card):
        card = dict(dict(family="yolov5", min_score=0.25, iou=0.45), **card)
        golden.add(name, card, transform, [("output0", out)], [from_decoded(o, card, transform) for o in out])

    case("decoded", decoded(1, 120, 4), letterbox(source, size, True))
    case("decoded_batch_of_two", decoded(2, 60, 1), letterbox(source, size, True))
    case("decoded_nothing", decoded(1, 20, 4) * 0, letterbox(source, size, True))
    bad = decoded(1, 60, 3)
    for column in range(8):
        bad[0, 3 * column, column] = np.nan
        bad[0, 3 * column + 1, column] = np.inf
        bad[0, 3 * column + 2, column] = -np.inf
    case("decoded_what_is_not_finite", bad, letterbox(source, size, False), min_score=0.1)

    def raw(batch, classes):
        levels = []
        for stride in STRIDES:
            shape = (batch, 3, math.ceil(size[1] / stride), math.ceil(size[0] / stride), 5 + classes)
            level = rng.normal(0, 1.2, shape)
            level[..., 4] -= 1.5
            levels.append(level.astype(np.float32))
        return levels

    def raw_case(name, levels, transform, anchors=None, **card):
        card = dict(dict(family="yolov5", min_score=0.25, iou=0.45), **card)
        if anchors:
            card["anchors"] = [[v for pair in level for v in pair] for level in anchors]
        expected = [from_decoded(decode_levels([l[b] for l in levels], anchors or ANCHORS), card, transform)
                    for b in range(levels[0].shape[0])]
        golden.add(name, card, transform, [("p%d" % s, l) for s, l in zip(STRIDES, levels)], expected)

    raw_case("raw_levels", raw(1, 2), letterbox(source, size, True))
    raw_case("raw_levels_batch_of_two_own_anchors", raw(2, 1), letterbox(source, size, False),
             anchors=[[(5, 6), (8, 14), (15, 11)], [(20, 31), (30, 22), (29, 50)], [(56, 45), (70, 90), (60, 60)]])
    golden.write()


if __name__ == "__main__":
    main()
