#!/usr/bin/env python3
"""The node's page in a real browser: `sightline serve` with a simulated street, looked at by headless Chromium.

Needs the built program (SIGHTLINE_PROGRAM, default build/release/sightline) and chromium. With SIGHTLINE_PAGE_PICTURES
naming a folder, pictures of what it looks like are left there.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

from chromium import Page

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("SIGHTLINE_PROGRAM", str(ROOT / "build/release/sightline"))
PICTURES = os.environ.get("SIGHTLINE_PAGE_PICTURES")
TOKEN = "a-token-of-some-length"
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
CAMERA = """
name: street
source: sim:street?seed=7
zones:
  - {name: road, points: [[0, 0], [1, 0], [1, 1], [0, 1]]}
lines:
  - {name: across, from: [0.05, 0.6], to: [0.95, 0.6]}
rules:
  - {kind: zone_presence, zones: [road]}
  - {kind: line_crossing, line: across}
"""


class Node:
    """`sightline serve` with a folder and a port of its own."""

    def __init__(self, token=""):
        self.folder = tempfile.TemporaryDirectory()
        config = pathlib.Path(self.folder.name, "node.yaml")
        config.write_text(f"name: edge-7\ndata_dir: {self.folder.name}/data\nworkers: 1\n"
                          "http: {listen: '127.0.0.1:0'" + (", token: '${PAGE_TEST_TOKEN}'" if token else "") + "}\n"
                          "evidence: {before_s: 1, after_s: 1}\n")
        self.token = token
        self.process = subprocess.Popen([PROGRAM, "serve", "--config", str(config), "--models", str(ROOT / "models")],
                                        stderr=subprocess.PIPE, text=True, env={**os.environ, "PAGE_TEST_TOKEN": token})
        self.log, self.base = [], None
        begun = threading.Event()

        def read():
            for line in self.process.stderr:
                self.log.append(line)
                if match := re.search(r"(http://127\.0\.0\.1:\d+)/", line):
                    self.base = match[1]
                    begun.set()
            begun.set()

        self.reader = threading.Thread(target=read, daemon=True)
        self.reader.start()
        begun.wait(60)
        if self.base is None:
            self.process.kill()
            raise RuntimeError("the node did not start:\n" + "".join(self.log))

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.process.wait()
            self.reader.join(5)
            self.process.stderr.close()
            self.folder.cleanup()

    def ask(self, path, method="GET", body=None):
        request = urllib.request.Request(self.base + path, method=method, data=body.encode() if body else None)
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        with OPENER.open(request, timeout=30) as response:
            data = response.read()
        return json.loads(data) if data[:1] in (b"{", b"[") else data


def click(page, words):
    page.run(f"[...document.querySelectorAll('button, a')].find((b) => b.offsetParent && b.textContent.trim() === {json.dumps(words)}).click()")


def look(page, name):
    if PICTURES:
        pathlib.Path(PICTURES).mkdir(parents=True, exist_ok=True)
        page.picture(f"{PICTURES}/{name}.png")


IMAGE_SHOWN = "(() => { const i = document.querySelector('%s img'); return i && !i.hidden && i.naturalWidth > 0 && i.src; })()"


@unittest.skipUnless(shutil.which("chromium") or shutil.which("chromium-browser"), "chromium is not installed")
class PageTest(unittest.TestCase):
    def begin(self, token=""):
        node = Node(token)
        self.addCleanup(node.close)
        page = Page()
        self.addCleanup(page.close)
        return node, page

    def check_clean(self, node, page):
        outside = [url for url in page.requests if not url.startswith((node.base + "/", "blob:" + node.base, "data:"))]
        self.assertEqual(outside, [])
        # A snapshot is written a moment after its event is told: the page asks again.
        errors = [e for e in page.errors if not re.search(r"(404|503).*/(snapshot|picture\.jpg)", e)]
        self.assertEqual(errors, [])

    def test_cameras_live_and_events_without_reload(self):
        node, page = self.begin()
        page.open(node.base + "/")
        page.wait("document.body.innerText.includes('No cameras yet')")
        look(page, "empty")
        page.run("window.notReloaded = true; location.hash = '#/events'")
        page.wait("document.body.innerText.includes('No events')")
        node.ask("/api/v1/cameras", "POST", CAMERA)
        page.wait("document.querySelector('.events li')", 90)
        page.wait(IMAGE_SHOWN % ".event", 30)
        look(page, "events")
        page.run("location.hash = '#/'")
        first = page.wait(IMAGE_SHOWN % ".tile")
        page.wait(f"({IMAGE_SHOWN % '.tile'}) !== {json.dumps(first)}")  # and it goes on
        page.wait("document.querySelector('.tile .badge').textContent.startsWith('Live')")
        look(page, "wall")
        self.assertTrue(page.run("window.notReloaded"))
        lint = subprocess.run(["promtool", "check", "metrics"], input=node.ask("/metrics"), capture_output=True)
        self.assertEqual(lint.returncode, 0, lint.stderr.decode())
        self.check_clean(node, page)

    def test_a_camera_is_added_paused_and_removed_by_hand(self):
        node, page = self.begin()
        page.open(node.base + "/")
        page.wait("document.body.innerText.includes('No cameras yet')")
        click(page, "Add camera")
        page.wait("document.querySelector('dialog').open")
        page.type("north")  # the first field has the focus
        page.key("Tab")
        page.key("Tab")
        page.type("sim:street?seed=3")
        click(page, "Test")
        page.wait("document.querySelector('.result img')?.naturalWidth > 0", 60)
        look(page, "add")
        # What is wrong is said where it was typed.
        page.run("document.querySelector('dialog details').open = true; document.querySelector('dialog textarea').value = 'rools: 7'")
        page.run("document.querySelector('dialog .main').click()")
        page.wait("document.querySelector('.problem')?.textContent.includes('rools')")
        page.run("document.querySelector('dialog textarea').value = ''; document.querySelector('dialog .main').click()")
        page.wait("!document.querySelector('dialog').open && document.querySelector('.tile')")
        page.run("document.querySelector('.tile').click()")
        page.wait(IMAGE_SHOWN % ".camera .view", 60)
        page.wait("document.querySelector('details pre').textContent.includes('sim:street?seed=3')")
        look(page, "camera")
        # A zone is drawn on the picture and put into the configuration.
        click(page, "Draw")
        for x, y in ((0.25, 0.5), (0.75, 0.5), (0.5, 0.75)):
            page.run("(([x, y]) => { const r = document.querySelector('.drawn').getBoundingClientRect();"
                     "document.querySelector('.drawn').dispatchEvent(new MouseEvent('click', {clientX: r.left + x * r.width,"
                     f"clientY: r.top + y * r.height}})); }})([{x}, {y}])")
        page.wait("document.querySelector('.draw pre').textContent.split('], [').length === 3")
        drawn = [float(n) for n in re.findall(r"\d\.\d{3}", page.run("document.querySelector('.draw pre').textContent"))]
        for value, wanted in zip(drawn, (0.25, 0.5, 0.75, 0.5, 0.5, 0.75), strict=True):
            self.assertAlmostEqual(value, wanted, delta=0.005)  # mice move by whole pixels
        look(page, "draw")
        click(page, "Add to configuration")
        page.wait("document.querySelector('dialog').open")
        page.run("document.querySelector('dialog form').requestSubmit()")
        page.wait("!document.querySelector('dialog').open")
        self.assertEqual(node.ask("/api/v1/cameras/north")["zones"], ["zone-1"])
        click(page, "Draw")
        page.wait(IMAGE_SHOWN % ".camera .view", 60)
        page.dark(True)
        look(page, "camera-dark")
        click(page, "Pause")
        page.wait("document.querySelector('dialog').open")
        look(page, "confirm")
        page.run("document.querySelector('dialog form').requestSubmit()")
        page.wait("document.querySelector('.head .badge').textContent === 'Paused'")
        self.assertTrue(node.ask("/api/v1/cameras/north")["paused"])
        click(page, "Resume")
        page.wait("document.querySelector('.head .badge').textContent.startsWith('Live')", 60)
        click(page, "Remove")
        page.wait("document.querySelector('dialog').open")
        page.key("Escape")
        page.wait("!document.querySelector('dialog').open")
        self.assertEqual(len(node.ask("/api/v1/cameras")["cameras"]), 1)
        click(page, "Remove")
        page.wait("document.querySelector('dialog').open")
        page.run("document.querySelector('dialog form').requestSubmit()")
        page.wait("document.body.innerText.includes('No cameras yet')")
        self.assertEqual(node.ask("/api/v1/cameras")["cameras"], [])
        page.errors = [e for e in page.errors if "422" not in e and not re.search(r"404.*/cameras/north", e)]
        self.check_clean(node, page)

    def test_a_token_is_asked_for_once(self):
        node, page = self.begin(TOKEN)
        page.open(node.base + "/")
        page.wait("document.querySelector('dialog').open")
        page.type("wrong")
        page.key("Enter")
        page.wait("document.querySelector('dialog .problem')")
        look(page, "token")
        page.run("document.querySelector('#token').value = ''; document.querySelector('#token').focus()")
        page.type(TOKEN)
        page.key("Enter")
        page.wait("document.body.innerText.includes('No cameras yet') && !document.querySelector('dialog').open")
        page.errors.clear()  # the refusals
        page.call("Page.reload")
        time.sleep(0.2)
        page.wait("document.body.innerText.includes('No cameras yet')")
        self.assertFalse(page.run("document.querySelector('dialog').open"))
        self.assertEqual(page.run("Object.keys(localStorage).concat(document.cookie ? ['cookie'] : []).filter((k) => k !== 'sightline-tile')"), [])
        self.check_clean(node, page)
        self.assertNotIn(TOKEN, "".join(node.log))


if __name__ == "__main__":
    unittest.main(verbosity=2)
