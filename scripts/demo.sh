#!/usr/bin/env bash
# Runs the main job on real pictures and a real video and says what was seen and where the results are.
set -euo pipefail
cd "$(dirname "$0")/.."
assets=${SIGHTLINE_ASSETS:-../shared/assets}
program=build/release/sightline
out=${1:-build/demo}
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
if [ ! -d "$assets/models" ]; then
  cat >&2 <<E2
demo: no models and media to run on: there is no folder '$assets'.
Point SIGHTLINE_ASSETS at a folder with models/, images/ and videos/, or try your own:
  $program model add MODEL.onnx --models ./models
  $program run --models ./models --model MODEL PICTURES/
E2
  exit 1
fi
rm -rf "$out"
mkdir -p "$out"
show() { printf '$ %s\n' "$*" | sed "s|$program|sightline|"; "$@"; }

say "1. Models: a graph becomes a folder with a card"
show $program model add "$assets/models/yolox_nano_416.onnx" --name yolox_nano --labels coco80 --models "$out/models"
show $program model add "$assets/models/yunet_n_640.onnx" --name yunet --models "$out/models"
show $program model add "$assets/models/faceapi_age_gender.onnx" --name age_gender --models "$out/models"

say "2. People and vehicles in a video, tracked"
show $program run examples/objects.yaml "$assets/videos/roxa_crosswalk.mp4" --models "$out/models" \
  -o "$out/objects.jsonl" --annotate "$out/annotated" --timing

say "3. Faces in photos, with age and gender"
show $program run examples/people.yaml "$assets/images/faces_photos" --models "$out/models" \
  -o "$out/people.jsonl" --annotate "$out/annotated"
$program run examples/people.yaml "$assets/images/faces_photos" --models "$out/models" -o "$out/people.parquet" --quiet

say "What was seen"
python3 - "$out" <<'PY'
import collections, json, sys
out = sys.argv[1]
rows = [json.loads(line) for line in open(f"{out}/objects.jsonl")]
tracks = {}
for r in rows:
    if r["kind"] == "track":
        tracks.setdefault(r["track_id"], collections.Counter())[r["label"]] += 1
labels = collections.Counter(c.most_common(1)[0][0] for c in tracks.values())
print("video: " + ", ".join(f"{n} {label}" for label, n in labels.most_common()) + " tracks, "
      f"{sum(r['kind'] == 'detection' for r in rows)} detections")
people = [json.loads(line) for line in open(f"{out}/people.jsonl")]
for source in sorted({r["source"] for r in people}):
    found = [r["attributes"] for r in people if r["source"] == source and r["kind"] == "classification"]
    genders = collections.Counter(a["gender"]["value"] for a in found)
    ages = sorted(round(a["age"]["value"]) for a in found)
    print(f"{source.split('/')[-1]}: {len(found)} faces, {dict(genders)}, ages {ages}")
PY

say "Where it is"
find "$out" -maxdepth 2 -type f | sort
