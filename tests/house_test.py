#!/usr/bin/env python3
"""The house rules, as a test: who may include whom, file sizes, and words that do not belong in a repository.

usage: house_test.py [ROOT]     exit status 0 when every rule holds
"""
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
source = root / "src"
problems = []


def tracked(prefix, *suffixes):
    """Files of the repository below prefix with one of the suffixes; every file where git does not know the folder (an unpacked archive)."""
    listing = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "-z"], capture_output=True)
    names = listing.stdout.decode().split("\0") if listing.returncode == 0 else [
        str(p.relative_to(root)) for p in root.rglob("*") if not {".git", ".deps", "build"} & set(p.relative_to(root).parts)]
    return [root / n for n in names if n and (root / n).is_file() and n.startswith(prefix) and n.endswith(suffixes)]


# --- the ladder ------------------------------------------------------------------------------------
rungs = [line.split() for line in (source / "layers.txt").read_text().splitlines() if line and not line.startswith("#")]
rung_of = {folder: i for i, rung in enumerate(rungs) for folder in rung}


def folder_of(path):
    """The ladder's folder that a path below src/ belongs to (the longest that matches)."""
    fits = [f for f in rung_of if path == f or path.startswith(f + "/")]
    return max(fits, key=len, default=None)


for file in tracked("src/", ".h", ".cc"):
    relative = file.relative_to(source).as_posix()
    own = folder_of(relative)
    if own is None:
        problems.append(f"src/{relative}: its folder is not in src/layers.txt")
        continue
    for number, line in enumerate(file.read_text().splitlines(), 1):
        match = re.match(r'#include "([^"]+)"', line)
        if not match:
            continue
        other = folder_of(match.group(1))
        if other is None and (source / match.group(1)).exists():
            problems.append(f"src/{relative}:{number}: {match.group(1)} is in no folder of src/layers.txt")
        elif other is not None and other != own and rung_of[other] >= rung_of[own]:
            problems.append(f"src/{relative}:{number}: {own} may not include {other}: not a lower rung")

# --- libraries stay in their folder ------------------------------------------------------------------
homes = {
    r"onnxruntime": ["stages/infer"],
    r"(jpeglib|turbojpeg)\.h": ["stages/decode", "stages/sinks", "simulate/faults"],
    r"vips/": ["stages/decode"],
    r"dcmtk/": ["stages/decode"],
    r"lib(av|sw)\w+/": ["stages/ingest", "stages/decode", "stages/sinks", "cameras/stream", "cameras/evidence"],
    r"hwy/": ["stages/preprocess", "stages/decode"],
    r"yaml-cpp/": ["pipeline/spec"],
    r"duckdb\.h": ["store"],
    r"cairo": ["stages/sinks"],
    r"boost/": ["base/net", "serving"],
    r"sqlite3\.h": ["store"],
    r"(mosquitto|nats/nats)\.h": ["stages/sinks"],
    r"onnx/": ["registry", "stages/infer"],
    r"CLI/": ["apps"],
}
for file in tracked("src/", ".h", ".cc"):
    relative = file.relative_to(source).as_posix()
    if re.search(r"_(test|bench|fuzz)\.cc$", relative):
        continue
    for number, line in enumerate(file.read_text().splitlines(), 1):
        match = re.match(r'#include [<"]([^>"]+)[>"]', line)
        for pattern, allowed in homes.items():
            if match and re.match(pattern, match.group(1)) and not any(relative.startswith(a + "/") for a in allowed):
                problems.append(f"src/{relative}:{number}: <{match.group(1)}> belongs to {', '.join(allowed)}")

# --- size and words ------------------------------------------------------------------------------------
for file in tracked("src/", ".h", ".cc"):
    text = file.read_text()
    lines = text.count("\n")
    name = file.relative_to(root).as_posix()
    if lines > 600 and "_test" not in name:
        problems.append(f"{name}: {lines} lines; 400 wants a reason, 600 has none")
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
            problems.append(f"{name}:{number}: unfinished business: {line.strip()}")
        if re.search(r"using namespace (?!hwy)", line) and name.endswith(".h"):
            problems.append(f"{name}:{number}: a header opens a namespace")
    if name.endswith(".h") and not name.endswith("-inl.h") and "#pragma once" not in text:
        problems.append(f"{name}: no #pragma once")

for file in tracked("", ".lock", "package-lock.json"):
    if re.search(r"https?://", file.read_text()):
        problems.append(f"{file.relative_to(root)}: names an address")

print("\n".join(problems) if problems else "house rules: all hold")
sys.exit(1 if problems else 0)
