"""NanoDet and NanoDet-Plus: distances as expectations over bins (Li et al. 2020, generalized focal loss)."""
import numpy as np

from reference import Golden, best_class, cells, detection, finish, letterbox, softmax

BINS = 8


def decode(scores, distances, size, strides, center, card, transform):
    candidates = []
    for row, (stride, gx, gy) in enumerate(cells(size, strides)):
        cls, score = best_class(scores[row])
        if not score >= card["min_score"]:
            continue
        x, y = center(gx, stride), center(gy, stride)
        with np.errstate(invalid="ignore"):
            left, top, right, bottom = [
                float(np.dot(softmax(distances[row, s * BINS:(s + 1) * BINS]), np.arange(BINS))) * stride for s in range(4)]
        candidates.append(dict(box=[x - left, y - top, x + right, y + bottom], score=float(score), cls=cls, row=row))
    return [detection(c) for c in finish(candidates, transform, card)]


def main():
    golden, rng = Golden("nanodet"), np.random.default_rng(320)

    def raw(size, strides, classes, batch=1):
        n = len(list(cells(size, strides)))
        scores = (rng.uniform(0, 1, (batch, n, classes)) ** 6).astype(np.float32)
        return scores, rng.normal(0, 2, (batch, n, 4 * BINS)).astype(np.float32)

    def separate(name, size, source, classes, batch=1, spoil=False, **card):
        strides = [8, 16, 32]
        card = dict(dict(family="nanodet", min_score=0.4, iou=0.5), **card)
        transform = letterbox(source, size, True)
        scores, distances = raw(size, strides, classes, batch)
        if spoil:
            scores[0, 0, 0], scores[0, 1, 0], scores[0, 2, 1] = np.nan, np.inf, -np.inf
            scores[0, 3:6, 0] = 0.9
            distances[0, 3, 5], distances[0, 4, 9], distances[0, 5, 2] = np.nan, np.inf, -np.inf
        outputs, ends = [], np.cumsum([0] + [len(list(cells(size, [s]))) for s in strides])
        for kind, array in (("cls", scores), ("dis", distances)):
            for l, s in enumerate(strides):
                outputs.append(("%s_pred_stride_%d" % (kind, s), array[:, ends[l]:ends[l + 1]]))
        golden.add(name, card, transform, outputs,
                   [decode(scores[b], distances[b], size, strides, lambda g, s: g * s + (s - 1) / 2, card, transform)
                    for b in range(batch)])

    separate("separate_outputs", (64, 64), (200, 120), 4)
    separate("separate_outputs_batch_of_two", (64, 32), (100, 120), 3, batch=2, class_agnostic=True)
    separate("separate_outputs_not_finite", (64, 32), (100, 120), 2, spoil=True)
    separate("separate_outputs_nothing", (64, 32), (100, 120), 2, min_score=1.0)

    def joined(name, size, strides, center, source, classes):
        card = dict(family="nanodet", min_score=0.4, iou=0.6, strides=strides)
        transform = letterbox(source, size, True)
        scores, distances = raw(size, strides, classes)
        golden.add(name, card, transform, [("output", np.concatenate([scores, distances], axis=2))],
                   [decode(scores[0], distances[0], size, strides, center, card, transform)])

    joined("plus_one_output", (96, 64), [8, 16, 32, 64], lambda g, s: g * s, (300, 220), 3)
    joined("one_output_three_levels", (64, 64), [8, 16, 32], lambda g, s: (g + 0.5) * s, (300, 220), 3)
    golden.write()


if __name__ == "__main__":
    main()
