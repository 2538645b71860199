#!/usr/bin/env python3
"""Compares two outputs of numeric_self_test: compare_numbers.py A B. The tolerances are the project's promise between
instruction sets: decoded samples are the same, bit by bit, at every scale; preprocessed tensors lie
within 1e-3 of a level (0..255), as the kernels do to their reference, with or without fused multiply-add; model outputs and
boxes within about 20 times what x86-64 and arm64 were seen to differ by (sums in another order)."""
import sys

# absolute, relative
TOLERANCE = {"decode": (0, 0), "preprocess": (1e-3, 0), "model": (5e-5, 1e-4), "detection": (1e-3, 1e-5), "detections": (0, 0)}


def read(path):
    with open(path) as file:
        return {name: float(value) for name, value in (line.split() for line in file)}


def main():
    first, second = read(sys.argv[1]), read(sys.argv[2])
    if first.keys() != second.keys() or len(first) < 100:
        print(f"different or too few numbers: {len(first)} and {len(second)}")
        return 1
    worst, failed = {}, 0
    for name, value in first.items():
        kind = name.split(".")[0]
        absolute, relative = TOLERANCE[kind]
        difference = abs(value - second[name])
        worst[kind] = max(worst.get(kind, 0), difference)
        if not difference <= absolute + relative * abs(value):
            failed += 1
            print(f"{name}: {value} and {second[name]}")
    for kind, difference in worst.items():
        print(f"{kind}: largest difference {difference:.3g}, tolerance {TOLERANCE[kind][0]:g} + {TOLERANCE[kind][1]:g} relative")
    print(f"{len(first) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
