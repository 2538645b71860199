#!/usr/bin/env python3
"""sightline eval against the measures' definitions, written down a second time in numpy: dense arrays, one threshold
after the other, scipy's assignment. Random truth with crowds, ignored objects, several classes, identities that
switch; files of every form. Numbers must agree to 1e-9."""
import json
import math
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import unittest

import numpy as np
from scipy.optimize import linear_sum_assignment

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("SIGHTLINE_PROGRAM", str(ROOT / "build/release/sightline"))
NAMES = ["car", "person", "bus"]


def overlaps(a, b, of_first=None):
    """Intersection over union of all boxes x1 y1 x2 y2; over the first's own area where of_first[column]."""
    a, b = np.asarray(a, float).reshape(-1, 4), np.asarray(b, float).reshape(-1, 4)
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    both = np.prod(np.clip(high - low, 0, None), axis=2)
    area_a, area_b = np.prod(a[:, 2:] - a[:, :2], axis=1), np.prod(b[:, 2:] - b[:, :2], axis=1)
    union = area_a[:, None] + area_b[None, :] - both
    if of_first is not None:
        union = np.where(np.asarray(of_first, bool)[None, :], area_a[:, None], union)
    return both / union


# ---- detections ------------------------------------------------------------------------------------------------------

def average_precision(truth, found, label, iou, low, high, most):
    """(precision at 101 recalls, recall) of a class; truth and found are per picture. None without truths."""
    scores, right, total = [], [], 0
    for name in sorted(truth):
        truths = [t for t in truth[name] if t["label"] == label]
        results = sorted((f for f in found.get(name, []) if f["label"] == label), key=lambda f: -f["score"])[:most]
        unasked = np.array([t["ignore"] or t["crowd"] or not low <= t["area"] <= high for t in truths], bool)
        crowd = np.array([t["crowd"] for t in truths], bool)
        total += int((~unasked).sum())
        table = overlaps([f["box"] for f in results], [t["box"] for t in truths], crowd)
        free = np.ones(len(truths), bool)
        for row, result in enumerate(results):
            area = (result["box"][2] - result["box"][0]) * (result["box"][3] - result["box"][1])
            choice = None
            for group in (~unasked, unasked):  # what is asked for goes before all that is not
                can = group & (free | crowd) & (table[row] >= iou)
                if can.any():
                    best = table[row][can].max()
                    choice = np.flatnonzero(can & (table[row] == best))[-1]
                    break
            if choice is None:
                if low <= area <= high:
                    scores.append(result["score"]), right.append(False)
                continue
            free[choice] = False
            if not unasked[choice]:
                scores.append(result["score"]), right.append(True)
    if total == 0:
        return None
    order = np.argsort(-np.array(scores), kind="stable")
    hits = np.cumsum(np.array(right, float)[order]) if len(order) else np.zeros(0)
    recall, precision = hits / total, hits / np.arange(1, len(hits) + 1)
    curve = [precision[recall >= r].max() if (recall >= r).any() else 0.0 for r in np.linspace(0, 1, 101)]
    return np.array(curve), (recall[-1] if len(recall) else 0.0)


def coco(truth, found):
    ranges = {"": (0, 1e10), "_small": (0, 32**2), "_medium": (32**2, 96**2), "_large": (96**2, 1e10)}
    steps = np.linspace(0.5, 0.95, 10)
    known = lambda values: float(np.mean([v for v in values if v is not None])) if any(
        v is not None for v in values) else None
    classes = []
    for label in NAMES:
        numbers = {"label": label}
        for suffix, (low, high) in ranges.items():
            curves = [average_precision(truth, found, label, t, low, high, 100) for t in steps]
            present = curves[0] is not None
            numbers["ap" + suffix] = float(np.mean([c[0].mean() for c in curves])) if present else None
            numbers["ar" + (suffix or "100")] = float(np.mean([c[1] for c in curves])) if present else None
            if not suffix:
                numbers["ap50"] = float(curves[0][0].mean()) if present else None
                numbers["ap75"] = float(curves[5][0].mean()) if present else None
        for most in (1, 10):
            curves = [average_precision(truth, found, label, t, 0, 1e10, most) for t in steps]
            numbers[f"ar{most}"] = float(np.mean([c[1] for c in curves])) if curves[0] else None
        classes.append(numbers)
    report = {key: known([c[key] for c in classes]) for key in classes[0] if key != "label"}
    report["classes"] = classes
    return report


def quarter(x):
    return round(x * 4) / 4  # exact in 32 bits


def random_pictures(seed):
    rng = random.Random(seed)
    truth, found, serial = {}, {}, iter(range(10**6))
    scores = [(k + 1) / 8192 for k in range(8191)]
    rng.shuffle(scores)
    for number in range(25):
        truths, results = [], []
        for _ in range(rng.randint(0, 9)):
            side = rng.choice([12, 40, 70, 130, 200])
            w, h = quarter(side * rng.uniform(0.6, 1.5)), quarter(side * rng.uniform(0.6, 1.5))
            x, y = quarter(rng.uniform(0, 500)), quarter(rng.uniform(0, 350))
            crowd = rng.random() < 0.1
            truths.append({"box": [x, y, x + w, y + h], "label": rng.choice(NAMES[:2] if seed % 2 else NAMES),
                           "crowd": crowd, "ignore": rng.random() < 0.1, "area": w * h * rng.choice([1, 0.75])})
        for t in truths:
            for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
                b, spread = t["box"], rng.choice([0.02, 0.06, 0.2])
                w, h = b[2] - b[0], b[3] - b[1]
                x, y = quarter(b[0] + w * rng.gauss(0, spread)), quarter(b[1] + h * rng.gauss(0, spread))
                w, h = quarter(w * rng.uniform(0.85, 1.15)), quarter(h * rng.uniform(0.85, 1.15))
                label = t["label"] if rng.random() < 0.9 else rng.choice(NAMES)
                results.append({"box": [x, y, x + w, y + h], "label": label, "score": scores[next(serial)]})
        for _ in range(rng.choice([0, 2, 5, 130 if number == 3 else 1])):
            x, y, s = quarter(rng.uniform(0, 500)), quarter(rng.uniform(0, 350)), quarter(rng.uniform(10, 150))
            results.append({"box": [x, y, x + s, y + s], "label": rng.choice(NAMES), "score": scores[next(serial)]})
        name = f"pictures/{number:04}.jpg"
        truth[name] = truths
        if rng.random() < 0.9:
            found[name] = results
    return truth, found


def coco_files(folder, truth, found):
    ids = {name: 1000 + 7 * k for k, name in enumerate(sorted(truth))}
    size = lambda b: [b[0], b[1], b[2] - b[0], b[3] - b[1]]
    annotations = [{"id": 0, "image_id": ids[name], "category_id": 11 + NAMES.index(t["label"]), "bbox": size(t["box"]),
                    "iscrowd": int(t["crowd"]), "ignore": int(t["ignore"]), "area": t["area"]}
                   for name, truths in truth.items() for t in truths]
    (folder / "truth.json").write_text(json.dumps({
        "images": [{"id": k, "file_name": name} for name, k in ids.items()], "annotations": annotations,
        "categories": [{"id": 11 + k, "name": name} for k, name in enumerate(NAMES)]}))
    (folder / "found.json").write_text(json.dumps([
        {"image_id": ids[name], "category_id": 11 + NAMES.index(f["label"]), "bbox": size(f["box"]), "score": f["score"]}
        for name, results in found.items() for f in results]))
    with (folder / "found.jsonl").open("w") as out:
        for name, results in found.items():
            for f in results:
                row = {"source": "elsewhere/" + name, "frame": 0, "step": "s", "kind": "detection", "label": f["label"],
                       "score": f["score"], "box": f["box"], "track_id": None, "attributes": None}
                out.write(json.dumps(row) + "\n")
    with (folder / "found.csv").open("w") as out:
        out.write("source,frame,kind,label,score,box\r\n")
        for name, results in found.items():
            for f in results:
                out.write(f'{name},0,detection,{f["label"]},{f["score"]!r},"{json.dumps(f["box"])}"\r\n')


# ---- tracks ----------------------------------------------------------------------------------------------------------

def without_unasked(frames, iou):
    """Takes out the results that lie on truths that are not asked for, then those truths."""
    kept = []
    for truths, results in frames:
        table = overlaps([t["box"] for t in truths], [r["box"] for r in results])
        gain = np.where(table >= iou, table, 0)
        gone = set()
        if gain.size:
            rows, columns = linear_sum_assignment(-gain)
            gone = {c for r, c in zip(rows, columns) if gain[r, c] > 0 and truths[r]["ignore"]}
        kept.append(([t for t in truths if not t["ignore"]], [r for c, r in enumerate(results) if c not in gone]))
    return kept


def track_sums(frames, iou):
    """What the scores are made of, of one class in one video, as a dict of sums."""
    frames = without_unasked(frames, iou)
    gids = sorted({t["id"] for truths, _ in frames for t in truths})
    rids = sorted({r["id"] for _, results in frames for r in results})
    gi, ri = {k: n for n, k in enumerate(gids)}, {k: n for n, k in enumerate(rids)}
    F, G, R = len(frames), len(gids), len(rids)
    cube = np.zeros((F, G, R))  # overlap by frame and identities
    here_g, here_r = np.zeros((F, G), bool), np.zeros((F, R), bool)
    for f, (truths, results) in enumerate(frames):
        rows, columns = [gi[t["id"]] for t in truths], [ri[r["id"]] for r in results]
        here_g[f, rows] = True
        here_r[f, columns] = True
        if rows and columns:
            cube[f][np.ix_(rows, columns)] = overlaps([t["box"] for t in truths], [r["box"] for r in results])
    sums = {"truths": int(here_g.sum()), "results": int(here_r.sum()), "identities": G}
    # HOTA
    shares = cube / np.where(cube > 0, cube.sum(1, keepdims=True) + cube.sum(2, keepdims=True) - cube, 1)
    together = shares.sum(0)
    lengths_g, lengths_r = here_g.sum(0), here_r.sum(0)
    alignment = together / (lengths_g[:, None] + lengths_r[None, :] - together) if G and R else together
    picked = [list(zip(*linear_sum_assignment(-(cube[f] * alignment)))) for f in range(F)] if G and R else [[]] * F
    for name in ("tp", "fn", "fp", "association", "location"):
        sums[name] = np.zeros(19)
    for k in range(19):
        alpha, counts = 0.05 * (k + 1), np.zeros((G, R))
        for f in range(F):
            for g, r in picked[f]:
                if cube[f, g, r] > 0 and cube[f, g, r] >= alpha - 1e-12:
                    counts[g, r] += 1
                    sums["location"][k] += cube[f, g, r]
        tp = counts.sum()
        sums["tp"][k], sums["fn"][k], sums["fp"][k] = tp, sums["truths"] - tp, sums["results"] - tp
        sums["association"][k] = (counts * counts / np.maximum(
            lengths_g[:, None] + lengths_r[None, :] - counts, 1)).sum()
    # Identity F1: each pair costs what it leaves unexplained.
    shared = (cube >= iou).sum(0)
    cost = np.full((G + R, G + R), 1e9)
    cost[:G, :R] = lengths_g[:, None] + lengths_r[None, :] - 2 * shared
    cost[np.arange(G), R + np.arange(G)] = lengths_g
    cost[G + np.arange(R), np.arange(R)] = lengths_r
    cost[G:, R:] = 0
    rows, columns = linear_sum_assignment(cost)
    sums["idtp"] = int(sum(shared[r, c] for r, c in zip(rows, columns) if r < G and c < R))
    # CLEAR: who was right goes on being right while that holds.
    ever, previous = {}, {}
    sums.update(matches=0, switches=0, overlap=0.0, fragments=0)
    tracked, pieces = np.zeros(G), np.zeros(G)
    for f in range(F):
        gain = np.where(cube[f] >= iou, cube[f], 0)
        for g, r in previous.items():
            if gain[g, r] > 0:
                gain[g, r] += 1000
        now = {}
        if gain.size:
            now = {g: r for g, r in zip(*linear_sum_assignment(-gain)) if gain[g, r] > 0}
        for g, r in now.items():
            sums["matches"] += 1
            sums["overlap"] += cube[f, g, r]
            sums["switches"] += ever.get(g, r) != r
            pieces[g] += g not in previous
            tracked[g] += 1
            ever[g] = r
        previous = now
    sums["fragments"] = int(np.maximum(pieces - 1, 0).sum())
    share = tracked / np.maximum(lengths_g, 1)
    sums["mostly_tracked"], sums["mostly_lost"] = int((share > 0.8).sum()), int((share < 0.2).sum())
    return sums


def track_scores(s):
    deta = s["tp"] / np.maximum(s["tp"] + s["fn"] + s["fp"], 1)
    assa = s["association"] / np.maximum(s["tp"], 1)
    loca = np.where(s["tp"] > 0, s["location"] / np.maximum(s["tp"], 1), 1)
    return {
        "hota": np.sqrt(deta * assa).mean(), "deta": deta.mean(), "assa": assa.mean(), "loca": loca.mean(),
        "mota": (s["matches"] - (s["results"] - s["matches"]) - s["switches"]) / max(s["truths"], 1),
        "motp": s["overlap"] / max(s["matches"], 1), "idf1": 2 * s["idtp"] / max(s["truths"] + s["results"], 1),
        "idp": s["idtp"] / max(s["results"], 1), "idr": s["idtp"] / max(s["truths"], 1),
        "id_switches": s["switches"], "fragments": s["fragments"], "identities": s["identities"],
        "mostly_tracked": s["mostly_tracked"], "mostly_lost": s["mostly_lost"], "truths": s["truths"],
        "results": s["results"]}


def random_tracks(seed, frames=60):
    """[(truths, results)] with gaps, swapped identities, ignored stretches and false tracks."""
    rng = random.Random(seed)
    video = [([], []) for _ in range(frames)]
    for number in range(9):
        label, w, h = rng.choice(NAMES), quarter(rng.uniform(20, 90)), quarter(rng.uniform(20, 90))
        x, y, vx, vy = rng.uniform(0, 400), rng.uniform(0, 250), rng.uniform(-4, 4), rng.uniform(-3, 3)
        begin, end = sorted(rng.sample(range(frames), 2))
        identity, given = number + 1, 100 + number
        unasked = rng.sample(range(begin, end + 1), (end - begin) // 5)
        for f in range(begin, end + 1):
            bx, by = quarter(x + vx * (f - begin)), quarter(y + vy * (f - begin))
            video[f][0].append({"id": identity, "label": label, "box": [bx, by, bx + w, by + h], "ignore": f in unasked})
            if rng.random() < 0.06:
                given = rng.choice([given + 50, 100 + rng.randint(0, 8)])
            if rng.random() < 0.85 and all(r["id"] != given for r in video[f][1]):
                rx, ry = quarter(bx + w * rng.gauss(0, 0.1)), quarter(by + h * rng.gauss(0, 0.1))
                video[f][1].append({"id": given, "label": label if rng.random() < 0.95 else rng.choice(NAMES),
                                    "box": [rx, ry, rx + w, ry + quarter(h * rng.uniform(0.9, 1.1))]})
    for f in range(frames):
        if rng.random() < 0.2:
            x, y = quarter(rng.uniform(0, 400)), quarter(rng.uniform(0, 250))
            video[f][1].append({"id": 900 + f // 5, "label": rng.choice(NAMES), "box": [x, y, x + 40, y + 40]})
    return video


def mot_files(folder, video):
    (folder / "street").mkdir()
    (folder / "street/labels.txt").write_text("\n".join(NAMES) + "\n")
    with (folder / "street/gt.txt").open("w") as out:
        for f, (truths, _) in enumerate(video):
            for t in truths:
                b = t["box"]
                out.write(f"{f + 1},{t['id']},{b[0]},{b[1]},{b[2] - b[0]},{b[3] - b[1]},{int(not t['ignore'])},"
                          f"{NAMES.index(t['label']) + 1},1.0\n")
    with (folder / "found.jsonl").open("w") as out:
        for f, (_, results) in enumerate(video):
            for r in results:
                out.write(json.dumps({"source": "cam/7.mp4", "frame": f, "step": "t", "kind": "track", "box": r["box"],
                                      "label": r["label"], "score": 0.5, "track_id": r["id"]}) + "\n")


class EvaluateReference(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sightline-eval-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def evaluate(self, truth, results, *more):
        done = subprocess.run([PROGRAM, "eval", "--truth", self.folder / truth, "--results", self.folder / results,
                               "--json", self.folder / "scores.json", *more], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads((self.folder / "scores.json").read_text())

    def refused(self, truth, results, *more):
        done = subprocess.run([PROGRAM, "eval", "--truth", self.folder / truth, "--results", self.folder / results,
                               *more], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        return done.stderr

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return name

    def agree(self, expected, seen, what):
        if expected is None or seen is None:
            self.assertEqual(expected, seen, what)
        else:
            self.assertLess(abs(expected - seen), 1e-9, f"{what}: expected {expected}, seen {seen}")

    def test_detections_agree_with_the_coco_definition(self):
        for seed in range(4):
            truth, found = random_pictures(seed)
            coco_files(self.folder, truth, found)
            expected = coco(truth, found)
            self.assertGreater(expected["ap50"], expected["ap"])
            for name in ("found.json", "found.jsonl", "found.csv"):
                seen = self.evaluate("truth.json", name, "--task", "detections")["detections"]
                for key, value in expected.items():
                    if key != "classes":
                        self.agree(value, seen[key], f"seed {seed} {name} {key}")
                for mine, its in zip(expected["classes"], seen["classes"]):
                    self.assertEqual(mine["label"], its["label"])
                    for key in ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large", "ar100"):
                        self.agree(mine[key], its[key], f"seed {seed} {name} {mine['label']} {key}")

    def test_tracks_agree_with_the_definitions(self):
        for seed in range(6):
            video = random_tracks(seed)
            mot_files(self.folder, video)
            seen = self.evaluate("street", "found.jsonl", "--task", "tracks")["tracks"]
            everything = None
            for label, its in zip(NAMES, seen["classes"]):
                self.assertEqual(its["label"], label)
                of_class = [([t for t in ts if t["label"] == label], [r for r in rs if r["label"] == label])
                            for ts, rs in video]
                sums = track_sums(of_class, 0.5)
                everything = sums if everything is None else {k: everything[k] + sums[k] for k in sums}
                for key, value in track_scores(sums).items():
                    self.agree(value, its[key], f"seed {seed} {label} {key}")
            for key, value in track_scores(everything).items():
                self.agree(value, seen[key], f"seed {seed} all {key}")
            shutil.rmtree(self.folder / "street")

    def test_events_are_matched_one_to_one_within_the_tolerance(self):
        rng = random.Random(9)
        truth = [{"kind": rng.choice(["near_miss", "wrong_way"]), "begin_s": rng.uniform(0, 200)} for _ in range(40)]
        for t in truth:
            t["end_s"] = t["begin_s"] + rng.uniform(0, 3)
        found = [{"type": "org.example." + rng.choice([t["kind"], "near_miss"]), "source": "camera",
                  "data": {"time_s": t["end_s"] + rng.uniform(-1, 4)}} for t in truth if rng.random() < 0.8]
        self.write("truth.jsonl", "".join(json.dumps(t) + "\n" for t in truth))
        self.write("found.jsonl", "".join(json.dumps(f) + "\n" for f in found))
        seen = self.evaluate("truth.jsonl", "found.jsonl", "--tolerance", "1.5")["events"]
        matches = 0
        for kind in ("near_miss", "wrong_way"):
            spans = [(t["begin_s"], t["end_s"]) for t in truth if t["kind"] == kind]
            times = [f["data"]["time_s"] for f in found if f["type"].endswith(kind)]
            fits = np.array([[b - 1.5 <= t <= e + 1.5 for t in times] for b, e in spans], float)
            rows, columns = linear_sum_assignment(-fits)
            matches += int(fits[rows, columns].sum())
        self.assertEqual((seen["truths"], seen["results"], seen["matches"]), (len(truth), len(found), matches))
        self.agree(matches / len(truth), seen["recall"], "recall")
        self.agree(matches / len(found), seen["precision"], "precision")
        self.assertEqual(len(seen["missed"]), len(truth) - matches)
        self.assertEqual(len(seen["false_alarms"]), len(found) - matches)

    def test_attributes_agree_with_the_definitions(self):
        rng = random.Random(5)
        rows, truth, pairs = [], ["file,x1,y1,x2,y2,gender,age"], []
        for number in range(300):
            gender, age, x = rng.choice(["female", "male"]), rng.randint(1, 89), rng.randint(0, 50)
            truth.append(f"f/{number}.jpg,{x},10,{x + 40},60,{gender},{age}")
            if rng.random() < 0.1:
                continue
            score = rng.randint(32, 63) / 64
            said = gender if rng.random() < score else "male" if gender == "female" else "female"
            guess = age + rng.randint(-12, 12)
            pairs.append((gender, said, score, age, guess))
            properties = {"gender": {"value": said, "score": score}, "age": {"value": guess, "score": None}}
            rows.append({"source": f"g/{number}.jpg", "frame": 0, "step": "a", "kind": "classification", "label": None,
                         "score": None, "box": [x + 2, 10, x + 41, 61], "attributes": properties})
        self.write("truth.csv", "\n".join(truth) + "\n")
        self.write("found.jsonl", "".join(json.dumps(r) + "\n" for r in rows))
        seen = {a["name"]: a for a in self.evaluate("truth.csv", "found.jsonl", "--task", "attributes")["attributes"]}
        right = np.array([g == s for g, s, *_ in pairs], float)
        score = np.array([p[2] for p in pairs])
        bins = np.minimum((score * 15).astype(int), 14)
        ece = sum(abs(right[bins == b].mean() - score[bins == b].mean()) * (bins == b).mean() for b in set(bins))
        self.agree(right.mean(), seen["gender"]["accuracy"], "accuracy")
        self.agree(ece, seen["gender"]["calibration_error"], "calibration error")
        for a in ("female", "male"):
            for b in ("female", "male"):
                self.assertEqual(sum(g == a and s == b for g, s, *_ in pairs), seen["gender"]["confusion"][a][b])
        errors, ages = np.array([p[4] - p[3] for p in pairs]), np.array([p[3] for p in pairs])
        self.assertEqual((seen["age"]["compared"], seen["age"]["missing"]), (len(pairs), 300 - len(pairs)))
        self.agree(np.abs(errors).mean(), seen["age"]["mean_absolute_error"], "MAE")
        self.agree(errors.mean(), seen["age"]["bias"], "bias")
        for band in seen["age"]["bands"]:
            inside = (ages >= band["low"]) & (ages < band["high"])
            self.assertEqual(band["count"], int(inside.sum()))
            self.agree(np.abs(errors[inside]).mean(), band["mean_absolute_error"], "MAE of a band")

    def test_classes_of_whole_pictures_are_compared(self):
        self.write("truth.csv", "file,label\na.jpg,cat\nb.jpg,dog\nc.jpg,cat\n")
        self.write("found.jsonl", "".join(json.dumps({"source": s, "frame": 0, "kind": "classification", "label": l,
                                                      "score": 0.75}) + "\n"
                                          for s, l in (("x/a.jpg", "cat"), ("x/b.jpg", "cat"), ("x/c.jpg", "cat"))))
        seen = self.evaluate("truth.csv", "found.jsonl")["attributes"][0]
        self.agree(2 / 3, seen["accuracy"], "accuracy")
        self.assertEqual(seen["confusion"], {"cat": {"cat": 2}, "dog": {"cat": 1}})

    def test_properties_of_one_box_may_come_in_several_rows(self):
        self.write("truth.csv", "file,x,y,width,height,gender,age\na.jpg,0,0,10,10,male,30\n")
        rows = [{"source": "a.jpg", "frame": 0, "kind": "classification", "box": [0, 0, 10, 10],
                 "attributes": {name: {"value": value}}} for name, value in (("gender", "male"), ("age", 33))]
        self.write("found.jsonl", "".join(json.dumps(r) + "\n" for r in rows))
        seen = {a["name"]: a for a in self.evaluate("truth.csv", "found.jsonl")["attributes"]}
        self.assertEqual((seen["gender"]["accuracy"], seen["gender"]["missing"]), (1, 0))
        self.assertEqual((seen["age"]["mean_absolute_error"], seen["age"]["missing"]), (3, 0))

    def test_wrong_input_is_refused_with_its_place(self):
        detection = '{"source":"a.jpg","frame":0,"kind":"detection","label":"car","score":0.5,"box":[0,0,9,9]}\n'
        self.write("ok.csv", "file,x1,y1,x2,y2,label\na.jpg,0,0,9,9,car\n")
        self.write("ok.jsonl", detection)
        self.evaluate("ok.csv", "ok.jsonl")
        for name, text, message in (
                ("short.txt", "1,2,3\n", "short.txt:1"), ("word.txt", "1,1,0,0,9,9\n1,x,0,0,9,9\n", "word.txt:2"),
                ("frame.txt", "0,1,0,0,9,9\n", "counted from 1"), ("huge.txt", "1,1e300,0,0,9,9\n", "huge.txt:1"),
                ("wide.txt", "1,1,0,0,1e300,9\n", "wide.txt:1"),
                ("cells.csv", "file,label\na.jpg,car,7\n", "cells.csv:2"), ("head.csv", "label,x1\ncar,1\n", "head.csv:1"),
                ("box.csv", "file,x1,y1,x2,y2,label\na.jpg,0,0,nine,9,car\n", "nine"),
                ("half.json", '{"images": [', "half.json"), ("other.json", '{"a": 1}', "other.json"),
                ("what.bin", "\x01\x02", "COCO"), ("bad.jsonl", detection + "{]\n", "bad.jsonl:2")):
            self.assertIn(message, self.refused(self.write(name, text), "ok.jsonl"), name)
        self.assertIn("bad.jsonl:2", self.refused("ok.csv", "bad.jsonl"))
        self.write("elsewhere.jsonl", detection.replace("a.jpg", "z.jpg"))
        self.assertIn("z.jpg", self.refused("ok.csv", "elsewhere.jsonl"))
        self.write("twice.jsonl", detection.replace("a.jpg", "x/a.jpg") + detection.replace("a.jpg", "y/a.jpg"))
        self.assertIn("y/a.jpg", self.refused("ok.csv", "twice.jsonl"))
        self.assertIn("absent", self.refused("absent.csv", "ok.jsonl"))

    def test_labels_are_mapped_and_pictures_that_one_side_lacks_are_counted(self):
        self.write("truth.csv", "file,x1,y1,x2,y2,label\na.jpg,0,0,9,9,car\nb.jpg,0,0,9,9,car\n")
        rows = [{"source": s, "frame": 0, "kind": "detection", "label": "vehicle", "score": 0.5, "box": [0, 0, 9, 9]}
                for s in ("a.jpg", "c.jpg")]
        rows.append({"source": "b.jpg", "frame": 0, "kind": "error", "error": "the data end early"})
        self.write("found.jsonl", "".join(json.dumps(r) + "\n" for r in rows))
        seen = self.evaluate("truth.csv", "found.jsonl", "--map", "vehicle=car")
        self.assertEqual((seen["pictures"], seen["without_results"], seen["without_truth"], seen["errors"]), (2, 1, 1, 1))
        self.agree(51 / 101, seen["detections"]["ap"], "half of the truths, without a false alarm")

    def test_report_is_one_file_with_the_pictures_of_the_worst_mistakes(self):
        import cv2
        self.write("truth.csv", "file,x1,y1,x2,y2,label\na.png,20,20,90,90,car\n")
        self.write("found.jsonl", json.dumps({"source": "a.png", "frame": 0, "kind": "detection", "label": "<u>",
                                              "score": 0.5, "box": [1, 1, 9, 9]}) + "\n")
        cv2.imwrite(str(self.folder / "a.png"), np.full((120, 160, 3), 90, np.uint8))
        self.evaluate("truth.csv", "found.jsonl", "--html", self.folder / "report.html", "--pictures", self.folder)
        page = (self.folder / "report.html").read_text()
        self.assertIn("data:image/jpeg;base64,", page)
        self.assertIn("&lt;u&gt;", page)
        self.assertNotIn("<u>", page)
        for outside in ("http://", "https://", "<script", "src=\"a"):
            self.assertNotIn(outside, page.replace("http://www.w3.org/2000/svg", ""))
        self.evaluate("truth.csv", "found.jsonl", "--html", self.folder / "plain.html")
        self.assertNotIn("data:image/jpeg", (self.folder / "plain.html").read_text())


if __name__ == "__main__":
    unittest.main()
