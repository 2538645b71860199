"""YuNet: geometric mean of class and objectness, centres and logarithmic sizes, five points."""
import math

import numpy as np

from reference import Golden, cells, detection, finish, letterbox, points

STRIDES = [8, 16, 32]


def decode(cls, obj, box, kps, card, transform, size):
    candidates = []
    for row, (stride, gx, gy) in enumerate(cells(size, STRIDES)):
        a, b = float(cls[row, 0]), float(obj[row, 0])
        if not (math.isfinite(a) and math.isfinite(b)):
            continue
        score = math.sqrt(min(max(a, 0), 1) * min(max(b, 0), 1))
        if not score >= card["min_score"]:
            continue
        x, y = (float(box[row, 0]) + gx) * stride, (float(box[row, 1]) + gy) * stride
        with np.errstate(over="ignore"):
            w, h = [float(np.exp(np.float64(box[row, k]))) * stride for k in (2, 3)]
        five = [((float(kps[row, 2 * k]) + gx) * stride, (float(kps[row, 2 * k + 1]) + gy) * stride, 1) for k in range(5)]
        candidates.append(dict(box=[x - w / 2, y - h / 2, x + w / 2, y + h / 2], score=score, cls=0, row=row, points=five))
    return [detection(c, keypoints=points(transform, c["points"])) for c in finish(candidates, transform, card)]


def main():
    golden, rng = Golden("yunet"), np.random.default_rng(640)

    def case(name, size, source, batch=1, spoil=False, **card):
        card = dict(dict(family="yunet", min_score=0.6, iou=0.3), **card)
        transform = letterbox(source, size, False)
        n = len(list(cells(size, STRIDES)))
        arrays = dict(cls=rng.uniform(0, 1, (batch, n, 1)), obj=rng.uniform(0, 1, (batch, n, 1)),
                      bbox=rng.normal(0.4, 0.7, (batch, n, 4)), kps=rng.normal(0.5, 1, (batch, n, 10)))
        arrays = {k: v.astype(np.float32) for k, v in arrays.items()}
        if spoil:
            arrays["cls"][0, :3, 0] = [np.nan, np.inf, -np.inf]
            arrays["cls"][0, 3:6, 0] = arrays["obj"][0, 3:6, 0] = 0.9
            arrays["bbox"][0, 3, 0], arrays["bbox"][0, 4, 2], arrays["bbox"][0, 5, 3] = np.nan, np.inf, 800
        ends = np.cumsum([0] + [len(list(cells(size, [s]))) for s in STRIDES])
        outputs = [("%s_%d" % (k, s), arrays[k][:, ends[l]:ends[l + 1]]) for k in ("cls", "obj", "bbox", "kps")
                   for l, s in enumerate(STRIDES)]
        golden.add(name, card, transform, outputs,
                   [decode(*[arrays[k][b] for k in ("cls", "obj", "bbox", "kps")], card, transform, size)
                    for b in range(batch)])

    case("random", (64, 96), (250, 190))
    case("batch_of_two", (64, 32), (250, 190), batch=2)
    case("what_is_not_finite", (64, 32), (250, 190), spoil=True)
    case("nothing", (32, 32), (250, 190), min_score=1.0)
    golden.write()


if __name__ == "__main__":
    main()
