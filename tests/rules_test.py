#!/usr/bin/env python3
"""Text tests of the rules: a camera's configuration, tracks, and the events that must come of them.

tests/rules/NAME.yaml holds: `about` (a sentence), `camera` (a camera's configuration, without name and source),
`tracks` (below), `events` (what must be reported, in this order; keys that are named are compared, numbers within
`within` or 0.35), and where they are needed `fps` (10), `size` (640x360), `start` (local time), `topics`
([seconds, topic, value] each), `refused` (words of the message, instead of events).

A track is `LABEL ID [SCORE]: TIME X,Y,W,H > TIME X,Y,W,H ...`: the box's middle foot point and its size at some times
(seconds); in between it moves evenly. `gone` in place of a box ends it until the next time. Where the camera has
`ground: metres per pixel` its calibration is made by the runner: seen from straight above.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("SIGHTLINE_PROGRAM", str(ROOT / "build/release/sightline"))


def boxes(line, fps):
    """Rows of (frame, id, label, score, x1, y1, x2, y2) from a track's line."""
    head, _, way = line.partition(":")
    label, identity, *score = head.split()
    points = []
    for part in way.split(">"):
        time, _, where = part.strip().partition(" ")
        points.append((float(time), None if where == "gone" else [float(v) for v in where.split(",")]))
    for (begin, a), (end, b) in zip(points, points[1:]):
        if a is None:
            continue
        b = a if b is None else b
        last = (end, b) == points[-1]
        for frame in range(round(begin * fps), round(end * fps) + (1 if last else 0)):
            share = (frame / fps - begin) / (end - begin) if end > begin else 0
            x, y, w, h = (p + (q - p) * share for p, q in zip(a, b))
            yield frame, int(identity), label, float(*score or [1]), x - w / 2, y - h, x + w / 2, y


def run(test, folder):
    fps, size = test.get("fps", 10), test.get("size", "640x360")
    width, height = map(int, size.split("x"))
    camera = {"name": "test", "source": "test.mp4", "picture": [width, height], **test["camera"]}
    scale = camera.pop("ground", None)
    if scale:
        camera["calibration"] = [{"pixel": [x, y], "metres": [x * scale, y * scale]}
                                 for x in (0, width) for y in (0, height)]
    (folder / "camera.yaml").write_text(json.dumps(camera))
    rows = sorted(row for line in test["tracks"] for row in boxes(line, fps))
    (folder / "tracks.csv").write_text("source,kind,frame,track_id,label,score,x1,y1,x2,y2\n" + "".join(
        f"test.mp4,track,{f},{i},{label},{s},{a:.3f},{b:.3f},{c:.3f},{d:.3f}\n" for f, i, label, s, a, b, c, d in rows))
    command = [PROGRAM, "camera", "replay", folder / "camera.yaml", folder / "tracks.csv", "--fps", str(fps), "-q"]
    if "start" in test:
        command += ["--start", str(test["start"])]
    if "topics" in test:
        (folder / "topics.csv").write_text("time_s,topic,value\n" + "".join(
            f"{t},{topic},{value}\n" for t, topic, value in test["topics"]))
        command += ["--topics", folder / "topics.csv"]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)


def differences(test, done):
    if "refused" in test:
        if done.returncode != 2 or test["refused"] not in done.stderr:
            yield f"exit {done.returncode}, wanted 2 and a message with '{test['refused']}':\n{done.stderr}"
        return
    if done.returncode != 0:
        yield f"exit {done.returncode}\n{done.stderr}"
        return
    found = [json.loads(line) for line in done.stdout.splitlines()]
    wanted = test["events"] or []
    within = test.get("within", 0.35)
    for number, event in enumerate(wanted):
        if number >= len(found):
            yield f"missing: {event}"
            continue
        for key, value in event.items():
            have = found[number].get(key)
            near = isinstance(value, (int, float)) and isinstance(have, (int, float)) and abs(value - have) <= within
            if have != value and not near:
                yield f"event {number}: {key} is {have}, wanted {value}"
    for extra in found[len(wanted):]:
        yield f"too much: {extra}"


def example_differs():
    """docs/rules.md shows a camera: it must be taken as it stands."""
    text = (ROOT / "docs/rules.md").read_text()
    example = text.split("```yaml\n")[1].split("```")[0]
    with tempfile.TemporaryDirectory(prefix="sightline-rules-") as folder:
        folder = pathlib.Path(folder)
        (folder / "camera.yaml").write_text(example)
        (folder / "tracks.txt").write_text("1,1,100,500,40,100,1,1,1\n")
        done = subprocess.run([PROGRAM, "camera", "replay", folder / "camera.yaml", folder / "tracks.txt", "--fps", "10",
                               "-o", folder / "events.jsonl"], capture_output=True, text=True, timeout=60)
    return "" if done.returncode == 0 and "reprojection error" in done.stderr else done.stderr


def main():
    names = sys.argv[1:]
    failures = count = 0
    for path in sorted((ROOT / "tests/rules").glob("*.yaml")):
        if names and path.stem not in names:
            continue
        count += 1
        test = yaml.safe_load(path.read_text())
        with tempfile.TemporaryDirectory(prefix="sightline-rules-") as folder:
            problems = list(differences(test, run(test, pathlib.Path(folder))))
        if problems:
            failures += 1
            print(f"FAILED {path.stem}: {test['about']}")
            for problem in problems:
                print(f"  {problem}")
    if not names and (problem := example_differs()):
        failures += 1
        print(f"FAILED the example of docs/rules.md: {problem}")
    print(f"{count} text tests of rules, {failures} failed")
    return 1 if failures or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
