"""What the benchmarks share: where things are, the peers' installation, the COCO metric."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/release"
OUT = ROOT / "build/bench"
ASSETS = pathlib.Path(os.environ.get("SIGHTLINE_ASSETS", ROOT.parent / "shared/assets"))
PEERS = pathlib.Path(os.environ.get("SIGHTLINE_PEERS", ROOT.parent / "shared/peers"))
PEER_MODULES = OUT / "peers"
PYTHON = "/usr/bin/python3"  # Debian's, which has python3-opencv


def need(path, what):
    if not path.exists():
        print(f"bench: skipped: {what} is not there ({path})", file=sys.stderr)
        sys.exit(77)


def install_peers():
    """npm's sharp and onnxruntime-node, into build/bench/peers; no install scripts run."""
    PEER_MODULES.mkdir(parents=True, exist_ok=True)
    wanted = ["onnxruntime-node@1.30.0", "sharp@0.35.5"]
    if all((PEER_MODULES / "node_modules" / w.split("@")[0]).is_dir() for w in wanted):
        return
    print("bench: installing the peers:", *wanted, file=sys.stderr)
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", *wanted], cwd=PEER_MODULES,
                   check=True, stdout=subprocess.DEVNULL)


def make_models(folder, models):
    """models: name -> (file among the assets, extra flags). Added with the program itself."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, (file, extra) in models.items():
        subprocess.run([BUILD / "sightline", "model", "add", ASSETS / "models" / file, "--name", name, "--models", folder,
                        *extra], check=True, stdout=subprocess.DEVNULL)


def iou(a, b):
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h)


def mean_average_precision(truth, found, thresholds=tuple(0.5 + 0.05 * i for i in range(10))):
    """COCO's mAP (101-point interpolation, crowds left out), averaged over IoU .50:.95.
    truth: [(picture, label, box)], found: [(picture, label, score, box)]; boxes x1,y1,x2,y2."""
    labels = sorted({t[1] for t in truth})
    total = 0.0
    for threshold in thresholds:
        for label in labels:
            boxes = {}
            for picture, name, box in truth:
                if name == label:
                    boxes.setdefault(picture, []).append([box, False])
            positives = sum(len(b) for b in boxes.values())
            hits = []
            for picture, name, score, box in sorted((f for f in found if f[1] == label), key=lambda f: -f[2]):
                best, best_iou = None, threshold
                for candidate in boxes.get(picture, []):
                    overlap = iou(candidate[0], box)
                    if not candidate[1] and overlap >= best_iou:
                        best, best_iou = candidate, overlap
                if best is not None:
                    best[1] = True
                hits.append(best is not None)
            precision, recall, true = [], [], 0
            for i, hit in enumerate(hits):
                true += hit
                precision.append(true / (i + 1))
                recall.append(true / positives)
            for i in range(len(precision) - 2, -1, -1):
                precision[i] = max(precision[i], precision[i + 1])
            at = 0
            for step in range(101):
                while at < len(recall) and recall[at] < step / 100:
                    at += 1
                total += precision[at] if at < len(precision) else 0.0
    return total / (101 * len(labels) * len(thresholds))


def coco_truth():
    data = json.loads((ASSETS / "images/coco/tinycoco/annotations/instances_train2017.json").read_text())
    names = {c["id"]: c["name"] for c in data["categories"]}
    files = {i["id"]: pathlib.Path(i["file_name"]).stem for i in data["images"]}
    return [(files[a["image_id"]], names[a["category_id"]],
             [a["bbox"][0], a["bbox"][1], a["bbox"][0] + a["bbox"][2], a["bbox"][1] + a["bbox"][3]])
            for a in data["annotations"] if not a.get("iscrowd")]
