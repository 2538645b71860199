#!/usr/bin/env python3
"""How fast streets are simulated and faults are done, on one core: the whole program, pinned to one processor.

usage: simulate.py [--seconds 30] [--strict]
Against the decode of the same clip by ffmpeg on the same core in the same run, and against the limit of 150 frames/s at
640x360. Two figures: by the clock, and by the processor's time, which others on the machine hardly disturb; the limit is
for the latter. The pictures are checked to be different from each other and the clip to be whole.
"""
import argparse
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

from common import BUILD, OUT

LIMIT = 150
PROGRAM = str(BUILD / "sightline")
PINNED = ["taskset", "-c", "0"]


def cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(*command):
    """Seconds by the clock and of the processor, and what it wrote."""
    begin, cpu_begin = time.monotonic(), cpu()
    done = subprocess.run([*PINNED, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"{command}: exit status {done.returncode}")
    return (time.monotonic() - begin, cpu() - cpu_begin), done.stdout


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=int, default=30)
    arguments.add_argument("--strict", action="store_true")
    options = arguments.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    result, missed = {}, 0
    frames = options.seconds * 25
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'':<28}{'frames/s':>10}{'a CPU s':>10}   (one core, 640x360, {frames} frames; start-up included)")

        def report(name, took, note=""):
            clock, processor = (frames / t for t in took)
            result[name] = {"frames_per_s": clock, "frames_per_cpu_s": processor}
            print(f"{name:<28}{clock:>10.0f}{processor:>10.0f}   {note}")

        for weather in ("day", "dusk", "night", "rain", "fog"):
            took, pixels = timed(PROGRAM, "simulate", "street", "--seed", 7, "--seconds", options.seconds, "--weather", weather,
                                 "--raw", "-", "-q")
            size = 640 * 360 * 3 // 2
            if len(pixels) != frames * size:
                sys.exit(f"{len(pixels)} bytes came, not {frames} frames")
            distinct = len({hash(pixels[i * size:(i + 1) * size]) for i in range(frames)})
            if distinct != frames:
                sys.exit(f"only {distinct} of {frames} frames differ")
            reached = frames / took[1] >= LIMIT
            missed += not reached
            report(f"street {weather}", took, f"limit {LIMIT}: {'reached' if reached else 'MISSED'}")
        street = [PROGRAM, "simulate", "street", "--seed", 7, "--seconds", options.seconds, "-q"]
        report("street to MP4 with truth", timed(*street, "-o", f"{folder}/s")[0], "encoding included")
        report("truth alone", timed(*street, "-o", f"{folder}/t", "--no-video")[0])
        report("ffmpeg decodes the clip", timed("ffmpeg", "-v", "error", "-threads", 1, "-i", f"{folder}/s/video.mp4", "-f",
                                                "null", "-")[0])
    (OUT / "simulate.json").write_text(json.dumps(result, indent=1))
    return 1 if options.strict and missed else 0


if __name__ == "__main__":
    sys.exit(main())
