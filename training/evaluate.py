"""AP50 by class of a checkpoint on whole frames, unmeasured objects aside (sightline eval has the last word).

    python3 evaluate.py model.pt DATA_STEM
"""
import sys

import cv2
import numpy as np
import torch

from data import load, whole
from model import CLASSES, Exported, StreetDetector


def detect(predictions, least=0.02, iou=0.5):
    out = []
    for p in predictions:
        scores, kinds = p[4:].max(0)
        keep = scores > least
        x, y, w, h = p[:4, keep]
        scores, kinds = scores[keep].numpy(), kinds[keep].numpy()
        boxes = torch.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], 1).numpy()
        kept = []
        for k in range(len(CLASSES)):
            of = np.flatnonzero(kinds == k)
            of = of[np.argsort(-scores[of])][:300]
            while len(of):
                kept.append(of[0])
                of = of[1:][ious(boxes[of[0]], boxes[of[1:]]) < iou]
        out.append((boxes[kept], scores[kept], kinds[kept]))
    return out


def ious(a, b):
    wide = (np.minimum(a[2], b[:, 2]) - np.maximum(a[0], b[:, 0])).clip(0)
    high = (np.minimum(a[3], b[:, 3]) - np.maximum(a[1], b[:, 1])).clip(0)
    inner = wide * high
    return inner / ((a[2] - a[0]) * (a[3] - a[1]) + (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1]) - inner + 1e-9)


def average_precision(found, truth, kind):
    rows, total = [], 0
    for (boxes, scores, kinds), wanted in zip(found, truth):
        wanted = wanted[wanted[:, 4] == kind]
        total += int((wanted[:, 5] > 0).sum())
        used = np.zeros(len(wanted), bool)
        of = np.flatnonzero(kinds == kind)
        for i in of[np.argsort(-scores[of])]:
            value = ious(boxes[i], wanted[:, :4]) if len(wanted) else np.zeros(0)
            fits = np.flatnonzero((value >= 0.5) & ~used & (wanted[:, 5] > 0))
            if len(fits):
                used[fits[value[fits].argmax()]] = True
                rows.append((scores[i], 1))
            elif not ((value >= 0.5) & (wanted[:, 5] == 0)).any():
                rows.append((scores[i], 0))
    if not total or not rows:
        return 0.0, total
    rows.sort(key=lambda r: -r[0])
    hits = np.cumsum([r[1] for r in rows])
    recall, precision = hits / total, hits / np.arange(1, len(rows) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.mean([precision[np.searchsorted(recall, r)] if r <= recall[-1] else 0
                          for r in np.linspace(0, 1, 101)])), total


@torch.no_grad()
def evaluate(model, stem, step=1):
    frames, boxes = load(stem)
    exported = Exported(model).eval().to(memory_format=torch.channels_last)
    found, truth = [], []
    for i in range(0, len(frames), step):
        image, wanted = whole(frames[i], boxes[i])
        x = torch.from_numpy(image)[None].permute(0, 3, 1, 2).float() / 255
        found += detect(exported(x.contiguous(memory_format=torch.channels_last)))
        truth.append(wanted)
    results = [average_precision(found, truth, k) for k in range(len(CLASSES))]
    return np.mean([r[0] for r in results]), results


if __name__ == "__main__":
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    network = StreetDetector()
    network.load_state_dict(torch.load(sys.argv[1], map_location="cpu")["ema"])
    mean, results = evaluate(network.eval(), sys.argv[2])
    print(f"AP50 {mean:.3f}  " + "  ".join(f"{c} {ap:.3f} ({n})" for c, (ap, n) in zip(CLASSES, results)))
