#!/usr/bin/env python3
"""How many real-time cameras one core sustains: `sightline serve` pinned to one processor, watching looped files.

usage: cameras.py [--footage NAME,...] [--modes NAME,...] [--seconds 15] [--clips 24] [--strict] [--soak MINUTES]

Three ways to watch: each frame whole (`every`), five whole frames a second (`five`), and five a second where attention is
needed (`auto`). A number of cameras is sustained when in the window no camera was analysed less often than 95 % of its rate
and the 99th percentile of a result's age is at most a second for each. The number is found by measuring what few cameras
cost, and is then tried: what counts is the largest number that was sustained. The ceiling is what ffmpeg decodes alone on
the same processor (-threads 1 -f null).

Then the results: on simulated clips with known events (seeds that nothing was made on) all three ways watch the same cameras,
as fast as they can be analysed; their events are compared with the truth, and the recall of each way with that of `every` in the
same run; so are the tracks (attention_bench).

--soak: 200 file cameras of two frames a second, analysed every other second, for so many minutes; memory, threads and descriptors must stay flat.
Footage: sim (street_detector), and those of the assets' videos that are there (yolox_nano). Also in build/bench/cameras.json.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

import yaml

from common import ASSETS, BUILD, OUT, ROOT, make_models

sys.path.insert(0, str(ROOT / "tests"))
from rules_on_truth_test import SAME, scenario  # noqa: E402

PROGRAM = str(BUILD / "sightline")
CORE = str(max(os.sched_getaffinity(0)))
MODES = {"every": {"rate": 0, "attention": "full"}, "five": {"rate": 5, "attention": "full"},
         "auto": {"rate": 5, "attention": "auto"}}
VIDEOS = {"crosswalk": "roxa_crosswalk.mp4", "highway": "saoyan_traffic.mp4", "pedestrians": "nandini_pedestrians.mp4"}
KEPT_SHARE, AGE_S, GOAL, RECALL_GOAL = 0.95, 1.0, 10, 0.95
YOLOX = """name: coco
steps:
  - {id: objects, kind: detect, model: yolox_nano, min_score: 0.1}
  - {id: tracks, kind: track, on: objects, high_score: 0.45, low_score: 0.1}
"""
METRIC = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')


class Node:
    """A `sightline serve` of its own data folder; metrics() reads /metrics."""

    def __init__(self, folder, cameras, pipeline, models, pinned=True, sinks=(), evidence=False, stagger_s=3):
        folder.mkdir(parents=True)
        config = {"name": "bench", "data_dir": str(folder / "data"), "http": {"listen": "127.0.0.1:0"}, "pipeline": pipeline,
                  "evidence": {"enabled": evidence}, "sinks": list(sinks)}
        if pinned:
            config["workers"] = 1
        (folder / "node.yaml").write_text(json.dumps(config))
        self.log = open(folder / "log.txt", "wb+")
        command = [PROGRAM, "serve", "--config", str(folder / "node.yaml"), "--models", str(models)]
        self.process = subprocess.Popen((["taskset", "-c", CORE] if pinned else []) + command, stderr=self.log)
        deadline = time.monotonic() + 120
        while True:  # until it says where it listens
            found = re.search(rb"http://127\.0\.0\.1:(\d+)/", (folder / "log.txt").read_bytes())
            if found:
                self.address = f"http://127.0.0.1:{int(found[1])}"
                break
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"bench: serve did not start: {(folder / 'log.txt').read_text()[-2000:]}")
            time.sleep(0.05)
        # Cameras have phases of their own: not all of them begin in the same moment.
        for camera in cameras:
            request = urllib.request.Request(self.address + "/api/v1/cameras", json.dumps(camera).encode(), method="POST")
            urllib.request.urlopen(request, timeout=60).read()
            time.sleep(stagger_s / len(cameras))

    def metrics(self):
        values = {}
        with urllib.request.urlopen(self.address + "/metrics", timeout=20) as answer:
            for line in answer.read().decode().splitlines():
                match = METRIC.match(line)
                if match:
                    labels = dict(re.findall(r'(\w+)="([^"]*)"', match[2] or ""))
                    values[(match[1], labels.get("camera"), labels.get("share") or labels.get("state"))] = float(match[3])
        return values

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            sys.exit("bench: serve did not end within 30 s")
        self.log.close()


def cameras_of(files, count, mode, extra=lambda i: {}):
    return [{"name": f"c{i}", "source": str(files[i % len(files)]), "loop": True, **MODES[mode], **extra(i)}
            for i in range(count)]


def watch(footage, count, mode, seconds):
    """What happened to `count` cameras in the window: (sustained, CPU seconds a second, worst share of the rate, worst p99 of age)."""
    with tempfile.TemporaryDirectory() as folder:
        node = Node(pathlib.Path(folder) / "node", cameras_of(footage["files"], count, mode), footage["pipeline"],
                    footage["models"])
        try:
            time.sleep(6 + count / 40)
            before, began = node.metrics(), time.monotonic()
            time.sleep(seconds)
            after, wall = node.metrics(), time.monotonic() - began
        finally:
            node.stop()
    share, age = 1e9, 0.0
    for i in range(count):
        done, came = [after[name, f"c{i}", None] - before[name, f"c{i}", None]
                      for name in ("sightline_camera_analysed_total", "sightline_camera_packets_total")]
        share = min(share, done / (MODES[mode]["rate"] * wall or came))  # what comes in the window: rates of files vary
        age = max(age, after["sightline_camera_delay_seconds", f"c{i}", "0.99"])
    cpu = (after["process_cpu_seconds_total", None, None] - before["process_cpu_seconds_total", None, None]) / wall
    return share >= KEPT_SHARE and age <= AGE_S, cpu, share, age


def sustained(footage, mode, seconds):
    """The largest number of cameras that was sustained, by trying around what few of them cost."""
    few = 2 if mode == "every" else 4
    good, cpu, share, age = watch(footage, few, mode, seconds)
    if not good:  # something else was in the way
        good, cpu, share, age = watch(footage, few, mode, seconds)
    tried = {few: good}
    print(f"    {mode:<6} {few:>4} cameras: {100 * cpu:.0f} % of the core, rate kept {share:.2f}, age p99 {age:.2f} s", flush=True)
    while len(tried) < 8:
        best = max([n for n, ok in tried.items() if ok], default=0)
        worst = min([n for n, ok in tried.items() if not ok and n > best], default=None)
        if worst is None:
            guess = max(best + 1, min(int(best * 0.97 / max(cpu, 0.05)), 8 * best))
        elif worst - best <= max(1, worst // 25):
            break
        else:
            guess = (best + worst) // 2
        good, cpu, share, age = watch(footage, guess, mode, seconds)
        if not good and cpu < 0.9:  # something else was in the way
            good, cpu, share, age = watch(footage, guess, mode, seconds)
        tried[guess] = good
        print(f"    {mode:<6} {guess:>4} cameras: {100 * cpu:.0f} % of the core, rate kept {share:.2f}, age p99 {age:.2f} s"
              f"{'' if good else '  (not sustained)'}", flush=True)
    return max([n for n, ok in tried.items() if ok], default=0)


def frame_rate(file):
    text = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "stream=avg_frame_rate", "-of",
                           "csv=p=0", file], check=True, capture_output=True, text=True).stdout.strip()
    over, under = text.split("/")
    return float(over) / float(under)


def decode_ceiling(footage):
    """Cameras whose frames ffmpeg alone would decode in real time on the core."""
    seconds_of_cpu = seconds_of_video = 0.0
    for file, fps in zip(footage["files"], footage["fps"]):
        before = os.times()
        done = subprocess.run(["taskset", "-c", CORE, "ffmpeg", "-v", "info", "-threads", "1", "-i", file, "-f", "null", "-"],
                              check=True, capture_output=True, text=True)
        after = os.times()
        seconds_of_cpu += after.children_user + after.children_system - before.children_user - before.children_system
        seconds_of_video += int(re.findall(r"frame=\s*(\d+)", done.stderr)[-1]) / fps
    return seconds_of_video / seconds_of_cpu


def simulate(folder, seed, seconds, *extra):
    if not (folder / "camera.yaml").exists():
        subprocess.run([PROGRAM, "simulate", "street", "--seed", str(seed), "--seconds", str(seconds), "-o", str(folder), "-q",
                        *extra], check=True)
    return folder


def footage_of(names, models):
    clips = [simulate(OUT / f"street-{seed}", seed, 40) for seed in (500, 501, 502, 503)] if "sim" in names else []
    found = {}
    if clips:
        found["sim"] = {"files": [c / "video.mp4" for c in clips], "pipeline": "street", "models": models["ours"]}
    for name in names:
        if name == "sim":
            continue
        file = ASSETS / "videos" / VIDEOS[name]
        if not file.exists():
            print(f"bench: skipped: {name} ({file} is not there)", file=sys.stderr)
            continue
        found[name] = {"files": [file], "pipeline": str(OUT / "coco.yaml"), "models": models["assets"]}
    for footage in found.values():
        footage["fps"] = [frame_rate(f) for f in footage["files"]]
    return found


def street(seed, seconds):
    """A street with scripted events, as tests/rules_on_truth_test.py makes them; kept from run to run."""
    folder = OUT / f"events-{seed}-{seconds}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scenario.yaml").write_text(scenario(seed, seconds))
    return simulate(folder, seed, seconds, "--scenario", str(folder / "scenario.yaml"))


def events_of(folder, mode, clips):
    """All clips once, at once and as fast as they can be analysed, no frame left out: the CloudEvents, as they were written."""
    cameras = []
    for clip in clips:
        camera = yaml.safe_load((clip / "camera.yaml").read_text())
        # Nobody tells this node what the signals show, and cars wait at them.
        camera["rules"] = [rule for rule in camera["rules"] if "topic" not in rule]
        camera.update({"name": clip.name, "source": str(clip / "video.mp4"), "loop": False, "real_time": False, **MODES[mode]})
        cameras.append(camera)
    node = Node(folder / mode, cameras, "street", BUILD.parent.parent / "models", pinned=False,
                sinks=[{"kind": "jsonl", "file": "events.jsonl"}])
    try:
        deadline = time.monotonic() + 1800
        while True:
            time.sleep(1)
            values = node.metrics()
            if all(values.get(("sightline_camera_state", clip.name, "ended"), 0) == 1 for clip in clips):
                break
            if time.monotonic() > deadline:
                sys.exit(f"bench: {mode}: not all clips came to their end within half an hour")
        dropped = sum(value for (name, _, _), value in values.items() if name == "sightline_camera_dropped_total")
    finally:
        node.stop()
    file = folder / mode / "data" / "events.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else [], dropped


# Kinds that pictures decide.
KINDS = ("near_miss", "person_on_road", "wrong_way", "stopped_vehicle", "crowd", "speeding")


def score_events(rows, clips, folder):
    """{kind: [true, reported, right]} by `sightline eval --task events`: one report for one true event, within a second."""
    counts = {kind: [0, 0, 0] for kind in KINDS}
    for clip in clips:
        mine, scores = folder / f"{clip.name}.jsonl", folder / f"{clip.name}.json"
        mine.write_text("".join(json.dumps(row) + "\n" for row in rows if row["source"].endswith("/" + clip.name)))
        subprocess.run([PROGRAM, "eval", "--truth", clip / "events.jsonl", "--results", mine, "--task", "events", *SAME, "--json",
                        scores], check=True, capture_output=True)
        for kind in json.loads(scores.read_text())["events"]["kinds"]:
            if kind["kind"] in counts:
                for i, key in enumerate(("truths", "results", "matches")):
                    counts[kind["kind"]][i] += kind[key]
    return counts


def compare_events(first, count, seconds):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        clips = list(pool.map(lambda seed: street(seed, seconds), range(first, first + count)))
    result = {}
    with tempfile.TemporaryDirectory() as folder:
        for mode in MODES:
            rows, dropped = events_of(pathlib.Path(folder), mode, clips)
            kinds = score_events(rows, clips, pathlib.Path(folder) / mode)
            asked, reported, right = (sum(counts[i] for counts in kinds.values()) for i in range(3))
            result[mode] = {"recall": right / max(asked, 1), "asked": asked, "reported": reported, "right": right, "kinds": kinds}
            print(f"    {mode:<6} {right} of {asked} true events found, {reported} reported ({dropped:.0f} frames dropped): "
                  + ", ".join(f"{kind} {n[2]}/{n[1]}/{n[0]}" for kind, n in kinds.items()), flush=True)
    # The tracks, of the same streets: each frame of the first half minute.
    file = OUT / "cameras_tracks.json"
    command = [BUILD / "bench/attention_bench", "--models", ROOT / "models", "--pipeline", ROOT / "examples/street.yaml",
               "--seconds", min(30, seconds), "--json", file]
    for clip in clips:
        command += ["--street", clip]
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
    result["tracks"] = json.loads(file.read_text())["streets"]
    return result


def soak(minutes, count, models):
    """Flat: in the second half of the time nothing is above what it was in the second quarter."""
    clips = [simulate(OUT / f"slow2-{seed}", seed, 40, "--fps", "2") for seed in (500, 501, 502, 503)]
    footage = {"files": [c / "video.mp4" for c in clips]}
    names = ("process_resident_memory_bytes", "process_threads", "process_open_fds")
    with tempfile.TemporaryDirectory() as folder:
        cameras = cameras_of(footage["files"], count, "auto", lambda i: {"rate": 0.5})
        node = Node(pathlib.Path(folder) / "node", cameras, "street", models["ours"], pinned=False)
        try:
            time.sleep(30)
            first, began, samples = node.metrics(), time.monotonic(), []
            while time.monotonic() - began < minutes * 60:
                time.sleep(20)
                values = node.metrics()
                samples.append([values[name, None, None] for name in names])
                print(f"    {time.monotonic() - began:5.0f} s: {samples[-1][0] / 2**20:.0f} MiB, {samples[-1][1]:.0f} threads, "
                      f"{samples[-1][2]:.0f} descriptors", file=sys.stderr, flush=True)
            wall = time.monotonic() - began
            live = sum(values.get(("sightline_camera_state", f"c{i}", "live"), 0) for i in range(count))
            rates = [(values["sightline_camera_analysed_total", f"c{i}", None] -
                      first["sightline_camera_analysed_total", f"c{i}", None]) / wall for i in range(count)]
        finally:
            node.stop()
    quarter, half = samples[len(samples) // 4:len(samples) // 2] or samples[:1], samples[len(samples) // 2:]
    most = [[max(s[i] for s in part) for i in range(3)] for part in (quarter, half)]
    growth = most[1][0] / most[0][0]
    print(f"  soak of {wall / 60:.0f} minutes: {live:.0f} of {count} cameras live, analysed {min(rates):.2f} to {max(rates):.2f} a second "
          f"of 0.5; memory {most[0][0] / 2**20:.0f} MiB in the second quarter, {most[1][0] / 2**20:.0f} MiB in the second half "
          f"({growth:.3f}x); threads {most[0][1]:.0f}, {most[1][1]:.0f}; descriptors {most[0][2]:.0f}, {most[1][2]:.0f}")
    flat = growth <= 1.03 and most[1][1] <= most[0][1] and most[1][2] <= most[0][2] + 2
    return {"flat": flat, "growth": growth, "live": live, "rates": [min(rates), max(rates)]}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--footage", default="sim," + ",".join(VIDEOS))
    arguments.add_argument("--modes", default=",".join(MODES))
    arguments.add_argument("--seconds", type=float, default=15)
    arguments.add_argument("--clips", type=int, default=24, help="simulated cameras for the comparison of events; 0: none")
    arguments.add_argument("--first", type=int, default=31000, help="seed of the first of them")
    arguments.add_argument("--soak", type=float, default=0, metavar="MINUTES")
    arguments.add_argument("--soak-cameras", type=int, default=200)
    arguments.add_argument("--strict", action="store_true")
    options = arguments.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "coco.yaml").write_text(YOLOX)
    models = {"ours": BUILD.parent.parent / "models", "assets": OUT / "camera_models"}
    if (ASSETS / "models/yolox_nano_416.onnx").exists():
        make_models(models["assets"], {"yolox_nano": ("yolox_nano_416.onnx", ["--labels", "coco80"])})
    result, missed = {}, False
    if options.soak:
        result["soak"] = soak(options.soak, options.soak_cameras, models)
        (OUT / "cameras_soak.json").write_text(json.dumps(result, indent=1))
        return 0 if result["soak"]["flat"] else 1
    for name, footage in footage_of([n for n in options.footage.split(",") if n], models).items():
        print(f"  {name}: {len(footage['files'])} videos of {footage['fps'][0]:.1f} frames/s", flush=True)
        ceiling = decode_ceiling(footage)
        counts = {mode: sustained(footage, mode, options.seconds) for mode in options.modes.split(",")}
        every = counts.get("every", 0)
        result[name] = {"ceiling": ceiling, **counts}
        print(f"    decode alone (ffmpeg): {ceiling:.0f} cameras")
        for mode, count in counts.items():
            ratio = f", {count / every:.1f}x every-frame" if every else ""
            print(f"    {mode:<6} {count:>4} cameras per core{ratio}, {count / ceiling:.2f} of decode alone", flush=True)
        if every and "auto" in counts:
            missed |= counts["auto"] / every < GOAL
            print(f"    goal of {GOAL}x: {'reached' if counts['auto'] / every >= GOAL else 'MISSED'}")
    if options.clips:
        print(f"  events and tracks on {options.clips} simulated cameras of 80 s, seeds from {options.first} (held out); "
              "right/reported/true", flush=True)
        result["events"] = compare_events(options.first, options.clips, 80)
        tracks = result["events"]["tracks"]["auto, 5 a s"]
        for what, kept in (("events", result["events"]["auto"]["recall"] / max(result["events"]["every"]["recall"], 1e-9)),
                           ("HOTA", tracks["hota_of_every_frame"]), ("IDF1", tracks["idf1_of_every_frame"])):
            missed |= kept < RECALL_GOAL
            print(f"    auto, of every-frame's {what}: {100 * kept:.0f} %: goal of {100 * RECALL_GOAL:.0f} %: "
                  f"{'reached' if kept >= RECALL_GOAL else 'MISSED'}")
    (OUT / "cameras.json").write_text(json.dumps(result, indent=1))
    return 1 if options.strict and missed else 0


if __name__ == "__main__":
    sys.exit(main())
