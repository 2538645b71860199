#!/usr/bin/env python3
"""The program as its user runs it: real models on real files, wrong input, signals, full disks.

Needs the built program (SIGHTLINE_PROGRAM, default build/release/sightline) and the test assets (SIGHTLINE_ASSETS, default
../shared/assets); without the assets all tests that need them are skipped.
"""
import csv
import functools
import http.server
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("SIGHTLINE_PROGRAM", str(ROOT / "build/release/sightline"))
ASSETS = pathlib.Path(os.environ.get("SIGHTLINE_ASSETS", ROOT.parent / "shared/assets"))
COCO = ASSETS / "images/coco/tinycoco/images/train2017"
VIDEOS = ASSETS / "videos"

# name in the examples -> file among the assets, and what `model add` cannot know
MODELS = {
    "yolox_nano": ("yolox_nano_416.onnx", ["--labels", "coco80"]),
    "yunet": ("yunet_n_640.onnx", []),
    "ultraface": ("ultraface_rfb_320.onnx", []),
    "age_gender": ("faceapi_age_gender.onnx", []),
    "pcb_defects": ("pcb_simple_cnn_fp32.onnx", ["--labels", "LABELS_PCB"]),
    "osnet": ("osnet_x0_25_msmt17.onnx", []),
}


def sightline(*arguments, input=None, timeout=300, **options):
    return subprocess.run([PROGRAM, *map(str, arguments)], input=input, capture_output=True, text=True, timeout=timeout,
                          **options)


def rows_of(text):
    return [json.loads(line) for line in text.splitlines()]


class WithModels(unittest.TestCase):
    """A folder of models made by `sightline model add`, once for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        if not ASSETS.is_dir():
            raise unittest.SkipTest("no test assets: set SIGHTLINE_ASSETS")
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="sightline-test-"))
        cls.models = cls.folder / "models"
        labels = cls.folder / "pcb.txt"
        labels.write_text("normal\nopen\nshort\nmousebite\nspur\ncopper\npinhole\n")
        for name, (file, extra) in MODELS.items():
            extra = [str(labels) if e == "LABELS_PCB" else e for e in extra]
            card = ROOT / "examples/models" / name / "model.yaml"
            if card.exists():  # the example's own card, beside the graph
                (cls.models / name).mkdir(parents=True)
                shutil.copy(card, cls.models / name)
                shutil.copy(ASSETS / "models" / file, cls.models / name / "model.onnx")
                continue
            added = sightline("model", "add", ASSETS / "models" / file, "--name", name, "--models", cls.models, *extra)
            assert added.returncode == 0, (name, added.stdout, added.stderr)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    def setUp(self):
        self.out = pathlib.Path(tempfile.mkdtemp(dir=self.folder))

    def run_pipeline(self, *arguments, expect=0, **options):
        result = sightline("run", *arguments, "--models", self.models, **options)
        self.assertEqual(result.returncode, expect, result.stderr[-3000:])
        return result


class RunsOnPictures(WithModels):
    def test_one_model_needs_no_pipeline(self):
        result = self.run_pipeline("--model", "yolox_nano", COCO)
        rows = rows_of(result.stdout)
        self.assertGreater(len(rows), 100)
        self.assertGreater(len({r["source"] for r in rows}), 25)
        self.assertEqual(list(rows[0]), ["source", "frame", "time_s", "step", "kind", "label", "score", "box", "track_id",
                                         "attributes", "keypoints", "mask", "embedding", "model", "error"])
        self.assertTrue(all(r["kind"] == "detection" and r["label"] and 0 < r["score"] <= 1 for r in rows))

    def test_results_agree_with_the_labels(self):
        truth = json.loads((ASSETS / "images/coco/tinycoco/annotations/instances_train2017.json").read_text())
        names = {c["id"]: c["name"] for c in truth["categories"]}
        files = {i["id"]: i["file_name"] for i in truth["images"]}
        rows = rows_of(self.run_pipeline("--model", "yolox_nano", COCO).stdout)

        def iou(a, b):
            w = min(a[2], b[2]) - max(a[0], b[0])
            h = min(a[3], b[3]) - max(a[1], b[1])
            if w <= 0 or h <= 0:
                return 0
            return w * h / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h)

        found = total = 0
        for a in truth["annotations"]:
            if a.get("iscrowd") or a["bbox"][2] * a["bbox"][3] < 96 * 96:
                continue
            x, y, w, h = a["bbox"]
            total += 1
            found += any(os.path.basename(r["source"]) == files[a["image_id"]] and r["label"] == names[a["category_id"]]
                         and iou(r["box"], [x, y, x + w, y + h]) > 0.5 for r in rows)
        self.assertGreater(total, 50)
        self.assertGreater(found / total, 0.6)  # large objects; a letterbox or colour mistake halves it

    def test_results_agree_with_an_independent_implementation(self):
        # Expected values: OpenCV's decoder, resize and network, decoded with numpy (tests/golden/e2e_yolox.py).
        golden = sorted((ROOT / "tests/golden/data").glob("e2e_yolox_*.json"))
        self.assertEqual(len(golden), 5)
        compared = 0
        for path in golden:
            expected = json.loads(path.read_text())
            rows = rows_of(self.run_pipeline("--model", "yolox_nano", ASSETS / expected["picture"]).stdout)
            width, height = expected["source"]
            for wanted in expected["detections"]:
                if wanted["score"] < 0.5:  # weak ones swing with the last bit of the decoder
                    continue
                near = [r for r in rows if abs(r["score"] - wanted["score"]) < 0.06
                        and all(abs(a - b) < 0.02 * max(width, height) for a, b in zip(r["box"], wanted["box"]))]
                self.assertEqual(len(near), 1, (path.name, wanted, rows))
                compared += 1
        self.assertGreaterEqual(compared, 5)

    def test_output_is_the_same_whatever_the_number_of_workers(self):
        outputs = {self.run_pipeline("--model", "yolox_nano", COCO, "--workers", n).stdout for n in (1, 2, 5)}
        self.assertEqual(len(outputs), 1)

    def test_faces_get_age_and_gender(self):
        rows = rows_of(self.run_pipeline(ROOT / "examples/people.yaml", ASSETS / "images/faces_photos").stdout)
        faces = [r for r in rows if r["kind"] == "detection"]
        people = [r for r in rows if r["kind"] == "classification"]
        self.assertGreaterEqual(len(faces), 19)
        self.assertGreaterEqual(len(people), 19)
        for row in people:
            self.assertIn(row["attributes"]["gender"]["value"], ("male", "female"))
            self.assertTrue(0 < row["attributes"]["age"]["value"] < 100, row)
            self.assertIn(row["box"], [f["box"] for f in faces])

    def test_faces_are_found_with_their_points(self):
        rows = rows_of(self.run_pipeline(ROOT / "examples/faces.yaml", ASSETS / "images/faces_photos").stdout)
        counts = {}
        for row in rows:
            counts[os.path.basename(row["source"])] = counts.get(os.path.basename(row["source"]), 0) + 1
            self.assertEqual(row["label"], "face")
        self.assertEqual(counts, {"bella.jpg": 1, "group_1.jpg": 19, "kid.jpg": 1})  # labels.csv

    def test_defects_are_classified(self):
        boards = sorted((ASSETS / "images/defects_deeppcb/dev").glob("*.jpg"))[:4]
        rows = rows_of(self.run_pipeline(ROOT / "examples/defects.yaml", *boards).stdout)
        self.assertTrue(rows)
        self.assertTrue(all(r["kind"] == "classification" for r in rows))

    def test_embeddings_have_unit_length(self):
        rows = rows_of(self.run_pipeline("--model", "osnet", COCO, "--limit", 3).stdout)
        self.assertEqual(len(rows), 3)
        for row in rows:
            self.assertEqual(row["kind"], "embedding")
            self.assertAlmostEqual(sum(v * v for v in row["embedding"]), 1, places=3)

    def test_boxes_are_in_pixels_of_the_picture_as_displayed(self):
        # One picture stored in the eight ways that EXIF can turn it: displayed, the same car is in the same place.
        stored = ["null", "hflip", "hflip,vflip", "vflip", "transpose=0", "transpose=2", "transpose=3", "transpose=1"]
        names = []
        for orientation, turn in enumerate(stored, 1):
            name = self.out / f"{orientation}.jpg"
            subprocess.run(["ffmpeg", "-v", "error", "-i", COCO / "000000017627.jpg", "-vf", turn, "-q:v", "1", name],
                           check=True)
            exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0" + bytes([orientation]) + b"\0\0\0\0\0\0"
            data = name.read_bytes()
            name.write_bytes(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:])
            names.append(name)
        rows = rows_of(self.run_pipeline("--model", "yolox_nano", *names).stdout)
        first = next(r["box"] for r in rows)
        for name in names:
            near = [r for r in rows if r["source"] == str(name) and r["label"] == "car"
                    and all(abs(a - b) < 8 for a, b in zip(first, r["box"]))]
            self.assertEqual(len(near), 1, name)

    def test_formats_of_the_results_agree(self):
        picture = sorted(COCO.glob("*.jpg"))[:3]
        lines = self.out / "r.jsonl"
        table = self.out / "r.csv"
        parquet = self.out / "r.parquet"
        for output in (lines, table, parquet):
            self.run_pipeline("--model", "yolox_nano", *picture, "-o", output)
        rows = rows_of(lines.read_text())
        with table.open(newline="") as file:
            cells = list(csv.DictReader(file))
        self.assertEqual([r["label"] for r in rows], [c["label"] for c in cells])
        self.assertEqual([r["box"] for r in rows], [json.loads(c["box"]) for c in cells])
        self.assertEqual(parquet.read_bytes()[:4], b"PAR1")
        self.assertEqual(parquet.read_bytes()[-4:], b"PAR1")
        self.assertEqual(sorted(p.name for p in self.out.iterdir()), ["r.csv", "r.jsonl", "r.parquet"])

    def test_animations_give_their_first_frame_or_every_nth(self):
        subprocess.run(["ffmpeg", "-v", "error", "-i", VIDEOS / "nandini_pedestrians.mp4", "-frames:v", "7", "-vf",
                        "scale=160:-2", self.out / "a.gif"], check=True)
        for options, frames in [([], [0]), (["--every", "1"], [0, 1, 2, 3, 4, 5, 6]), (["--every", "3"], [0, 3, 6])]:
            rows = rows_of(self.run_pipeline("--model", "osnet", self.out / "a.gif", *options).stdout)
            self.assertEqual([r["frame"] for r in rows], frames)

    def test_classes_below_the_least_score_are_left_out(self):
        (self.out / "sure.yaml").write_text("steps:\n  - id: s\n    kind: classify\n    model: pcb_defects\n"
                                            "    min_score: 0.2\n    top_k: 5\n")
        rows = rows_of(self.run_pipeline(self.out / "sure.yaml", COCO).stdout)
        self.assertTrue(rows)
        self.assertTrue(all(r["score"] >= 0.2 for r in rows))

    def test_annotated_pictures_are_written(self):
        picture = sorted(COCO.glob("*.jpg"))[:2]
        self.run_pipeline("--model", "yolox_nano", *picture, "-o", self.out / "r.jsonl", "--annotate", self.out / "drawn")
        self.assertEqual(len(list((self.out / "drawn").iterdir())), 2)

    def test_timing_prints_a_table(self):
        result = self.run_pipeline("--model", "yolox_nano", COCO, "-o", self.out / "r.jsonl", "--timing")
        for stage in ("read", "decode", "preprocess", "infer", "postprocess", "write"):
            self.assertIn(stage, result.stderr)


class RunsOnVideo(WithModels):
    def test_objects_are_tracked_and_times_are_exact(self):
        video = VIDEOS / "roxa_crosswalk.mp4"
        rows = rows_of(self.run_pipeline(ROOT / "examples/objects.yaml", video).stdout)
        probed = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=pts_time",
                                 "-of", "csv=p=0", video], capture_output=True, text=True).stdout.split()
        times = [float(t.strip(",")) for t in probed]
        self.assertEqual(len(times), 143)
        for row in rows:
            self.assertAlmostEqual(row["time_s"], times[row["frame"]] - times[0], places=6)
        tracks = [r for r in rows if r["kind"] == "track"]
        self.assertGreater(len(tracks), 300)
        ids = {r["track_id"] for r in tracks}
        self.assertTrue(3 < len(ids) < 80, len(ids))
        for frame in range(143):
            in_frame = [r["track_id"] for r in tracks if r["frame"] == frame]
            self.assertEqual(len(in_frame), len(set(in_frame)))

    def test_tracks_do_not_depend_on_the_number_of_workers(self):
        video = VIDEOS / "nandini_pedestrians.mp4"
        outputs = {self.run_pipeline(ROOT / "examples/objects.yaml", video, "--workers", n).stdout for n in (1, 3)}
        self.assertEqual(len(outputs), 1)

    def test_every_and_fps_pick_frames(self):
        video = VIDEOS / "nandini_pedestrians.mp4"  # 188 frames, 23.976 a second
        every = rows_of(self.run_pipeline("--model", "osnet", video, "--every", 40).stdout)
        self.assertEqual([r["frame"] for r in every], [0, 40, 80, 120, 160])
        fps = rows_of(self.run_pipeline("--model", "osnet", video, "--fps", 2).stdout)
        self.assertEqual(len(fps), 16)
        self.assertTrue(all(0 <= b["time_s"] * 2 - i < 0.1 for i, b in enumerate(fps)))
        limit = rows_of(self.run_pipeline("--model", "osnet", video, COCO, "--limit", 3).stdout)
        self.assertEqual([r["frame"] for r in limit], [0, 1, 2])

    def test_a_truncated_video_keeps_the_frames_before_the_damage(self):
        cut = self.out / "cut.mkv"
        subprocess.run(["ffmpeg", "-v", "error", "-i", VIDEOS / "nandini_pedestrians.mp4", "-c", "copy", cut], check=True)
        cut.write_bytes(cut.read_bytes()[: cut.stat().st_size * 2 // 3])
        result = self.run_pipeline("--model", "osnet", cut, "--every", 10, expect=3)
        rows = rows_of(result.stdout)
        self.assertGreater(len(rows), 8)
        self.assertEqual([r["kind"] for r in rows], ["embedding"] * (len(rows) - 1) + ["error"])
        self.assertIn("truncated", rows[-1]["error"])

    def test_annotated_video_has_all_frames(self):
        video = VIDEOS / "nandini_pedestrians.mp4"
        self.run_pipeline(ROOT / "examples/objects.yaml", video, "-o", self.out / "r.jsonl", "--annotate", self.out)
        probed = subprocess.run(["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0", "-show_entries",
                                 "stream=nb_read_frames,width,height", "-of", "csv=p=0",
                                 self.out / "nandini_pedestrians.mp4"], capture_output=True, text=True).stdout
        self.assertEqual(probed.strip(), "640,360,188")


class RunsOnTheWeb(WithModels):
    """Pictures, videos and HLS playlists from a server of our own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.site = cls.folder / "site"
        cls.site.mkdir()
        subprocess.run(["ffmpeg", "-v", "error", "-i", VIDEOS / "nandini_pedestrians.mp4", "-c", "copy", "-hls_time", "2",
                        "-hls_list_size", "0", cls.site / "live.m3u8"], check=True)
        shutil.copy(COCO / "000000017627.jpg", cls.site / "a.jpg")
        for name, target in [("file", "file:///etc/passwd"), ("concat", "concat:live0.ts|live1.ts"),
                             ("elsewhere", "http://169.254.169.254/live0.ts")]:
            (cls.site / f"{name}.m3u8").write_text(
                f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{target}\n#EXT-X-ENDLIST\n")

        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

        handler = functools.partial(Quiet, directory=str(cls.site))
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.address = f"http://127.0.0.1:{cls.server.server_port}"

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()
        super().tearDownClass()

    def test_pictures_and_playlists_are_read(self):
        result = self.run_pipeline("--model", "osnet", f"{self.address}/a.jpg", f"{self.address}/live.m3u8", "--every", 40)
        self.assertEqual([r["frame"] for r in rows_of(result.stdout)], [0, 0, 40, 80, 120, 160])

    def test_what_is_missing_or_points_elsewhere_is_said_once(self):
        for name, reason in [("nowhere.jpg", "404"), ("file.m3u8", "only http and https"),
                             ("concat.m3u8", "only http and https"), ("elsewhere.m3u8", "own host")]:
            url = f"{self.address}/{name}"
            result = self.run_pipeline("--model", "osnet", url, expect=4)
            self.assertIn(reason, rows_of(result.stdout)[0]["error"])
            self.assertEqual(result.stderr.splitlines()[0].count(url), 1, result.stderr)

    def test_metadata_addresses_are_refused(self):
        self.assertIn("not opened", self.run_pipeline("--model", "osnet", "http://169.254.169.254/", expect=4).stderr)

    def test_a_playlist_in_a_file_is_named_as_one(self):
        result = self.run_pipeline("--model", "osnet", self.site / "live.m3u8", expect=4)
        self.assertIn("playlist", result.stderr)


class SaysWhatIsWrong(WithModels):
    def good(self):
        return COCO / "000000017627.jpg"  # cars and people

    def test_bad_files_are_named_and_the_run_goes_on(self):
        bad = self.out / "in"
        bad.mkdir()
        whole = self.good().read_bytes()
        (bad / "a_good.jpg").write_bytes(whole)
        (bad / "b_cut.jpg").write_bytes(whole[: len(whole) // 2])
        (bad / "c_empty.jpg").write_bytes(b"")
        (bad / "d_text.jpg").write_text("this is no picture\n" * 20)
        (bad / "e_dangling.jpg").symlink_to(bad / "nowhere")
        (bad / "f_loop").symlink_to(bad)
        (bad / "z_good.jpg").write_bytes(whole)
        result = self.run_pipeline("--model", "yolox_nano", bad, expect=3)
        rows = rows_of(result.stdout)
        errors = {os.path.basename(r["source"]): r["error"] for r in rows if r["kind"] == "error"}
        self.assertEqual(sorted(errors), ["b_cut.jpg", "c_empty.jpg", "d_text.jpg", "e_dangling.jpg", "f_loop"])
        self.assertTrue(all(len(e) > 5 for e in errors.values()))
        for name in errors:
            self.assertIn(name, result.stderr)
        self.assertEqual({os.path.basename(r["source"]) for r in rows if r["kind"] == "detection"},
                         {"a_good.jpg", "z_good.jpg"})

    def test_exit_statuses(self):
        self.run_pipeline("--model", "yolox_nano", self.good())
        self.run_pipeline("--model", "no_such_model", self.good(), expect=2)
        self.run_pipeline("--model", "yolox_nano", expect=2)
        self.run_pipeline("--model", "yolox_nano", self.good(), "-o", self.out / "r.xlsx", expect=2)
        self.run_pipeline("--model", "yolox_nano", self.good(), "--every", "0", expect=2)
        self.run_pipeline("--model", "yolox_nano", self.good(), "--no-such-flag", expect=2)
        self.run_pipeline("--model", "yolox_nano", "file:///etc/passwd", expect=2)
        self.run_pipeline("--model", "yolox_nano", self.out / "missing.jpg", expect=4)
        self.run_pipeline("--model", "yolox_nano", self.good(), self.out / "missing.jpg", expect=3)
        self.run_pipeline("--model", "yolox_nano", self.out, expect=4)  # an empty folder
        self.run_pipeline(self.out / "missing.yaml", self.good(), expect=2)

    def test_slips_get_a_suggestion(self):
        for arguments, words in [(["rn"], "did you mean 'run'"), (["model", "lst"], "did you mean 'list'"),
                                 (["run", "--worker", "2", self.good()], "did you mean --workers"),
                                 (["run", "--model", "yolox", self.good(), "--models", self.models], "'yolox_nano'"),
                                 (["run", self.good(), "--models", self.models], "--model NAME"),
                                 (["run", "--model", "osnet", self.good(), "--models", self.models, "-o",
                                   self.out / "no/r.csv"], "there is no folder")]:
            result = sightline(*arguments)
            self.assertIn(result.returncode, (2, 4), arguments)
            self.assertIn(words, result.stderr)

    def test_labels_that_contradict_the_graph_are_not_added(self):
        result = sightline("model", "add", ASSETS / "models/pcb_simple_cnn_fp32.onnx", "--labels", "coco80", "--models",
                           self.out)
        self.assertEqual(result.returncode, 2, result.stdout)
        self.assertIn("80 labels, but the graph has 7 classes", result.stderr)
        self.assertEqual(list(self.out.iterdir()), [])

    def test_a_gigapixel_header_is_refused_before_it_costs_anything(self):
        import struct
        import zlib

        def chunk(kind, data):
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

        bomb = self.out / "bomb.png"
        bomb.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 40000, 30000, 8, 2, 0, 0, 0))
                         + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b""))
        begin = time.monotonic()
        result = self.run_pipeline("--model", "yolox_nano", bomb, expect=4)
        self.assertLess(time.monotonic() - begin, 5)
        self.assertIn("--max-pixels", result.stderr)
        result = self.run_pipeline("--model", "yolox_nano", bomb, "--max-pixels", "0", expect=2)
        self.assertIn("--max-pixels: 0 is no whole number above 0", result.stderr)

    def test_a_full_disk_and_a_closed_pipe_are_said(self):
        result = self.run_pipeline("--model", "yolox_nano", COCO, "-o", "/dev/full/x.jsonl", expect=4)
        self.assertIn("/dev/full", result.stderr)
        with open("/dev/full", "w") as full:
            done = subprocess.run([PROGRAM, "run", "--models", self.models, "--model", "yolox_nano", COCO], stdout=full,
                                  stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("No space left", done.stderr)
        piped = subprocess.run(f"'{PROGRAM}' run --models '{self.models}' --model yolox_nano '{COCO}' | head -c 1",
                               shell=True, capture_output=True, text=True, executable="/bin/bash")
        self.assertIn("Broken pipe", piped.stderr)

    def test_a_standard_output_that_is_closed_is_said(self):
        closed = subprocess.run(f"'{PROGRAM}' run --models '{self.models}' --model osnet '{self.good()}' >&-", shell=True,
                                capture_output=True, text=True)
        self.assertEqual(closed.returncode, 4, closed.stderr)
        self.assertIn("standard output", closed.stderr)
        self.assertEqual(len(rows_of(self.run_pipeline("--model", "osnet", self.good(), "-o", "/dev/stdout").stdout)), 1)

    def test_an_interrupt_keeps_what_is_done(self):
        output = self.out / "r.jsonl"
        many = self.out / "many"
        many.mkdir()
        for i in range(40):
            for file in COCO.glob("*.jpg"):
                (many / f"{i}_{file.name}").symlink_to(file)
        process = subprocess.Popen([PROGRAM, "run", "--models", self.models, "--model", "yolox_nano", many, "-o", output],
                                   stderr=subprocess.PIPE, text=True)
        partial = pathlib.Path(str(output) + ".partial")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (partial.exists() and partial.stat().st_size > 0):
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, errors)
        rows = rows_of(output.read_text())
        self.assertGreater(len(rows), 10)
        self.assertFalse(partial.exists())

    def test_an_interrupt_does_not_wait_for_the_rest_of_a_list(self):
        output = self.out / "r.jsonl"
        process = subprocess.Popen([PROGRAM, "run", "--models", self.models, "--model", "yolox_nano", "-", "-o", output],
                                   stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        process.stdin.writelines(f"{COCO}/000000037777.jpg\n" for _ in range(40))
        process.stdin.flush()  # and stays open
        partial = pathlib.Path(str(output) + ".partial")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (partial.exists() and partial.stat().st_size > 0):
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=60), 130)
        process.stdin.close()
        self.assertIn("are kept", process.stderr.read())
        process.stderr.close()

    def test_a_list_on_standard_input_and_in_a_file(self):
        files = [self.good(), COCO / "000000037777.jpg"]
        listed = self.run_pipeline("--model", "yolox_nano", "-", input="\n".join(map(str, files)) + "\n")
        named = self.out / "list.txt"
        named.write_text("# two pictures\n" + "\r\n".join(map(str, files)))
        from_file = self.run_pipeline("--model", "yolox_nano", f"@{named}")
        self.assertEqual(listed.stdout, from_file.stdout)
        self.assertEqual({r["source"] for r in rows_of(listed.stdout)}, set(map(str, files)))


if __name__ == "__main__":
    unittest.main()
