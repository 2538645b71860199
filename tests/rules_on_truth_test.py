#!/usr/bin/env python3
"""The rules against simulated streets: true boxes in, events out, compared with what really happened.

usage: rules_on_truth_test.py [--seeds N] [--first SEED] [--seconds S] [--rate N] [--detector] [--keep DIR] [--jobs N]

Streets are made by seed, each with events of most kinds by script, and others come about by chance. Every street's
own camera.yaml is replayed over its true boxes. Exit status 1 where near_miss, wrong_way, stopped_vehicle or
person_on_road fall below 0.9 of precision or recall over all streets together (with few events of a kind, two
mistakes are let pass, but none more of near_miss). The default seeds are among those that the rules were made on, so this
is a test that they stay as good: 1000 to 1999, 5000 to 5999, 7000 to 7999, 9000 to 9999, 12000 to 12999 and 20000 to
20999 were looked at. How good they are on streets that nobody looked at: docs/rules.md.

--detector: not true boxes but what the pipeline that ships (examples/street.yaml) sees in the video, at --rate frames a
second (5 where it is not given). A report; the limits are for true boxes.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("SIGHTLINE_PROGRAM", str(ROOT / "build/release/sightline"))
FIRST = 12000
TARGETS = ["near_miss", "wrong_way", "stopped_vehicle", "person_on_road"]
STRICT = ["near_miss"]  # happens often enough for its share to count as it is
SAME = ["--map", "speed=speeding", "--map", "abandoned_object=abandoned_vehicle"]
SPACING_S = 11


def scenario(seed, seconds):
    """Events in turn, the four that have targets most often; who takes part is drawn by the seed."""
    draw = random.Random(seed)
    kinds = ["near_miss", "wrong_way", "person_on_road", "stopped_vehicle", "near_miss", "red_light",
             "speeding", "near_miss", "crowd"]
    turn = seed % len(kinds)
    events = []
    for number, at in enumerate(range(5, int(seconds) - 10, SPACING_S)):
        kind = kinds[(turn + number) % len(kinds)]
        event = {"kind": kind, "at_s": at}
        if kind == "near_miss":
            event["first"] = draw.choice(["car", "car", "car", "motorcycle", "truck"])
            event["second"] = draw.choice(["person", "person", "car", "bicycle"])
            if draw.random() < 0.6:
                event["time_to_collision_s"] = round(draw.uniform(0.6, 1.2), 2)
            else:
                event["post_encroachment_s"] = round(draw.uniform(0.4, 1.1), 2)
        elif kind in ("wrong_way", "red_light", "speeding"):
            event["first"] = draw.choice(["car", "car", "motorcycle", "truck"])
        elif kind == "stopped_vehicle":
            event["first"] = draw.choice(["car", "truck"])
            event["duration_s"] = draw.randint(11, 16)
        elif kind == "person_on_road":
            event["duration_s"] = draw.randint(4, 9)
        elif kind == "crowd":
            event["count"] = draw.randint(9, 14)
            event["duration_s"] = draw.randint(7, 10)
        events.append(event)
    return json.dumps({"events": events}, indent=1)


def call(*arguments):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stderr}")


def street(seed, options, folder):
    place = folder / str(seed)
    if not (place / "events.jsonl").exists():
        place.mkdir(parents=True, exist_ok=True)
        (place / "scenario.yaml").write_text(scenario(seed, options.seconds))
        call("simulate", "street", "--seed", seed, "--seconds", options.seconds, "--scenario", place / "scenario.yaml",
             *([] if options.detector else ["--no-video"]), "-q", "-o", place)
    tracks, rate = place, options.rate
    if options.detector:
        tracks, rate = place / "tracks.jsonl", options.rate or 5
        call("run", ROOT / "examples/street.yaml", "--models", ROOT / "models", place / "video.mp4", "--fps", rate,
             "--workers", 1, "-q", "-o", tracks)
    call("camera", "replay", place / "camera.yaml", tracks, "-o", place / "found.jsonl", "--rate", rate, "-q")
    call("eval", "--truth", place / "events.jsonl", "--results", place / "found.jsonl", "--task", "events", *SAME,
         "--json", place / "scores.json")
    return seed, json.loads((place / "scores.json").read_text())["events"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--first", type=int, default=FIRST)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--detector", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=pathlib.Path)
    options = parser.parse_args()
    folder = options.keep or pathlib.Path(tempfile.mkdtemp(prefix="sightline-rules-"))
    seeds = range(options.first, options.first + options.seeds)
    counts = {}
    try:
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for seed, scores in pool.map(lambda s: street(s, options, folder), seeds):
                for kind in scores["kinds"]:
                    mine = counts.setdefault(kind["kind"], [0, 0, 0])
                    for i, key in enumerate(("truths", "results", "matches")):
                        mine[i] += kind[key]
                for word in ("missed", "false_alarms"):
                    for event in scores[word]:
                        print(f"seed {seed}: {word.replace('_', ' ').rstrip('s')}: {event['kind']} at "
                              f"{event['begin_s']:.1f}-{event['end_s']:.1f} s")
    finally:
        if not options.keep:
            shutil.rmtree(folder)
    print(f"\n{len(seeds)} streets of {options.seconds} s, seeds {seeds[0]} to {seeds[-1]}")
    print(f"{'kind':18} {'truth':>6} {'reported':>9} {'right':>6} {'precision':>10} {'recall':>7}")
    failed = []
    for kind, (truths, results, matches) in sorted(counts.items()):
        precision, recall = matches / max(results, 1), matches / max(truths, 1)
        print(f"{kind:18} {truths:6} {results:9} {matches:6} {precision:10.3f} {recall:7.3f}")
        # Of ten events eight are not yet a rule's failure: with few, two mistakes are let pass.
        allowed = 0 if kind in STRICT else 2
        if kind in TARGETS and (results - matches > max(allowed, 0.1 * results) or
                                truths - matches > max(allowed, 0.1 * truths)):
            failed.append(kind)
    for kind in TARGETS:
        if counts.get(kind, [0])[0] == 0:
            failed.append(f"{kind} (none happened)")
    if failed and options.detector:
        return 0
    if failed:
        print(f"below 0.9: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
