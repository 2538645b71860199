#!/bin/bash
# Frames of 560 simulated cameras to learn from and 40 others to look at, in the folder given (3.2 GB, minutes).
# Needs the release build (./dev build).
set -euo pipefail
out=${1:?usage: training/make_data.sh FOLDER [CAMERAS]}
cameras=${2:-560}
cd "$(dirname "$0")/.."
mkdir -p "$out"
lib=build/release/src
g++ -std=c++20 -O2 -Isrc training/frames.cc -o "$out/frames" \
  $lib/simulate/street/libsimulate_street.a $lib/simulate/render/libsimulate_render.a \
  $lib/simulate/models/libsimulate_models.a $lib/simulate/scene/libsimulate_scene.a \
  $lib/data/libdata.a $lib/base/libbase.a \
  -labsl_synchronization -labsl_base -labsl_time -labsl_strings -lfmt -lspdlog -lpthread
"$out/frames" "$out/train" 100000 "$cameras" 8
"$out/frames" "$out/validation" 200000 40 6 plain
