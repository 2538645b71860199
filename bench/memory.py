#!/usr/bin/env python3
"""Memory does not grow with the number of inputs: peak RSS of a run over 10,000 pictures (links to a few hundred) against 500.

usage: memory.py [--many 10000] [--few 500] [--strict]     both runs with two workers; the model is small so that feeding
dominates. Limit: 5 % more.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

from common import ASSETS, BUILD, OUT, make_models, need


def peak_mib(models, folder):
    """The largest resident size of one child process, from the kernel's own accounting."""
    code = ("import resource,subprocess,sys\n"
            "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    done = subprocess.run([sys.executable, "-c", code, str(BUILD / "sightline"), "run", "--models", str(models), "--model",
                           "age_gender", str(folder), "--workers", "2", "--progress", "none"], check=True,
                          capture_output=True, text=True)
    return int(done.stdout) / 1024


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--many", type=int, default=10000)
    arguments.add_argument("--few", type=int, default=500)
    arguments.add_argument("--strict", action="store_true")
    options = arguments.parse_args()
    need(ASSETS, "the test assets")
    OUT.mkdir(parents=True, exist_ok=True)
    models = OUT / "models_memory"
    make_models(models, {"age_gender": ("faceapi_age_gender.onnx", [])})
    pictures = sorted((ASSETS / "images/faces_utk").glob("*.jpg")) + sorted((ASSETS / "images/coco").rglob("*.jpg"))
    peaks = {}
    with tempfile.TemporaryDirectory() as folder:
        for count in (options.few, options.many):
            inputs = pathlib.Path(folder) / str(count)
            inputs.mkdir()
            for i in range(count):
                (inputs / f"{i:06}.jpg").symlink_to(pictures[i % len(pictures)])
            peaks[count] = peak_mib(models, inputs)
    ratio = peaks[options.many] / peaks[options.few]
    (OUT / "memory.json").write_text(json.dumps({"peak_mib": peaks, "ratio": ratio}, indent=1))
    print(f"peak RSS: {options.few} pictures {peaks[options.few]:.1f} MiB, {options.many} pictures "
          f"{peaks[options.many]:.1f} MiB: ratio {ratio:.3f}, limit 1.05: {'reached' if ratio <= 1.05 else 'MISSED'}")
    return 1 if options.strict and ratio > 1.05 else 0


if __name__ == "__main__":
    sys.exit(main())
