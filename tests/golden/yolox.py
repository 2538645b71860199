"""YOLOX: raw predictions to boxes (Ge et al. 2021, section 2; the published demo's postprocess)."""
import math

import numpy as np

from reference import Golden, best_class, cells, detection, finish, letterbox

STRIDES = [8, 16, 32]


def decode(out, size, card, transform):
    candidates = []
    for row, (stride, gx, gy) in enumerate(cells(size, STRIDES)):
        p = np.asarray(out[row], np.float64)
        cls, value = best_class(p[5:])
        score = p[4] * value
        if not (math.isfinite(p[4]) and score >= card["min_score"]):
            continue
        x, y = (p[0] + gx) * stride, (p[1] + gy) * stride
        with np.errstate(over="ignore"):
            w, h = np.exp(p[2]) * stride, np.exp(p[3]) * stride
        candidates.append(dict(box=[x - w / 2, y - h / 2, x + w / 2, y + h / 2], score=score, cls=cls, row=row))
    return [detection(c) for c in finish(candidates, transform, card)]


def raw(rng, size, classes, batch=1, busy=0.15):
    n = len(list(cells(size, STRIDES)))
    out = np.zeros((batch, n, 5 + classes), np.float32)
    out[..., :2] = rng.normal(0.5, 0.8, (batch, n, 2))
    out[..., 2:4] = rng.normal(0.6, 0.6, (batch, n, 2))
    out[..., 4] = np.where(rng.random((batch, n)) < busy, rng.uniform(0.2, 1, (batch, n)), rng.uniform(0, 0.1, (batch, n)))
    out[..., 5:] = rng.uniform(0, 1, (batch, n, classes))
    return out


def place(out, size, row, box, obj, cls, score):
    """Makes row predict `box` (centre and size in input pixels)."""
    stride, gx, gy = list(cells(size, STRIDES))[row]
    out[row, :4] = [box[0] / stride - gx, box[1] / stride - gy, math.log(box[2] / stride), math.log(box[3] / stride)]
    out[row, 4] = obj
    out[row, 5:] = 0
    out[row, 5 + cls] = score


def main():
    golden, rng = Golden("yolox"), np.random.default_rng(11)

    def case(name, out, size, transform, **card):
        card = dict(dict(family="yolox", min_score=0.3, iou=0.5), **card)
        golden.add(name, card, transform, [("output", out)], [decode(o, size, card, transform) for o in out])

    size = (64, 96)
    case("random_top_left_letterbox", raw(rng, size, 3), size, letterbox((150, 130), size, False))
    case("batch_of_two_centred_letterbox", raw(rng, size, 3, batch=2), size, letterbox((97, 211), size, True))
    case("nothing_reaches_min_score", raw(rng, size, 3, busy=0), size, letterbox((150, 130), size, False))
    case("everything_reaches_min_score", raw(rng, (64, 64), 2), (64, 64), letterbox((640, 480), (64, 64), True),
         min_score=0.0, max_detections=20)
    case("input_is_no_multiple_of_the_stride", raw(rng, (72, 40), 2), (72, 40), letterbox((720, 400), (72, 40), False))

    # Two classes on one object: suppression per class keeps both, across classes only the better.
    out = raw(rng, size, 3, busy=0)
    place(out[0], size, 20, (30, 40, 24, 30), 0.9, 0, 0.9)
    place(out[0], size, 21, (31, 41, 24, 30), 0.8, 2, 0.9)
    place(out[0], size, 40, (30, 41, 23, 31), 0.7, 0, 0.9)
    case("overlapping_classes_per_class", out, size, letterbox((128, 192), size, False))
    case("overlapping_classes_agnostic", out, size, letterbox((128, 192), size, False), class_agnostic=True)

    # Equal scores: the lower class, then the earlier row.
    out = raw(rng, size, 3, busy=0)
    for row, cls in ((50, 1), (10, 1), (30, 0), (31, 2)):
        place(out[0], size, row, (20 + row / 2, 30, 20, 20), 0.75, cls, 0.75)
    case("ties", out, size, letterbox((128, 192), size, False))
    case("ties_agnostic", out, size, letterbox((128, 192), size, False), class_agnostic=True, iou=0.1)

    # Boxes over the picture's edges, and one that lies in the padding only.
    out = raw(rng, size, 3, busy=0)
    place(out[0], size, 0, (0, 0, 40, 40), 0.9, 0, 0.9)
    place(out[0], size, 60, (60, 48, 60, 30), 0.9, 1, 0.9)
    place(out[0], size, 95, (32, 90, 20, 8), 0.9, 2, 0.9)
    case("clipped_to_the_picture", out, size, letterbox((128, 96), size, True))

    out = raw(rng, size, 3)
    for i, bad in enumerate((np.nan, np.inf, -np.inf)):
        for column in range(8):
            out[0, 8 * i + column, column] = bad
    out[0, 30, 2] = 800.0  # exp overflows
    out[0, 30, 4:] = 0.9
    out[0, 31, 5:] = np.nan
    case("what_is_not_finite_is_dropped", out, size, letterbox((150, 130), size, False), min_score=0.01)
    golden.write()


if __name__ == "__main__":
    main()
