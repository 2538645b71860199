#!/usr/bin/env python3
"""How fast streets are simulated and faults are done, on one core: the whole program, pinned to one processor.

usage: simulate.py [--seconds 30] [--strict]
Against the decode of the same clip by ffmpeg on the same core in the same run (ratio), and against the limit of 150 frames/s
at 640x360. The pictures are checked to be different from each other and the clip to be whole.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

from common import BUILD, OUT

LIMIT = 150
PROGRAM = str(BUILD / "sightline")
PINNED = ["taskset", "-c", "0"]


def timed(*command):
    begin = time.monotonic()
    done = subprocess.run([*PINNED, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"{command}: exit status {done.returncode}")
    return time.monotonic() - begin, done.stdout


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=int, default=30)
    arguments.add_argument("--strict", action="store_true")
    options = arguments.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    result, missed = {}, 0
    frames = options.seconds * 25
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'':<28}{'frames/s':>10}   (one core, 640x360, {frames} frames; start-up included)")
        for weather in ("day", "dusk", "night", "rain", "fog"):
            wall, pixels = timed(PROGRAM, "simulate", "street", "--seed", 7, "--seconds", options.seconds, "--weather", weather,
                                 "--raw", "-", "-q")
            size = 640 * 360 * 3 // 2
            if len(pixels) != frames * size:
                sys.exit(f"{len(pixels)} bytes came, not {frames} frames")
            distinct = len({hash(pixels[i * size:(i + 1) * size]) for i in range(frames)})
            if distinct != frames:
                sys.exit(f"only {distinct} of {frames} frames differ")
            rate = frames / wall
            result[f"street {weather}"] = rate
            missed += rate < LIMIT
            print(f"{'street, ' + weather:<28}{rate:>10.0f}   limit {LIMIT}: {'reached' if rate >= LIMIT else 'MISSED'}")
        wall, _ = timed(PROGRAM, "simulate", "street", "--seed", 7, "--seconds", options.seconds, "-o", f"{folder}/s", "-q")
        result["street to MP4 with truth"] = frames / wall
        print(f"{'street to MP4 with truth':<28}{frames / wall:>10.0f}   (encoding included)")
        wall, _ = timed(PROGRAM, "simulate", "street", "--seed", 7, "--seconds", options.seconds, "-o", f"{folder}/t", "-q",
                        "--no-video")
        result["truth alone"] = frames / wall
        print(f"{'truth alone':<28}{frames / wall:>10.0f}")
        wall, _ = timed("ffmpeg", "-v", "error", "-threads", 1, "-i", f"{folder}/s/video.mp4", "-f", "null", "-")
        result["ffmpeg decode"] = frames / wall
        print(f"{'(ffmpeg decodes the clip)':<28}{frames / wall:>10.0f}")
    (OUT / "simulate.json").write_text(json.dumps(result, indent=1))
    return 1 if options.strict and missed else 0


if __name__ == "__main__":
    sys.exit(main())
