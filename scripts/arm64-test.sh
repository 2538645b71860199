#!/usr/bin/env bash
# The numeric self-test on this machine and, cross-compiled and emulated, on arm64; then the comparison. Also runs the
# arm64 program itself once, and the arm64 unit tests of the SIMD code.
set -euo pipefail
cd "$(dirname "$0")/.."
./dev build numeric_self_test sightline
./dev build --arch arm64 numeric_self_test sightline preprocess_test
out=build/arm64/self-test
assets=${SIGHTLINE_ASSETS:-../shared/assets}
mkdir -p "$out"
# A picture with gradients, edges and text; odd size.
ffmpeg -v error -y -f lavfi -i testsrc2=size=1283x853:rate=1 -frames:v 1 -q:v 3 -pix_fmt yuvj420p "$out/picture.jpg"
run() {  # program prefix, output
  if [ -d "$assets" ]; then
    $1 "$2/tests/numeric_self_test" "$picture" "$out/models" yolox_nano
  else
    $1 "$2/tests/numeric_self_test" "$picture"
  fi
}
picture=$out/picture.jpg
if [ -d "$assets" ]; then
  rm -rf "$out/models"
  build/release/sightline model add "$assets/models/yolox_nano_416.onnx" --name yolox_nano --labels coco80 --models "$out/models" > /dev/null
  picture=$(find "$assets/images/coco" -name '*.jpg' | sort | head -1)
else
  echo "arm64: no test assets: the model part is skipped (set SIGHTLINE_ASSETS)"
fi
run "" build/release > "$out/x64.txt"
run scripts/arm64-run build/arm64 > "$out/arm64.txt"
python3 tests/compare_numbers.py "$out/x64.txt" "$out/arm64.txt"
scripts/arm64-run build/arm64/sightline --version
scripts/arm64-run build/arm64/src/stages/preprocess/preprocess_test --gtest_brief=1
