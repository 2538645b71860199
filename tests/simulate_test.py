#!/usr/bin/env python3
"""sightline simulate as its user runs it: same seed same truth, faults and their truth, pipes, wrong input, signals."""
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import cv2
import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("SIGHTLINE_PROGRAM", str(ROOT / "build/release/sightline"))
TRUTH = ["gt.txt", "seqinfo.ini", "labels.txt", "events.jsonl", "calibration.json", "layout.json", "camera.yaml", "weather.csv",
         "signals.csv"]


def sightline(*arguments, timeout=300, **options):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, timeout=timeout, **options)


def frames_of(path):
    capture = cv2.VideoCapture(str(path))
    frames = []
    while True:
        ok, frame = capture.read()
        if not ok:
            return frames
        frames.append(frame)


class SimulateTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sightline-simulate-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def street(self, name, *arguments, seconds=2, fps=10):
        done = sightline("simulate", "street", "--seconds", seconds, "--fps", fps, "-o", self.folder / name, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return self.folder / name

    def test_same_seed_gives_the_same_truth_and_other_seeds_others(self):
        a, b = self.street("a", "--seed", 5), self.street("b", "--seed", 5)
        for name in TRUTH:
            self.assertEqual((a / name).read_bytes(), (b / name).read_bytes(), name)
        c = self.street("c", "--seed", 6)
        self.assertNotEqual((a / "gt.txt").read_bytes(), (c / "gt.txt").read_bytes())
        self.assertNotEqual((a / "layout.json").read_bytes(), (c / "layout.json").read_bytes())

    def test_truth_does_not_depend_on_whether_pictures_are_made(self):
        a, b = self.street("a", "--seed", 8), self.street("b", "--seed", 8, "--no-video")
        self.assertFalse((b / "video.mp4").exists())
        for name in TRUTH:
            self.assertEqual((a / name).read_bytes(), (b / name).read_bytes(), name)

    def test_video_and_boxes_fit_together(self):
        a = self.street("a", "--seed", 9, "--weather", "day", seconds=4)
        frames = frames_of(a / "video.mp4")
        self.assertEqual(len(frames), 40)
        self.assertEqual(frames[0].shape, (360, 640, 3))
        background = numpy.median(numpy.stack(frames), axis=0)
        moving_in, moving_all = 0.0, 0.0
        rows = numpy.loadtxt(a / "gt.txt", delimiter=",", ndmin=2)
        for index, frame in enumerate(frames):
            difference = numpy.abs(frame.astype(float) - background).max(axis=2)
            changed = difference > 40
            inside = numpy.zeros(changed.shape, bool)
            for row in rows[rows[:, 0] == index + 1]:
                x, y, w, h = row[2:6]
                inside[max(0, int(y) - 4):int(y + h) + 12, max(0, int(x) - 14):int(x + w) + 14] = True  # with its shadow
            moving_in += (changed & inside).sum()
            moving_all += changed.sum()
        self.assertGreater(moving_all, 0)
        self.assertGreater(moving_in / moving_all, 0.7, "what moves in the pictures is where the truth says")

    def test_raw_frames_go_to_a_pipe(self):
        done = sightline("simulate", "street", "--seed", 3, "--seconds", 1, "--fps", 5, "--size", "320x180", "--raw", "-", "-q")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(len(done.stdout), 5 * 320 * 180 * 3 // 2)

    def test_a_pipeline_reads_the_simulated_camera(self):
        if not (ROOT / "models/street_detector/model.onnx").exists():
            self.skipTest("no model is shipped")
        done = sightline("run", ROOT / "examples/street.yaml", "--models", ROOT / "models",
                         "sim:street?seed=9&seconds=2&fps=10&weather=day", "-q")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
        self.assertGreater(sum(r["kind"] == "detection" for r in rows), 10)
        self.assertEqual({r["source"] for r in rows}, {"sim:street?seed=9&seconds=2&fps=10&weather=day"})

    def test_faults_change_what_they_say_and_nothing_before(self):
        a = self.street("a", "--seed", 4, "--weather", "day", seconds=4)
        out = self.folder / "out.mp4"
        done = sightline("simulate", "faults", a / "video.mp4", out, "--fault",
                         "cover:severity=5,at=2s,region=upper-left", "-q")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        truth = [json.loads(line) for line in (self.folder / "out.faults.jsonl").read_text().splitlines()]
        self.assertEqual(truth[0]["kind"], "cover")
        self.assertEqual(truth[0]["begin_s"], 2)
        before, after = frames_of(a / "video.mp4"), frames_of(out)
        self.assertEqual(len(before), len(after))
        quarter = lambda f: f[:150, :280].astype(float)
        rest = lambda f: f[220:, 380:].astype(float)
        self.assertLess(numpy.abs(quarter(before[10]) - quarter(after[10])).mean(), 3)
        self.assertGreater(numpy.abs(quarter(before[35]) - quarter(after[35])).mean(), 25)
        self.assertLess(numpy.abs(rest(before[35]) - rest(after[35])).mean(), 3)

    def test_faults_of_a_picture(self):
        a = self.street("a", "--seed", 4, "--weather", "day", seconds=1)
        cv2.imwrite(str(self.folder / "in.png"), frames_of(a / "video.mp4")[0])
        done = sightline("simulate", "faults", self.folder / "in.png", self.folder / "out.jpg", "--fault", "fog:severity=4")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        before, after = cv2.imread(str(self.folder / "in.png")), cv2.imread(str(self.folder / "out.jpg"))
        self.assertEqual(before.shape, after.shape)
        self.assertLess(after.std(), 0.8 * before.std(), "fog takes contrast")

    def test_every_fault_is_listed_and_runs(self):
        a = self.street("a", "--seed", 4, seconds=1)
        listed = sightline("simulate", "faults", "--list").stdout.decode().splitlines()
        self.assertEqual(len(listed), 21)
        for line in listed:
            done = sightline("simulate", "faults", a / "video.mp4", self.folder / "out.mp4", "--fault",
                             line.split()[0] + ":severity=3", "-q")
            self.assertEqual(done.returncode, 0, line + done.stderr.decode())

    def test_wrong_input_is_named(self):
        cases = [
            (["simulate", "street"], "say where to"),
            (["simulate", "street", "--size", "11x5", "-o", "x"], "size: '11x5' is no WIDTHxHEIGHT"),
            (["simulate", "street", "--seconds", "0", "-o", "x"], "seconds: 0"),
            (["simulate", "street", "--fps", "0", "-o", "x"], "fps: 0"),
            (["simulate", "street", "--weather", "snow", "-o", "x"], "snow"),
            (["simulate", "street", "--scenario", "/nowhere.yaml", "-o", "x"], "/nowhere.yaml"),
            (["simulate", "street", "--fault", "smuge", "-o", "x"], "did you mean 'smudge'"),
            (["simulate", "faults", "a.mp4", "b.mp4"], "no --fault given"),
            (["simulate", "faults", "a.mp4", "b.mp4", "--fault", "black"], "a.mp4"),
            (["run", ROOT / "examples/street.yaml", "--models", ROOT / "models", "sim:street?sed=3"], "did you mean 'seed'"),
            (["run", ROOT / "examples/street.yaml", "--models", ROOT / "models", "sim:farm"], "sim:street?seed=N"),
        ]
        for arguments, message in cases:
            done = sightline(*arguments, cwd=self.folder)
            self.assertIn(done.returncode, (2, 4), arguments)
            self.assertIn(message, done.stderr.decode(), arguments)

    def test_ctrl_c_keeps_a_whole_video_and_its_truth(self):
        process = subprocess.Popen([PROGRAM, "simulate", "street", "--seconds", "3600", "-o", self.folder / "a"],
                                   stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while not (self.folder / "a/video.mp4.partial").exists() or \
                (self.folder / "a/video.mp4.partial").stat().st_size < 100_000:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        frames = frames_of(self.folder / "a/video.mp4")
        rows = numpy.loadtxt(self.folder / "a/gt.txt", delimiter=",", ndmin=2)
        self.assertGreater(len(frames), 5)
        self.assertLessEqual(rows[:, 0].max(), len(frames))
        self.assertGreater(rows[:, 0].max(), len(frames) - 30)


if __name__ == "__main__":
    if not pathlib.Path(PROGRAM).exists():
        sys.exit(f"{PROGRAM}: build it first")
    unittest.main()
