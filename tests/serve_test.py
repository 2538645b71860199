#!/usr/bin/env python3
"""A node as its user runs it: `sightline serve` and `sightline camera`, real sinks, restarts, kill -9, wrong input."""
import contextlib
import datetime
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("SIGHTLINE_PROGRAM", str(ROOT / "build/release/sightline"))
SECRET = "s3cr3t-of-a-camera"


def until(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


class Receiver:
    """A webhook's other end: keeps what came, checks signatures, answers as it is told."""

    def __init__(self, secret=""):
        self.events, self.bad, self.delays, self.answer = [], 0, [], 200
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if secret:
                    parts = dict(p.split("=", 1) for p in self.headers["X-Sightline-Signature"].split(","))
                    wanted = hmac.new(secret.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
                    outer.bad += parts["v1"] != wanted
                if outer.answer == 200:
                    event = json.loads(body)
                    outer.events.append(event)
                    captured = datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()
                    outer.delays.append(time.time() - captured)
                self.send_response(outer.answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class ServeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # One street with events and a rule for each, used by all.
        cls.street = pathlib.Path(tempfile.mkdtemp(prefix="sightline-street-"))
        scenario = cls.street / "scenario.yaml"
        scenario.write_text("events:\n  - {kind: person_on_road, at_s: 6, duration_s: 6}\n"
                            "  - {kind: person_on_road, at_s: 16, duration_s: 6}\n")
        subprocess.run([PROGRAM, "simulate", "street", "--seed", "31", "--seconds", "28", "--fps", "12.5", "--weather", "day",
                        "--scenario", scenario, "-o", cls.street / "clip", "-q"], check=True, timeout=300)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.street)

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sightline-serve-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.processes = []

    def serve(self, *arguments, config=None, environment=(), wait=True):
        if config is not None:
            (self.folder / "node.yaml").write_text(json.dumps(config))
            arguments = ("--config", self.folder / "node.yaml", *arguments)
        log = open(self.folder / f"log{len(self.processes)}.txt", "wb")
        process = subprocess.Popen([PROGRAM, "serve", *map(str, arguments)], stderr=log, stdout=log, cwd=self.folder,
                                   env={**os.environ, "HOME": str(self.folder), "XDG_DATA_HOME": "", **dict(environment)})
        log.close()
        self.processes.append(process)
        self.addCleanup(lambda: process.poll() is None and (process.kill(), process.wait()))
        process.log = pathlib.Path(log.name)
        if wait:
            found = until(lambda: process.poll() is not None or
                          re.search(r"(https?)://([^ ]+:\d+)/", process.log.read_text()), "the node listens")
            self.assertNotEqual(found, True, process.log.read_text())
            self.address = f"{found[1]}://{found[2]}"
        return process

    def config(self, **more):
        return {"name": "edge", "data_dir": str(self.folder / "data"), "http": {"listen": "127.0.0.1:0"}, **more}

    def camera(self, *arguments, ok=True, **options):
        done = subprocess.run([PROGRAM, "camera", *map(str, arguments)], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "SIGHTLINE_NODE": self.address}, **options)
        if ok:
            self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def get(self, path):
        with urllib.request.urlopen(self.address + path, timeout=20) as answer:
            return answer.read().decode()

    def cameras(self):
        return {c["name"]: c for c in json.loads(self.get("/api/v1/cameras"))["cameras"]}

    def live(self, name):
        return until(lambda: (c := self.cameras()[name])["state"]["state"] == "live" and c["counts"]["analysed"] > 0 and c,
                     f"{name} is live")

    def end(self, process, limit=10):
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(limit + 5)
        self.assertLessEqual(time.monotonic() - began, limit)
        self.assertEqual(process.returncode, 0, process.log.read_text())

    def test_with_no_configuration_it_starts_and_keeps_its_data_in_a_folder_of_its_own(self):
        process = self.serve("--listen", "127.0.0.1:0")
        self.assertEqual(self.get("/healthz").strip(), "ok")
        self.assertEqual(self.get("/readyz").strip(), "ready")
        self.assertTrue((self.folder / ".local/share/sightline/node/node.sqlite").exists())
        self.assertIn("openapi", self.get("/openapi.yaml"))
        self.assertIn("<html", self.get("/"))
        self.end(process)

    def test_cameras_come_go_and_survive_a_restart(self):
        process = self.serve(config=self.config())
        self.assertIn("no cameras", self.camera("list").stdout)
        self.assertIn("added demo: live", self.camera("add", "demo", "sim:street?seed=7", "--rate", "4").stdout)
        self.live("demo")
        again = self.camera("add", "demo", "sim:street?seed=8", ok=False)
        self.assertEqual(again.returncode, 4)
        self.assertIn("there is a camera 'demo' already", again.stderr)
        self.camera("add", "demo", "sim:street?seed=8", "--replace")
        self.camera("add", "--file", self.street / "clip/camera.yaml", "--loop")
        names = set(self.cameras())
        self.assertEqual(len(names), 2)
        self.camera("pause", "demo")
        until(lambda: self.cameras()["demo"]["state"]["state"] == "paused", "paused")
        shown = self.camera("show", "demo").stdout
        self.assertIn("paused", shown)
        self.assertIn("seed=8", shown)
        process.kill()
        process.wait()
        process = self.serve(config=self.config())
        self.assertEqual(set(self.cameras()), names)
        self.assertTrue(self.cameras()["demo"]["paused"])
        self.camera("resume", "demo")
        self.live("demo")
        self.camera("remove", *names)
        self.assertEqual(self.cameras(), {})
        self.assertEqual(self.camera("remove", "demo", ok=False).returncode, 4)
        self.end(process)

    def test_a_source_is_tested_without_keeping_it(self):
        self.serve(config=self.config())
        done = self.camera("test", self.street / "clip/video.mp4", "--seconds", "1")
        self.assertRegex(done.stdout, r"640x360 h264, .* frames/s")
        for source, words in (("/nowhere.mp4", "nowhere.mp4"), ("rtsp://127.0.0.1:9/x", "127.0.0.1:9"),
                              ("http://127.0.0.1:9/x.m3u8", "127.0.0.1:9"), ("/dev/video77", "/dev/video77")):
            bad = self.camera("test", source, ok=False)
            self.assertNotEqual(bad.returncode, 0, source)
            self.assertIn(words, bad.stderr)
        self.assertEqual(self.cameras(), {})
        self.camera("add", "demo", "sim:street?seed=7")
        self.assertRegex(self.camera("test", "demo", "--seconds", "1").stdout, r"640x360 ")

    def test_what_happens_is_told_to_the_webhook_signed_with_evidence_and_in_time(self):
        receiver = Receiver("key")
        self.addCleanup(receiver.close)
        clip = self.street / "clip"
        process = self.serve(config=self.config(tracks=True, sinks=[
            {"kind": "webhook", "url": receiver.url, "secret": "${HOOK_KEY}"},
            {"kind": "jsonl", "file": "events.jsonl"}]), environment={"HOOK_KEY": "key"})
        self.camera("add", "corner", "--file", clip / "camera.yaml")
        until(lambda: any(e["data"]["kind"] == "person_on_road" for e in receiver.events), "somebody is on the road", 60)
        event = next(e for e in receiver.events if e["data"]["kind"] == "person_on_road")
        self.assertEqual(event["specversion"], "1.0")
        self.assertEqual(event["source"].split("/")[-1], "corner")
        self.assertEqual(receiver.bad, 0)
        actor = event["data"]["actors"][0]
        self.assertEqual(actor["label"], "person")
        self.assertGreater(len(actor["path"]), 2)
        listed = json.loads(self.get("/api/v1/events?kind=person_on_road"))["events"]
        self.assertIn(event["id"], [e["id"] for e in listed])

        def evidence(kind):  # the files appear a little after the event
            try:
                with urllib.request.urlopen(f"{self.address}/api/v1/events/{event['id']}/{kind}", timeout=20) as answer:
                    return answer.read()
            except urllib.error.HTTPError as error:
                self.assertIn(error.code, (404, 503))
                return None

        self.assertTrue(until(lambda: evidence("snapshot"), "the snapshot is there", 10).startswith(b"\xff\xd8"))
        (self.folder / "clip.mp4").write_bytes(until(lambda: evidence("clip"), "the clip is there", 40))
        probe = subprocess.run(["ffprobe", "-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of",
                                "csv=p=0", self.folder / "clip.mp4"], capture_output=True, text=True)
        self.assertGreater(int(probe.stdout.split()[0].strip(",")), 20, probe.stderr)
        self.end(process)
        # Capture to webhook: at most half a second beyond the analysis interval (0.2 s), for 95 % of the events.
        delays = sorted(receiver.delays)
        self.assertLess(delays[int(0.95 * (len(delays) - 1))], 0.5 + 0.2, delays)
        print(f"capture to webhook: median {delays[len(delays) // 2]:.3f} s, at most {delays[-1]:.3f} s of {len(delays)} events",
              file=sys.stderr)
        kept = [json.loads(line)["id"] for line in (self.folder / "data/events.jsonl").read_text().splitlines()]
        self.assertEqual(sorted(set(kept)), sorted({e["id"] for e in receiver.events}))
        self.assertTrue(list((self.folder / "data/tracks").rglob("*.parquet")))

    def test_events_wait_for_a_sink_that_is_down_and_survive_kill_9(self):
        receiver = Receiver()
        self.addCleanup(receiver.close)
        receiver.answer = 503
        config = self.config(sinks=[{"kind": "webhook", "url": receiver.url}],
                             cameras=[{"name": "count", "source": str(self.street / "clip/video.mp4"), "loop": True,
                                       "rate": 12, "rules": [{"kind": "count", "count": 1}]}])
        process = self.serve(config=config)
        stored = lambda: json.loads(self.get("/api/v1/events?limit=1000"))["events"]
        until(stored, "an event is stored", 60)
        before = {e["id"] for e in stored()}
        process.kill()
        process.wait()
        receiver.answer = 200
        process = self.serve(config=config)
        until(lambda: before <= {e["id"] for e in receiver.events}, "all that was stored has come", 30)
        self.end(process)

    def test_metrics_are_good_prometheus(self):
        if not shutil.which("promtool"):
            self.skipTest("promtool is not there")
        self.serve(config=self.config(sinks=[{"kind": "jsonl", "file": "e.jsonl"}]))
        self.camera("add", "demo", "sim:street?seed=7")
        self.live("demo")
        text = self.get("/metrics")
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        self.assertEqual(checked.stderr.strip(), "")
        for name in ("sightline_camera_frames_total", "sightline_camera_dropped_total", "sightline_camera_state",
                     "sightline_sink_waiting", "sightline_stage_seconds_total", "process_resident_memory_bytes"):
            self.assertTrue(f"\n{name}" in text, name)

    def test_credentials_are_nowhere_to_be_seen(self):
        process = self.serve(config=self.config())
        source = f"rtsp://admin:{SECRET}@127.0.0.1:9/stream?token={SECRET}2"
        self.camera("add", "gate", "-", input=source)
        until(lambda: self.cameras()["gate"]["state"]["error"], "it cannot be reached")
        shown = self.camera("show", "gate").stdout + self.camera("list").stdout + self.camera("list", "--json").stdout
        bad = self.camera("test", source, ok=False)
        everything = shown + bad.stderr + bad.stdout + self.get("/metrics") + self.get("/api/v1/cameras/gate") + \
            process.log.read_text()
        self.assertFalse(SECRET in everything, [l for l in everything.splitlines() if SECRET in l])
        slow = subprocess.Popen([PROGRAM, "camera", "test", f"rtsp://admin:{SECRET}@192.0.2.1/x", "--seconds", "5"],
                                env={**os.environ, "SIGHTLINE_NODE": self.address}, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
        until(lambda: SECRET.encode() not in pathlib.Path(f"/proc/{slow.pid}/cmdline").read_bytes(), "argv is cleared", 5)
        slow.kill()
        slow.wait()
        self.end(process)

    def test_a_configuration_put_back_as_it_was_shown_keeps_its_credentials(self):
        process = self.serve(config=self.config())
        source = f"rtsp://admin:{SECRET}@127.0.0.1:9/stream?token={SECRET}2"
        self.camera("add", "gate", "-", input=source)
        shown = json.loads(self.get("/api/v1/cameras/gate"))["config"]
        self.assertFalse(SECRET in shown, shown)

        def put(text):
            request = urllib.request.Request(self.address + "/api/v1/cameras/gate", (text + "weight: 2.5\n").encode(), method="PUT")
            urllib.request.urlopen(request, timeout=20).read()
            with contextlib.closing(sqlite3.connect(self.folder / "data/node.sqlite")) as store:
                return store.execute("SELECT config FROM cameras").fetchone()[0]

        kept = put(shown)
        self.assertTrue(source in kept and "2.5" in kept, "the source lost its credentials")
        moved = put(shown.replace("127.0.0.1:9", "127.0.0.1:10"))
        self.assertFalse(SECRET in moved, moved)
        self.end(process)

    def test_other_addresses_need_a_token_and_tls(self):
        for listen in ("0.0.0.0:0", "[::]:0"):
            process = self.serve("--listen", listen, "--data-dir", self.folder / "d", wait=False)
            self.assertEqual(process.wait(20), 2)
            self.assertIn("token", process.log.read_text())
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.folder / "key.pem", "-out",
                        self.folder / "cert.pem", "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=IP:127.0.0.1,DNS:localhost"], check=True, capture_output=True)
        config = self.config(http={"listen": "0.0.0.0:0", "token": "${NODE_TOKEN}", "certificate": str(self.folder / "cert.pem"),
                                   "key": str(self.folder / "key.pem")})
        process = self.serve(config=config, environment={"NODE_TOKEN": "t0ken-of-this-node"})
        port = self.address.rsplit(":", 1)[1]
        self.address = f"https://127.0.0.1:{port}"
        trust = ssl.create_default_context(cafile=self.folder / "cert.pem")
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(self.address + "/api/v1/cameras", timeout=20, context=trust)
        self.assertEqual(refused.exception.code, 401)
        self.assertEqual(urllib.request.urlopen(self.address + "/healthz", timeout=20, context=trust).read().strip(), b"ok")
        listed = subprocess.run([PROGRAM, "camera", "list", "--authorities", self.folder / "cert.pem"], capture_output=True,
                                text=True, env={**os.environ, "SIGHTLINE_NODE": self.address, "SIGHTLINE_TOKEN": "t0ken-of-this-node"})
        self.assertEqual(listed.returncode, 0, listed.stderr)
        wrong = subprocess.run([PROGRAM, "camera", "list", "--authorities", self.folder / "cert.pem"], capture_output=True,
                               text=True, env={**os.environ, "SIGHTLINE_NODE": self.address, "SIGHTLINE_TOKEN": "another-token-altogether"})
        self.assertEqual(wrong.returncode, 4)
        self.end(process)

    def test_wrong_configurations_are_refused_before_anything_starts(self):
        (self.folder / "node.yaml").write_text("cameras:\n  - {name: a, sorce: x}\n")
        process = self.serve("--config", self.folder / "node.yaml", wait=False)
        self.assertEqual(process.wait(20), 2)
        self.assertIn("did you mean 'source'", process.log.read_text())
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            process = self.serve("--listen", f"127.0.0.1:{taken.getsockname()[1]}", wait=False)
            self.assertEqual(process.wait(20), 4)
            self.assertIn("in use", process.log.read_text())
        first = self.serve(config=self.config())
        second = self.serve("--data-dir", self.folder / "data", "--listen", "127.0.0.1:0", wait=False)
        self.assertEqual(second.wait(20), 4)
        self.assertIn("in use", second.log.read_text())
        self.end(first)

    def test_a_camera_that_cannot_be_does_not_keep_others_from_being_watched(self):
        config = self.config(cameras=[{"name": "bad", "source": "/nowhere/at/all.mp4"},
                                      {"name": "good", "source": "sim:street?seed=3"}])
        process = self.serve(config=config)
        self.live("good")
        self.assertIn("nowhere", self.cameras()["bad"]["state"]["error"])
        self.end(process)

    def test_a_camera_that_cannot_start_any_more_is_kept(self):
        process = self.serve(config=self.config(), environment={"PLACE": "127.0.0.1:9"})
        self.camera("add", "gate", "rtsp://${PLACE}/x")
        self.end(process)
        for place in ("no host", ""):  # no address; no variable
            process = self.serve(config=self.config(), environment={"PLACE": place} if place else {})
            self.assertTrue(self.cameras()["gate"]["state"]["error"])
            self.end(process)
        process = self.serve(config=self.config(), environment={"PLACE": "127.0.0.1:9"})
        until(lambda: self.cameras()["gate"]["counts"]["connects"] or self.cameras()["gate"]["state"]["state"] == "back-off", "it is tried")
        self.end(process)

    def test_the_command_line_says_how_to_start_a_node_where_there_is_none(self):
        self.address = "http://127.0.0.1:9"
        done = self.camera("list", ok=False)
        self.assertEqual(done.returncode, 4)
        self.assertIn("sightline serve", done.stderr)


if __name__ == "__main__":
    if not pathlib.Path(PROGRAM).exists():
        sys.exit(f"{PROGRAM}: build it first")
    unittest.main()
