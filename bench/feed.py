#!/usr/bin/env python3
"""Benchmark "feed": JPEG file -> normalised letterboxed float32 tensor, ours against python3-opencv and sharp.

usage: feed.py [--strict] [--rounds N] [--sides 416,640] [--program FILE] [--out FILE]

Every side is one process with one thread; in each round each of them takes all files once, in turn, so that whatever
else the machine does hits all of them. Medians over rounds. sharp stops at raw bytes: it has less to do. Pictures come
from the assets (SIGHTLINE_ASSETS); the 12-megapixel ones are made here: upscaled, with the fine detail of other
pictures and sensor noise added until a file has the 3-5 MB that a camera's has. --strict: exit status 1 where a target
is missed.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

import cv2
import numpy as np

from common import ASSETS, BUILD, OUT, PEER_MODULES, PYTHON, install_peers, need

PEER_SIDES = pathlib.Path(__file__).resolve().parent / "feed_peers"
TARGETS = {"12 MP": {"opencv": 4.0, "sharp": 1.5}, "640x480": {"opencv": 1.5, "sharp": 1.5}}
DIFFERENCE_MAX = 4  # levels, mean over a picture: two good ways of reducing differ on noise


def coco_pictures():
    found = []
    for path in sorted((ASSETS / "images" / "coco").rglob("*.jpg")):
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        if picture is not None and max(picture.shape) == 640 and 400 <= min(picture.shape[:2]) <= 500:
            found.append(str(path))
    return found


def large_pictures(small, count=6):
    """Files of 4000x3000, made once."""
    folder = OUT / "feed"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"large_{i}.jpg" for i in range(count)]
    if all(path.exists() for path in paths):
        return [str(path) for path in paths]
    random = np.random.default_rng(12)
    details = []
    for path in small:
        picture = cv2.imread(path).astype(np.float32)
        details.append((picture - cv2.GaussianBlur(picture, (0, 0), 2))[:400, :400])
    for index, path in enumerate(paths):
        base = cv2.resize(cv2.imread(small[index]), (4000, 3000), interpolation=cv2.INTER_CUBIC).astype(np.float32)
        for y in range(0, 3000, 400):
            for x in range(0, 4000, 400):
                part = base[y : y + 400, x : x + 400]
                detail = details[random.integers(len(details))]
                part += 0.5 * detail[: part.shape[0], : part.shape[1]]
        grain = random.normal(0, 1, (3000, 4000, 1)).astype(np.float32)
        low, high = 0.0, 12.0
        for _ in range(6):  # the noise that gives about 4 MB
            noise = (low + high) / 2
            data = cv2.imencode(".jpg", np.clip(base + noise * grain, 0, 255).astype(np.uint8),
                                [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
            if data.size < 4_000_000:
                low = noise
            else:
                high = noise
        path.write_bytes(data.tobytes())
    return [str(path) for path in paths]


def sharp_is_there():
    try:
        install_peers()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"feed: compared with OpenCV only, as sharp could not be installed: {error}", file=sys.stderr)
        return False
    return True


class Side:
    def __init__(self, command):
        environment = dict(os.environ, OMP_NUM_THREADS="1", VIPS_CONCURRENCY="1")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"a side of the benchmark ended: {self.process.args[0]}")
        return json.loads(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measure(program, side, files, rounds, with_sharp):
    sides = {"sightline": Side([str(program), str(side), *files]),
             "opencv": Side([PYTHON, str(PEER_SIDES / "opencv.py"), str(side), *files])}
    if with_sharp:
        sides["sharp"] = Side(["node", str(PEER_SIDES / "sharp.mjs"), str(PEER_MODULES), str(side), *files])
    walls, cpus = {name: [] for name in sides}, {name: [] for name in sides}
    for turn in range(rounds + 1):
        for name, peer in sides.items():
            took = peer.ask("run")
            if turn > 0:  # the first warms up
                walls[name].append(took["seconds"] * 1000 / len(files))
                cpus[name].append(took["cpu"] * 1000 / len(files))
    differences = []
    for index in range(len(files)):
        tensors = []
        for name in ("sightline", "opencv"):
            dump = OUT / f"feed_{name}.bin"
            sides[name].ask(f"dump {index} {dump}")
            tensors.append(np.fromfile(dump, np.float32).reshape(3, side, side) * 255)
            dump.unlink()
        differences.append(float(np.abs(tensors[0] - tensors[1]).mean()))
    for peer in sides.values():
        peer.close()
    return ({name: statistics.median(values) for name, values in walls.items()},
            {name: statistics.median(values) for name, values in cpus.items()}, max(differences))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--sides", default="416,640")
    parser.add_argument("--program", type=pathlib.Path, default=BUILD / "bench" / "feed_bench")
    parser.add_argument("--out", type=pathlib.Path, default=OUT / "feed.json")
    args = parser.parse_args()
    need(ASSETS, "the folder of test assets (SIGHTLINE_ASSETS)")
    need(args.program, "the program feed_bench (./dev build feed_bench)")
    OUT.mkdir(parents=True, exist_ok=True)
    small = coco_pictures()
    sets = {"12 MP": large_pictures(small), "640x480": small}
    with_sharp = sharp_is_there()
    report, missed = [], []
    print("ms per picture and ratios by wall time; (ratios by CPU time, which other work on the machine hardly moves)")
    print(f"{'pictures':<10}{'input':>6}{'ours':>9}{'opencv':>9}{'sharp':>9}{'x opencv':>18}{'x sharp':>18}"
          f"{'mean abs diff':>15}")
    for name, files in sets.items():
        for side in map(int, args.sides.split(",")):
            wall, cpu, difference = measure(args.program, side, files, args.rounds, with_sharp)
            peers = [peer for peer in wall if peer != "sightline"]
            ratios = {peer: wall[peer] / wall["sightline"] for peer in peers}
            cpu_ratios = {peer: cpu[peer] / cpu["sightline"] for peer in peers}
            report.append({"pictures": name, "files": len(files), "input": side, "wall_ms": wall, "cpu_ms": cpu,
                           "ratio": ratios, "cpu_ratio": cpu_ratios, "mean_abs_difference_levels": difference,
                           "bytes_per_file": sum(os.path.getsize(f) for f in files) // len(files)})
            for peer, ratio in ratios.items():
                if ratio < TARGETS[name][peer]:
                    missed.append(f"{name} at {side}: {ratio:.2f}x {peer}, target {TARGETS[name][peer]}x")
            if difference > DIFFERENCE_MAX:
                missed.append(f"{name} at {side}: tensors differ by {difference:.2f} levels on average")
            shown = {peer: f"{ratios[peer]:.2f} ({cpu_ratios[peer]:.2f})" for peer in peers}
            print(f"{name:<10}{side:>6}{wall['sightline']:>9.2f}{wall['opencv']:>9.2f}"
                  f"{wall.get('sharp', float('nan')):>9.2f}{shown['opencv']:>18}{shown.get('sharp', '-'):>18}"
                  f"{difference:>15.2f}", flush=True)
    args.out.write_text(json.dumps({"benchmark": "feed", "rounds": args.rounds, "results": report}, indent=1) + "\n")
    for line in missed:
        print("missed:", line)
    return 1 if missed and args.strict else 0


if __name__ == "__main__":
    sys.exit(main())
