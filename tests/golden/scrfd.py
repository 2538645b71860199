"""SCRFD: distances from two anchors a cell, as InsightFace's inference code pairs them."""
import math

import numpy as np

from reference import Golden, cells, detection, finish, letterbox, points

STRIDES, ANCHORS = [8, 16, 32], 2


def decode(levels, card, transform, size):
    """levels: per stride (scores [n], boxes [n, 4], points [n, 10] or None)."""
    candidates, row = [], 0
    for stride, (scores, boxes, kps) in zip(STRIDES, levels):
        centers = [(x * stride, y * stride) for _, x, y in cells(size, [stride]) for _ in range(ANCHORS)]
        for i, (x, y) in enumerate(centers):
            if scores[i] >= card["min_score"]:
                d = np.asarray(boxes[i], np.float64) * stride
                five = None if kps is None else [
                    (x + float(kps[i, 2 * k]) * stride, y + float(kps[i, 2 * k + 1]) * stride, 1) for k in range(5)]
                candidates.append(dict(box=[x - d[0], y - d[1], x + d[2], y + d[3]], score=float(scores[i]), cls=0,
                                       row=row + i, points=five))
        row += len(centers)
    return [detection(c, **({} if c["points"] is None else dict(keypoints=points(transform, c["points"]))))
            for c in finish(candidates, transform, card)]


def main():
    golden, rng = Golden("scrfd"), np.random.default_rng(500)

    def case(name, size, source, batch=1, with_points=True, named=True, batch_axis=True, spoil=False, **card):
        card = dict(dict(family="scrfd", min_score=0.5, iou=0.4), **card)
        transform = letterbox(source, size, False)
        arrays = []
        for stride in STRIDES:
            n = len(list(cells(size, [stride]))) * ANCHORS
            scores = (rng.uniform(0, 1, (batch, n, 1)) ** 3).astype(np.float32)
            boxes = rng.uniform(0.3, 2.5, (batch, n, 4)).astype(np.float32)
            kps = rng.normal(0, 1, (batch, n, 10)).astype(np.float32) if with_points else None
            if spoil:
                scores[0, :4, 0] = [np.nan, np.inf, -np.inf, 0.97]
                boxes[0, 3, 1] = np.nan
            arrays.append((scores, boxes, kps))
        outputs = []
        for kind, label in enumerate(("score", "bbox", "kps")[:3 if with_points else 2]):
            for l, stride in enumerate(STRIDES):
                array = arrays[l][kind]
                outputs.append(("%s_%d" % (label, stride) if named else str(440 + 10 * kind + l),
                                array if batch_axis else array[0]))
        golden.add(name, card, transform, outputs,
                   [decode([(s[b, :, 0], x[b], None if k is None else k[b]) for s, x, k in arrays], card, transform, size)
                    for b in range(batch)])

    case("named_with_points", (64, 64), (300, 200))
    case("numbered_without_batch_axis", (64, 32), (100, 200), named=False, batch_axis=False)
    case("batch_of_two_without_points", (64, 32), (100, 200), batch=2, with_points=False)
    case("what_is_not_finite", (64, 32), (100, 200), spoil=True)
    case("nothing", (32, 32), (100, 200), min_score=1.0)
    golden.write()


if __name__ == "__main__":
    main()
