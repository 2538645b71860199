"""YOLOv8: both orientations, masks, keypoints, and end-to-end exports."""
import math

import numpy as np

from reference import Golden, best_class, detection, finish, letterbox, points


def mask_runs(logits, transform, box):
    """logits [rows, columns] over the whole input -> (area, run lengths) by sampling at every pixel's centre."""
    source = transform["source"]
    xs = range(max(0, math.ceil(box[0] - 0.5)), min(source[0], math.ceil(box[2] - 0.5)))
    ys = range(max(0, math.ceil(box[1] - 0.5)), min(source[1], math.ceil(box[3] - 0.5)))
    if not len(xs) or not len(ys):
        return None
    rows, columns = logits.shape

    def axis(pixel, i, n):
        at = ((pixel + 0.5) * transform["scale"][i] + transform["offset"][i]) * n / transform["input"][i] - 0.5
        return min(max(at, 0), n - 1)

    bits = []
    for y in ys:
        v = axis(y, 1, rows)
        top, fy = int(v), v - int(v)
        bottom = min(top + 1, rows - 1)
        for x in xs:
            u = axis(x, 0, columns)
            left, fx = int(u), u - int(u)
            right = min(left + 1, columns - 1)
            value = ((logits[top, left] * (1 - fx) + logits[top, right] * fx) * (1 - fy) +
                     (logits[bottom, left] * (1 - fx) + logits[bottom, right] * fx) * fy)
            bits.append(value > 0)
    runs, last, length = [], False, 0
    for bit in bits:
        if bit != last:
            runs.append(length)
            last, length = bit, 0
        length += 1
    runs.append(length)
    return dict(area=[xs[0], ys[0], xs[-1] + 1, ys[-1] + 1], runs=runs)


def decode(rows, classes, card, transform, prototypes=None, keypoints=0):
    """rows [predictions, channels] of one picture."""
    candidates = []
    for i, p in enumerate(np.asarray(rows, np.float64)):
        cls, score = best_class(p[4:4 + classes])
        if score >= card["min_score"]:
            x, y, w, h = p[:4]
            candidates.append(dict(box=[x - w / 2, y - h / 2, x + w / 2, y + h / 2], score=score, cls=cls, row=i))
    return [parts(c, rows[c["row"]][4 + classes:], transform, prototypes, keypoints)
            for c in finish(candidates, transform, card)]


def parts(candidate, extra, transform, prototypes, keypoints):
    extra, more = np.asarray(extra, np.float64), {}
    if prototypes is not None:
        m = prototypes.shape[0]
        more["mask"] = mask_runs(np.tensordot(extra[:m], prototypes.astype(np.float64), 1), transform, candidate["clipped"])
        extra = extra[m:]
    if keypoints:
        more["keypoints"] = points(transform, extra.reshape(keypoints, 3))
    return detection(candidate, **more)


def decode_end_to_end(rows, card, transform, prototypes=None):
    candidates = [dict(box=list(p[:4]), score=p[4], cls=int(round(p[5])), row=i)
                  for i, p in enumerate(np.asarray(rows, np.float64))
                  if np.isfinite(p[5]) and p[4] >= card["min_score"] and p[5] >= 0]
    return [parts(c, rows[c["row"]][6:], transform, prototypes, 0)
            for c in finish(candidates, transform, card, suppress=False)]


def smooth(rng, shape):
    """Prototypes with shapes in them: noise smoothed three times."""
    a = rng.normal(0, 2, shape)
    for _ in range(3):
        p = np.pad(a, ((0, 0), (1, 1), (1, 1)), mode="edge")
        a = (p[:, :-2, 1:-1] + p[:, 2:, 1:-1] + p[:, 1:-1, :-2] + p[:, 1:-1, 2:] + 2 * p[:, 1:-1, 1:-1]) / 6
    return a.astype(np.float32)


def main():
    golden, rng = Golden("yolov8"), np.random.default_rng(8)
    size = (96, 64)
    n = 12 * 8 + 6 * 4 + 3 * 2

    def rows(batch, classes, extra=0, count=n):
        out = np.zeros((batch, count, 4 + classes + extra), np.float32)
        out[..., 0] = rng.uniform(0, size[0], (batch, count))
        out[..., 1] = rng.uniform(0, size[1], (batch, count))
        out[..., 2:4] = rng.uniform(6, 50, (batch, count, 2))
        out[..., 4:4 + classes] = rng.uniform(0, 1, (batch, count, classes)) ** 4
        if extra:
            out[..., 4 + classes:] = rng.normal(0, 1, (batch, count, extra))
        return out

    def case(name, out, classes, transform, transposed=False, prototypes=None, keypoints=0, **card):
        card = dict(dict(family="yolov8", min_score=0.4, iou=0.5, keypoints=keypoints), **card)
        outputs = [("output0", out if transposed else np.ascontiguousarray(out.transpose(0, 2, 1)))]
        if prototypes is not None:
            outputs.append(("output1", prototypes))
        golden.add(name, card, transform, outputs,
                   [decode(o, classes, card, transform, None if prototypes is None else prototypes[b], keypoints)
                    for b, o in enumerate(out)])

    case("channels_first", rows(1, 5), 5, letterbox((320, 180), size, True))
    case("channels_first_batch_of_two", rows(2, 3), 3, letterbox((100, 333), size, True))
    case("channels_last", rows(1, 11), 11, letterbox((320, 180), size, True), transposed=True)
    case("class_agnostic", rows(1, 5), 5, letterbox((320, 180), size, True), class_agnostic=True)
    case("nothing", rows(1, 5) * 0, 5, letterbox((320, 180), size, True))
    case("at_most_three", rows(1, 5), 5, letterbox((320, 180), size, True), max_detections=3)
    bad = rows(1, 4)
    for column in range(8):
        for k, value in enumerate((np.nan, np.inf, -np.inf)):
            bad[0, 3 * column + k, column] = value
    case("what_is_not_finite", bad, 4, letterbox((320, 180), size, True), min_score=0.1)

    prototypes = smooth(rng, (4, 16, 24))[None]
    case("masks", rows(1, 2, 4, count=40), 2, letterbox((61, 50), size, True), prototypes=prototypes, min_score=0.5)
    prototypes = np.stack([smooth(rng, (3, 16, 24)), smooth(rng, (3, 16, 24))])
    case("masks_of_a_batch_downwards", rows(2, 2, 3, count=30), 2, letterbox((40, 230), size, False),
         prototypes=prototypes, min_score=0.6)
    pose = rows(1, 1, 9, count=n)
    pose[..., 5:] = rng.uniform(0, 1, (1, n, 9)) * np.tile([size[0], size[1], 1], 3)
    case("keypoints", pose, 1, letterbox((320, 180), size, True), keypoints=3)

    end = np.zeros((1, 20, 6), np.float32)
    end[0, :, :2] = rng.uniform(0, 50, (20, 2))
    end[0, :, 2:4] = end[0, :, :2] + rng.uniform(2, 30, (20, 2))
    end[0, :, 4] = np.sort(rng.uniform(0, 1, 20))[::-1]
    end[0, :, 5] = rng.integers(0, 7, 20)
    end[0, 3, 5] = np.nan
    end[0, 4, 0] = np.nan
    card, transform = dict(family="yolov8", min_score=0.25, iou=0.5), letterbox((320, 180), size, True)
    golden.add("end_to_end", card, transform, [("output0", end)], [decode_end_to_end(end[0], card, transform)])
    prototypes = smooth(rng, (4, 16, 24))[None]
    end = np.concatenate([end, rng.normal(0, 1, (1, 20, 4)).astype(np.float32)], axis=2)
    golden.add("end_to_end_masks", card, transform, [("output0", end), ("output1", prototypes)],
               [decode_end_to_end(end[0], card, transform, prototypes[0])])
    golden.write()


if __name__ == "__main__":
    main()
