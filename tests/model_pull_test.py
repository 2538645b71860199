#!/usr/bin/env python3
"""`sightline model pull` against servers that behave and servers that do not: all on this machine.

Needs the built program (SIGHTLINE_PROGRAM, default build/release/sightline). Tests with real models need the assets
(SIGHTLINE_ASSETS, default ../shared/assets) and are skipped without them.
"""
import hashlib
import http.server
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("SIGHTLINE_PROGRAM", str(ROOT / "build/release/sightline"))
ASSETS = pathlib.Path(os.environ.get("SIGHTLINE_ASSETS", ROOT.parent / "shared/assets"))


def varint(value):
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)


def field(number, value):
    """One field of a protocol buffer: a number, a text or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def classifier():
    """An ONNX file of 300 kB that runs: ten classes of a grey 28x28 picture."""
    random_numbers = random.Random(1)

    def node(operator, inputs, output):
        return field(1, b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, operator))

    def weights(name, rows, columns):
        values = struct.pack(f"<{rows * columns}f", *(random_numbers.uniform(-1, 1) for _ in range(rows * columns)))
        return field(5, field(1, rows) + field(1, columns) + field(2, 1) + field(8, name) + field(9, values))

    def value(number, name, shape):
        dimensions = b"".join(field(1, field(1, extent)) for extent in shape)
        return field(number, field(1, name) + field(2, field(1, field(1, 1) + field(2, dimensions))))

    graph = (node("Flatten", ["x"], "f") + node("MatMul", ["f", "w"], "h") + node("Relu", ["h"], "r") +
             node("MatMul", ["r", "v"], "y") + field(2, "digits") + weights("w", 784, 96) + weights("v", 96, 10) +
             value(11, "x", [1, 1, 28, 28]) + value(12, "y", [1, 10]))
    return field(1, 7) + field(7, graph) + field(8, field(2, 13))


DATA = classifier()
SHA = hashlib.sha256(DATA).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """What one test wants of the server stands in `server.plan`; what was asked and sent in `server.log`."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        plan = self.server.plan
        number = len(self.server.log)
        seen = {"path": self.path, "range": self.headers.get("Range"), "if_range": self.headers.get("If-Range"), "sent": 0}
        self.server.log.append(seen)
        self.close_connection = True
        code = plan.get("codes", {}).get(number, plan.get("code"))
        if code:
            self.send_response(code)
            if "location" in plan:
                self.send_header("Location", plan["location"])
            self.send_header("Content-Length", "0")
            return self.end_headers()
        data, etag = plan.get("data", DATA), plan.get("etags", {}).get(number, plan.get("etag", '"one"'))
        data = plan.get("datas", {}).get(number, data)
        first = 0
        if seen["range"] and plan.get("ranges", True) and (
                seen["if_range"] in (None, etag) or plan.get("ignores_if_range")):
            first = int(seen["range"].split("=")[1].split("-")[0])
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        if etag:
            self.send_header("ETag", etag)
        if plan.get("length", True):
            self.send_header("Content-Length", str(plan.get("claim", len(data)) - first))
        self.end_headers()
        body = data[first:]
        cut = plan.get("cuts", {}).get(number)
        if cut is not None:
            body = body[:cut]
        try:
            self.wfile.write(body)
            seen["sent"] = len(body)
            self.wfile.flush()
            if plan.get("stalls", {}).get(number):
                self.server.go_on.wait(20)
            while plan.get("endless"):
                self.wfile.write(bytes(65536))
                seen["sent"] += 65536
        except OSError:
            pass


class Pulls(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sightline-pull-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.models = self.folder / "models"
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.plan, self.server.log, self.server.go_on = {}, [], threading.Event()
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.addCleanup(self.server.go_on.set)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.catalogue = self.folder / "catalogue.yaml"
        self.write_catalogue([self.url + "digits.onnx"])
        self.part = self.models / "digits.onnx.part"

    def write_catalogue(self, origins, sha=SHA, size=len(DATA)):
        self.catalogue.write_text(f"""
models:
  - name: digits
    task: digits
    origins: [{", ".join('"' + o + '"' for o in origins)}]
    bytes: {size}
    sha256: "{sha}"
    licence: MIT
    card:
      input: {{width: 28, height: 28, color: gray, resize: stretch}}
      head: {{family: classify, labels: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]}}
""")

    def command(self, *extra):
        return [PROGRAM, "model", "pull", "digits", "--models", str(self.models), "--catalogue", str(self.catalogue),
                "--wait", "0.01", *map(str, extra)]

    def pull(self, *extra, expect=0):
        result = subprocess.run(self.command(*extra), capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, expect, result.stdout + result.stderr)
        return result

    def assert_there(self):
        self.assertEqual((self.models / "digits/model.onnx").read_bytes(), DATA)
        self.assertIn(SHA, (self.models / "digits/model.yaml").read_text())
        self.assertEqual(sorted(p.name for p in self.models.iterdir()), ["digits"])

    def assert_not_there(self, part=None):
        names = sorted(p.name for p in self.models.iterdir())
        self.assertEqual(names, ["digits.onnx.part", "digits.onnx.part.state"] if part is not None else [])
        if part is not None:
            self.assertEqual(self.part.stat().st_size, part)

    def sent(self):
        return [seen["sent"] for seen in self.server.log]

    def test_fetches_adds_and_verifies(self):
        result = self.pull()
        self.assertIn(f"SHA-256 {SHA} is right, licence MIT", result.stdout)
        self.assertIn("digits@1 loads and fits its card", result.stdout)
        self.assert_there()

    def test_does_nothing_when_the_right_file_is_there_and_fetches_again_with_force(self):
        self.pull()
        self.assertIn("is there already, with the right checksum", self.pull().stdout)
        self.assertEqual(len(self.server.log), 1)
        self.pull("--force")
        self.assertEqual(len(self.server.log), 2)
        self.assert_there()

    def test_does_not_replace_another_model_without_force(self):
        (self.models / "digits").mkdir(parents=True)
        (self.models / "digits/model.onnx").write_bytes(b"another")
        self.assertIn("--force", self.pull(expect=2).stderr)
        self.assertEqual((self.models / "digits/model.onnx").read_bytes(), b"another")
        self.assertEqual(self.server.log, [])
        self.pull("--force")
        self.assert_there()

    def test_goes_on_where_the_connection_was_cut(self):
        self.server.plan = {"cuts": {0: 100_000, 1: 90_000}}
        self.pull()
        self.assertEqual([seen["range"] for seen in self.server.log], [None, "bytes=100000-", "bytes=190000-"])
        self.assertEqual({seen["if_range"] for seen in self.server.log[1:]}, {'"one"'})
        self.assertEqual(sum(self.sent()), len(DATA))
        self.assert_there()

    def test_goes_on_in_another_run(self):
        self.server.plan = {"cuts": {0: 120_000}}
        self.pull("--attempts", 1, expect=4)
        self.assert_not_there(part=120_000)
        self.assertIn("120000 of them were there", self.pull().stdout)
        self.assertEqual(sum(self.sent()), len(DATA))
        self.assert_there()

    def test_goes_on_without_a_validator_and_at_another_origin(self):
        self.server.plan = {"cuts": {0: 120_000}, "etag": ""}
        self.write_catalogue([self.url + "one/digits.onnx", self.url + "two/digits.onnx"])
        self.pull("--attempts", 1)
        self.assertEqual([(s["path"], s["range"], s["if_range"]) for s in self.server.log],
                         [("/one/digits.onnx", None, None), ("/two/digits.onnx", "bytes=120000-", None)])
        self.assert_there()

    def test_starts_over_where_the_server_has_no_ranges(self):
        self.server.plan = {"cuts": {0: 100_000}, "ranges": False}
        self.assertIn("starting over", self.pull().stderr)
        self.assertEqual(self.sent(), [100_000, len(DATA)])
        self.assert_there()

    def test_starts_over_where_there_are_neither_ranges_nor_validators(self):
        self.server.plan = {"cuts": {0: 100_000}, "ranges": False, "etag": ""}
        self.assertIn("starting over", self.pull().stderr)
        self.assert_there()

    def test_starts_over_when_the_file_has_changed(self):
        for ignores in (False, True):
            with self.subTest(ignores_if_range=ignores):
                shutil.rmtree(self.models, ignore_errors=True)
                self.server.log.clear()
                self.server.plan = {"cuts": {0: 100_000}, "etags": {0: '"old"'}, "datas": {0: bytes(len(DATA))},
                                    "ignores_if_range": ignores}
                self.assertIn("starting over", self.pull().stderr)
                self.assert_there()

    def test_fetches_once_more_when_two_files_were_put_together(self):
        self.server.plan = {"cuts": {0: 100_000}, "etag": "", "datas": {0: bytes(len(DATA))}}
        self.pull("--attempts", 1, expect=4)
        self.assertIn("from the beginning", self.pull().stderr)
        self.assertEqual([seen["range"] for seen in self.server.log], [None, "bytes=100000-", None])
        self.assert_there()

    def test_keeps_nothing_of_a_wrong_file(self):
        wrong = DATA[:-1] + bytes([DATA[-1] ^ 1])
        self.server.plan = {"data": wrong}
        stderr = self.pull(expect=4).stderr
        self.assertIn(f"expected {SHA}, got {hashlib.sha256(wrong).hexdigest()}", stderr)
        self.assert_not_there()

    def test_tries_the_next_origin_after_a_wrong_file(self):
        self.server.plan = {"datas": {0: bytes(len(DATA))}}
        self.write_catalogue([self.url + "one/digits.onnx", self.url + "two/digits.onnx"])
        self.pull()
        self.assert_there()

    def test_refuses_files_of_another_size(self):
        for data in (DATA[:-10], DATA + b"more", b""):
            with self.subTest(size=len(data)):
                self.server.plan = {"data": data}
                self.pull(expect=4)
                self.assert_not_there()

    def test_refuses_files_that_end_early_or_never(self):
        self.server.plan = {"length": False, "data": DATA[:1000]}
        self.assertIn("ended after 1000 of", self.pull("--attempts", 1, expect=4).stderr)
        shutil.rmtree(self.models)
        self.server.plan = {"length": False, "endless": True}
        self.assertIn("more than", self.pull(expect=4).stderr)
        self.assert_not_there()
        self.assertLess(self.sent()[-1], 30_000_000)

    def test_a_page_in_place_of_the_file_is_refused(self):
        self.server.plan = {"data": b"<html>please log in</html>"}
        self.assertIn(f"has 26 bytes, the catalogue says {len(DATA)}", self.pull(expect=4).stderr)

    def test_follows_redirects_and_ends_loops(self):
        other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        other.plan, other.log, other.daemon_threads = {}, [], True
        threading.Thread(target=other.serve_forever, args=(0.02,), daemon=True).start()
        self.addCleanup(other.server_close)
        self.addCleanup(other.shutdown)
        self.server.plan = {"code": 302, "location": f"http://127.0.0.1:{other.server_port}/there"}
        self.pull()
        self.assertEqual([seen["path"] for seen in other.log], ["/there"])
        self.server.plan = {"code": 302, "location": "/again"}
        self.server.log.clear()
        self.assertIn("more than 5 redirects", self.pull("--force", expect=4).stderr)
        self.assertEqual(len(self.server.log), 6)
        self.assert_there()

    def test_refuses_redirects_to_other_schemes(self):
        self.server.plan = {"code": 302, "location": "ftp://127.0.0.1/file"}
        self.assertIn("redirect", self.pull(expect=4).stderr)
        self.server.plan = {"code": 302, "location": "file:///etc/passwd"}
        self.assertIn("redirect", self.pull(expect=4).stderr)

    def test_a_missing_file_is_not_asked_for_again(self):
        self.server.plan = {"code": 404}
        self.assertIn("404", self.pull(expect=4).stderr)
        self.assertEqual(len(self.server.log), 1)
        self.assert_not_there()

    def test_an_overloaded_server_is_asked_again(self):
        self.server.plan = {"codes": {0: 503, 1: 503, 2: 429}}
        self.pull()
        self.assertEqual(len(self.server.log), 4)
        self.assert_there()

    def test_gives_up_after_its_attempts(self):
        self.server.plan = {"code": 503}
        self.assertIn("given up after 3 attempts", self.pull("--attempts", 3, expect=4).stderr)
        self.assertEqual(len(self.server.log), 3)

    def test_leaves_a_silent_server(self):
        self.server.plan = {"cuts": {0: 50_000}, "stalls": {0: True}}
        self.assertIn("sent nothing for 0.3 s", self.pull("--timeout", 0.3).stderr)
        self.assertEqual([seen["range"] for seen in self.server.log], [None, "bytes=50000-"])
        self.assert_there()

    def test_says_what_to_do_without_a_network(self):
        self.write_catalogue(["http://no-such-host.invalid/digits.onnx"])
        stderr = self.pull("--attempts", 1, expect=4).stderr
        self.assertIn("Without a network", stderr)
        self.assertIn("--from FOLDER", stderr)

    def test_takes_a_mirror(self):
        self.write_catalogue(["http://no-such-host.invalid/x.onnx"])
        mirror = self.folder / "mirror"
        mirror.mkdir()
        self.assertIn("No such file", self.pull("--from", mirror, expect=4).stderr)
        (mirror / "digits.onnx").write_bytes(DATA)
        for place in (mirror, mirror / "digits.onnx", self.url, self.url + "other/x.onnx"):
            with self.subTest(place=place):
                self.pull("--from", place, "--force")
                self.assert_there()
        self.assertEqual([seen["path"] for seen in self.server.log], ["/digits.onnx", "/other/x.onnx"])
        (mirror / "digits.onnx").write_bytes(bytes(len(DATA)))
        self.assertIn("expected " + SHA, self.pull("--from", mirror, "--force", expect=4).stderr)
        self.assert_there()

    def test_credentials_of_a_mirror_are_not_written_anywhere(self):
        self.server.plan = {"cuts": {0: 50_000}}
        result = self.pull("--attempts", 1, "--from", self.url.replace("//", "//user:secret@"), expect=4)
        self.assertNotIn("secret", result.stderr + (self.models / "digits.onnx.part.state").read_text())

    def test_ctrl_c_keeps_the_part_and_says_so(self):
        self.server.plan = {"cuts": {0: 150_000}, "stalls": {0: True}}
        program = subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 20
        while not (self.part.exists() and self.part.stat().st_size == 150_000) and time.monotonic() < deadline:
            time.sleep(0.01)
        program.send_signal(signal.SIGINT)
        _, stderr = program.communicate(timeout=5)
        self.assertEqual(program.returncode, 130)
        self.assertIn("the same command goes on", stderr)
        self.pull()
        self.assertEqual(self.server.log[1]["range"], "bytes=150000-")
        self.assert_there()

    def test_a_killed_pull_leaves_no_lock(self):
        self.server.plan = {"cuts": {0: 150_000}, "stalls": {0: True}}
        program = subprocess.Popen(self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not (self.part.exists() and self.part.stat().st_size == 150_000) and time.monotonic() < deadline:
            time.sleep(0.01)
        program.kill()
        program.wait()
        self.pull()
        self.assert_there()

    def test_pulls_at_the_same_time_fetch_once(self):
        self.server.plan = {"cuts": {0: 60_000}}
        programs = [subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                    for _ in range(4)]
        for program in programs:
            out, err = program.communicate(timeout=60)
            self.assertEqual(program.returncode, 0, out + err)
        self.assertEqual(sum(self.sent()), len(DATA))
        self.assert_there()

    def test_a_foreign_part_is_not_used(self):
        self.models.mkdir()
        self.part.write_bytes(b"x" * 1000)
        self.pull()
        self.assertIsNone(self.server.log[0]["range"])
        self.assert_there()

    def test_a_part_that_is_too_long_is_not_used(self):
        self.models.mkdir()
        self.part.write_bytes(DATA + b"x")
        (self.models / "digits.onnx.part.state").write_text(f'{SHA}\n{self.url}digits.onnx\n"one"\n')
        self.pull()
        self.assert_there()

    def test_a_whole_part_is_not_fetched_again(self):
        self.models.mkdir()
        self.part.write_bytes(DATA)
        (self.models / "digits.onnx.part.state").write_text(f'{SHA}\n{self.url}digits.onnx\n"one"\n')
        self.pull()
        self.assertEqual(self.server.log, [])
        self.assert_there()

    def test_says_when_the_disk_is_full(self):
        self.models.mkdir()
        mounted = os.geteuid() == 0 and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", self.models], capture_output=True).returncode == 0
        if not mounted:
            self.skipTest("cannot mount a small file system")
        try:
            stderr = self.pull(expect=4).stderr
            self.assertIn("the disk is full", stderr)
            self.assertFalse((self.models / "digits").exists())
        finally:
            subprocess.run(["umount", self.models], check=True)

    def test_says_that_a_fetched_file_does_not_run(self):
        junk = b"no graph at all"
        self.write_catalogue([self.url + "digits.onnx"], hashlib.sha256(junk).hexdigest(), len(junk))
        self.server.plan = {"data": junk}
        self.assertIn("does not run", self.pull(expect=4).stderr)

    def test_wrong_use_is_told(self):
        self.assertIn("did you mean 'yolox_tiny'", subprocess.run(
            [PROGRAM, "model", "pull", "yolox_tini"], capture_output=True, text=True).stderr)
        self.assertEqual(subprocess.run([PROGRAM, "model", "pull"], capture_output=True).returncode, 2)
        self.assertIn("http or https", self.pull("--from", "ftp://host/", expect=2).stderr)
        self.catalogue.write_text("models:\n  - {name: x, task: y, origins: [nowhere], bytes: 0, sha256: abc, licence: z}\n")
        stderr = self.pull(expect=2).stderr
        for word in ("models[0].origins[0]", "models[0].bytes", "models[0].sha256", "card"):
            self.assertIn(word, stderr)


@unittest.skipUnless(ASSETS.is_dir(), "no test assets: set SIGHTLINE_ASSETS")
class RealModels(unittest.TestCase):
    FILES = {"yolox_nano_416": "yolox_nano_416.onnx", "nanodet_m": "nanodet_m_320.onnx", "yunet": "yunet_n_640.onnx",
             "yunet_dynamic": "yunet_n_dynamic.onnx", "ultraface_rfb_320": "ultraface_rfb_320.onnx"}

    def test_the_catalogue_fits_the_files_and_its_cards_run(self):
        with tempfile.TemporaryDirectory(prefix="sightline-pull-") as folder:
            for name, file in self.FILES.items():
                with self.subTest(name=name):
                    result = subprocess.run(
                        [PROGRAM, "model", "pull", name, "--models", folder, "--from", ASSETS / "models" / file],
                        capture_output=True, text=True, timeout=120)
                    self.assertEqual(result.returncode, 0, result.stderr)
                    self.assertIn(f"{name}@1 loads and fits its card", result.stdout)

    def test_the_list_names_every_model_once(self):
        text = subprocess.run([PROGRAM, "model", "pull", "--list"], capture_output=True, text=True, check=True).stdout
        names = [line.split()[0] for line in text.splitlines()[1:]]
        self.assertEqual(len(names), len(set(names)))
        self.assertLessEqual({"yolox_nano", "yolox_tiny", "yolox_s", "scrfd_500m", "genderage", *self.FILES}, set(names))


if __name__ == "__main__":
    unittest.main()
