"""SSD heads as UltraFace exports them: decoded boxes, and offsets from priors (Liu et al. 2016)."""
import math

import numpy as np

from reference import Golden, detection, finish, letterbox, stretch

STRIDES = [8, 16, 32, 64]
MIN_SIZES = [[10, 16, 24], [32, 48], [64, 96], [128, 192, 256]]


def priors(size, strides, min_sizes):
    out = []
    for stride, sizes in zip(strides, min_sizes):
        # The cells share the input evenly, also where the stride does not divide it: UltraFace's own export with
        # postprocessing shows it at stride 64 of 240 rows.
        columns, rows = math.ceil(size[0] / stride), math.ceil(size[1] / stride)
        for y in range(rows):
            for x in range(columns):
                for s in sizes:
                    out.append([(x + 0.5) / columns, (y + 0.5) / rows, s / size[0], s / size[1]])
    return np.clip(np.array(out), 0, 1)


def decode_boxes(offsets, prior, variances):
    offsets = np.asarray(offsets, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        center = prior[:, :2] + offsets[:, :2] * variances[0] * prior[:, 2:]
        extent = prior[:, 2:] * np.exp(offsets[:, 2:] * variances[1])
    return np.concatenate([center - extent / 2, center + extent / 2], axis=1)


def decode(scores, corners, size, card, transform):
    candidates, background = [], card.get("background_class", -1)
    for i in range(len(scores)):
        for c in range(scores.shape[1]):
            if c == background or not scores[i, c] >= card["min_score"]:
                continue
            box = np.asarray(corners[i], np.float64) * [size[0], size[1], size[0], size[1]]
            cls = c - 1 if 0 <= background < c else c
            candidates.append(dict(box=list(box), score=float(scores[i, c]), cls=cls, row=i))
    return [detection(c) for c in finish(candidates, transform, card)]


def main():
    golden, rng = Golden("ssd"), np.random.default_rng(4420)
    size = (80, 64)
    prior = priors(size, STRIDES, MIN_SIZES)

    def scores(batch, n, columns):
        logits = rng.normal(0, 1.6, (batch, n, columns))
        logits[..., 0] += 2
        e = np.exp(logits)
        return (e / e.sum(-1, keepdims=True)).astype(np.float32)

    def case(name, s, boxes, transform, decoded, **card):
        card = dict(dict(family="ssd", min_score=0.5, iou=0.3, background_class=0, boxes_decoded=decoded), **card)
        expected = []
        for b in range(len(s)):
            corners = boxes[b] if decoded else decode_boxes(boxes[b], prior, card.get("variances", [0.1, 0.2]))
            expected.append(decode(s[b], corners, size, card, transform))
        golden.add(name, card, transform, [("scores", s), ("boxes", boxes)], expected)

    def corners(batch, n):
        low = rng.uniform(-0.1, 0.8, (batch, n, 2))
        return np.concatenate([low, low + rng.uniform(0.05, 0.4, (batch, n, 2))], axis=2).astype(np.float32)

    n = len(prior)
    offsets = lambda batch: rng.normal(0, 1, (batch, n, 4)).astype(np.float32)
    case("decoded_boxes_stretched", scores(1, 60, 2), corners(1, 60), stretch((333, 111), size), True)
    case("decoded_boxes_three_classes", scores(1, 60, 4), corners(1, 60), letterbox((333, 111), size, True), True, min_score=0.3)
    case("decoded_boxes_agnostic", scores(1, 60, 4), corners(1, 60), stretch((333, 111), size), True, min_score=0.3, class_agnostic=True)
    case("no_background", scores(1, 40, 3), corners(1, 40), stretch((333, 111), size), True, background_class=-1)
    case("offsets_from_priors", scores(1, n, 2), offsets(1), stretch((640, 480), size), False)
    case("offsets_of_a_batch_own_variances", scores(2, n, 2), offsets(2), stretch((640, 480), size), False, variances=[0.2, 0.1])
    bad_scores, bad = scores(1, n, 2), offsets(1)
    bad_scores[0, :4, 1] = [np.nan, np.inf, -np.inf, 0.99]
    bad[0, 3, 2] = 1e6
    bad[0, 5, 0], bad[0, 6, 3] = np.nan, np.inf
    bad_scores[0, 5:7, 1] = 0.98
    case("what_is_not_finite", bad_scores, bad, stretch((640, 480), size), False)
    case("nothing", scores(1, n, 2), offsets(1), stretch((640, 480), size), False, min_score=1.0)
    golden.write()


if __name__ == "__main__":
    main()
