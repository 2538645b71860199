"""What the street detector does on real videos, against a model that knew real pictures (as truth, for want of a better one).

    python3 real_videos.py FOLDER VIDEO... --reference yolox_nano --reference-models DIR

The reference's boxes above 0.4 are taken for the truth, those between 0.15 and 0.4 are neither asked for nor false. Two
frames a second. Prints, for each video and class with 20 objects or more, AP50 and the recall at the card's threshold.
"""
import argparse
import csv
import json
import pathlib
import subprocess

SURE, PERHAPS, FEW, CARD = 0.4, 0.15, 20, 0.4
LABELS = ["person", "bicycle", "motorcycle", "car", "bus", "truck"]
PIPELINE = "name: real\nsteps:\n  - {{id: objects, kind: detect, model: {}, min_score: {}}}\n"

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("videos", nargs="+", type=pathlib.Path)
parser.add_argument("--program", default="../build/release/sightline")
parser.add_argument("--model", default="street_detector")
parser.add_argument("--models", default="../models")
parser.add_argument("--reference", default="yolox_nano")
parser.add_argument("--reference-models", required=True)
parser.add_argument("--fps", type=float, default=2)
args = parser.parse_args()
args.folder.mkdir(parents=True, exist_ok=True)


def run(*command):
    done = subprocess.run([args.program, *map(str, command)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: {done.stderr}")
    return done.stdout


def detect(model, models, least, video, name):
    pipeline, out = args.folder / f"{name}.yaml", args.folder / f"{video.stem}-{name}.jsonl"
    pipeline.write_text(PIPELINE.format(model, least))
    run("run", pipeline, "--models", models, video, "--fps", args.fps, "--workers", 1, "-q", "-o", out)
    return out, [json.loads(line) for line in out.read_text().splitlines()]


def iou(a, b):
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(0, wide) * max(0, high)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both + 1e-9)


def recall(truth, found):
    """Share of the truths that a box of their class covers."""
    hits = sum(any(f["frame"] == t["frame"] and iou(f["box"], t["box"]) >= 0.5 for f in found) for t in truth)
    return hits / len(truth)


print(f"| video | class | objects by {args.reference} | AP50 | recall at 0.4 |\n|---|---|---|---|---|")
for video in args.videos:
    truth = detect(args.reference, args.reference_models, PERHAPS, video, "reference")[1]
    path, found = detect(args.model, args.models, 0.01, video, "found")
    truth = [row for row in truth if row["kind"] == "detection" and row["label"] in LABELS]
    found = [row for row in found if row["kind"] == "detection"]
    table = args.folder / f"{video.stem}-truth.csv"
    with table.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["file", "frame", "label", "x1", "y1", "x2", "y2", "ignore"])
        for row in truth:
            writer.writerow([video.name, row["frame"], row["label"], *row["box"], int(row["score"] < SURE)])
    scores = args.folder / f"{video.stem}.json"
    run("eval", "--truth", table, "--results", path, "--task", "detections", "--json", scores)
    for entry in json.loads(scores.read_text())["detections"]["classes"]:
        sure = [t for t in truth if t["label"] == entry["label"] and t["score"] >= SURE]
        if len(sure) < FEW:
            continue
        shown = [f for f in found if f["label"] == entry["label"] and f["score"] >= CARD]
        print(f"| {video.stem} | {entry['label']} | {len(sure)} | {100 * entry['ap50']:.1f} | {100 * recall(sure, shown):.0f} % |",
              flush=True)
