#!/usr/bin/env bash
# Two simulated street cameras, one with a smudge on its lens, through the pipeline that ships: what was seen, and how
# right it was. Needs nothing but this repository. usage: demo.sh [FOLDER] [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/.."
program=build/release/sightline
out=${1:-build/demo}
seconds=${2:-30}
fault=smudge:severity=4,at=$((seconds / 3))s,ramp=3s,region=center
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
show() { printf '$ %s\n' "$*" | sed "s|$program|sightline|"; "$@"; }
rm -rf "$out"
mkdir -p "$out"

say "1. Two cameras at street corners that do not exist, so that the truth about them is known"
show $program simulate street --seed 21 --seconds "$seconds" --weather day -o "$out/clean"
show $program simulate street --seed 21 --seconds "$seconds" --weather day --fault "$fault" -o "$out/smudged"

say "2. The street pipeline: detect with the model that ships, follow from frame to frame"
for camera in clean smudged; do
  show $program run examples/street.yaml --models models "$out/$camera/video.mp4" -o "$out/$camera.parquet" \
    --annotate "$out/annotated-$camera" --timing
done

say "3. What it saw"
for camera in clean smudged; do
  $program run examples/street.yaml --models models "$out/$camera/video.mp4" -o "$out/$camera.jsonl" --quiet
  python3 - "$out" $camera <<'PY'
import collections, json, sys
out, camera = sys.argv[1:]
rows = [json.loads(line) for line in open(f"{out}/{camera}.jsonl")]
tracks = {}
for r in rows:
    if r["kind"] == "track":
        tracks.setdefault(r["track_id"], collections.Counter())[r["label"]] += 1
labels = collections.Counter(c.most_common(1)[0][0] for c in tracks.values() if sum(c.values()) >= 10)
events = collections.Counter(json.loads(line)["kind"] for line in open(f"{out}/{camera}/events.jsonl"))
print(f"{camera}: followed " + ", ".join(f"{n} {label}" for label, n in labels.most_common()))
print("  (what happened there: " + (", ".join(f"{n} {k}" for k, n in events.most_common()) or "nothing") + ")")
PY
done

say "4. How right it was: the results against the truth"
for camera in clean smudged; do
  show $program eval --truth "$out/$camera" --results "$out/$camera.parquet" --pictures "$out/$camera/video.mp4" \
    --html "$out/$camera.html" --json "$out/$camera.json"
done
python3 - "$out" <<'PY'
import json, sys
ap = {}
for camera in ("clean", "smudged"):
    report = json.load(open(f"{sys.argv[1]}/{camera}.json"))
    ap[camera] = report["detections"]["ap50"]
print(f"\nThe smudge cost {100 * (ap['clean'] - ap['smudged']):.1f} points of AP50: {100 * ap['clean']:.1f} before, "
      f"{100 * ap['smudged']:.1f} with it.")
PY

say "Where it is"
find "$out" -maxdepth 2 -type f | sort
