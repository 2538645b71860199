#!/usr/bin/env python3
"""Runs the commands that the README shows, on real files, in the order in which they stand there."""
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("SIGHTLINE_PROGRAM", str(ROOT / "build/release/sightline"))
ASSETS = pathlib.Path(os.environ.get("SIGHTLINE_ASSETS", ROOT.parent / "shared/assets"))


def serve(words, here, environment):
    with open(here / "serve.log", "wb") as log:
        process = subprocess.Popen([PROGRAM, *words, "--listen", "127.0.0.1:0"], cwd=here, env=environment, stderr=log)
    deadline = time.monotonic() + 60
    while not (found := re.search(r"(http://127.0.0.1:\d+)/", (here / "serve.log").read_text())):
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit("serve did not start: " + (here / "serve.log").read_text())
        time.sleep(0.1)
    environment["SIGHTLINE_NODE"] = found[1]
    return process


def main():
    if not ASSETS.is_dir():
        print("skipped: no test assets: set SIGHTLINE_ASSETS")
        return 77
    text = (ROOT / "README.md").read_text()
    commands = [line[2:] for block in re.findall(r"```console\n(.*?)```", text, re.S) for line in block.splitlines()
                if line.startswith("$ sightline ")]
    yaml = re.search(r"```yaml\n(.*?)```", text, re.S).group(1)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        here = pathlib.Path(folder)
        (here / "people.yaml").write_text(yaml)
        (here / "objects.yaml").write_text((ROOT / "examples/objects.yaml").read_text())
        (here / "photos").symlink_to((ASSETS / "images/faces_photos").resolve())
        (here / "street.mp4").symlink_to((ASSETS / "videos/roxa_crosswalk.mp4").resolve())
        for model in (ASSETS / "models").glob("*.onnx"):
            (here / model.name).symlink_to(model.resolve())
        environment = {**os.environ, "XDG_DATA_HOME": str(here / "data")}
        environment.pop("SIGHTLINE_MODELS", None)
        running = []
        for command in commands:
            words = shlex.split(command)
            if words[-1] == "&":  # a node: on a port that is free, found by the commands after it
                running.append(serve(words[1:-1], here, environment))
                print(f"ok: {command}")
                continue
            # labels.csv beside the photos is no picture: folders pass such files over.
            done = subprocess.run([PROGRAM, *words[1:]], cwd=here, env=environment, capture_output=True, text=True)
            print(f"{'ok' if done.returncode == 0 else 'FAILED'}: {command}")
            if done.returncode != 0:
                failed += 1
                print(done.stdout[-2000:], done.stderr[-2000:])
        for process in running:
            process.terminate()
            failed += process.wait(20) != 0
    print(f"{len(commands) - failed} passed, {failed} failed")
    return 1 if failed or len(commands) < 5 else 0


if __name__ == "__main__":
    sys.exit(main())
