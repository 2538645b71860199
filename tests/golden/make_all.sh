#!/usr/bin/env bash
# Writes the goldens of all head families anew (python3-numpy). The values come from the reference scripts alone.
set -Eeuo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-/usr/bin/python3}
for family in yolox yolov5 yolov8 nanodet ssd scrfd yunet vectors; do "$python" "$family.py"; done
