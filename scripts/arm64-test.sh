#!/usr/bin/env bash
# Does the program compute the same on arm64? Cross-compiles it, runs it under emulation with arm64's own libraries, and
# compares: the numeric self-test of both machines, number by number; and the arm64 unit tests of the code that has SIMD.
set -euo pipefail
cd "$(dirname "$0")/.."
./dev build numeric_self_test sightline
./dev build --arch arm64 numeric_self_test sightline preprocess_test decode_test postprocess_test
out=build/arm64/self-test
assets=${SIGHTLINE_ASSETS:-../shared/assets}
rm -rf "$out"
mkdir -p "$out"
say() { printf '\n\033[1marm64:\033[0m %s\n' "$*"; }

# Each machine's numbers for the same picture (and model), side by side. Arguments as the self-test's.
compare() {
  local started=$SECONDS middle
  build/release/tests/numeric_self_test "$@" > "$out/x64.txt"
  middle=$SECONDS
  scripts/arm64-run build/arm64/tests/numeric_self_test "$@" > "$out/arm64.txt"
  python3 tests/compare_numbers.py "$out/x64.txt" "$out/arm64.txt"
  echo "$((middle - started)) s here, $((SECONDS - middle)) s emulated"
}

say "$(scripts/arm64-run build/arm64/sightline --version)"
say "a made picture of odd size: gradients, edges, text"
ffmpeg -v error -y -f lavfi -i testsrc2=size=1283x853:rate=1 -frames:v 1 -q:v 3 -pix_fmt yuvj420p "$out/picture.jpg"
compare "$out/picture.jpg"
if [ -d "$assets" ]; then
  picture=$(find "$assets/images/coco" -name '*.jpg' | sort | head -1)
  say "a photograph and one model: $(basename "$picture"), YOLOX-nano"
  build/release/sightline model add "$assets/models/yolox_nano_416.onnx" --name yolox_nano --labels coco80 --models "$out/models" > /dev/null
  compare "$picture" "$out/models" yolox_nano
else
  say "SKIPPED: a photograph and one model: no test assets (set SIGHTLINE_ASSETS)"
fi
# Same seed, same bytes of truth (docs/decisions/0006-truth-is-exact.md).
for seed in 7 8 9; do
  say "the truth of street $seed"
  for machine in x64 arm64; do
    run=(); [ $machine = arm64 ] && run=(scripts/arm64-run)
    preset=release; [ $machine = arm64 ] && preset=arm64
    "${run[@]}" build/$preset/sightline simulate street --seed $seed --seconds 20 --fps 10 --no-video -q -o "$out/truth-$machine-$seed"
  done
  diff -r "$out/truth-x64-$seed" "$out/truth-arm64-$seed"
  echo "$(cat "$out/truth-x64-$seed"/* | wc -c) bytes in $(find "$out/truth-x64-$seed" -type f | wc -l) files: the same"
done
for test in preprocess decode postprocess; do
  say "${test}_test"
  filter='*'
  [ "$test" = decode ] && filter='Jpeg*:PixelRow*:UprightWriter*:Sniff*'
  scripts/arm64-run "build/arm64/src/stages/$test/${test}_test" --gtest_brief=1 --gtest_filter="$filter"
done
