#!/bin/bash
# Frames of 1500 simulated cameras to learn from and 40 others to look at, in the folder given (8 GB, minutes).
# Needs the release build (./dev build).
set -euo pipefail
out=${1:?usage: training/make_data.sh FOLDER [CAMERAS]}
cameras=${2:-1500}
cd "$(dirname "$0")/.."
mkdir -p "$out"
lib=build/release/src
g++ -std=c++20 -O2 -ffp-contract=off -Isrc training/frames.cc -o "$out/frames" \
  $lib/simulate/street/libsimulate_street.a $lib/simulate/render/libsimulate_render.a \
  $lib/simulate/models/libsimulate_models.a $lib/simulate/scene/libsimulate_scene.a \
  $lib/data/libdata.a $lib/base/libbase.a \
  -labsl_synchronization -labsl_base -labsl_time -labsl_strings -lfmt -lspdlog -lpthread
# Two halves at the same time, then one file: the frames of the second are numbered on.
half=$((cameras / 2)) frames=$((cameras / 2 * 16))
"$out/frames" "$out/first" 100000 "$half" 8 &
"$out/frames" "$out/train" $((100000 + half)) "$half" 8
wait $!
cat "$out/train.yuv" >>"$out/first.yuv"
awk -v n="$frames" '{ $1 += n; print }' "$out/train.txt" >>"$out/first.txt"
mv "$out/first.yuv" "$out/train.yuv"
mv "$out/first.txt" "$out/train.txt"
"$out/frames" "$out/validation" 200000 40 6 plain
