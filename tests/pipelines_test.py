#!/usr/bin/env python3
"""Text tests: each file of tests/pipelines/ is a pipeline, its inputs and what must come out. usage: pipelines_test.py [FILE...]

    about: one line
    pipeline: {...}                 # the pipeline itself, or
    pipeline_file: examples/x.yaml
    inputs: [...]                   # below the assets
    arguments: [...]                # further words for `sightline run`
    status: 0                       # exit status
    counts: {detection: 3}          # rows of each kind, no others
    rows:                           # each matches at least one row: same text fields, and
      - {kind: detection, label: car, box: [x1, y1, x2, y2], within: 8}   # box corners within so many pixels
      - {attributes: {gender: female}, ranges: {age: [18, 26], score: [0.5, 1]}}
    frames: [0, 40]                 # the frames that have rows
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

from run_test import ASSETS, PROGRAM, ROOT, WithModels


class Loader(yaml.SafeLoader):
    """YAML 1.2's booleans: `on` is a key of pipelines, not a truth value."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))


def value_of(row, name):
    if name in row and not isinstance(row[name], dict):
        return row[name]
    return (row["attributes"] or {}).get(name, {}).get("value")


def matches(row, wanted):
    for field, value in wanted.items():
        if field == "box":
            if row["box"] is None or any(abs(a - b) > wanted.get("within", 1) for a, b in zip(row["box"], value)):
                return False
        elif field == "attributes":
            if any(value_of(row, name) != text for name, text in value.items()):
                return False
        elif field == "ranges":
            for name, (low, high) in value.items():
                number = value_of(row, name)
                if number is None or not low <= number <= high:
                    return False
        elif field == "source":
            if not row["source"].endswith(value):
                return False
        elif field != "within" and row.get(field) != value:
            return False
    return True


def problems_of(case, models, folder):
    pipeline = ROOT / case["pipeline_file"] if "pipeline_file" in case else folder / "pipeline.yaml"
    if "pipeline" in case:
        pipeline.write_text(yaml.safe_dump(case["pipeline"], sort_keys=False))
    inputs = [str(ASSETS / name) for name in case["inputs"]]
    done = subprocess.run([PROGRAM, "run", str(pipeline), *inputs, "--models", str(models), *map(str, case.get("arguments", []))],
                          capture_output=True, text=True, timeout=300)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    problems = []
    if done.returncode != case.get("status", 0):
        problems.append(f"exit status {done.returncode}: {done.stderr[-500:]}")
    if "counts" in case:
        counts = {}
        for row in rows:
            counts[row["kind"]] = counts.get(row["kind"], 0) + 1
        if counts != case["counts"]:
            problems.append(f"rows {counts}, expected {case['counts']}")
    if "frames" in case and sorted({row["frame"] for row in rows}) != case["frames"]:
        problems.append(f"frames {sorted({row['frame'] for row in rows})}, expected {case['frames']}")
    problems += [f"no row like {wanted}" for wanted in case.get("rows", []) if not any(matches(r, wanted) for r in rows)]
    return problems


def main():
    if not ASSETS.is_dir():
        print("skipped: no test assets: set SIGHTLINE_ASSETS")
        return 77
    files = [pathlib.Path(f) for f in sys.argv[1:]] or sorted((ROOT / "tests/pipelines").glob("*.yaml"))
    WithModels.setUpClass()
    failed = 0
    for file in files:
        with tempfile.TemporaryDirectory() as folder:
            case = yaml.load(file.read_text(), Loader)
            problems = problems_of(case, WithModels.models, pathlib.Path(folder))
        failed += bool(problems)
        print(f"{'FAILED' if problems else 'ok'}: {os.path.basename(file)}: {case['about']}")
        for problem in problems:
            print(f"  {problem}")
    WithModels.tearDownClass()
    print(f"{len(files) - failed} passed, {failed} failed")
    return 1 if failed or not files else 0


if __name__ == "__main__":
    sys.exit(main())
